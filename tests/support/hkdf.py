"""HKDF a second time, from the standard's text: what the library derives is checked against it.

Source: RFC 5869, section 2.
"""

from __future__ import annotations

import hmac


def extract(salt: bytes, key_material: bytes) -> bytes:
    """Return the pseudorandom key."""
    return hmac.digest(salt or bytes(32), key_material, "sha256")


def expand(pseudorandom_key: bytes, info: bytes, size_bytes: int) -> bytes:
    """Return so many bytes of key material for one purpose."""
    found = block = b""
    for number in range(1, -(-size_bytes // 32) + 1):
        block = hmac.digest(pseudorandom_key, block + info + bytes([number]), "sha256")
        found += block
    return found[:size_bytes]
