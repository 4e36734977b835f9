"""Runbooks say what they must, and what they tell their readers to run does run."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest

from infra.suite import load_suite
from shared.data.migrations import connect
from tests.support.database import ClonedDatabase, owner_without_powers
from tests.support.runbooks import RUNBOOKS, queries_of

ROOT = Path(__file__).parents[2]
SUITE = load_suite()
PAGES = sorted(path.name for path in RUNBOOKS.glob("*.md") if path.name != "README.md")
each_page = pytest.mark.parametrize("page", PAGES)
ALL_PAGES = [*PAGES, *(f"incidents/{path.name}" for path in sorted((RUNBOOKS / "incidents").glob("*.md")))]
each_page_with_statements = pytest.mark.parametrize("page", [page for page in ALL_PAGES if queries_of(page)])


def text_of(page: str) -> str:
    return (RUNBOOKS / page).read_text("utf-8")


def test_every_page_is_on_the_list() -> None:
    assert sorted(re.findall(r"^\| \[[a-z-]+\]\(([a-z-]+\.md)\)", text_of("README.md"), re.MULTILINE)) == PAGES


@each_page
def test_a_page_says_when_what_must_hold_how_to_see_it_and_the_way_back(page: str) -> None:
    text = text_of(page)
    for part in ("**When.**", "**Preconditions.**", "## Steps", "**It worked**", "## Roll back"):
        assert part in text, f"{page} lacks {part}"


@pytest.mark.parametrize("page", ALL_PAGES)
def test_what_it_names_exists(page: str) -> None:
    text = text_of(page)
    assert set(re.findall(r"--key ([a-z-]+)", text)) <= set(SUITE.kms_keys)
    assert set(re.findall(r"(?:--secret|secrets versions add) ([a-z-]+)", text)) <= set(SUITE.secrets)
    assert set(re.findall(r"scheduler jobs \w+ ([a-z-]+)", text)) <= set(SUITE.schedules) | {
        "journey"
    }  # a job that is no function's
    named = {
        name
        for group in re.findall(r"jsonPayload\.message=([^`\n]*)", text)
        for name in re.findall(r'"([a-z ]+)\\?"', group)
    }
    folders = (ROOT / "shared", ROOT / "functions", ROOT / "infra")
    sources = "".join(path.read_text("utf-8") for folder in folders for path in folder.rglob("*.py"))
    assert {name for name in named if f'"{name}"' not in sources} == set()


@each_page_with_statements
def test_its_checks_run_as_an_owner_without_powers_and_leave_nothing_behind(
    database: ClonedDatabase, page: str
) -> None:
    checks = [block for block in queries_of(page) if block[0] == "begin"]
    with owner_without_powers(database.owner_url) as owner, closing(connect(owner)) as connection:
        for check in checks:
            assert check[-1] == "rollback", "a check stays what it became"
            for statement in check:
                connection.run(statement)
        memberships = (
            "select count(*) from pg_auth_members m join pg_roles r on r.oid = m.member "
            "where r.rolname = 'plain_owner' and m.set_option"
        )
        assert connection.run(memberships) == [[0]]


@each_page_with_statements
def test_its_other_statements_run_as_the_owner(database: ClonedDatabase, page: str) -> None:
    for block in queries_of(page):
        for statement in block if block[0] != "begin" else ():
            database.owner.run(statement)


def test_a_reader_finds_statements_in_pages() -> None:
    assert {page: len(queries_of(page)) for page in ALL_PAGES if queries_of(page)} == {
        "api-key-pepper.md": 1,
        "database-connections.md": 1,
        "envelope-key.md": 3,
        "outbox-lag.md": 1,
        "value-digest-key.md": 1,
        "incidents/data-breach.md": 1,
        "incidents/lost-database.md": 1,
        "incidents/stolen-session.md": 1,
    }
