"""Our own tokens: what is issued, which version of the key signs, and what a disabled one does."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import jwt
import pytest

from shared.ports.errors import ServiceAway
from shared.ports.key_manager import PublicKey
from shared.security.errors import Unauthenticated
from shared.security.signing_keys import (
    ACTIVATION_SECONDS,
    JWKS_MAX_AGE_SECONDS,
    LEAST_ACTIVATION_SECONDS,
    LISTING_SECONDS,
    signing_version,
)
from shared.security.token_issuer import TokenIssuer
from shared.security.tokens import COOLDOWN_SECONDS, FRESH_SECONDS, LEEWAY_SECONDS, JwksCache, TokenRule, verify_token
from shared.settings import Settings
from shared.testing.clock import START, FakeClock
from shared.testing.key_manager import MemoryKeyManager

ISSUER, AUDIENCE = "https://issuer.example", "https://api.example"
RULE = TokenRule(ISSUER, AUDIENCE, frozenset({"at+jwt"}))
NOW = int(START.timestamp())
HOUR = timedelta(hours=1)


def kid(text: str) -> str:
    return str(jwt.get_unverified_header(text)["kid"])


def issue(issuer: TokenIssuer) -> str:
    return issuer.issue({"sub": "person"}, audience=AUDIENCE, kind="at+jwt", lifetime=timedelta(minutes=10))


def test_what_we_issue_we_accept_until_it_ends_and_others_can_check_it() -> None:
    vault, clock = MemoryKeyManager(), FakeClock()
    vault.add_signing_key("k")
    issuer = TokenIssuer(vault, "k", ISSUER, clock)
    keys = JwksCache("", clock, fetch=lambda _: json.dumps(issuer.jwks()).encode())
    text = issue(issuer)
    assert verify_token(text, RULE, keys, clock)["sub"] == "person"
    published: Any = issuer.jwks()["keys"]
    theirs = jwt.decode(
        text,
        jwt.PyJWK(published[0]),
        audience=AUDIENCE,
        issuer=ISSUER,
        algorithms=["ES256"],
        options={"verify_exp": False, "verify_iat": False},
    )
    assert theirs["sub"] == "person"
    assert not {"d", "k"} & published[0].keys()
    clock.advance(631)
    with pytest.raises(Unauthenticated):
        verify_token(text, RULE, keys, clock)


def test_nobody_replaces_the_claims_that_the_issuer_sets() -> None:
    vault, clock = MemoryKeyManager(), FakeClock()
    vault.add_signing_key("k")
    hostile = {"sub": "x", "iss": "evil", "aud": "evil", "exp": 10**12, "iat": 0}
    text = TokenIssuer(vault, "k", ISSUER, clock).issue(
        hostile, audience=AUDIENCE, kind="at+jwt", lifetime=timedelta(minutes=1)
    )
    claims = jwt.decode(text, options={"verify_signature": False})
    assert (claims["iss"], claims["aud"], claims["iat"], claims["exp"]) == (ISSUER, AUDIENCE, NOW, NOW + 60)


def test_a_new_version_is_published_at_once_and_signs_after_the_activation_delay() -> None:
    clock = FakeClock()
    vault = MemoryKeyManager(clock)
    vault.add_signing_key("k")
    issuer = TokenIssuer(vault, "k", ISSUER, clock, activation_seconds=900)
    keys = JwksCache("", clock, fetch=lambda _: json.dumps(issuer.jwks()).encode())
    before = issue(issuer)
    verify_token(before, RULE, keys, clock)
    vault.add_signing_key("k")
    clock.advance(61)
    published: Any = issuer.jwks()["keys"]
    assert [item["kid"] for item in published] == ["k-1", "k-2"]
    clock.advance(900 - 61 - 1)
    assert kid(issue(issuer)) == "k-1", "it signs before everybody can know it"
    clock.advance(1)
    after = issue(issuer)
    assert kid(after) == "k-2"
    assert verify_token(after, RULE, keys, clock)["sub"] == "person"


def version(number: int, age: timedelta) -> PublicKey:
    return PublicKey(str(number), "", START - age)


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        ([timedelta(0)], "1"),
        ([timedelta(minutes=5), timedelta(0)], "1"),
        ([HOUR, timedelta(minutes=59)], "1"),
        ([2 * HOUR, HOUR], "2"),
        ([3 * HOUR, 2 * HOUR, timedelta(minutes=1)], "2"),
        ([2 * HOUR, timedelta(seconds=-30)], "1"),
    ],
    ids=["the only one", "all too young", "a minute too early", "old enough", "three", "made in our future"],
)
def test_the_newest_version_that_is_old_enough_signs(ages: list[timedelta], expected: str) -> None:
    versions = [version(number, age) for number, age in enumerate(ages, 1)]
    assert signing_version(versions, START, HOUR).version == expected


def test_the_least_delay_covers_the_whole_way_of_a_key_to_a_verifier() -> None:
    way = LISTING_SECONDS + JWKS_MAX_AGE_SECONDS + FRESH_SECONDS + COOLDOWN_SECONDS
    assert way + 2 * LEEWAY_SECONDS <= LEAST_ACTIVATION_SECONDS <= ACTIVATION_SECONDS
    assert Settings().token_activation_seconds == ACTIVATION_SECONDS


@pytest.mark.parametrize("disabled", ["1", "2"])
def test_when_the_version_that_signs_is_disabled_the_other_one_signs_the_same_moment(disabled: str) -> None:
    clock = FakeClock()
    vault = MemoryKeyManager(clock)
    vault.add_signing_key("k")
    vault.add_signing_key("k")
    issuer = TokenIssuer(vault, "k", ISSUER, clock)
    if disabled == "2":
        clock.advance(ACTIVATION_SECONDS)
    assert kid(issue(issuer)) == f"k-{disabled}"
    vault.disable_version("k", disabled)
    assert kid(issue(issuer)) == f"k-{3 - int(disabled)}", "it waits for the next listing"


def test_keys_stay_published_while_the_vault_is_away() -> None:
    """Whoever starts in an outage can still learn what was signed before it."""
    vault, clock = MemoryKeyManager(), FakeClock()
    vault.add_signing_key("k")
    issuer = TokenIssuer(vault, "k", ISSUER, clock)
    text = issue(issuer)
    vault.is_away = True
    clock.advance(10 * LISTING_SECONDS)
    late = JwksCache("", clock, fetch=lambda _: json.dumps(issuer.jwks()).encode())
    assert late.find(kid(text)) is not None
    with pytest.raises(ServiceAway):
        issue(issuer)


def test_without_a_live_key_nothing_is_issued() -> None:
    vault = MemoryKeyManager()
    vault.add_signing_key("k")
    vault.disable_version("k", "1")
    with pytest.raises(ServiceAway):
        issue(TokenIssuer(vault, "k", ISSUER, FakeClock()))


def test_tokens_are_verified_while_the_vault_is_away() -> None:
    """The issuer's own function reads its keys from the vault, and must go on with those it knows."""
    vault, clock = MemoryKeyManager(), FakeClock()
    vault.add_signing_key("k")
    issuer = TokenIssuer(vault, "k", ISSUER, clock)
    keys = JwksCache("", clock, fetch=lambda _: json.dumps(issuer.jwks()).encode())
    text = issue(issuer)
    verify_token(text, RULE, keys, clock)
    vault.is_away = True
    clock.advance(400)
    assert verify_token(text, RULE, keys, clock)["sub"] == "person"
