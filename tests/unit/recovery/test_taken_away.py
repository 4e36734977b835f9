"""What audit entries say was taken away; and that no event of the suite that takes something away was forgotten."""

from __future__ import annotations

import ast
import json
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from uuid import UUID

import pytest

from infra.recovery import queries
from infra.recovery.taken_away import AGAIN, BY_ITSELF, BY_PEOPLE, endings
from shared.security.audit import Entry, Event

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 26, tzinfo=UTC)
_ACTION = re.compile(r"[a-z]+:[a-z_]+:[a-z_]+")
# What the last part of an event's name says when it takes a right, a credential or a protection away.
TAKES_AWAY = frozenset({
    "deactivated", "deleted", "denied", "disabled", "ended_by_provider", "leaked", "left", "others_revoked", "purged", "removed",
    "reuse_detected", "revoked", "role_changed", "rotated", "shown_again", "transferred", "unmade",
})  # fmt: skip


def entry(action: str, target_id: str = "t", **facts: object) -> Entry:
    event = Event(action, "human", "", "", target_id, json.dumps(facts), "")
    return Entry("platform", 1, 1, UUID(int=1), NOW, event, b"", b"")


@cache
def audited() -> frozenset[str]:
    """Return every name of an event in the functions' source, also where it is put together."""
    found: set[str] = set()
    for path in (ROOT / "functions").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _ACTION.fullmatch(node.value):
                found.add(node.value)
    return frozenset(found) | {"auth:platform_admin:unmade", "scim:user:deactivated"}  # made of parts


def test_whatever_takes_something_away_is_done_again_ends_by_itself_or_is_left_to_people() -> None:
    taking = {action for action in audited() if action.rpartition(":")[2] in TAKES_AWAY}
    assert len(taking) > 25
    assert taking - AGAIN - BY_ITSELF.keys() - BY_PEOPLE.keys() == set(), "say what a restore does to these"


def test_nothing_stands_there_twice_or_for_nobody() -> None:
    lists = (AGAIN, BY_ITSELF.keys(), BY_PEOPLE.keys())
    assert len(AGAIN | BY_ITSELF.keys() | BY_PEOPLE.keys()) == sum(map(len, lists))
    assert (AGAIN | BY_ITSELF.keys() | BY_PEOPLE.keys()) - audited() == set()


@pytest.mark.parametrize("action", sorted(AGAIN))
def test_an_entry_ends_what_it_names(action: str) -> None:
    found = list(endings(entry(action, "target", old_role="admin", role="viewer", from_user="target")))
    assert [one.target_id for one in found] == ["target"]


def test_a_group_of_people_is_lowered_one_by_one() -> None:
    found = list(endings(entry("scim:members:role_changed", "a", role="viewer", user_ids=["a", "b"])))
    assert [(one.target_id, one.values["role"]) for one in found] == [("a", "viewer"), ("b", "viewer")]


def test_who_hands_ownership_over_becomes_an_admin_and_nobody_is_raised() -> None:
    found = list(endings(entry("auth:ownership:transferred", "new", from_user="old", old_role="member")))
    assert [(one.target_id, one.values["role"], one.sql) for one in found] == [("old", "admin", queries.LOWER_ROLE)]


@pytest.mark.parametrize(
    "action", ["keys:api_key:created", "auth:member:joined", "webhook:config:rotated", "scan:scan:started"]
)
def test_what_gives_or_changes_other_things_ends_nothing(action: str) -> None:
    assert list(endings(entry(action))) == []
