"""Every module and every environment: formatted, valid, and its own tests hold."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.terraform import SOURCES, Copy, Done, folders, is_schema_only, missing_providers

FOLDERS = folders()
RUNNABLE = [folder for folder in FOLDERS if not missing_providers(folder)]
MODULES = [folder for folder in FOLDERS if folder.startswith("modules/")]
TESTED = [folder for folder in FOLDERS if list((SOURCES / folder / "tests").glob("*.tftest.hcl"))]


@pytest.fixture(scope="session")
def results(copy: Copy) -> dict[str, Done]:
    """What each folder's own tests said; two at once, as each mostly waits for its provider to start."""

    def run(folder: str) -> Done:
        copy.init(folder)
        # its own tests include validating it; with the real provider they would want an account
        if folder in TESTED and is_schema_only():
            return copy.run(folder, "test", "-no-color")
        return copy.run(folder, "validate", "-no-color")

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(RUNNABLE, pool.map(run, RUNNABLE), strict=True))


def test_everything_is_formatted(copy: Copy) -> None:
    done = copy.run(".", "fmt", "-check", "-recursive", "-diff")
    assert done.status == 0, done.text


@pytest.mark.parametrize("folder", FOLDERS)
def test_it_is_valid_and_its_own_tests_hold(results: dict[str, Done], folder: str) -> None:
    if missing := missing_providers(folder):
        pytest.skip(f"no mirror has the provider {', '.join(sorted(missing))}; only its form was checked")
    done = results[folder]
    assert done.status == 0, done.text[-6000:]
    if folder in TESTED and is_schema_only():
        assert re.search(r"Success! [1-9][0-9]* passed, 0 failed", done.text), done.text


@pytest.mark.parametrize("folder", MODULES)
def test_a_module_says_what_it_takes_and_gives(folder: str) -> None:
    for kind, file in (("variable", "variables.tf"), ("output", "outputs.tf")):
        path = SOURCES / folder / file
        text = path.read_text("utf-8") if path.exists() else ""
        blocks = re.findall(rf'^{kind} "(\w+)" \{{\n(.*?)^\}}', text, re.MULTILINE | re.DOTALL)
        names = [name for name, _ in blocks]
        if kind == "variable":
            assert names == sorted(names), f"{folder}: variables stand in alphabetical order"
            assert [name for name, body in blocks if not re.search(r"^  type ", body, re.MULTILINE)] == []
        assert [name for name, body in blocks if not re.search(r"^  description ", body, re.MULTILINE)] == []


@pytest.mark.parametrize("folder", MODULES)
def test_a_module_has_tests_and_a_page(folder: str) -> None:
    assert folder in TESTED, f"{folder} has no test of its own"
    assert (SOURCES / folder / "README.md").is_file(), f"{folder} has no README.md"


@pytest.mark.parametrize("folder", FOLDERS)
def test_versions_are_bounded(folder: str) -> None:
    text = (SOURCES / folder / "versions.tf").read_text("utf-8")
    assert 'required_version = ">= 1.11"' in text
    # a customer's module stands inside a configuration of their own, whose versions it must not narrow
    form = ">= " if folder.startswith("customer/") else "~> "
    found = re.findall(r'^\s+version = "(.*)"', text, re.MULTILINE)
    assert [line for line in found if not line.startswith(form)] == []


def test_one_module_alone_reads_the_suite() -> None:
    readers = [path for path in SOURCES.rglob("*.tf") if "yamldecode" in path.read_text("utf-8")]
    assert [path.parent.name for path in readers] == ["suite"]
