"""Writes the compact schema of every Kubernetes type: `python -m infra.build.kubernetes_schema --from kubernetes.json.gz`.

What is read is the provider's schema: the output of `terraform providers schema -json`, or the resource schemas of this one
provider under `resource_schemas`; either may be packed with gzip. The layout of the file is that of the AWS one
(`functions/scan/types/aws/schema.py`).
"""

from __future__ import annotations

import argparse
import gzip
import json
import lzma
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from functions.scan.types.kubernetes.schema import FILE, PROVIDER, VERSION

from .type_schema import schema_text

_SOURCE = f"registry.terraform.io/{PROVIDER}"
_GZIP = b"\x1f\x8b"


def kubernetes_schema_text(content: bytes) -> str:
    """Write the types of a schema document one per line.

    Raises:
        KeyError: the document does not hold this provider.
    """
    document: Mapping[str, Any] = json.loads(gzip.decompress(content) if content.startswith(_GZIP) else content)
    held: Mapping[str, Any] = document.get("provider_schemas", {}).get(_SOURCE, document)
    head, _, rest = schema_text(held["resource_schemas"]).partition("\n")
    return json.dumps({**json.loads(head), "provider": PROVIDER, "version": VERSION}) + "\n" + rest


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or only say whether it is what it should be; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.build.kubernetes_schema", description="Write the Kubernetes schema."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is stale")
    parser.add_argument("--from", dest="source", type=Path, required=True, help="the provider's schema")
    options = parser.parse_args(arguments)
    text = kubernetes_schema_text(options.source.read_bytes()).encode()
    if not options.check:
        FILE.write_bytes(lzma.compress(text, preset=9))
    elif not FILE.exists() or lzma.decompress(FILE.read_bytes()) != text:
        sys.stderr.write(f"{FILE.name} is stale: run `python -m infra.build.kubernetes_schema` and commit it\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
