"""Roles and scopes."""

from __future__ import annotations

import pytest

from shared.security.actor import NARROW_SCOPES, SCOPE_ROLES, Actor, Role


def test_a_higher_role_includes_every_lower_one() -> None:
    assert sorted(Role) == [Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER]
    assert [Role.named(name) for name in ("viewer", "member", "admin", "owner")] == sorted(Role)


@pytest.mark.parametrize("name", ["", "root", "platform_admin", "viewer ", "1"])
def test_there_are_no_other_roles(name: str) -> None:
    with pytest.raises(KeyError):
        Role.named(name)


def test_no_scope_is_worth_an_owner() -> None:
    assert SCOPE_ROLES == {"read": Role.VIEWER, "write": Role.MEMBER, "admin": Role.ADMIN}
    assert not NARROW_SCOPES.keys() & SCOPE_ROLES.keys()


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
