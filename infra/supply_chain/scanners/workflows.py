"""Workflows of CI: zizmor for what makes them unsafe, the schemas of GitHub and Cloud Build for what makes them invalid.

Source: https://docs.zizmor.sh/audits/, https://www.schemastore.org/
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..results import Finding, ScannerBroken
from ..tools import here, parsed, run
from ..tree import files, place

_SCHEMAS = {
    "vendor.github-workflows": (".github/workflows/*.yml", "infra/ci/github-actions.yml"),
    "vendor.cloudbuild": ("infra/release/cloudbuild.yaml",),
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
    return [finding for name, patterns in _SCHEMAS.items() for finding in _invalid(root, name, files(root, *patterns))]


def _workflows(root: Path) -> list[Path]:
    return files(root, *_SCHEMAS["vendor.github-workflows"])


def _invalid(root: Path, schema_name: str, found: list[Path]) -> Iterator[Finding]:
    if not found:
        return
    command = [str(here("check-jsonschema")), "--builtin-schema", schema_name, "--output-format", "json"]
    said = parsed(run([*command, *map(str, found)], root, good=(0, 1)), "check-jsonschema")
    for item in said.get("errors", ()):
        yield Finding(place(root, item["filename"]), "invalid", item["message"])
    for item in said.get("parse_errors", ()):
        yield Finding(place(root, item["filename"]), "unread", item["message"])
    if said["status"] != "ok" and not said.get("errors") and not said.get("parse_errors"):
        raise ScannerBroken("check-jsonschema says that something is wrong, and not what")


def _place(root: Path, item: dict[str, Any]) -> tuple[str, str]:
    local = _primary(item)["symbolic"]["key"]["Local"]
    return place(root, local["verbatim_path"]), item["ident"]


def _line(item: dict[str, Any]) -> int:
    return int(_primary(item)["concrete"]["location"]["start_point"]["row"]) + 1


def _primary(item: dict[str, Any]) -> dict[str, Any]:
    places: list[dict[str, Any]] = item["locations"]
    return next((found for found in places if found["symbolic"]["kind"] == "Primary"), places[0])
