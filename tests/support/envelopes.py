"""Ciphertexts of layout 1, which is no longer written and must still be opened."""

from __future__ import annotations

import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.ports.clock import Entropy, SystemEntropy
from shared.ports.key_manager import KeyManager
from shared.security.envelope import Place


def seal_layout_1(
    keys: KeyManager, key: str, plaintext: bytes, place: Place, *, data_key: bytes = b"", entropy: Entropy | None = None
) -> bytes:
    """Seal a field as the first release did: the body is bound to the head with the wrapped key in it."""
    entropy = entropy or SystemEntropy()
    data_key, nonce, context = data_key or entropy.token_bytes(32), entropy.token_bytes(12), place.context(1)
    wrapped = keys.wrap(key, data_key, context=context).ciphertext
    head = struct.pack(">BH", 1, len(wrapped)) + wrapped
    return head + nonce + AESGCM(data_key).encrypt(nonce, plaintext, head + context)
