"""What the provider says about each AWS type; `python -m infra.build.type_schema` writes the file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..provider_schema import ProviderSchema

SCHEMA: Final = ProviderSchema(Path(__file__).with_name("schema.xz"), "hashicorp/aws", "5.100.0")
