"""Envelopes whose parts a test can tell apart, without knowing where the layout puts them.

The vault and the entropy remember what they gave; the parts are found in the sealed bytes by their content.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from shared.ports.clock import SystemEntropy
from shared.ports.key_manager import KeyManager
from shared.ports.secret_store import Secret
from shared.security.envelope import Envelope, Place
from shared.testing.key_manager import MemoryKeyManager

NONCE_BYTES, TAG_BYTES, KEY_BYTES = 12, 16, 32


@dataclass(frozen=True)
class Parts:
    """One sealed field, taken apart.

    Attributes:
        head: everything before the wrapped data key.
        wrapped: the data key as KMS wrapped it.
        between: what stands before the nonce: the head's own tag in layout 2, nothing in layout 1.
        nonce: 12 bytes.
        ciphertext, tag: as AES-GCM gave them.
    """

    head: bytes
    wrapped: bytes
    between: bytes
    nonce: bytes
    ciphertext: bytes
    tag: bytes

    def joined(self) -> bytes:
        """Put the field together again."""
        return self.head + self.wrapped + self.between + self.nonce + self.ciphertext + self.tag

    def cipher(self, data_key: bytes, context: bytes) -> tuple[bytes, bytes]:
        """Return the AES key of the body and what its tag covers beside it, as the layout's description has it."""
        if self.head[0] == 1:
            return data_key, self.head + self.wrapped + context
        return derived_key(data_key), context


def derived_key(data_key: bytes) -> bytes:
    """Return the body's key in layout 2: the first block of HKDF-Expand (RFC 5869 section 2.3)."""
    return hmac.digest(data_key, b"driftwise envelope 2" + bytes([1]), "sha256")


class RecordingVault(MemoryKeyManager):
    """Remembers what it wrapped and made of it, and under which context."""

    def __init__(self) -> None:
        super().__init__()
        self.wrapped: list[bytes] = []
        self.plain: list[bytes] = []
        self.contexts: list[bytes] = []

    def wrap(self, key: str, plaintext: bytes, *, context: bytes) -> bytes:
        found = super().wrap(key, plaintext, context=context)
        self.wrapped.append(getattr(found, "ciphertext", found))
        self.plain.append(plaintext)
        self.contexts.append(context)
        return found


class RecordingEntropy(SystemEntropy):
    """Remembers what it drew; gives what a test planned first."""

    def __init__(self) -> None:
        self.drawn: list[bytes] = []
        self.planned: dict[int, list[bytes]] = {}

    def token_bytes(self, size_bytes: int) -> bytes:
        planned = self.planned.get(size_bytes)
        found = planned.pop(0) if planned else super().token_bytes(size_bytes)
        self.drawn.append(found)
        return found


@dataclass
class Sealer:
    """Seals, and takes apart what it sealed."""

    key: str = "credentials"
    vault: RecordingVault = field(default_factory=RecordingVault)
    entropy: RecordingEntropy = field(default_factory=RecordingEntropy)

    def __post_init__(self) -> None:
        self.vault.add_wrapping_key(self.key)

    @property
    def envelope(self) -> Envelope:
        """The envelope over both."""
        return self.over(self.vault)

    def over(self, keys: KeyManager) -> Envelope:
        """Return an envelope of the same key over another vault."""
        return Envelope(keys, self.key, self.entropy)

    def seal(self, plaintext: bytes, place: Place) -> Parts:
        """Seal a field and take it apart."""
        sealed = self.envelope.seal(Secret(plaintext), place)
        wrapped = self.vault.wrapped[-1]
        nonce = next(drawn for drawn in reversed(self.entropy.drawn) if len(drawn) == NONCE_BYTES)
        start = sealed.index(wrapped)
        end = start + len(wrapped)
        body = sealed.index(nonce, end)
        text = body + NONCE_BYTES
        parts = Parts(sealed[:start], wrapped, sealed[end:body], nonce, sealed[text:-TAG_BYTES], sealed[-TAG_BYTES:])
        assert len(parts.ciphertext) == len(plaintext), (
            "the body is not nonce, text and tag: teach this helper the layout"
        )
        return parts
