"""Writes the compact schema of every AWS type: `python -m infra.build.type_schema [--check] [--from schema.json]`.

The provider itself says what its types look like (`terraform providers schema -json`); this keeps what the engine asks: which
attributes there are, of which shape, and which of them are computed, optional, required or sensitive. Works offline with a
provider mirror in DRIFTWISE_TF_MIRROR. The layout of the file is told in `functions/scan/types/provider_schema.py`, which reads it.
Source: Terraform documentation, "terraform providers schema" (JSON output format).
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from functions.scan.types.aws.schema import SCHEMA
from functions.scan.types.provider_schema import ProviderSchema

ROOT = Path(__file__).parents[2]
_SOURCE = f"registry.terraform.io/{SCHEMA.provider}"
_CONFIGURATION = f"""
terraform {{
  required_providers {{
    aws = {{
      source  = "{SCHEMA.provider}"
      version = "{SCHEMA.version}"
    }}
  }}
}}
"""
_FLAGS = {"required": "r", "optional": "o", "computed": "c", "sensitive": "!", "write_only": "w", "deprecated": "d"}
_SCALARS = {"string": "s", "number": "n", "bool": "b", "dynamic": "y"}
_COLLECTIONS = {"list": "L", "set": "T", "map": "M"}
_MODES = {"list": "L", "set": "T", "map": "M", "single": "1", "group": "1"}

Block: TypeAlias = Mapping[str, Any]  # a block of the documented JSON format


class SchemaUnavailable(RuntimeError):
    """Terraform or the provider is not there."""


def provider_schema() -> Block:
    """Ask Terraform for the schemas of the provider's types.

    Raises:
        SchemaUnavailable: Terraform is not installed, or the provider of this version cannot be had.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "main.tf").write_text(_CONFIGURATION, encoding="utf-8")
        environment = {**os.environ, "CHECKPOINT_DISABLE": "1", **_mirrored(work)}
        _terraform(["init", "-input=false", "-backend=false"], work, environment)
        return schemas_of(json.loads(_terraform(["providers", "schema", "-json"], work, environment)))


def schemas_of(document: Mapping[str, Any]) -> Block:
    """Take the resource schemas out of what `terraform providers schema -json` printed.

    Raises:
        SchemaUnavailable: the provider is not among them.
    """
    try:
        found: Block = document["provider_schemas"][_SOURCE]["resource_schemas"]
    except KeyError:
        raise SchemaUnavailable(f"the schema document does not hold {_SOURCE}") from None
    return found


def schema_text(schemas: Block, schema: ProviderSchema = SCHEMA) -> str:
    """Write the types of a provider one per line, sorted, so that one can be read without the others."""
    head = json.dumps({"provider": schema.provider, "version": schema.version, "types": len(schemas)})
    lines = [
        f"{name}\t{json.dumps(_block(schemas[name]['block']), separators=(',', ':'), sort_keys=True)}"
        for name in sorted(schemas)
    ]
    return "\n".join([head, *lines]) + "\n"


def _block(block: Block) -> dict[str, object]:
    found: dict[str, object] = {
        name: _flags(item) + ":" + _type(item["type"]) for name, item in block.get("attributes", {}).items()
    }
    for name, item in block.get("block_types", {}).items():
        bounds = [item.get("min_items", 0), item.get("max_items", 0)]
        found[name] = [_MODES[item["nesting_mode"]], *bounds, _block(item["block"])]
    return found


def _flags(attribute: Block) -> str:
    return "".join(letter for flag, letter in _FLAGS.items() if attribute.get(flag))


def _type(kind: Any) -> str:
    if isinstance(kind, str):
        return _SCALARS[kind]
    if kind[0] == "object":
        return "{" + ",".join(f"{name}={_type(inner)}" for name, inner in sorted(kind[1].items())) + "}"
    return _COLLECTIONS[kind[0]] + _type(kind[1])


def _mirrored(work: Path) -> dict[str, str]:
    paths = [path for path in os.environ.get("DRIFTWISE_TF_MIRROR", "").split(os.pathsep) if path]
    if not paths:
        return {}
    blocks = "".join(f"  filesystem_mirror {{\n    path = {json.dumps(path)}\n  }}\n" for path in paths)
    (work / "terraform.rc").write_text(f"provider_installation {{\n{blocks}}}\n", encoding="utf-8")
    return {"TF_CLI_CONFIG_FILE": str(work / "terraform.rc")}


def _terraform(arguments: list[str], work: Path, environment: Mapping[str, str]) -> str:
    command = ["terraform", *arguments]
    try:
        done = subprocess.run(
            command, cwd=work, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
    except FileNotFoundError:
        raise SchemaUnavailable("there is no `terraform` on PATH") from None
    if done.returncode != 0:
        raise SchemaUnavailable(f"terraform {arguments[0]} failed: {done.stderr[-500:]}")
    return done.stdout


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or only say whether it is what it should be; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.build.type_schema", description="Write the AWS type schema.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is stale")
    parser.add_argument("--from", dest="source", type=Path, help="output of `terraform providers schema -json`")
    options = parser.parse_args(arguments)
    try:
        schemas = schemas_of(json.loads(options.source.read_text("utf-8"))) if options.source else provider_schema()
    except SchemaUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    text = schema_text(schemas).encode()
    if not options.check:
        SCHEMA.file.write_bytes(lzma.compress(text, preset=9))
    elif not SCHEMA.file.exists() or lzma.decompress(SCHEMA.file.read_bytes()) != text:
        sys.stderr.write(f"{SCHEMA.file.name} is stale: run `python -m infra.build.type_schema` and commit it\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
