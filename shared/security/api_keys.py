"""API keys and the tokens of directories: their form, their offline check and their stored hash.

Form: `dw2_` (a directory's token: `dws_`) + public id (12) + secret (30) + checksum (6), all base 62. The secret carries 178 bits. Scanners match it by
`PATTERN`; the checksum (CRC-32, as GitHub's tokens carry one) tells a typo from a key without asking anyone.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import zlib
from dataclasses import dataclass

from shared.ports.clock import Entropy
from shared.ports.secret_store import Secret

PREFIX = "dw2_"
SCIM_PREFIX = "dws_"
PATTERN = r"(?<![0-9A-Za-z])dw2_[0-9A-Za-z]{48}(?![0-9A-Za-z])"

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PUBLIC_LENGTH, _SECRET_LENGTH, _CHECKSUM_LENGTH = 12, 30, 6
_FORM = re.compile(
    rf"(dw2_|dws_)([0-9A-Za-z]{{{_PUBLIC_LENGTH}}})([0-9A-Za-z]{{{_SECRET_LENGTH}}})([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})"
)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A well-formed key, taken apart. Whether it exists is another question.

    Attributes:
        public_id: finds the row.
        secret: proves the holder; hidden from `repr`.
        prefix: says what it is.
    """

    public_id: str
    secret: Secret
    prefix: str = PREFIX

    def reveal(self) -> str:
        """Return the whole key, to be shown exactly once."""
        body = self.public_id + self.secret.reveal().decode()
        return self.prefix + body + _checksum(body)


def make_key(entropy: Entropy, prefix: str = PREFIX) -> ApiKey:
    """Make a new key."""
    return ApiKey(_base62(entropy, _PUBLIC_LENGTH), Secret(_base62(entropy, _SECRET_LENGTH).encode()), prefix)


def parse_key(text: str, prefix: str = PREFIX) -> ApiKey | None:
    """Take a key apart; None when it is of another kind, or when the form or the checksum is wrong."""
    match = _FORM.fullmatch(text)
    if match is None or match[1] != prefix or not hmac.compare_digest(_checksum(match[2] + match[3]), match[4]):
        return None
    return ApiKey(match[2], Secret(match[3].encode()), prefix)


def hash_key(key: ApiKey, pepper: Secret) -> bytes:
    """Hash a key for storage: HMAC-SHA-256 under the pepper, over public id and secret.

    A slow hash would add nothing: the secret has 178 bits of its own.
    """
    return hmac.new(pepper.reveal(), f"{key.public_id}.".encode() + key.secret.reveal(), hashlib.sha256).digest()


def matches(key: ApiKey, pepper: Secret, stored_hash: bytes) -> bool:
    """Compare a key with a stored hash, in constant time."""
    return hmac.compare_digest(hash_key(key, pepper), stored_hash)


def _base62(entropy: Entropy, length: int) -> str:
    """Draw letters without bias: bytes past the last whole multiple of 62 are thrown away."""
    letters: list[str] = []
    while len(letters) < length:
        letters.extend(_ALPHABET[byte % 62] for byte in entropy.token_bytes(length * 2) if byte < 248)
    return "".join(letters[:length])


def _checksum(body: str) -> str:
    number, letters = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM_LENGTH):
        number, rest = divmod(number, 62)
        letters = _ALPHABET[rest] + letters
    return letters
