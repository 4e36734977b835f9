"""Other issuers whose access tokens are taken: only what the operator named, and never in place of our own."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from shared.security.authentication import Client
from shared.security.errors import Unauthenticated
from shared.security.trusted_issuers import TrustedIssuers, read_trusted_issuers
from shared.settings import Settings
from tests.support.hostile_tokens import CLOCK, NOW, Kind, ec_jwk, hostile_tokens, key_set, rs256, rsa_jwk, without
from tests.support.http_app import ORG, PUBLIC_URL, World

ISSUER, AUDIENCE = "https://issuer.example", "https://api.example"
CONFIG: dict[str, Any] = {"issuer": ISSUER, "jwks_url": f"{ISSUER}/keys", "audience": AUDIENCE}
CLAIMS: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "sub": "person", "iat": NOW, "exp": NOW + 600}
ACCESS = Kind({"alg": "ES256", "kid": "ec", "typ": "at+jwt"}, CLAIMS, ("JWT", "logout+jwt"))


def issuers(*configs: dict[str, Any]) -> TrustedIssuers:
    settings = Settings(env="emulator", public_url=PUBLIC_URL, trusted_issuers=json.dumps(configs))
    return TrustedIssuers.of(settings, CLOCK, fetch=lambda _: key_set(ec_jwk(), rsa_jwk()))


def is_accepted(text: str, trusted: TrustedIssuers) -> bool:
    found = trusted.issuer_of(text)
    if found is None:
        return False
    try:
        found.verify(text)
    except Unauthenticated:
        return False
    return True


def test_a_token_of_a_named_issuer_is_taken() -> None:
    assert is_accepted(ACCESS.make(), issuers(CONFIG))
    assert is_accepted(ACCESS.make(ACCESS.header | {"alg": "RS256", "kid": "rsa"}, sign=rs256), issuers(CONFIG))
    plain = ACCESS.make(ACCESS.header | {"typ": "JWT"})
    assert not is_accepted(plain, issuers(CONFIG))
    assert is_accepted(plain, issuers({**CONFIG, "token_type": "jwt"}))


HOSTILE = hostile_tokens(ACCESS) | {"no typ": ACCESS.make(without(ACCESS.header, "typ"))}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_token_is_refused(text: str) -> None:
    assert not is_accepted(text, issuers(CONFIG))


def test_an_issuers_keys_speak_for_that_issuer_only() -> None:
    other = {**CONFIG, "issuer": "https://other.example", "audience": "https://other-api.example"}
    both = issuers(CONFIG, other)
    assert is_accepted(ACCESS.make(claims=CLAIMS | {"iss": other["issuer"], "aud": other["audience"]}), both)
    assert not is_accepted(ACCESS.make(claims=CLAIMS | {"iss": other["issuer"]}), both), (
        "the audience of the first issuer"
    )


@pytest.mark.parametrize("text", ["", "a", "a.b", "a.b.c", "..", "\u00e9.\u00e9.\u00e9", "." * 20_000, "x" * 20_000])
def test_what_cannot_be_read_names_no_issuer(text: str) -> None:
    assert issuers(CONFIG).issuer_of(text) is None


BAD: dict[str, str] = {
    "no JSON": "x",
    "an object": json.dumps(CONFIG),
    "a member too many": json.dumps([{**CONFIG, "audiences": []}]),
    "no audience": json.dumps([without(CONFIG, "audience")]),
    "an empty audience": json.dumps([{**CONFIG, "audience": ""}]),
    "an empty type, which ID tokens of many providers have": json.dumps([{**CONFIG, "token_type": ""}]),
    "a type in capitals, which no token matches": json.dumps([{**CONFIG, "token_type": "JWT"}]),
    "an issuer twice": json.dumps([CONFIG, {**CONFIG, "jwks_url": "https://evil.example/keys"}]),
    "ourselves": json.dumps([{**CONFIG, "issuer": PUBLIC_URL}]),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_setting_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        TrustedIssuers.of(Settings(env="emulator", public_url=PUBLIC_URL, trusted_issuers=text), CLOCK)


def test_without_the_setting_nobody_else_is_trusted() -> None:
    assert read_trusted_issuers("") == []
    assert TrustedIssuers.of(Settings(env="emulator"), CLOCK).issuer_of(ACCESS.make()) is None


@pytest.fixture
def world() -> World:
    """People whom the issuer names by a subject, over stand-ins in memory."""
    made = World()
    user_id = UUID(int=7)
    made.directory.people[user_id] = {"email": "p@example.test", "name": "P", "is_platform_admin": False}
    made.directory.roles[ORG, user_id] = "admin"
    made.directory.federated[ISSUER, "person"] = user_id
    return made


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


def test_somebody_known_is_that_person_with_the_role_held_here(world: World) -> None:
    authenticator = world.authenticator(issuers(CONFIG))
    actor = authenticator.authenticate(bearer(ACCESS.make(claims=CLAIMS | {"auth_time": NOW - 60})), ORG, Client())
    assert (actor.kind, actor.id, actor.org_id) == ("human", str(UUID(int=7)), ORG)
    assert actor.session_id is None
    assert actor.signed_in_at is not None
    assert actor.signed_in_at.timestamp() == NOW - 60
    unaged = authenticator.authenticate(bearer(ACCESS.make()), ORG, Client())
    assert unaged.signed_in_at is None, "a token that does not say when somebody signed in counts as no fresh sign-in"


def test_somebody_unknown_is_nobody(world: World) -> None:
    authenticator = world.authenticator(issuers(CONFIG))
    for claims in (CLAIMS | {"sub": "stranger"}, CLAIMS | {"sub": str(UUID(int=7))}):
        with pytest.raises(Unauthenticated):
            authenticator.authenticate(bearer(ACCESS.make(claims=claims)), ORG, Client())


def test_our_own_tokens_are_judged_by_our_own_keys_only(world: World) -> None:
    ours = world.person("owner")
    authenticator = world.authenticator(issuers(CONFIG))
    assert authenticator.authenticate(bearer(ours), ORG, Client()).session_id is not None
    forged = ACCESS.make(claims=CLAIMS | {"iss": PUBLIC_URL, "aud": PUBLIC_URL, "sid": str(UUID(int=1))})
    with pytest.raises(Unauthenticated):
        authenticator.authenticate(bearer(forged), ORG, Client())
