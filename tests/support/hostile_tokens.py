"""Tokens of every kind that nobody may take: one table for access tokens, ID tokens and logout tokens.

Every token here is well signed by the right key, unless that is what is wrong with it. Source: RFC 8725; what Wycheproof's
JSON Web vectors and the advisories of JOSE libraries try, in our own words.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from shared.security.tokens import JwksCache
from shared.testing.clock import FakeClock

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


def part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def es256(signed: bytes, key: ec.EllipticCurvePrivateKey = EC_KEY) -> bytes:
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def rs256(signed: bytes, bits: int = 2048) -> bytes:
    return rsa_key(bits).sign(signed, padding.PKCS1v15(), SHA256())


def token(
    header: dict[str, Any] | bytes,
    claims: dict[str, Any] | bytes,
    sign: Callable[[bytes], bytes] = es256,
) -> str:
    """Make a token of any header and claims, well signed."""
    parts = [item if isinstance(item, bytes) else json.dumps(item).encode() for item in (header, claims)]
    signed = ".".join(part(item) for item in parts)
    return f"{signed}.{part(sign(signed.encode()))}"


def without(source: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in source.items() if key != name}


def hs256_with(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda signed: hmac.new(secret, signed, hashlib.sha256).digest()


PUBLIC_PEM = EC_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
NOT_A_TIME: list[Any] = ["0", str(NOW + 600), None, True, [NOW], {}, -1, 10**400, "NaN"]


@dataclass(frozen=True)
class Kind:
    """One kind of token.

    Attributes:
        header, claims: of a good one; every claim is one that it must have.
        wrong_types: `typ` of other kinds.
    """

    header: dict[str, Any]
    claims: dict[str, Any]
    wrong_types: tuple[str, ...]

    def make(
        self,
        header: dict[str, Any] | bytes | None = None,
        claims: dict[str, Any] | bytes | None = None,
        sign: Callable[[bytes], bytes] = es256,
    ) -> str:
        """Make one, good but for what is given."""
        return token(self.header if header is None else header, self.claims if claims is None else claims, sign)


def hostile_tokens(kind: Kind) -> dict[str, str]:
    """Return what must be refused as a token of this kind, by what is wrong with it."""
    header, claims = kind.header, kind.claims
    issuer, audience, typ = claims["iss"], claims["aud"], header["typ"].encode()

    make = kind.make
    good = make()
    hs = header | {"alg": "HS256"}
    head, body, signature = good.split(".")
    return {
        "empty": "",
        "one part": head,
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.x",
        "five parts (JWE)": f"{head}.{body}.{body}.{body}.{signature}",
        "no signature": f"{head}.{body}.",
        "an empty body": f"{head}..{signature}",
        "JSON form": json.dumps({"protected": head, "payload": body, "signature": signature}),
        "a space in front": f" {good}",
        "a line break behind": f"{good}\n",
        "padding": f"{good}=",
        "padding in the header": f"{head}=.{body}.{signature}",
        "plain base64 letters": f"{head}.{body}.{signature[:-4]}+/+/",
        "letters that are no letters": f"{head}.{body}.{signature[:-1]}\u0430",
        "a signature cut short": f"{head}.{body}.{signature[:-4]}",
        "a signature made longer": f"{head}.{body}.{part(es256(f'{head}.{body}'.encode()) + b'x')}",
        "a DER signature": make(sign=lambda signed: EC_KEY.sign(signed, ec.ECDSA(SHA256()))),
        "a zero signature": f"{head}.{body}.{part(bytes(64))}",
        "another body under the signature": f"{head}.{part(json.dumps(claims | {'sub': 'x'}).encode())}.{signature}",
        "another key": make(sign=lambda signed: es256(signed, OTHER_EC_KEY)),
        "1 MB": make(claims=claims | {"x": "y" * 1_000_000}),
        "just over the size limit": make(claims=claims | {"x": "y" * 12_500}),
        "alg none": f"{part(json.dumps(header | {'alg': 'none'}).encode())}.{body}.",
        "alg none with a signature": make(header | {"alg": "none"}),
        "alg nOnE": make(header | {"alg": "nOnE"}),
        "no alg": make(without(header, "alg")),
        "alg null": make(header | {"alg": None}),
        "alg as a list": make(header | {"alg": ["ES256"]}),
        "alg in small letters": make(header | {"alg": "es256"}),
        "HS256 under the public key's PEM": make(hs, sign=hs256_with(PUBLIC_PEM)),
        "HS256 under the public key's PEM, stripped": make(hs, sign=hs256_with(PUBLIC_PEM.strip())),
        "HS256 under the JWK": make(hs, sign=hs256_with(json.dumps(ec_jwk()).encode())),
        "HS256 under nothing": make(hs, sign=hs256_with(b"")),
        "RS256 with the EC key's name": make(header | {"alg": "RS256"}, sign=rs256),
        "ES256 with the RSA key's name": make(header | {"kid": "rsa"}),
        "PS256": make(header | {"alg": "PS256", "kid": "rsa"}, sign=rs256),
        "ES384": make(header | {"alg": "ES384"}),
        "EdDSA": make(header | {"alg": "EdDSA"}),
        "no kid": make(without(header, "kid")),
        "kid empty": make(header | {"kid": ""}),
        "kid null": make(header | {"kid": None}),
        "kid as a number": make(header | {"kid": 1}),
        "kid unknown": make(header | {"kid": "other"}),
        "kid with a path": make(header | {"kid": "../../dev/null"}),
        "kid with SQL": make(header | {"kid": "ec' or '1'='1"}),
        "kid of 10,000 letters": make(header | {"kid": "x" * 10_000}),
        "typ as a list": make(header | {"typ": [header["typ"]]}),
        **{f"typ {name}": make(header | {"typ": name}) for name in kind.wrong_types},
        **{
            f"a {name} header": make(header | {name: value})
            for name, value in {
                "jwk": ec_jwk(OTHER_EC_KEY),
                "jku": "https://evil.example/keys",
                "x5u": "https://evil.example/chain",
                "x5c": ["MIIB"],
                "x5t": "abc",
                "x5t#S256": "abc",
                "crit": ["exp"],
                "b64": False,
                "zip": "DEF",
                "cty": "JWT",
                "enc": "A128GCM",
            }.items()
        },
        "a self-signed jwk header": make(
            header | {"jwk": ec_jwk(OTHER_EC_KEY)}, sign=lambda signed: es256(signed, OTHER_EC_KEY)
        ),
        "crit that names what we do not know": make(header | {"crit": ["exp2"], "exp2": 1}),
        "a header that we do not know": make(header | {"exp2": 1}),
        "crit empty": make(header | {"crit": []}),
        "crit that names alg": make(header | {"crit": ["alg"]}),
        "the header twice the same member": make(b'{"alg":"none","alg":"ES256","kid":"ec","typ":"' + typ + b'"}'),
        "the header as a list": make(b'["ES256"]'),
        "the header no JSON": make(b"{alg:ES256}"),
        "the header not UTF-8": make(b'{"alg":"ES256","kid":"ec","typ":"' + typ + b'\xff"}'),
        "the header nested deeply": make(b"[" * 3000 + b"]" * 3000),
        "claims with the same member twice": make(claims=json.dumps(claims)[:-1].encode() + b',"sub":"admin"}'),
        "claims with the same member twice, escaped": make(
            claims=json.dumps(claims)[:-1].encode() + b',"s\\u0075b":"admin"}'
        ),
        "claims as a list": make(claims=b"[1]"),
        "claims as a word": make(claims=b"true"),
        "claims no JSON": make(claims=b"hello"),
        "claims with NaN": make(claims=json.dumps(claims)[:-1].encode() + b',"x":NaN}'),
        "an endless exp": make(claims=json.dumps(without(claims, "exp"))[:-1].encode() + b',"exp":1e999}'),
        "exp Infinity": make(claims=json.dumps(without(claims, "exp"))[:-1].encode() + b',"exp":Infinity}'),
        "an exp of 5,000 digits": make(
            claims=json.dumps(without(claims, "exp"))[:-1].encode() + b',"exp":' + b"9" * 5000 + b"}"
        ),
        **{f"no {name}": make(claims=without(claims, name)) for name in claims},
        **{f"{name} null": make(claims=claims | {name: None}) for name in claims},
        **{
            f"{name} = {str(value)[:12]!r} ({type(value).__name__})": make(claims=claims | {name: value})
            for name in ("exp", "iat", "nbf", "auth_time")
            for value in NOT_A_TIME
        },
        "expired": make(claims=claims | {"exp": NOW - 30}),
        "issued in the future": make(claims=claims | {"iat": NOW + 31}),
        "not valid yet": make(claims=claims | {"nbf": NOW + 31}),
        "signed in in the future, so fresh for ever": make(claims=claims | {"auth_time": NOW + 31}),
        "another issuer": make(claims=claims | {"iss": "https://evil.example"}),
        "the issuer with a slash": make(claims=claims | {"iss": issuer + "/"}),
        "the issuer in a list": make(claims=claims | {"iss": [issuer]}),
        "another audience": make(claims=claims | {"aud": "https://other.example"}),
        "the audience with a slash": make(claims=claims | {"aud": audience + "/"}),
        "ours among other audiences": make(claims=claims | {"aud": [audience, "https://other.example"]}),
        "no audience in the list": make(claims=claims | {"aud": []}),
        "the audience twice": make(claims=claims | {"aud": [audience, audience]}),
        "the audience as an object": make(claims=claims | {"aud": {audience: 1}}),
        "sub empty": make(claims=claims | {"sub": ""}),
        "sub as a number": make(claims=claims | {"sub": 7}),
        "sub as a list": make(claims=claims | {"sub": ["person"]}),
        "sub of 256 letters": make(claims=claims | {"sub": "x" * 256}),
    }
