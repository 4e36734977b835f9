"""Tokens: what is accepted, and a hostile set of which nothing is."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm

from shared.ports.errors import ServiceAway
from shared.security.errors import Unauthenticated
from shared.security.tokens import JwksCache, TokenRule, verify_token
from shared.testing.clock import FakeClock
from tests.support.hostile_tokens import (
    CLOCK,
    NOW,
    OTHER_EC_KEY,
    PUBLIC_PEM,
    Kind,
    cache_of,
    ec_jwk,
    hostile_tokens,
    key_set,
    part,
    rs256,
    rsa_jwk,
    without,
)

ISSUER, AUDIENCE = "https://issuer.example", "https://api.example"
RULE = TokenRule(ISSUER, AUDIENCE, frozenset({"at+jwt"}))
KEYS = cache_of(ec_jwk(), rsa_jwk())
CLAIMS: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "sub": "person", "iat": NOW, "exp": NOW + 600}
HEADER: dict[str, Any] = {"alg": "ES256", "kid": "ec", "typ": "at+jwt"}
ACCESS = Kind(HEADER, CLAIMS, ("JWT", "logout+jwt", "secevent+jwt"))
token = ACCESS.make


def is_accepted(text: str, keys: JwksCache = KEYS, rule: TokenRule = RULE) -> bool:
    try:
        verify_token(text, rule, keys, CLOCK)
    except Unauthenticated:
        return False
    return True


ACCEPTED = {
    "ours": token(),
    "RS256": token({"alg": "RS256", "kid": "rsa", "typ": "at+jwt"}, sign=rs256),
    "typ in capitals": token(HEADER | {"typ": "AT+JWT"}),
    "an audience in a list of its own": token(claims=CLAIMS | {"aud": [AUDIENCE]}),
    "just expired, within the leeway": token(claims=CLAIMS | {"exp": NOW - 29}),
    "from a clock a little ahead": token(claims=CLAIMS | {"iat": NOW + 30, "nbf": NOW + 30, "auth_time": NOW + 30}),
    "a time with a fraction (RFC 7519 section 2)": token(claims=CLAIMS | {"exp": NOW + 0.5}),
    "claims we do not know": token(claims=CLAIMS | {"x": {"y": [1]}}),
    "the longest subject": token(claims=CLAIMS | {"sub": "x" * 255}),
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_a_good_token_is_accepted(text: str) -> None:
    assert is_accepted(text)


GOOD = token()
HEAD, BODY, SIGNATURE = GOOD.split(".")
HOSTILE = hostile_tokens(ACCESS) | {"no typ": token(without(HEADER, "typ"))}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_token_is_refused(text: str) -> None:
    assert not is_accepted(text)


def non_canonical(text: str) -> list[str]:
    """Return every other last letter of a part that decodes to the same bytes."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    bits = {2: 4, 3: 2}.get(len(text) % 4, 0)
    last = letters.index(text[-1])
    return [text[:-1] + letters[last + more] for more in range(1, 1 << bits)]


def test_a_second_spelling_of_a_signature_is_refused() -> None:
    """Base64 leaves bits unused at the end: two texts for one token would pass a list of revoked tokens."""
    spellings = [f"{HEAD}.{BODY}.{other}" for other in non_canonical(SIGNATURE)]
    assert spellings
    assert not any(is_accepted(text) for text in spellings)


@given(st.text(max_size=300))
def test_no_text_is_accepted_or_fails_in_another_way(text: str) -> None:
    assert not is_accepted(text)


@given(st.integers(0, len(GOOD) - 1), st.sampled_from("Ab0-_.=+ \x00\u00fc"))
def test_no_change_of_one_letter_is_accepted(place: int, letter: str) -> None:
    changed = GOOD[:place] + letter + GOOD[place + 1 :]
    assert changed == GOOD or not is_accepted(changed)


@pytest.mark.parametrize(
    "rule", [TokenRule("", AUDIENCE, RULE.types), TokenRule(ISSUER, "", RULE.types)], ids=["issuer", "audience"]
)
def test_a_rule_that_names_nobody_accepts_nothing(rule: TokenRule) -> None:
    assert not is_accepted(token(claims=CLAIMS | {"iss": rule.issuer, "aud": rule.audience}), rule=rule)


# --- key sets --------------------------------------------------------------------------------------------------------

RS = {"alg": "RS256", "kid": "rsa", "typ": "at+jwt"}
P384 = ec.generate_private_key(ec.SECP384R1())

UNUSABLE: dict[str, Any] = {
    "for encryption": ec_jwk(use="enc"),
    "for encryption, by key_ops": {**without(ec_jwk(), "use"), "key_ops": ["encrypt"]},
    "key_ops that only sign": ec_jwk(key_ops=["sign"]),
    "key_ops as a word": ec_jwk(key_ops="verify"),
    "of another algorithm": ec_jwk(alg="ES384"),
    "symmetric": {"kty": "oct", "k": part(PUBLIC_PEM), "kid": "ec", "alg": "ES256"},
    "of a kind that is a list": ec_jwk(kty=["EC"]),
    "of no kind": without(ec_jwk(), "kty"),
    "with a private half": ec_jwk(d="AAAA"),
    "off the curve": ec_jwk(x=part(b"\x01" * 32)),
    "without a coordinate": without(ec_jwk(), "y"),
    "on another curve": {**ECAlgorithm.to_jwk(P384.public_key(), as_dict=True), "kid": "ec"},
    "on another curve that it does not name": {
        **ECAlgorithm.to_jwk(P384.public_key(), as_dict=True),
        "kid": "ec",
        "crv": "P-256",
    },
    "with a name that is a number": ec_jwk(kid=1),
    "nothing": None,
    "a word": "key",
}


