"""One data key for many small fields: what an envelope would ask KMS once for each of, it is asked once for all of.

The key itself is sealed by an `Envelope` in the row that the fields belong to; here is what it seals. Fields come in parts (those
that were handed over together), and each part has a key of its own out of the data key, so that no key meets more random
nonces than one part has fields. A field is bound to its part, table, column, organisation, row and name: moved anywhere else it is refused.

Layout 1: 1 (1 byte) | number of the part (4, big-endian) | nonce (12) | ciphertext and tag.
Source: NIST SP 800-38D section 8.3 (how many random nonces one key may meet); RFC 5869; ADR-0042.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from shared.ports.clock import Entropy
from shared.ports.errors import CiphertextRefused
from shared.ports.secret_store import Secret

from .envelope import Place

_LAYOUT = 1
_HEAD = struct.Struct(">BI")
_KEY_BYTES, _NONCE_BYTES, _TAG_BYTES = 32, 12, 16
_PURPOSE = b"driftwise content key 1"
_KEPT_PARTS = 256  # whose keys stay derived: fields are opened by name, in which the parts of a large report are mixed


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one field stands.

    Attributes:
        place: table, column and organisation of the field; the row is the one that holds the key.
        names: what tells the field from the others under the key.
    """

    place: Place
    names: Sequence[str]

    def context(self, part: int) -> bytes:
        """Return the additional authenticated data: JSON, as names may hold any separator."""
        place = self.place
        told = [_LAYOUT, part, place.table, place.column, str(place.org_id), str(place.row_id), *self.names]
        return json.dumps(told).encode()


class ContentKey:
    """Seals and opens fields under one data key."""

    def __init__(self, key: Secret) -> None:
        if len(key.reveal()) != _KEY_BYTES:
            raise CiphertextRefused
        self._key = key
        self._cipher = lru_cache(maxsize=_KEPT_PARTS)(partial(_derived, key))

    @classmethod
    def make(cls, entropy: Entropy) -> ContentKey:
        """Make a new one."""
        return cls(Secret(entropy.token_bytes(_KEY_BYTES)))

    @property
    def secret(self) -> Secret:
        """The key itself, for an envelope to seal."""
        return self._key

    def seal(self, plaintext: bytes, spot: Spot, *, part: int, entropy: Entropy) -> bytes:
        """Encrypt a field.

        Args:
            plaintext: what it holds.
            spot: where it stands.
            part: which part it came with, from 0 to 2^32 - 1.
            entropy: makes the nonce.
        """
        nonce = entropy.token_bytes(_NONCE_BYTES)
        return _HEAD.pack(_LAYOUT, part) + nonce + self._cipher(part).encrypt(nonce, plaintext, spot.context(part))

    def open(self, sealed: bytes, spot: Spot) -> bytes:
        """Decrypt a field.

        Raises:
            CiphertextRefused: (500 `ciphertext_refused`) changed, cut short, moved, or of an unknown layout.
        """
        if len(sealed) < _HEAD.size + _NONCE_BYTES + _TAG_BYTES:
            raise CiphertextRefused
        layout, part = _HEAD.unpack_from(sealed)
        if layout != _LAYOUT:
            raise CiphertextRefused
        nonce, body = sealed[_HEAD.size :][:_NONCE_BYTES], sealed[_HEAD.size + _NONCE_BYTES :]
        try:
            return self._cipher(part).decrypt(nonce, body, spot.context(part))
        except InvalidTag as error:
            raise CiphertextRefused from error


def _derived(key: Secret, part: int) -> AESGCM:
    """Return what seals the fields of one part."""
    purpose = _PURPOSE + part.to_bytes(4)
    return AESGCM(HKDFExpand(SHA256(), _KEY_BYTES, purpose).derive(key.reveal()))
