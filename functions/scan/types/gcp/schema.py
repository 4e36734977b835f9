"""What the provider says about each Google type; `python -m infra.build.given_schema google` writes the file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..provider_schema import ProviderSchema

SCHEMA: Final = ProviderSchema(Path(__file__).with_name("schema.xz"), "hashicorp/google", "6.50.0")
