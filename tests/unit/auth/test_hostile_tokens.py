"""Hostile ID tokens and logout tokens: the table that access tokens are judged by, and what only these kinds can get wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from functions.auth.errors import LogoutTokenRefused, SignInFailed
from functions.auth.oidc import Provider, ProviderRules
from shared.testing.clock import FakeClock
from tests.support.hostile_tokens import NOW, Kind, cache_of, ec_jwk, hostile_tokens, rs256, rsa_jwk, without

ISSUER, CLIENT, NONCE = "https://id.example", "driftwise", "n"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
COMMON: dict[str, Any] = {"iss": ISSUER, "aud": CLIENT, "sub": "person", "iat": NOW, "exp": NOW + 120}
ID = Kind({"alg": "ES256", "kid": "ec", "typ": "JWT"}, COMMON | {"nonce": NONCE}, ("at+jwt", "logout+jwt"))
LOGOUT = Kind(
    {"alg": "ES256", "kid": "ec", "typ": "logout+jwt"},
    COMMON | {"jti": "1", "events": {EVENT: {}}},
    ("at+jwt", "secevent+jwt"),
)


def provider() -> Provider:
    made = Provider(ProviderRules(ISSUER, CLIENT), FakeClock())
    made._metadata = {"jwks_uri": ""}  # as if it had been read just now
    made._keys = cache_of(ec_jwk(), rsa_jwk())
    return made


def takes_id_token(text: str) -> bool:
    try:
        provider()._verify_id_token(text, NONCE)
    except SignInFailed:
        return False
    return True


def takes_notice(text: str) -> bool:
    try:
        provider().read_logout_token(text)
    except LogoutTokenRefused:
        return False
    return True


GOOD: dict[str, tuple[Callable[[str], bool], str]] = {
    "ID token": (takes_id_token, ID.make()),
    "ID token signed by RSA": (takes_id_token, ID.make(ID.header | {"alg": "RS256", "kid": "rsa"}, sign=rs256)),
    "ID token without typ": (takes_id_token, ID.make(without(ID.header, "typ"))),
    "logout token": (takes_notice, LOGOUT.make()),
    "logout token without typ, as older providers": (takes_notice, LOGOUT.make(without(LOGOUT.header, "typ"))),
    "logout token of a session": (takes_notice, LOGOUT.make(claims=without(LOGOUT.claims, "sub") | {"sid": "s"})),
}


@pytest.mark.parametrize("takes, text", GOOD.values(), ids=GOOD)
def test_a_good_token_is_taken(takes: Callable[[str], bool], text: str) -> None:
    assert takes(text)


HOSTILE = hostile_tokens(ID)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_id_token_signs_nobody_in(text: str) -> None:
    assert not takes_id_token(text)


HOSTILE_NOTICES = hostile_tokens(LOGOUT) | {
    "an ID token": ID.make(),
    "a nonce": LOGOUT.make(claims=LOGOUT.claims | {"nonce": NONCE}),
    "a nonce that is null": LOGOUT.make(claims=LOGOUT.claims | {"nonce": None}),
    "events as a list": LOGOUT.make(claims=LOGOUT.claims | {"events": [EVENT]}),
    "events as a word": LOGOUT.make(claims=LOGOUT.claims | {"events": EVENT}),
    "another event": LOGOUT.make(claims=LOGOUT.claims | {"events": {"other": {}}}),
    "an event that is no object": LOGOUT.make(claims=LOGOUT.claims | {"events": {EVENT: True}}),
    "jti as a number": LOGOUT.make(claims=LOGOUT.claims | {"jti": 1}),
    "jti empty": LOGOUT.make(claims=LOGOUT.claims | {"jti": ""}),
    "jti of 256 letters": LOGOUT.make(claims=LOGOUT.claims | {"jti": "x" * 256}),
    "sid empty": LOGOUT.make(claims=LOGOUT.claims | {"sid": ""}),
    "sid as a list": LOGOUT.make(claims=LOGOUT.claims | {"sid": ["s"]}),
}


@pytest.mark.parametrize("text", HOSTILE_NOTICES.values(), ids=HOSTILE_NOTICES)
def test_a_hostile_notice_signs_nobody_out(text: str) -> None:
    assert not takes_notice(text)
