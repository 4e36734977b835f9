"""Tokens of somebody's Pub/Sub: the service account they name, for one audience, and a hostile set that names nobody."""

from __future__ import annotations

from typing import Any

import pytest

from shared.security.authentication import EventVerifier
from shared.security.errors import Unauthenticated
from shared.settings import Settings
from tests.support.asset_feed import PUSH_ACCOUNT, claims_of
from tests.support.hostile_tokens import CLOCK, NOW, Kind, cache_of, ec_jwk, hostile_tokens, rs256, rsa_jwk

ISSUER = "https://accounts.google.com"
AUDIENCE = "https://driftwise.example/api/v2/asset-feeds/0197f0a0-0000-7000-8000-000000000001"
OWN = "https://worker.example"
HEADER: dict[str, Any] = {"alg": "ES256", "kid": "ec", "typ": "JWT"}
CLAIMS: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "iat": NOW, "exp": NOW + 3600, **claims_of()}
NEEDED = {name: value for name, value in CLAIMS.items() if name != "azp"}
PUSH = Kind(HEADER, NEEDED, ("at+jwt", "logout+jwt", "secevent+jwt"))
SETTINGS = Settings(env="emulator", events_audience=OWN, events_sender="events@driftwise.example")
VERIFIER = EventVerifier(cache_of(ec_jwk(), rsa_jwk()), SETTINGS, CLOCK)


def sender_of(token: str, audience: str = AUDIENCE) -> str | None:
    try:
        return VERIFIER.sender_of({"authorization": f"Bearer {token}"}, audience)
    except Unauthenticated:
        return None


def test_a_token_in_googles_form_names_its_account() -> None:
    assert sender_of(PUSH.make({"alg": "RS256", "kid": "rsa", "typ": "JWT"}, CLAIMS, rs256)) == PUSH_ACCOUNT


# White space around a bearer token is the header's, not the token's.
HOSTILE = {name: text for name, text in hostile_tokens(PUSH).items() if text.strip() == text}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_token_names_nobody(text: str) -> None:
    assert sender_of(text) is None


@pytest.mark.parametrize("changes", [{"email_verified": False}, {"email_verified": "true"}, {"email": [PUSH_ACCOUNT]}])
def test_an_address_that_google_did_not_verify_is_none(changes: dict[str, Any]) -> None:
    assert sender_of(PUSH.make(claims=CLAIMS | changes)) is None


def test_a_token_is_good_for_its_own_audience_alone() -> None:
    token = PUSH.make()
    assert sender_of(token, AUDIENCE[:-1] + "2") is None
    assert sender_of(token, OWN) is None
    assert sender_of(token, "") is None
    with pytest.raises(Unauthenticated):
        VERIFIER.verify({"authorization": f"Bearer {token}"})


def test_a_customers_account_is_not_our_queue_whatever_its_token_is_made_for() -> None:
    token = PUSH.make(claims=CLAIMS | {"aud": OWN})
    assert sender_of(token, OWN) == PUSH_ACCOUNT
    with pytest.raises(Unauthenticated):
        VERIFIER.verify({"authorization": f"Bearer {token}"})


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Basic x"}, {"authorization": "Bearer "}, {"x-api-key": "x"}]
)
def test_no_token_names_nobody(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        VERIFIER.sender_of(headers, AUDIENCE)


def test_two_credentials_are_one_too_many() -> None:
    with pytest.raises(Unauthenticated):
        VERIFIER.sender_of({"authorization": f"Bearer {PUSH.make()}", "x-api-key": "dw2_x"}, AUDIENCE)
