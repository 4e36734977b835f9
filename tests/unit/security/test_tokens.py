"""Tokens: what is accepted, and a hostile set of which nothing is."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from shared.ports.errors import ServiceAway
from shared.security.errors import Unauthenticated
from shared.security.tokens import JwksCache, TokenRule, verify_token
from shared.testing.clock import FakeClock

ISSUER, AUDIENCE = "https://issuer.example", "https://api.example"
RULE = TokenRule(ISSUER, AUDIENCE, frozenset({"at+jwt"}))
CLOCK = FakeClock()
NOW = int(CLOCK.now().timestamp())
EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_EC_KEY = ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def ec_jwk(key: ec.EllipticCurvePrivateKey = EC_KEY, **members: Any) -> dict[str, Any]:
    public: dict[str, Any] = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**public, "kid": "ec", "use": "sig", "alg": "ES256", **members}


def rsa_jwk(bits: int = 2048, **members: Any) -> dict[str, Any]:
    public: dict[str, Any] = RSAAlgorithm.to_jwk(rsa_key(bits).public_key(), as_dict=True)
    public.pop("key_ops", None)
    return {**public, "kid": "rsa", **members}


def key_set(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def cache_of(*keys: Any, clock: FakeClock = CLOCK) -> JwksCache:
    return JwksCache("", clock, fetch=lambda _: key_set(*keys))


KEYS = cache_of(ec_jwk(), rsa_jwk())
CLAIMS: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "sub": "person", "iat": NOW, "exp": NOW + 600}
HEADER: dict[str, Any] = {"alg": "ES256", "kid": "ec", "typ": "at+jwt"}


def part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def es256(signed: bytes, key: ec.EllipticCurvePrivateKey = EC_KEY) -> bytes:
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def rs256(signed: bytes, bits: int = 2048) -> bytes:
    return rsa_key(bits).sign(signed, padding.PKCS1v15(), SHA256())


def token(
    header: dict[str, Any] | bytes = HEADER,
    claims: dict[str, Any] | bytes = CLAIMS,
    sign: Callable[[bytes], bytes] = es256,
) -> str:
    """Make a token of any header and claims, well signed."""
    parts = [item if isinstance(item, bytes) else json.dumps(item).encode() for item in (header, claims)]
    signed = ".".join(part(item) for item in parts)
    return f"{signed}.{part(sign(signed.encode()))}"


def without(source: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in source.items() if key != name}


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


def hs256_with(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda signed: hmac.new(secret, signed, hashlib.sha256).digest()


PUBLIC_PEM = EC_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
HS = HEADER | {"alg": "HS256"}
GOOD = token()
HEAD, BODY, SIGNATURE = GOOD.split(".")
NOT_A_TIME: list[Any] = ["0", str(NOW + 600), None, True, [NOW], {}, -1, 10**400, "NaN"]

HOSTILE: dict[str, str] = {
    "empty": "",
    "one part": HEAD,
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{GOOD}.x",
    "five parts (JWE)": f"{HEAD}.{BODY}.{BODY}.{BODY}.{SIGNATURE}",
    "no signature": f"{HEAD}.{BODY}.",
    "an empty body": f"{HEAD}..{SIGNATURE}",
    "JSON form": json.dumps({"protected": HEAD, "payload": BODY, "signature": SIGNATURE}),
    "a space in front": f" {GOOD}",
    "a line break behind": f"{GOOD}\n",
    "padding": f"{GOOD}=",
    "padding in the header": f"{HEAD}=.{BODY}.{SIGNATURE}",
    "plain base64 letters": f"{HEAD}.{BODY}.{SIGNATURE[:-4]}+/+/",
    "letters that are no letters": f"{HEAD}.{BODY}.{SIGNATURE[:-1]}\u0430",
    "a signature cut short": f"{HEAD}.{BODY}.{SIGNATURE[:-4]}",
    "a signature made longer": f"{HEAD}.{BODY}.{part(es256(f'{HEAD}.{BODY}'.encode()) + b'x')}",
    "a DER signature": token(sign=lambda signed: EC_KEY.sign(signed, ec.ECDSA(SHA256()))),
    "a zero signature": f"{HEAD}.{BODY}.{part(bytes(64))}",
    "another body under the signature": f"{HEAD}.{part(json.dumps(CLAIMS | {'sub': 'x'}).encode())}.{SIGNATURE}",
    "another key": token(sign=lambda signed: es256(signed, OTHER_EC_KEY)),
    "1 MB": token(claims=CLAIMS | {"x": "y" * 1_000_000}),
    "just over the size limit": token(claims=CLAIMS | {"x": "y" * 12_500}),
    "alg none": f"{part(json.dumps(HEADER | {'alg': 'none'}).encode())}.{BODY}.",
    "alg none with a signature": token(HEADER | {"alg": "none"}),
    "alg nOnE": token(HEADER | {"alg": "nOnE"}),
    "no alg": token(without(HEADER, "alg")),
    "alg null": token(HEADER | {"alg": None}),
    "alg as a list": token(HEADER | {"alg": ["ES256"]}),
    "alg in small letters": token(HEADER | {"alg": "es256"}),
    "HS256 under the public key's PEM": token(HS, sign=hs256_with(PUBLIC_PEM)),
    "HS256 under the public key's PEM, stripped": token(HS, sign=hs256_with(PUBLIC_PEM.strip())),
    "HS256 under the JWK": token(HS, sign=hs256_with(json.dumps(ec_jwk()).encode())),
    "HS256 under nothing": token(HS, sign=hs256_with(b"")),
    "RS256 with the EC key's name": token(HEADER | {"alg": "RS256"}, sign=rs256),
    "ES256 with the RSA key's name": token(HEADER | {"kid": "rsa"}),
    "PS256": token({"alg": "PS256", "kid": "rsa", "typ": "at+jwt"}, sign=rs256),
    "ES384": token(HEADER | {"alg": "ES384"}),
    "EdDSA": token(HEADER | {"alg": "EdDSA"}),
    "no kid": token(without(HEADER, "kid")),
    "kid empty": token(HEADER | {"kid": ""}),
    "kid null": token(HEADER | {"kid": None}),
    "kid as a number": token(HEADER | {"kid": 1}),
    "kid unknown": token(HEADER | {"kid": "other"}),
    "kid with a path": token(HEADER | {"kid": "../../dev/null"}),
    "kid with SQL": token(HEADER | {"kid": "ec' or '1'='1"}),
    "kid of 10,000 letters": token(HEADER | {"kid": "x" * 10_000}),
    "no typ": token(without(HEADER, "typ")),
    "an ID token's typ": token(HEADER | {"typ": "JWT"}),
    "a logout token": token(HEADER | {"typ": "logout+jwt"}),
    "typ as a list": token(HEADER | {"typ": ["at+jwt"]}),
    **{
        f"a {name} header": token(HEADER | {name: value})
        for name, value in {
            "jwk": ec_jwk(OTHER_EC_KEY),
            "jku": "https://evil.example/keys",
            "x5u": "https://evil.example/chain",
            "x5c": ["MIIB"],
            "x5t": "abc",
            "crit": ["exp"],
            "b64": False,
            "zip": "DEF",
            "cty": "JWT",
            "enc": "A128GCM",
        }.items()
    },
    "a self-signed jwk header": token(
        HEADER | {"jwk": ec_jwk(OTHER_EC_KEY)}, sign=lambda signed: es256(signed, OTHER_EC_KEY)
    ),
    "crit empty": token(HEADER | {"crit": []}),
    "crit that names alg": token(HEADER | {"crit": ["alg"]}),
    "the header twice the same member": token(b'{"alg":"none","alg":"ES256","kid":"ec","typ":"at+jwt"}'),
    "the header as a list": token(b'["ES256"]'),
    "the header no JSON": token(b"{alg:ES256}"),
    "the header not UTF-8": token(b'{"alg":"ES256","kid":"ec","typ":"at+jwt\xff"}'),
    "the header nested deeply": token(b"[" * 3000 + b"]" * 3000),
    "claims with the same member twice": token(claims=json.dumps(CLAIMS)[:-1].encode() + b',"sub":"admin"}'),
    "claims with the same member twice, escaped": token(
        claims=json.dumps(CLAIMS)[:-1].encode() + b',"s\\u0075b":"admin"}'
    ),
    "claims as a list": token(claims=b"[1]"),
    "claims as a word": token(claims=b"true"),
    "claims no JSON": token(claims=b"hello"),
    "claims with NaN": token(claims=json.dumps(CLAIMS)[:-1].encode() + b',"x":NaN}'),
    "an endless exp": token(claims=json.dumps(without(CLAIMS, "exp"))[:-1].encode() + b',"exp":1e999}'),
    "exp Infinity": token(claims=json.dumps(without(CLAIMS, "exp"))[:-1].encode() + b',"exp":Infinity}'),
    "an exp of 5,000 digits": token(
        claims=json.dumps(without(CLAIMS, "exp"))[:-1].encode() + b',"exp":' + b"9" * 5000 + b"}"
    ),
    **{f"no {name}": token(claims=without(CLAIMS, name)) for name in CLAIMS},
    **{f"{name} null": token(claims=CLAIMS | {name: None}) for name in CLAIMS},
    **{
        f"{name} = {str(value)[:12]!r} ({type(value).__name__})": token(claims=CLAIMS | {name: value})
        for name in ("exp", "iat", "nbf", "auth_time")
        for value in NOT_A_TIME
    },
    "expired": token(claims=CLAIMS | {"exp": NOW - 30}),
    "issued in the future": token(claims=CLAIMS | {"iat": NOW + 31}),
    "not valid yet": token(claims=CLAIMS | {"nbf": NOW + 31}),
    "signed in in the future, so fresh for ever": token(claims=CLAIMS | {"auth_time": NOW + 31}),
    "another issuer": token(claims=CLAIMS | {"iss": "https://evil.example"}),
    "the issuer with a slash": token(claims=CLAIMS | {"iss": ISSUER + "/"}),
    "the issuer in a list": token(claims=CLAIMS | {"iss": [ISSUER]}),
    "another audience": token(claims=CLAIMS | {"aud": "https://other.example"}),
    "the audience with a slash": token(claims=CLAIMS | {"aud": AUDIENCE + "/"}),
    "ours among other audiences": token(claims=CLAIMS | {"aud": [AUDIENCE, "https://other.example"]}),
    "no audience in the list": token(claims=CLAIMS | {"aud": []}),
    "the audience twice": token(claims=CLAIMS | {"aud": [AUDIENCE, AUDIENCE]}),
    "the audience as an object": token(claims=CLAIMS | {"aud": {AUDIENCE: 1}}),
    "sub empty": token(claims=CLAIMS | {"sub": ""}),
    "sub as a number": token(claims=CLAIMS | {"sub": 7}),
    "sub as a list": token(claims=CLAIMS | {"sub": ["person"]}),
    "sub of 256 letters": token(claims=CLAIMS | {"sub": "x" * 256}),
}


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
