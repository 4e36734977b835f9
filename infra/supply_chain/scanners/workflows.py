"""Workflows of CI: zizmor for what makes them unsafe, the schemas of GitHub and Cloud Build for what makes them invalid.

Source: https://docs.zizmor.sh/audits/, https://www.schemastore.org/
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator

from ..results import Finding, ScannerMissing
from ..tools import here, parsed, run
from ..tree import files, place

_SCHEMAS = {
    "github-workflows": (".github/workflows/*.yml", "infra/ci/github-actions.yml"),
    "dependabot": (".github/dependabot.yml",),
    "cloudbuild": ("infra/release/cloudbuild.yaml",),
}


def zizmor(root: Path) -> list[Finding]:
    """Return what zizmor finds without asking GitHub."""
    found = _workflows(root)
    if not found:
        return []
    command = [
        str(here("zizmor")),
        "--offline",
        "--quiet",
        "--no-exit-codes",
        "--strict-collection",
        "--format",
        "json-v1",
    ]
    return [
        Finding(*_place(root, item), f"{item['desc']} ({item['determinations']['severity'].lower()})", _line(item))
        for item in parsed(run([*command, *map(str, found)], root), "zizmor")
        if not item["ignored"]
    ]


def schema(root: Path) -> list[Finding]:
    """Return each workflow that its system would not take."""
    return [
        finding
        for name, patterns in _SCHEMAS.items()
        for path in files(root, *patterns)
        for finding in _invalid(root, name, path)
    ]


def _workflows(root: Path) -> list[Path]:
    return files(root, *_SCHEMAS["github-workflows"], *_SCHEMAS["dependabot"])


def _invalid(root: Path, name: str, path: Path) -> Iterator[Finding]:
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except yaml.YAMLError as error:
        yield Finding(place(root, path), "unread", str(error))
        return
    if isinstance(found, dict):
        found = {"on" if key is True else key: value for key, value in found.items()}  # YAML 1.1 reads `on` as true
    for fault in _validator(name).iter_errors(found):
        yield Finding(place(root, path), "invalid", f"{fault.json_path}: {fault.message}"[:300])


@cache
def _validator(name: str) -> Draft7Validator:
    """Return the validator of a schema that the package `check-jsonschema` carries.

    Raises:
        ScannerMissing: the package is not there.
    """
    package = find_spec("check_jsonschema")
    if package is None or package.origin is None:
        raise ScannerMissing("check-jsonschema is not installed: `make setup`")
    file = Path(package.origin).parent / "builtin_schemas" / "vendor" / f"{name}.json"
    return Draft7Validator(json.loads(file.read_text("utf-8")))


def _place(root: Path, item: dict[str, Any]) -> tuple[str, str]:
    local = _primary(item)["symbolic"]["key"]["Local"]
    return place(root, local["verbatim_path"]), item["ident"]


def _line(item: dict[str, Any]) -> int:
    return int(_primary(item)["concrete"]["location"]["start_point"]["row"]) + 1


def _primary(item: dict[str, Any]) -> dict[str, Any]:
    places: list[dict[str, Any]] = item["locations"]
    return next((found for found in places if found["symbolic"]["kind"] == "Primary"), places[0])
