"""Signatures of secret-scanning partners: who reports a leaked key must be GitHub.

Owns the key set's form and the check. The signature is over the raw body, so the check comes before the body is read.
Source: https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partnership-program/secret-scanning-partner-program
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .errors import SignatureRefused
from .tokens import JwksCache

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

ALGORITHM = "ECDSA-NIST-P256V1-SHA256"
_KEY_ID = re.compile(r"[0-9A-Za-z_-]{1,100}")
_MOST_KEYS = 100
_MOST_SIGNATURE_CHARACTERS = 200


class ReporterKeys(JwksCache):
    """The reporter's published keys. Fetched seldom: the address is rate-limited, and anyone can send unknown key ids."""

    _fresh_seconds = 3600.0
    _cooldown_seconds = 300.0
    _first_cooldown_seconds = 60.0


def check_report(headers: Mapping[str, str], content: bytes, keys: JwksCache) -> None:
    """Check that the reporter signed a body.

    Args:
        headers: lower-case names; `github-public-key-identifier` and `github-public-key-signature`.
        content: the raw body.
        keys: made with `read_reporter_keys`.

    Raises:
        SignatureRefused: (401 `signature_refused`).
        ServiceAway: (503 `service_away`) the reporter's keys cannot be had.
    """
    kid = headers.get("github-public-key-identifier", "")
    signature = _decoded(headers.get("github-public-key-signature", ""))
    if _KEY_ID.fullmatch(kid) is None or not signature:
        raise SignatureRefused
    found = keys.find(kid)
    if found is None or not _is_signed(found[1], signature, content):
        raise SignatureRefused


def read_reporter_keys(content: bytes) -> dict[str, tuple[str, Any]]:
    """Read the published keys; one that is no P-256 key is left out.

    Raises:
        ValueError: it is no list of keys.
    """
    document = json.loads(content)
    items = document.get("public_keys") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise ValueError("not a list of public keys")  # noqa: TRY004  # what is wrong is the document, not our call
    found = {item["key_identifier"]: key for item in items[:_MOST_KEYS] if (key := _usable_key(item)) is not None}
    return {kid: (ALGORITHM, key) for kid, key in found.items()}


def _usable_key(item: Any) -> EllipticCurvePublicKey | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if (
        not isinstance(item, dict)
        or not isinstance(item.get("key_identifier"), str)
        or not isinstance(item.get("key"), str)
    ):
        return None
    try:
        key = load_pem_public_key(item["key"].encode())
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1) else None


def _is_signed(key: EllipticCurvePublicKey, signature: bytes, content: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(signature, content, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if len(text) <= _MOST_SIGNATURE_CHARACTERS else b""
    except (binascii.Error, ValueError):
        return b""
