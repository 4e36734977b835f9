"""Signatures of webhooks, in and out: that a sender knows a secret, and that these are the bytes it sent.

Owns what each provider signs, with which headers, and how old a signature may be. Everything is over the raw body: a check
comes before anything is parsed. Knows no config and no database; which secrets are live is the caller's to say.
Source, by provider:
  github: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
  gitlab: https://docs.gitlab.com/user/project/integrations/webhooks/#signing-tokens
  terraform_cloud: https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations#notification-authenticity
  stripe: https://docs.stripe.com/webhooks/signature
  slack: https://docs.slack.dev/authentication/verifying-requests-from-slack
  standard: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (1.0.0)
  atlantis: product.md; Atlantis itself sends fixed headers only, its hooks sign with GitHub's scheme
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from shared.ports.clock import Clock, Entropy
from shared.ports.secret_store import Secret

from .errors import SignatureRefused

Provider: TypeAlias = Literal["atlantis", "github", "gitlab", "terraform_cloud", "stripe", "slack", "standard"]
Hash: TypeAlias = Literal["sha256", "sha512"]

WINDOW_SECONDS = 300
SECRET_PREFIX = "whsec_"  # noqa: S105  # how Standard Webhooks marks a secret
_SECRET_BYTES, _LEAST_KEY_BYTES, _MOST_KEY_BYTES = 32, 24, 64
_MOST_SIGNATURES = 20
_TIME = re.compile(r"[0-9]{1,12}")
_MESSAGE_ID = re.compile(r"[!-\-/-~]{1,200}")  # printable, and no full stop: the id ends where the time begins
_VERSION = re.compile(r"v[0-9]{1,3}[a-z]{0,3}")
_FORMS: Mapping[str, re.Pattern[str]] = {
    "sha256": re.compile(r"[0-9a-f]{64}"),
    "sha512": re.compile(r"[0-9a-f]{128}"),
    "base64": re.compile(r"[0-9A-Za-z+/]{43}="),
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a delivery shows for itself: well-formed, not proven.

    Attributes:
        candidates: what it came with; one right one is enough.
        expected: what the holder of a secret would have sent; None when the secret is no key of the scheme.
        sent_at: Unix time, where the scheme signs one.
    """

    candidates: tuple[bytes, ...]
    expected: Callable[[bytes], bytes | None]
    sent_at: int | None = None


Reader: TypeAlias = Callable[[Mapping[str, str], bytes, Sequence[bytes]], Evidence]


def verify(
    provider: Provider, headers: Mapping[str, str], content: bytes, secrets: Sequence[Secret], clock: Clock
) -> int:
    """Check that a sender knows one of the live secrets and sent exactly these bytes.

    Every candidate is compared with what every secret makes of the delivery, in constant time, whichever is right.

    Args:
        provider: whose scheme it is.
        headers: lower-case names.
        content: the raw body.
        secrets: live ones; an empty one proves nothing.
        clock: tells the time that windows are measured by.

    Returns:
        The place in `secrets` of the one that was used.

    Raises:
        SignatureRefused: (401 `signature_refused`) a header is missing or malformed, no secret fits, or the time is off.
    """
    revealed = [secret.reveal() for secret in secrets]
    evidence = _READERS[provider](headers, content, revealed)
    proven = [_proves(secret, evidence) for secret in revealed]
    if evidence.sent_at is not None and abs(clock.now().timestamp() - evidence.sent_at) > WINDOW_SECONDS:
        raise SignatureRefused
    if True not in proven:
        raise SignatureRefused
    return proven.index(True)


def sign(secrets: Sequence[Secret], message_id: str, sent_at: datetime, content: bytes) -> dict[str, str]:
    """Sign an outgoing message by Standard Webhooks 1.0.0, once with each live secret.

    Args:
        secrets: made by `make_secret`; two while one of them is being replaced.
        message_id: the same in every attempt, unique per event; no full stop.
        sent_at: of this attempt, aware UTC.
        content: the body, as it will be sent.

    Returns:
        The headers to send.

    Raises:
        ValueError: there is no secret, one is not of the form, or the id cannot be signed.
    """
    keys = [standard_key(secret.reveal()) for secret in secrets]
    if not keys or None in keys or _MESSAGE_ID.fullmatch(message_id) is None:
        raise ValueError("Standard Webhooks signs with whsec_ secrets of 24 to 64 bytes, and ids without a full stop")
    timestamp = str(int(sent_at.timestamp()))
    head = f"{message_id}.{timestamp}.".encode()
    signatures = [f"v1,{_base64_mac(key, head, content).decode()}" for key in keys if key is not None]
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": " ".join(signatures)}


def make_secret(entropy: Entropy) -> Secret:
    """Make a secret that every scheme here can use: `whsec_` and 32 random bytes in base64."""
    return Secret(SECRET_PREFIX.encode() + base64.b64encode(entropy.token_bytes(_SECRET_BYTES)))


def standard_key(secret: bytes) -> bytes | None:
    """Return the key in a Standard Webhooks secret; None when it is not of that form, or not of 24 to 64 bytes."""
    if not secret.startswith(SECRET_PREFIX.encode()):
        return None
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX.encode()), validate=True)
    except binascii.Error:
        return None
    return key if _LEAST_KEY_BYTES <= len(key) <= _MOST_KEY_BYTES else None


def _proves(secret: bytes, evidence: Evidence) -> bool:
    expected = evidence.expected(secret)
    matches = [hmac.compare_digest(candidate, expected or b"") for candidate in evidence.candidates]
    return any(matches) and expected is not None and secret != b""


# --- One reader per scheme ---------------------------------------------------------------------------------------------


