"""Each class of incident has a page with everything that it needs; and what pages tell their readers to run, call or read exists."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from infra.suite import load_suite
from tests.support.runbooks import RUNBOOKS

ROOT = Path(__file__).parents[2]
SUITE = load_suite()
INCIDENTS = sorted(path.stem for path in (RUNBOOKS / "incidents").glob("*.md"))
PAGES = sorted(str(path.relative_to(RUNBOOKS)) for path in RUNBOOKS.rglob("*.md"))
each_page = pytest.mark.parametrize("page", PAGES)

# What a page is for, by what the public security page promises or what threatens it.
CLASSES = {
    "tenant isolation; encryption at rest": "data-breach",
    "API keys; credentials wrapped; webhooks signed; key rotation": "leaked-credential",
    "sign-in; short-lived tokens": "stolen-session",
    "supply chain; CI-built artifacts only": "compromised-build",
    "backups in another region": "lost-region",
    "point-in-time recovery": "lost-database",
    "append-only audit log": "corrupted-audit-chain",
    "rate limiting; budgets": "abusive-tenant",
    "managed services": "cloud-outage",
    "least privilege; platform audit logs": "malicious-insider",
    "prompt-injection envelope": "prompt-injection",
    "responsible disclosure": "vulnerability-report",
    "rollback playbook": "wrong-release",
}
PARTS = (
    "**How it shows.**",
    "## First ten minutes",
    "## Contain",
    "## Find out",
    "## Mend",
    "## Tell",
    "## Afterwards",
)


def text_of(page: str) -> str:
    return (RUNBOOKS / page).read_text("utf-8")


def test_every_class_has_its_page_and_every_page_is_on_the_list() -> None:
    assert sorted(CLASSES.values()) == INCIDENTS
    listed = re.findall(r"^\| \[([a-z-]+)\]\(incidents/([a-z-]+)\.md\)", text_of("README.md"), re.MULTILINE)
    assert [name for name, file in listed if name == file] == INCIDENTS


@pytest.mark.parametrize("name", INCIDENTS)
def test_a_page_says_everything_in_this_order(name: str) -> None:
    text = text_of(f"incidents/{name}.md")
    places = [text.find(part) for part in PARTS]
    assert -1 not in places, f"{name} lacks {PARTS[places.index(-1)]}"
    assert places == sorted(places)
    told = text.partition("## Tell")[2].partition("## Afterwards")[0]
    rows = [line for line in told.splitlines() if line.startswith("| ")]
    assert rows[0] == "| whom | by when | what |"
    assert len(rows) >= 3, f"{name} tells nobody"
    assert re.search(r"```sh|`python -m |`gcloud |`(?:GET|POST|PATCH|DELETE) ", text), f"{name} gives nothing to run"


def test_a_report_has_the_clock_that_is_promised() -> None:
    promised = (
        (ROOT / "SECURITY.md").read_text("utf-8").partition("## Reporting a vulnerability")[2].partition("\n## ")[0]
    )
    page = text_of("incidents/vulnerability-report.md")
    first = page.partition("## First ten minutes")[2].partition("\n2. ")[0]
    told = page.partition("## Tell")[2].partition("## Afterwards")[0]
    (reporter,) = [line for line in told.splitlines() if line.startswith("| the reporter ")]
    for text in (promised, first, reporter):
        assert "one business day" in text
    for text in (promised, page):
        assert "/.well-known/security.txt" in text, "nobody learns from it where reports arrive"


@each_page
def test_modules_tasks_files_and_links_of_a_page_exist(page: str) -> None:
    text = text_of(page)
    modules = set(re.findall(r"python -m ([a-z_]+(?:\.[a-z_]+)*)", text))
    assert {name for name in modules if importlib.util.find_spec(name) is None} == set()
    tasks = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", text)) - tasks == set()
    files = set(re.findall(r"`((?:infra|shared|functions|terraform|tests)/[\w./-]+?)(?:::\w+)?`", text))
    assert {name for name in files if not (ROOT / name).exists()} == set()
    folder = (RUNBOOKS / page).parent
    links = {link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link}
    assert {link for link in links if link and not (folder / link).exists()} == set()


@each_page
def test_calls_of_a_page_are_served(page: str) -> None:
    served = {
        f"{method} {re.sub(r'{[^}]+}', '{}', path)}"
        for function in SUITE.functions.values()
        for path, methods in function.paths.items()
        for method in methods
    }
    called = re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`?\s]+)", text_of(page))
    assert {f"{method} {re.sub(r'{[^}]+}', '{}', path)}" for method, path in called} - served == set()


@each_page
def test_every_step_of_a_recovery_that_a_page_names_is_one(page: str) -> None:
    source = (ROOT / "infra" / "recovery" / "__main__.py").read_text("utf-8")
    steps = set(re.findall(r'add_parser\(\s*"([a-z-]+)"', source))
    assert len(steps) >= 7
    assert set(re.findall(r"infra\.recovery ([a-z-]+)", text_of(page))) - steps == set()
    options = set(re.findall(r'add_argument\(\s*"(--[a-z-]+)"', source))
    for line in re.findall(r"infra\.recovery [^\n`]*", text_of(page)):
        assert set(re.findall(r"(--[a-z-]+)", line)) - options == set()
