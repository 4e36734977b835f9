"""JSON Web Tokens: issued with a KMS key, verified with published keys.

Owns the strict layer in front of PyJWT (RFC 8725): the algorithm comes from the key, never from the token; only the
header members we use may appear; exactly one key may match. Source: RFC 7515, RFC 7519, RFC 9068.

httpx, PyJWT and cryptography are loaded by the functions that use them: together they are a third of a cold start, and a
health check or a page needs none of them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from shared.http.errors import AppError
from shared.ports.clock import Clock
from shared.ports.errors import ServiceAway
from shared.ports.kept import Kept
from shared.ports.key_manager import KeyManager, PublicKey
from shared.telemetry.log import logger

from .errors import Unauthenticated

_TOKEN = re.compile(r"[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{2,}")
_MOST_CHARACTERS = 16_384
_HEADER_MEMBERS = frozenset({"alg", "kid", "typ"})
_LEEWAY_SECONDS = 30
_MOST_JWKS_BYTES = 262_144
_ALGORITHMS = {"EC": "ES256", "RSA": "RS256"}
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_LEAST_RSA_BITS = 2048
_LAST_MOMENT = 253_402_300_800  # the year 10000: keeps infinity and numbers out that no date can hold
_log = logger("tokens")


@dataclass(frozen=True, slots=True)
class TokenRule:
    """What one kind of token must look like.

    Attributes:
        issuer: exact `iss`.
        audience: exact `aud`.
        types: allowed `typ` header values, lower case; a missing `typ` counts as "".
        required: claims that must be present.
    """

    issuer: str
    audience: str
    types: frozenset[str]
    required: tuple[str, ...] = ("exp", "iat", "iss", "aud", "sub")


class JwksCache:
    """Published keys of one issuer, fetched when needed and kept.

    A key id that is unknown makes it fetch again, at most once per cooldown, one thread at a time. When a fetch fails the
    known keys stay in use, and nobody who holds a known key waits for it. Source: RFC 7517.
    """

    _fresh_seconds = 300.0
    _cooldown_seconds = 10.0
    _first_cooldown_seconds = 1.0  # while no keys are known: every caller is refused, so try again soon

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        fetch: Callable[[str], bytes] | None = None,
        read: Callable[[bytes], dict[str, tuple[str, Any]]] | None = None,
    ) -> None:
        """Set up.

        Args:
            url: where the keys are published.
            clock: time.
            fetch: gets the document; over HTTP when None.
            read: turns the document into key id to (algorithm, key), or raises ValueError; a JWK set when None.
        """
        self._url = url
        self._clock = clock
        self._fetch = fetch or _fetch
        self._read = read or _read_jwks
        self._keys: dict[str, tuple[str, Any]] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._lock = threading.Lock()

    def find(self, kid: str) -> tuple[str, Any] | None:
        """Return (algorithm, key) of a key id; None when the issuer publishes no such key.

        Raises:
            ServiceAway: (503 `service_away`) no keys are known and they cannot be fetched.
        """
        now = self._clock.monotonic_seconds()
        is_stale = self._fetched_at is None or now - self._fetched_at > self._fresh_seconds
        if is_stale or kid not in self._keys:
            self._refresh(now, must_wait=kid not in self._keys)
        if self._fetched_at is None:
            raise ServiceAway("jwks")
        return self._keys.get(kid)

    def _refresh(self, now: float, *, must_wait: bool) -> None:
        if not self._lock.acquire(blocking=must_wait):
            return
        try:
            cooldown = self._first_cooldown_seconds if self._fetched_at is None else self._cooldown_seconds
            if self._tried_at is not None and now - self._tried_at < cooldown:
                return
            self._tried_at = now
            self._keys = self._read(self._fetch(self._url))
            self._fetched_at = now
        except (AppError, ValueError, RecursionError, OSError) as error:
            # the keys that are known stay in use; with none, `find` says so
            _log.warning("token keys not refreshed", reason=type(error).__name__)
        finally:
            self._lock.release()


def verify_token(token: str, rule: TokenRule, keys: JwksCache, clock: Clock) -> Mapping[str, Any]:
    """Verify a token and return its claims.

    Raises:
        Unauthenticated: (401 `unauthenticated`) for every reason there is; the reason is not told.
        ServiceAway: (503 `service_away`) the issuer's keys cannot be had.
    """
    import jwt

    if not rule.issuer or not rule.audience:
        raise Unauthenticated
    header = _header(token)
    kid, kind = header.get("kid"), str(header.get("typ", "")).lower()
    if not isinstance(kid, str) or not 0 < len(kid) <= 200 or kind not in rule.types:
        raise Unauthenticated
    found = keys.find(kid)
    if found is None or header.get("alg") != found[0]:
        raise Unauthenticated
    algorithm, key = found
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=rule.audience,
            issuer=rule.issuer,
            leeway=_LEEWAY_SECONDS,
            # times are checked below, against the clock port
            options={"require": list(rule.required), "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise Unauthenticated from error
    if claims["aud"] not in (rule.audience, [rule.audience]):  # a token that is good elsewhere too is not ours
        raise Unauthenticated
    _check_claims(claims, clock.now())
    return claims


def _check_claims(claims: Mapping[str, Any], now: datetime) -> None:
    moment = now.timestamp()
    times = {name: claims[name] for name in ("exp", "iat", "nbf", "auth_time") if name in claims}
    if not all(_is_moment(value) for value in times.values()):
        raise Unauthenticated
    subject = claims.get("sub")
    is_current = (
        moment < times.get("exp", 0) + _LEEWAY_SECONDS
        and times.get("iat", 0) <= moment + _LEEWAY_SECONDS
        and times.get("nbf", 0) <= moment + _LEEWAY_SECONDS
        and times.get("auth_time", 0) <= moment + _LEEWAY_SECONDS
    )
    if not is_current or not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise Unauthenticated


def _is_moment(value: object) -> bool:
    """Say whether a value is a NumericDate (RFC 7519 section 2): seconds since 1970, perhaps with a fraction."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LAST_MOMENT


