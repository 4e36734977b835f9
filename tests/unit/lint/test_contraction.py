"""Migrations that take something away say so."""

from __future__ import annotations

import pytest

from infra.lint.contraction import ROOT, check, check_tree

HEAD = "-- owner: keys | locks: core.api_keys, briefly\n"


def test_this_tree_has_none() -> None:
    assert list(check_tree(ROOT)) == []


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("drop table core.api_keys;", "drops a table"),
        ("alter table core.api_keys drop column name;", "drops a column"),
        ("alter table core.api_keys rename to keys;", "renames"),
        ("alter table core.api_keys rename column name to title;", "renames"),
        ("alter table core.api_keys\n  alter column name type varchar(10);", "changes a column's type"),
        ("alter table core.api_keys alter column name set not null;", "makes a column required"),
        ("ALTER TABLE core.api_keys ALTER COLUMN name DROP DEFAULT;", "takes a default away"),
        ("drop function core.find_api_key(text);", "drops a function"),
        ("revoke update on core.api_keys from keys_work;", "takes a right away"),
        ("drop role keys_work;", "drops a role"),
    ],
)
def test_what_takes_away_is_found(statement: str, what: str) -> None:
    (line,) = check("0099_keys.sql", HEAD + statement)
    assert line.startswith(f"0099_keys.sql: {what};")


@pytest.mark.parametrize(
    "statement",
    [
        "create table core.notes (org_id uuid not null);\nalter table core.notes alter column org_id set not null;",
        "alter table core.api_keys add column note text;",
        "comment on table core.api_keys is 'drop table core.api_keys';",
        "-- drop table core.api_keys\nselect 1;",
        "revoke execute on function core.find_api_key(text) from public;",
        "revoke core_lookup from current_user;",
        "drop index core.api_keys_name;",
    ],
)
def test_what_only_adds_is_not(statement: str) -> None:
    assert list(check("0099_keys.sql", HEAD + statement)) == []


def test_who_says_why_may_take_away() -> None:
    said = "-- owner: keys | locks: none | contract: `name` was read by keys, until 0.4.0\n"
    assert list(check("0099_keys.sql", said + "alter table core.api_keys drop column name;")) == []


def test_saying_nothing_is_not_saying_why() -> None:
    said = "-- owner: keys | locks: none | contract: yes\n"
    assert list(check("0099_keys.sql", said + "alter table core.api_keys drop column name;"))
