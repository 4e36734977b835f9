"""Writes the compact schema of a provider from a document: `python -m infra.build.given_schema google --from google.json.gz`.

What is read is the provider's schema: the output of `terraform providers schema -json`, or the resource schemas of this one
provider under `resource_schemas`; either may be packed with gzip. The layout of the file is told in
`functions/scan/types/provider_schema.py`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import lzma
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from functions.scan.types.gcp.schema import SCHEMA as GOOGLE
from functions.scan.types.kubernetes.schema import SCHEMA as KUBERNETES
from functions.scan.types.provider_schema import ProviderSchema

from .type_schema import schema_text

SCHEMAS: Final = {"google": GOOGLE, "kubernetes": KUBERNETES}
_GZIP = b"\x1f\x8b"


def given_schema_text(content: bytes, schema: ProviderSchema) -> str:
    """Write the types of a schema document one per line.

    Args:
        content: the document.
        schema: whose it is.

    Raises:
        KeyError: the document does not hold this provider.
    """
    document: Mapping[str, Any] = json.loads(gzip.decompress(content) if content.startswith(_GZIP) else content)
    source = f"registry.terraform.io/{schema.provider}"
    held: Mapping[str, Any] = document.get("provider_schemas", {}).get(source, document)
    return schema_text(held["resource_schemas"], schema)


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or only say whether it is what it should be; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.build.given_schema", description="Write a provider's schema."
    )
    parser.add_argument("provider", choices=sorted(SCHEMAS))
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is stale")
    parser.add_argument("--from", dest="source", type=Path, required=True, help="the provider's schema")
    options = parser.parse_args(arguments)
    schema = SCHEMAS[options.provider]
    text = given_schema_text(options.source.read_bytes(), schema).encode()
    if not options.check:
        schema.file.write_bytes(lzma.compress(text, preset=9))
    elif not schema.file.exists() or lzma.decompress(schema.file.read_bytes()) != text:
        sys.stderr.write(f"{schema.file} is stale: run `{parser.prog} {options.provider}` and commit it\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