@pytest.mark.parametrize("item", UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_key_is_left_out_and_harms_no_other(item: Any) -> None:
    keys = cache_of(item, rsa_jwk())
    assert not is_accepted(GOOD, keys)
    assert is_accepted(token(RS, sign=rs256), keys), "the good key beside it was lost"


def test_a_short_rsa_key_is_refused() -> None:
    short = token(RS, sign=lambda signed: rs256(signed, 1024))
    assert not is_accepted(short, cache_of(rsa_jwk(1024)))


def test_keys_that_share_a_name_are_all_refused() -> None:
    assert not is_accepted(GOOD, cache_of(ec_jwk(), ec_jwk(OTHER_EC_KEY)))
    assert not is_accepted(GOOD, cache_of(ec_jwk(OTHER_EC_KEY), ec_jwk()))
    assert is_accepted(GOOD, cache_of(ec_jwk(), ec_jwk(OTHER_EC_KEY, kid="other")))


class Endpoint:
    """A key endpoint that a test changes, and that counts."""

    def __init__(self, content: bytes | Exception) -> None:
        self.content = content
        self.fetches = 0

    def __call__(self, _url: str) -> bytes:
        self.fetches += 1
        if isinstance(self.content, Exception):
            raise self.content
        return self.content


BROKEN = [
    OSError("refused"),
    ServiceAway("jwks"),
    b"",
    b"<html>",
    b"[]",
    b"{}",
    b'{"keys":{}}',
    b"[" * 100_000,
    b" " * 300_000,
    b"\xff",
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda item: repr(item)[:20])
def test_the_known_keys_stay_in_use_while_the_endpoint_is_broken(broken: Any) -> None:
    clock, endpoint = FakeClock(), Endpoint(key_set(ec_jwk()))
    keys = JwksCache("", clock, fetch=endpoint)
    assert keys.find("ec")
    endpoint.content = broken
    for _ in range(5):
        clock.advance(3600)
        assert keys.find("ec"), "a known key was forgotten"
    assert endpoint.fetches == 6
    endpoint.content = key_set(ec_jwk(), ec_jwk(OTHER_EC_KEY, kid="new"))
    clock.advance(11)
    assert keys.find("new")


@pytest.mark.parametrize("broken", BROKEN, ids=lambda item: repr(item)[:20])
def test_without_any_known_key_a_broken_endpoint_is_a_503_and_not_hammered(broken: Any) -> None:
    clock, endpoint = FakeClock(), Endpoint(broken)
    keys = JwksCache("", clock, fetch=endpoint)
    for _ in range(20):
        with pytest.raises(ServiceAway):
            keys.find("ec")
    assert endpoint.fetches == 1
    endpoint.content = key_set(ec_jwk())
    clock.advance(1)
    assert keys.find("ec"), "it did not recover within a second"


def test_an_unknown_key_id_fetches_again_but_not_more_often_than_the_cooldown() -> None:
    clock, endpoint = FakeClock(), Endpoint(key_set(ec_jwk()))
    keys = JwksCache("", clock, fetch=endpoint)
    assert keys.find("ec")
    clock.advance(10)
    for number in range(100):
        assert keys.find(f"unknown-{number}") is None
    assert endpoint.fetches == 2
    clock.advance(10)
    keys.find("unknown")
    assert endpoint.fetches == 3


def test_a_rotated_key_is_found_and_a_withdrawn_one_ends() -> None:
    clock, endpoint = FakeClock(), Endpoint(key_set(ec_jwk()))
    keys = JwksCache("", clock, fetch=endpoint)
    assert keys.find("ec")
    endpoint.content = key_set(ec_jwk(kid="new"))
    clock.advance(11)
    assert keys.find("new")
    assert keys.find("ec") is None


def test_many_callers_cause_one_fetch_and_holders_of_a_known_key_do_not_wait() -> None:
    clock, is_fetching, go_on, fetches = FakeClock(), threading.Event(), threading.Event(), []

    def fetch(_url: str) -> bytes:
        fetches.append(1)
        if len(fetches) > 1:
            is_fetching.set()
            assert go_on.wait(10)
        return key_set(ec_jwk(), *([ec_jwk(kid="new")] if len(fetches) > 1 else []))

    keys = JwksCache("", clock, fetch=fetch)
    assert keys.find("ec")
    clock.advance(301)
    found: list[Any] = []
    seekers = [threading.Thread(target=lambda: found.append(keys.find("new"))) for _ in range(8)]
    for seeker in seekers:
        seeker.start()
    assert is_fetching.wait(10)
    assert keys.find("ec"), "a known key waited for the endpoint"
    go_on.set()
    for seeker in seekers:
        seeker.join(10)
    assert len(found) == 8
    assert all(found)
    assert len(fetches) == 2


def test_keys_are_fetched_over_http_within_a_size_limit_and_without_following_redirects() -> None:
    pages = {
        "/good": (200, key_set(ec_jwk())),
        "/huge": (200, b" " * 10_000_000),
        "/moved": (302, b""),
        "/gone": (404, key_set(ec_jwk())),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content = pages[self.path]
            self.send_response(status)
            self.send_header("Location", "/good")
            self.end_headers()
            try:
                self.wfile.write(content)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        base = f"http://127.0.0.1:{server.server_address[1]}"
        assert JwksCache(f"{base}/good", FakeClock()).find("ec")
        for path in ("/huge", "/moved", "/gone"):
            with pytest.raises(ServiceAway):
                JwksCache(base + path, FakeClock()).find("ec")
    finally:
        server.shutdown()
        server.server_close()
    for url in ("", "not a url", "file:///etc/passwd", f"{base}/good"):
        with pytest.raises(ServiceAway):
            JwksCache(url, FakeClock()).find("ec")
