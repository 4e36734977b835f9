"""What the provider says about each Kubernetes type; `python -m infra.build.given_schema kubernetes` writes the file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..provider_schema import ProviderSchema

SCHEMA: Final = ProviderSchema(Path(__file__).with_name("schema.xz"), "hashicorp/kubernetes", "2.38.0")