def _header(token: str) -> Mapping[str, Any]:
    """Read the header strictly: size, alphabet, canonical base64url, no repeated and no unknown member."""
    if len(token) > _MOST_CHARACTERS or _TOKEN.fullmatch(token) is None:
        raise Unauthenticated
    try:
        parts = [_decode(part) for part in token.split(".")]
        header = json.loads(parts[0], object_pairs_hook=_unique, parse_constant=_refuse)
        json.loads(parts[1], object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, binascii.Error, UnicodeDecodeError, RecursionError) as error:
        raise Unauthenticated from error
    if not isinstance(header, dict) or not header.keys() <= _HEADER_MEMBERS:
        raise Unauthenticated
    return header


def _decode(part: str) -> bytes:
    found = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(found).rstrip(b"=").decode() != part:
        raise ValueError("not canonical base64url")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("repeated member")
    return found


def _refuse(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


def _fetch(url: str) -> bytes:
    import httpx

    content = bytearray()
    try:
        with httpx.stream("GET", url, timeout=5.0, follow_redirects=False, trust_env=False) as reply:
            reply.raise_for_status()
            for chunk in reply.iter_bytes():
                content += chunk
                if len(content) > _MOST_JWKS_BYTES:
                    break
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ServiceAway("jwks") from error
    return bytes(content)


def _read_jwks(content: bytes) -> dict[str, tuple[str, Any]]:
    """Read a key set; a key that we cannot use is left out, and so are keys that share a name.

    Raises:
        ValueError: it is no key set.
    """
    if len(content) > _MOST_JWKS_BYTES:
        raise ValueError("the key set is too large")
    document = json.loads(content)
    items = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise ValueError("not a key set")  # noqa: TRY004  # what is wrong is the document, not our call
    usable = [(item["kid"], found) for item in items if (found := _usable_key(item)) is not None]
    times_named = Counter(kid for kid, _ in usable)
    return {kid: found for kid, found in usable if times_named[kid] == 1}


def _usable_key(item: Any) -> tuple[str, Any] | None:
    """Return (algorithm, key) when it is a public key for signatures, of a kind and strength that we take."""
    import jwt

    if not isinstance(item, dict) or not isinstance(item.get("kid"), str) or not isinstance(item.get("kty"), str):
        return None
    algorithm = _ALGORITHMS.get(item["kty"])
    operations = item.get("key_ops", ["verify"])
    if (
        algorithm is None
        or item.get("alg", algorithm) != algorithm
        or item.get("use", "sig") != "sig"
        or not isinstance(operations, list)
        or "verify" not in operations
        or not _PRIVATE_MEMBERS.isdisjoint(item)
        or (algorithm == "ES256" and item.get("crv") != "P-256")
    ):
        return None
    try:
        key = jwt.PyJWK(item, algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    return None if algorithm == "RS256" and key.key_size < _LEAST_RSA_BITS else (algorithm, key)


class TokenIssuer:
    """Issues this suite's own tokens: ES256, signed by KMS; the private key never leaves it.

    Two versions of the key may be live during rotation: the newest signs, all are published. Those that are known stay
    published while KMS is away, so that everybody can verify what was signed before.
    """

    _fresh_seconds = 60.0

    def __init__(self, keys: KeyManager, key: str, issuer: str, clock: Clock) -> None:
        self._keys = keys
        self._key = key
        self._issuer = issuer
        self._clock = clock
        self._versions = Kept("token keys", partial(keys.public_keys, key), clock, fresh_seconds=self._fresh_seconds)

    def issue(self, claims: Mapping[str, object], *, audience: str, kind: str, lifetime: timedelta) -> str:
        """Sign a token.

        Args:
            claims: `sub` and what else the kind carries.
            audience: `aud`.
            kind: `typ` header, e.g. `at+jwt` (RFC 9068).
            lifetime: from now to `exp`.

        Raises:
            ServiceAway: (503 `service_away`) KMS did not answer.
        """
        now = int(self._clock.now().timestamp())
        newest = self._published()[-1]
        header = {"alg": "ES256", "kid": self._kid(newest), "typ": kind}
        body = {
            **claims,
            "iss": self._issuer,
            "aud": audience,
            "iat": now,
            "exp": now + int(lifetime.total_seconds()),
        }
        signed = f"{_encode_json(header)}.{_encode_json(body)}"
        der = self._keys.sign(self._key, newest.version, hashlib.sha256(signed.encode()).digest())
        return f"{signed}.{_encode(_raw_signature(der))}"

    def jwks(self) -> dict[str, object]:
        """Return the public key set (RFC 7517), every live version."""
        return {"keys": [self._jwk(item) for item in self._published()]}

    def _jwk(self, item: PublicKey) -> dict[str, object]:
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
        from jwt.algorithms import ECAlgorithm

        public = load_pem_public_key(item.pem.encode())
        if not isinstance(public, EllipticCurvePublicKey):
            raise TypeError(f"the key {self._key} is no EC key")
        members = ECAlgorithm.to_jwk(public, as_dict=True)
        return {**members, "kid": self._kid(item), "use": "sig", "alg": "ES256"}

    def _kid(self, item: PublicKey) -> str:
        return f"{self._key}-{item.version}"

    def _published(self) -> Sequence[PublicKey]:
        found = self._versions.get()
        if not found:
            raise ServiceAway("kms")
        return found


def _raw_signature(der: bytes) -> bytes:
    """Turn an ASN.1 DER signature into r || s (RFC 7518 section 3.4)."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _encode_json(value: Mapping[str, object]) -> str:
    return _encode(json.dumps(value, separators=(",", ":")).encode())