def _read_atlantis(headers: Mapping[str, str], content: bytes, secrets: Sequence[bytes]) -> Evidence:
    """HMAC-SHA-256 of the body in hexadecimal; `sha256=` in front of it may be left out in Atlantis' own header."""
    if "x-atlantis-signature" not in headers:
        return _read_github(headers, content, secrets)
    return _body_mac("sha256", _header(headers, "x-atlantis-signature").removeprefix("sha256="), content)


def _read_github(headers: Mapping[str, str], content: bytes, _secrets: Sequence[bytes]) -> Evidence:
    """HMAC-SHA-256 of the body; the SHA-1 that GitHub still sends beside it is not looked at."""
    return _body_mac("sha256", _after("sha256=", _header(headers, "x-hub-signature-256")), content)


def _read_gitlab(headers: Mapping[str, str], content: bytes, secrets: Sequence[bytes]) -> Evidence:
    """A signing token (GitLab 19) by Standard Webhooks, or the older secret token as it is.

    What carries a signature must pass by it when a live secret is a signing token: it never falls back.
    """
    if "webhook-signature" in headers and any(standard_key(secret) for secret in secrets):
        return _read_standard(headers, content, secrets)
    token = _header(headers, "x-gitlab-token").encode("utf-8", "replace")
    return Evidence((hashlib.sha256(token).digest(),), lambda secret: hashlib.sha256(secret).digest())  # of one length


def _read_terraform_cloud(headers: Mapping[str, str], content: bytes, _secrets: Sequence[bytes]) -> Evidence:
    """HMAC-SHA-512 of the body in hexadecimal; without a token the header comes empty."""
    return _body_mac("sha512", _header(headers, "x-tfe-notification-signature"), content)


def _read_stripe(headers: Mapping[str, str], content: bytes, _secrets: Sequence[bytes]) -> Evidence:
    """`t=…,v1=…`, HMAC-SHA-256 of `time.body`; several `v1` while a secret is rolled, other schemes are left aside."""
    fields = [item.partition("=") for item in _header(headers, "stripe-signature").split(",")]
    times = [value for name, _, value in fields if name == "t"]
    if len(times) != 1 or not all(value for _, _, value in fields):
        raise SignatureRefused
    candidates = _candidates("sha256", [value for name, _, value in fields if name == "v1"])
    head = f"{times[0]}.".encode()
    return Evidence(candidates, lambda secret: _hex_mac("sha256", secret, head, content), _time(times[0]))


def _read_slack(headers: Mapping[str, str], content: bytes, _secrets: Sequence[bytes]) -> Evidence:
    """`v0=…`, HMAC-SHA-256 of `v0:time:body`."""
    timestamp = _header(headers, "x-slack-request-timestamp")
    candidates = _candidates("sha256", [_after("v0=", _header(headers, "x-slack-signature"))])
    head = f"v0:{timestamp}:".encode()
    return Evidence(candidates, lambda secret: _hex_mac("sha256", secret, head, content), _time(timestamp))


def _read_standard(headers: Mapping[str, str], content: bytes, _secrets: Sequence[bytes]) -> Evidence:
    """`v1,…` by HMAC-SHA-256 of `id.time.body`, a list with spaces between; other versions are left aside."""
    message_id, timestamp = _header(headers, "webhook-id"), _header(headers, "webhook-timestamp")
    if _MESSAGE_ID.fullmatch(message_id) is None:
        raise SignatureRefused
    entries = [item.partition(",") for item in _header(headers, "webhook-signature").split(" ")]
    if not all(_VERSION.fullmatch(version) and value for version, _, value in entries):
        raise SignatureRefused
    candidates = _candidates("base64", [value for version, _, value in entries if version == "v1"])
    head = f"{message_id}.{timestamp}.".encode()

    def expected(secret: bytes) -> bytes | None:
        key = standard_key(secret)
        return None if key is None else _base64_mac(key, head, content)

    return Evidence(candidates, expected, _time(timestamp))


_READERS: Mapping[Provider, Reader] = {
    "atlantis": _read_atlantis,
    "github": _read_github,
    "gitlab": _read_gitlab,
    "terraform_cloud": _read_terraform_cloud,
    "stripe": _read_stripe,
    "slack": _read_slack,
    "standard": _read_standard,
}
PROVIDERS: frozenset[str] = frozenset(_READERS)


# --- What the readers share --------------------------------------------------------------------------------------------


def _header(headers: Mapping[str, str], name: str) -> str:
    found = headers.get(name, "")
    if not found:
        raise SignatureRefused
    return found


def _after(prefix: str, text: str) -> str:
    if not text.startswith(prefix):
        raise SignatureRefused
    return text.removeprefix(prefix)


def _candidates(form: str, texts: Sequence[str]) -> tuple[bytes, ...]:
    if not 0 < len(texts) <= _MOST_SIGNATURES or not all(_FORMS[form].fullmatch(text) for text in texts):
        raise SignatureRefused
    return tuple(text.encode() for text in texts)


def _time(text: str) -> int:
    if _TIME.fullmatch(text) is None:
        raise SignatureRefused
    return int(text)


def _body_mac(name: Hash, text: str, content: bytes) -> Evidence:
    return Evidence(_candidates(name, [text]), lambda secret: _hex_mac(name, secret, b"", content))


def _hex_mac(name: Hash, key: bytes, head: bytes, content: bytes) -> bytes:
    return hmac.digest(key, head + content, name).hex().encode()


def _base64_mac(key: bytes, head: bytes, content: bytes) -> bytes:
    return base64.b64encode(hmac.digest(key, head + content, "sha256"))
