"""Bills of materials of the bundles in `dist/`: one for each, valid CycloneDX, and naming exactly what the bundle pins.

Source: https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ..results import Finding, ScannerMissing

FOLDER = "dist"
MANIFEST = "manifest.json"


def scan(root: Path) -> list[Finding]:
    """Return what is wrong with the bills in `dist/`.

    Raises:
        ScannerMissing: no bundle was built.
    """
    folder = root / FOLDER
    if not (folder / MANIFEST).is_file():
        raise ScannerMissing(f"there are no bundles in {FOLDER}/: `make bundle`")
    bundles = json.loads((folder / MANIFEST).read_text("utf-8"))["bundles"]
    return [finding for bundle in bundles for finding in _judge(folder, bundle)]


def problems_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield rule and words for each thing that is wrong with a bill by itself."""
    for error in JsonStrictValidator(SchemaVersion.V1_6).validate_str(text, all_errors=True) or ():
        yield "invalid", str(error.data.message if hasattr(error.data, "message") else error.data)[:300]


def _judge(folder: Path, bundle: dict[str, Any]) -> Iterator[Finding]:
    archive, bill = folder / bundle["file"], folder / f"{bundle['name']}.cdx.json"
    place = f"{FOLDER}/{bill.name}"
    if not bill.is_file():
        yield Finding(place, "missing", "the bundle has no bill of materials")
        return
    text = bill.read_text("utf-8")
    wrong = list(problems_of(text))
    yield from (Finding(place, rule, words) for rule, words in wrong)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != bundle["sha256"]:
        yield Finding(f"{FOLDER}/{archive.name}", "changed", "it is not the bundle that the manifest names")
    if not wrong:
        yield from _incomplete(place, json.loads(text), archive, text)


def _incomplete(place: str, bill: dict[str, Any], archive: Path, text: str) -> Iterator[Finding]:
    with zipfile.ZipFile(archive) as opened:
        if opened.read("sbom.cdx.json").decode() != text:
            yield Finding(place, "changed", "the bundle carries another one")
        lines = opened.read("requirements.txt").decode().splitlines()
    pinned = {line.partition(" ")[0] for line in lines if line[:1].isalnum()}
    listed = {f"{item['name']}=={item['version']}" for item in bill.get("components", ())}
    for name in sorted(pinned ^ listed):
        yield Finding(place, "incomplete", f"{name} is in one of bill and bundle only")
