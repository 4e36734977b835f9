"""Roles, scopes and plans."""

from __future__ import annotations

import pytest

from shared.security.actor import SCOPE_ROLES, Actor, Role
from shared.security.plans import limit_of

PLANS = ("free", "team", "enterprise")
LIMITS = ("api_keys", "cloud_accounts", "state_sources", "concurrent_scans")


def test_a_higher_role_includes_every_lower_one() -> None:
    assert sorted(Role) == [Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER]
    assert [Role.named(name) for name in ("viewer", "member", "admin", "owner")] == sorted(Role)


@pytest.mark.parametrize("name", ["", "root", "platform_admin", "viewer ", "1"])
def test_there_are_no_other_roles(name: str) -> None:
    with pytest.raises(KeyError):
        Role.named(name)


def test_no_scope_is_worth_an_owner() -> None:
    assert SCOPE_ROLES == {"read": Role.VIEWER, "write": Role.MEMBER, "admin": Role.ADMIN}


def test_an_actor_that_nobody_described_is_nobody() -> None:
    nobody = Actor()
    assert (nobody.kind, nobody.id, nobody.org_id, nobody.role, nobody.scopes) == (
        "anonymous",
        "",
        None,
        None,
        frozenset(),
    )
    assert not nobody.is_platform_admin
    assert not nobody.is_human
    assert nobody.plan == "free"


@pytest.mark.parametrize("name", LIMITS)
def test_a_dearer_plan_never_allows_less(name: str) -> None:
    caps = [limit_of(name, plan).most for plan in PLANS]
    assert caps[-1] is None, "the dearest plan has a limit"
    numbers = [cap if cap is not None else float("inf") for cap in caps]
    assert numbers == sorted(numbers)
    assert [limit_of(name, plan).next_plan for plan in PLANS] == ["team", "enterprise", "enterprise"]


@pytest.mark.parametrize("used, is_reached", [(0, False), (1, False), (2, True), (3, True)])
def test_a_limit_is_reached_when_one_more_would_be_too_many(used: int, is_reached: bool) -> None:
    assert limit_of("api_keys", "free").is_reached(used) is is_reached
    assert not limit_of("api_keys", "enterprise").is_reached(10**9)


def test_a_limit_or_plan_nobody_wrote_down_is_an_error_and_not_unlimited() -> None:
    for name, plan in (("moon_landings", "free"), ("api_keys", "gold")):
        with pytest.raises(KeyError):
            limit_of(name, plan)
