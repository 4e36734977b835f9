"""Envelopes whose parts a test can tell apart, without knowing where the layout puts them.

The vault and the entropy remember what they gave; the parts are found in the sealed bytes by their content.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.ports.clock import SystemEntropy
from shared.ports.key_manager import KeyManager, Wrapped
from shared.ports.secret_store import Secret
from shared.security.envelope import Envelope, Place
from shared.testing.key_manager import MemoryKeyManager
from tests.support import hkdf
from tests.support.envelopes import seal_layout_1

NONCE_BYTES, TAG_BYTES, KEY_BYTES = 12, 16, 32
HEAD_TAG_BYTES = {1: 0, 2: 32}  # by layout
LAYOUTS = tuple(HEAD_TAG_BYTES)


@dataclass(frozen=True)
class Parts:
    """One sealed field, taken apart.

    Attributes:
        head: everything before the wrapped data key.
        wrapped: the data key as KMS wrapped it.
        head_tag: what authenticates both; empty in layout 1, where the body's tag does.
        nonce: 12 bytes.
        ciphertext, tag: as AES-GCM gave them.
    """

    head: bytes
    wrapped: bytes
    head_tag: bytes
    nonce: bytes
    ciphertext: bytes
    tag: bytes

    def joined(self) -> bytes:
        """Put the field together again."""
        return self.head + self.wrapped + self.head_tag + self.nonce + self.ciphertext + self.tag


class RecordingVault(MemoryKeyManager):
    """Remembers what it wrapped and made of it, and under which context."""

    def __init__(self) -> None:
        super().__init__()
        self.wrapped: list[bytes] = []
        self.plain: list[bytes] = []
        self.contexts: list[bytes] = []

    def wrap(self, key: str, plaintext: bytes, *, context: bytes) -> Wrapped:
        found = super().wrap(key, plaintext, context=context)
        self.wrapped.append(found.ciphertext)
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
    """Seals in one layout, and takes apart what it sealed."""

    layout: int = 2
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
        parts = self.apart(self._sealed(plaintext, place))
        assert len(parts.ciphertext) == len(plaintext)
        return parts

    def apart(self, sealed: bytes) -> Parts:
        """Take a field apart whose data key the vault wrapped last, and whose nonce is the last one drawn."""
        wrapped = self.vault.wrapped[-1]
        nonce = next(drawn for drawn in reversed(self.entropy.drawn) if len(drawn) == NONCE_BYTES)
        start = sealed.index(wrapped)
        end = start + len(wrapped)
        body = sealed.index(nonce, end)
        text = body + NONCE_BYTES
        parts = Parts(sealed[:start], wrapped, sealed[end:body], nonce, sealed[text:-TAG_BYTES], sealed[-TAG_BYTES:])
        assert parts.head[0] == self.layout, "another layout is written: teach this helper and every test of it"
        assert len(parts.head_tag) == HEAD_TAG_BYTES[self.layout], "the nonce stands elsewhere: teach this helper"
        return parts

    def _sealed(self, plaintext: bytes, place: Place) -> bytes:
        if self.layout == 1:
            return seal_layout_1(self.vault, self.key, plaintext, place, entropy=self.entropy)
        return self.envelope.seal(Secret(plaintext), place)


def keys_of(data_key: bytes) -> tuple[bytes, bytes]:
    """Return the key of the body and the key of the head, as layout 2 makes them from a data key."""
    made = hkdf.expand(data_key, b"driftwise envelope 2", 2 * KEY_BYTES)
    return made[:KEY_BYTES], made[KEY_BYTES:]
