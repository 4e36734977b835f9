"""What may happen to a key, and what a wish for one may say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from functions.keys import domain
from functions.keys.errors import (
    ExpiryPast,
    KeyExpired,
    KeyLimitReached,
    KeyRevoked,
    KeyRotated,
    RotationUnderWay,
    ScopeAboveMaker,
    ScopeUnknown,
)
from functions.keys.models import DAY_SECONDS, CreateKey, RotateKey
from shared.ports.secret_store import Secret
from shared.security.actor import Actor, Role
from shared.security.api_keys import hash_key, make_key
from shared.testing.clock import FixedEntropy

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ADMIN = Actor("human", "1", role=Role.ADMIN, plan="team")
LAW = st.timedeltas(timedelta(0), timedelta(days=7))


def row(**changes: Any) -> dict[str, Any]:
    return {
        "id": UUID(int=1), "scopes": ["read", "admin"], "expires_at": None, "revoked_at": None, "replaced_by_id": None, **changes,
    }  # fmt: skip


def test_a_key_gets_each_scope_once_in_rising_order() -> None:
    assert domain.make(["admin", "read", "admin"], ADMIN, None, 0, now=NOW) == ["read", "admin"]


def test_a_key_that_may_not_be_made_is_refused_with_the_reason() -> None:
    viewer = Actor("human", "1", role=Role.VIEWER, plan="team")
    for error, scopes, maker, expires_at, live in (
        (ScopeUnknown, ["root"], ADMIN, None, 0),
        (ScopeAboveMaker, ["write"], viewer, None, 0),
        (ExpiryPast, ["read"], ADMIN, NOW, 0),
        (KeyLimitReached, ["read"], ADMIN, None, 10),
    ):
        with pytest.raises(error):
            domain.make(scopes, maker, expires_at, live, now=NOW)


def test_a_key_is_revoked_once() -> None:
    assert domain.revoke(row(), now=NOW) == NOW
    with pytest.raises(KeyRevoked):
        domain.revoke(row(revoked_at=NOW), now=NOW)


@given(LAW, st.none() | st.timedeltas(HOUR, timedelta(days=365)).map(lambda ahead: NOW + ahead))
def test_a_rotation_never_lengthens_a_life(grace: timedelta, expires_at: datetime | None) -> None:
    found = domain.rotate(row(expires_at=expires_at), None, ADMIN, grace, now=NOW)
    assert NOW <= found.old_ends_at <= NOW + grace
    assert expires_at is None or found.old_ends_at <= expires_at
    assert found.new_ends_at == expires_at, "the new key ends another day than the old one would have"
    assert found.scopes == ["read", "admin"]


def test_without_grace_the_old_key_ends_now() -> None:
    assert domain.rotate(row(), None, ADMIN, timedelta(0), now=NOW).old_ends_at == NOW


@pytest.mark.parametrize(
    "changes, error",
    [
        ({"revoked_at": NOW}, KeyRevoked),
        ({"expires_at": NOW}, KeyExpired),
        ({"replaced_by_id": UUID(int=2)}, KeyRotated),
        ({"replaced_by_id": UUID(int=2), "expires_at": NOW - HOUR}, KeyRotated),
    ],
)
def test_a_dead_or_replaced_key_is_not_rotated(changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        domain.rotate(row(**changes), None, ADMIN, HOUR, now=NOW)


def test_at_most_two_keys_of_a_line_work_at_a_time() -> None:
    with pytest.raises(RotationUnderWay) as caught:
        domain.rotate(row(), row(id=UUID(int=9), expires_at=NOW + HOUR), ADMIN, HOUR, now=NOW)
    assert caught.value.facts == {"older_key_id": str(UUID(int=9)), "ends_at": "2026-01-01T01:00:00+00:00"}
    for older in (row(expires_at=NOW), row(revoked_at=NOW, expires_at=NOW + HOUR)):
        domain.rotate(row(), older, ADMIN, HOUR, now=NOW)


def test_nobody_rotates_a_key_above_his_own_role() -> None:
    with pytest.raises(ScopeAboveMaker):
        domain.rotate(row(), None, Actor("human", "1", role=Role.MEMBER), HOUR, now=NOW)


def test_a_reported_token_is_ours_only_with_the_right_secret() -> None:
    ours, other = make_key(FixedEntropy("a")), make_key(FixedEntropy("b"))
    pepper, newer = Secret(b"p" * 32), Secret(b"q" * 32)
    same_id = type(ours)(ours.public_id, other.secret)  # what anyone can put together who saw the prefix
    keys = [
        {"public_id": ours.public_id, "pepper_version": 2, "secret_hash": hash_key(ours, newer), "key_id": 1},
    ]
    tokens = [ours.reveal(), same_id.reveal(), other.reveal(), "dw2_", "", ours.reveal()[:-1] + "!"]
    assert list(domain.confirm(tokens, keys, {1: pepper, 2: newer})) == [ours.reveal()]


@pytest.mark.parametrize(
    "wish, kept",
    [
        (["203.0.113.7"], ["203.0.113.7/32"]),
        (["203.0.113.0/24", "203.0.113.0/24"], ["203.0.113.0/24"]),
        (["2001:DB8:0::/32", "::1"], ["2001:db8::/32", "::1/128"]),
        (["0.0.0.0/0"], ["0.0.0.0/0"]),
        ([], []),
    ],
)
def test_networks_are_kept_in_their_canonical_form(wish: list[str], kept: list[str]) -> None:
    assert CreateKey(name="n", scopes=["read"], cidrs=wish).cidrs == kept


@pytest.mark.parametrize(
    "network",
    [
        "203.0.113.7/24", "203.0.113.0/33", "2001:db8::1/32", "::/129", "10.0.0.0/255.0.0.0", "10.1", "010.0.0.1", "fe80::1%eth0", "",
        "::ffff:10.0.0.0/104", "10.0.0.0/ 8", " 10.0.0.0/8", "10.0.0.0/8\n", "example.test", "10.0.0.0-10.0.0.9", "\uff110.0.0.0/8",
    ],
)  # fmt: skip
def test_what_is_no_network_is_refused(network: str) -> None:
    with pytest.raises(ValidationError):
        CreateKey(name="n", scopes=["read"], cidrs=[network])


def test_a_key_has_at_most_fifty_networks() -> None:
    networks = [f"10.0.{number}.0/24" for number in range(51)]
    assert len(CreateKey(name="n", scopes=["read"], cidrs=networks[:50]).cidrs) == 50
    with pytest.raises(ValidationError):
        CreateKey(name="n", scopes=["read"], cidrs=networks)


def test_the_grace_is_a_day_when_nothing_is_said_and_at_most_a_week() -> None:
    assert RotateKey().grace_seconds == DAY_SECONDS
    for grace in (0, 7 * DAY_SECONDS):
        assert RotateKey(grace_seconds=grace).grace_seconds == grace
    for wrong in (-1, 7 * DAY_SECONDS + 1, 1.5, "0", None, True):
        with pytest.raises(ValidationError):
            RotateKey.model_validate({"grace_seconds": wrong})
