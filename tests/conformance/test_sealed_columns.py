"""Every column of ciphertexts has somebody who seals it anew, or is gone before that matters; and the runbook knows each."""

from __future__ import annotations

import importlib
import re
from datetime import timedelta
from typing import Any

import pytest

from infra.suite import load_suite
from shared.data.sealed_columns import PurgedColumn, SealedColumn
from shared.http.resealing import tend_sealed_columns
from tests.support.database import ClonedDatabase
from tests.support.runbooks import RUNBOOKS

SUITE = load_suite()
PAGE = (RUNBOOKS / "envelope-key.md").read_text("utf-8")
LEAST_DAYS = 30  # the page has a version kept so long after it was disabled

_SEALED_ROW = re.compile(r"^\| `([a-z_.]+)` \| `([a-z-]+)` \| `([a-z-]+)` \|$", re.MULTILINE)
_PURGED_ROW = re.compile(r"^\| `([a-z_.]+)` \| `([a-z-]+)` \| none: deleted after (\d+) days \|$", re.MULTILINE)


def declared(kind: type[Any]) -> dict[str, tuple[str, Any]]:
    """Return the columns of a kind that the functions' wirings declare: name to function and column."""
    found: dict[str, tuple[str, Any]] = {}
    for name in SUITE.functions:
        for item in vars(importlib.import_module(f"functions.{name}.wiring")).values():
            if isinstance(item, kind):
                found[item.name] = name, item
    return found


SEALED, PURGED = declared(SealedColumn), declared(PurgedColumn)


def schedules_of(function: str) -> set[str]:
    """Return the schedules by which a function seals its columns anew."""
    routes = importlib.import_module(f"functions.{function}.routes").EVENT_ROUTES
    paths = {route.path for route in routes if route.handler is tend_sealed_columns}
    return {name for name, item in SUITE.schedules.items() if item.function == function and item.path in paths}


def test_every_column_of_ciphertexts_is_sealed_anew_or_purged(database: ClonedDatabase) -> None:
    rows = database.owner.run(
        "select table_schema || '.' || table_name || '.' || column_name from information_schema.columns"
        " where column_name ~ '_encrypted$' and table_schema !~ '^pg_'"
    )
    assert len(rows) > 3, "the catalogue query finds no columns"
    assert {row[0] for row in rows} == {*SEALED, *PURGED}
    assert not SEALED.keys() & PURGED.keys()


def test_every_sealed_column_has_somebody_who_looks_after_it(database: ClonedDatabase) -> None:
    assert {row[0] for row in database.owner.run("select name from core.sealed_columns")} == set(SEALED)
    assert {name: len(schedules_of(function)) for name, (function, _) in SEALED.items()} == dict.fromkeys(SEALED, 1)
    for function in {function for function, _ in SEALED.values()}:
        mine = {column for owner, column in SEALED.values() if owner == function}
        wiring = importlib.import_module(f"functions.{function}.wiring")
        assert set(wiring.SEALED_COLUMNS) == mine, f"{function}: not all that is declared is given to its resealer"


def test_what_is_purged_instead_is_gone_long_before_a_version_is_destroyed() -> None:
    for name, (_, column) in PURGED.items():
        assert column.kept_for * 3 <= timedelta(days=LEAST_DAYS), f"{name} is kept too long to be left out"


def test_the_runbook_lists_every_column_with_its_key_and_its_schedule() -> None:
    keys = {name: key for name, key, _ in (*_SEALED_ROW.findall(PAGE), *_PURGED_ROW.findall(PAGE))}
    assert {name: jobs for name, _, jobs in _SEALED_ROW.findall(PAGE)} == {
        name: ", ".join(schedules_of(function)) for name, (function, _) in SEALED.items()
    }
    assert {name: timedelta(days=int(days)) for name, _, days in _PURGED_ROW.findall(PAGE)} == {
        name: column.kept_for for name, (_, column) in PURGED.items()
    }
    for name, (function, _) in (SEALED | PURGED).items():
        assert keys[name] in SUITE.functions[function].kms_keys, f"{name} is not sealed under {keys[name]}"


@pytest.mark.parametrize("name", sorted(SEALED))
def test_the_runbook_looks_at_the_versions_of_every_column(name: str) -> None:
    assert f"'{name}'" in PAGE, "no statement of the page counts its rows"
