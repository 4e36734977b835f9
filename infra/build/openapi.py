"""Writes `infra/openapi.json` from the route tables: `python -m infra.build.openapi [--check]`."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from infra.suite import load_suite
from shared.http.openapi import build_document
from shared.http.routes import Route

from .generated import ROOT, write_or_check

FILE = ROOT / "infra" / "openapi.json"


def routes_of(function: str, table: str = "ROUTES") -> Sequence[Route[Any]]:
    """Return a function's routes; `EVENT_ROUTES` is the other table, empty where there is none."""
    found: Sequence[Route[Any]] = getattr(import_module(f"functions.{function}.routes"), table, ())
    return found


def openapi_text() -> str:
    """Return the document of the whole suite as JSON text."""
    names = list(load_suite().functions)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    document = build_document(
        {name: routes_of(name) for name in names},
        title="DriftWise",
        version=project["version"],
        tags={name: (import_module(f"functions.{name}").__doc__ or name).partition("\n")[0] for name in names},
    )
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or only say whether it is what it should be; returns the exit status."""
    return write_or_check(FILE, openapi_text(), "infra.build.openapi", arguments)


if __name__ == "__main__":
    sys.exit(main())
