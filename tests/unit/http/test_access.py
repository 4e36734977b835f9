"""The access table: every kind of rule against every kind of caller."""

from __future__ import annotations

import typing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from shared.http.access import Access, Who, authorise
from shared.http.errors import AppError
from shared.security.actor import SCOPE_ROLES, Actor, Role
from shared.security.errors import FreshLoginRequired, ScopeRequired

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ORG = UUID(int=1)

RULES = {
    "anyone": Access.anyone(),
    "signed_in": Access.signed_in(),
    **{f"member:{role.name}": Access.member(role) for role in Role},
    "human": Access.human(),
    **{f"human:{role.name}": Access.human(role) for role in Role},
    "human:fresh": Access.human(fresh=True),
    "human:OWNER:fresh": Access.human(Role.OWNER, fresh=True),
    "key:report": Access.key("report"),
    "platform": Access.platform(),
    "scim": Access.directory(),
    "event": Access.from_event("x"),
}


def person(role: Role | None, *, minutes: int | None = 1, is_platform_admin: bool = False) -> Actor:
    signed_in_at = None if minutes is None else NOW - timedelta(minutes=minutes)
    org_id = ORG if role else None
    return Actor("human", "p", org_id, role, is_platform_admin=is_platform_admin, signed_in_at=signed_in_at)


ACTORS = {
    "nobody": Actor(),
    "event": Actor("event", "queue"),
    "scim": Actor("scim", "t", ORG),
    "stranger": person(None),
    "platform admin": person(None, is_platform_admin=True),
    **{f"person:{role.name}": person(role) for role in Role},
    "person:OWNER:stale": person(Role.OWNER, minutes=16),
    "person:OWNER:unknown": person(Role.OWNER, minutes=None),
    **{f"key:{name}": Actor("key", "k", ORG, worth, frozenset({name})) for name, worth in SCOPE_ROLES.items()},
    "key:report": Actor("key", "k", ORG, None, frozenset({"report"})),
}


def expected(rule: str, caller: str) -> str:
    """Say what must come out: written from the product's rules, not from the code."""
    who, actor = rule.split(":"), caller.split(":")
    needed = next((Role[part] for part in who if part in Role.__members__), None)
    if who[0] == "anyone":
        return "yes"
    if caller == "nobody" or any((who[0] == kind) != (caller == kind) for kind in ("event", "scim")):
        return "unauthenticated"
    if who[0] in {"event", "scim"}:
        return "yes"
    if who[0] == "platform":
        return "yes" if caller == "platform admin" else "platform_admin_required"
    if who[0] == "key" and actor[0] != "key":
        return "key_required"
    if who[0] == "key" or caller == "key:report":  # a narrow scope opens what names it, and nothing else does
        refusal = "human_required" if who[0] == "human" else "scope_required"
        return "yes" if who[-1] == actor[-1] else refusal
    if needed is not None and caller in {"stranger", "platform admin"}:
        return "not_found"
    if who[0] == "human" and actor[0] == "key":
        return "human_required"
    if needed is not None:
        worth = SCOPE_ROLES[actor[1]] if actor[0] == "key" else Role[actor[1]]
        if worth < needed:
            return "scope_required" if actor[0] == "key" else "role_required"
    if "fresh" in who and actor[-1] in {"stale", "unknown"}:
        return "fresh_login_required"
    return "yes"


@pytest.mark.parametrize("rule, caller", list(product(RULES, ACTORS)))
def test_access_table(rule: str, caller: str) -> None:
    try:
        authorise(RULES[rule], ACTORS[caller], NOW)
        found = "yes"
    except AppError as error:
        found = error.code
    assert found == expected(rule, caller), f"{caller} on a route for {rule}"


def test_the_table_covers_every_kind_of_rule() -> None:
    assert {rule.who for rule in RULES.values()} == set(typing.get_args(Who))


def test_nothing_but_a_member_reaches_an_organisations_rows() -> None:
    """A rule that names a role lets nobody in who has none: the guard against a new kind of caller."""
    for kind in ("human", "key"):
        with pytest.raises(AppError):
            authorise(Access.member(Role.VIEWER), Actor(kind, "x"), NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds, is_fresh", [(0, True), (899, True), (900, True), (901, False)])
def test_a_sign_in_is_fresh_for_fifteen_minutes(seconds: int, is_fresh: bool) -> None:
    actor = replace(person(Role.OWNER), signed_in_at=NOW - timedelta(seconds=seconds))
    if is_fresh:
        authorise(Access.human(fresh=True), actor, NOW)
        return
    with pytest.raises(FreshLoginRequired) as caught:
        authorise(Access.human(fresh=True), actor, NOW)
    assert caught.value.facts == {"max_age_seconds": 900}


@pytest.mark.parametrize(
    "needed, scope", [(Role.VIEWER, "read"), (Role.MEMBER, "write"), (Role.ADMIN, "admin"), (Role.OWNER, "none")]
)
def test_a_key_hears_which_scope_it_lacks(needed: Role, scope: str) -> None:
    actor = Actor("key", "k", ORG, min(Role.VIEWER, needed), frozenset({"read"}))
    if needed is Role.VIEWER:
        authorise(Access.member(needed), actor, NOW)
        return
    with pytest.raises(ScopeRequired) as caught:
        authorise(Access.member(needed), actor, NOW)
    assert caught.value.facts == {"required_scope": scope, "scopes": ["read"]}
