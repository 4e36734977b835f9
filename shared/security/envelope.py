"""Envelope encryption of single fields: AES-256-GCM under a data key of its own, which KMS wraps.

A ciphertext is bound to the place it stands in (table, column, organisation, row); moved anywhere else it is refused.
Layout: version (1 byte) | length of the wrapped key (2 bytes, big-endian) | wrapped key | nonce (12) | ciphertext and tag.
Source: NIST SP 800-38D; Google Cloud KMS, "Envelope encryption".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.ports.clock import Entropy
from shared.ports.errors import CiphertextRefused
from shared.ports.key_manager import KeyManager
from shared.ports.secret_store import Secret

_VERSION = 1
_HEAD = struct.Struct(">BH")
_NONCE_BYTES, _TAG_BYTES, _KEY_BYTES = 12, 16, 32


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ciphertext stands.

    Attributes:
        table, column: e.g. `scan.cloud_accounts`, `credentials`.
        org_id, row_id: whose and which row.
    """

    table: str
    column: str
    org_id: UUID
    row_id: UUID

    def context(self) -> bytes:
        """Return the additional authenticated data; names cannot contain the separator."""
        return f"v{_VERSION}|{self.table}|{self.column}|{self.org_id}|{self.row_id}".encode()


class Envelope:
    """Seals and opens fields under one KMS key."""

    def __init__(self, keys: KeyManager, key: str, entropy: Entropy) -> None:
        self._keys = keys
        self._key = key
        self._entropy = entropy

    def seal(self, plaintext: Secret, place: Place) -> bytes:
        """Encrypt a field for its place.

        Raises:
            ServiceAway: (503 `service_away`) KMS did not answer.
        """
        data_key = self._entropy.token_bytes(_KEY_BYTES)
        nonce = self._entropy.token_bytes(_NONCE_BYTES)
        context = place.context()
        wrapped = self._keys.wrap(self._key, data_key, context=context)
        head = _HEAD.pack(_VERSION, len(wrapped))
        return head + wrapped + nonce + AESGCM(data_key).encrypt(nonce, plaintext.reveal(), head + wrapped + context)

    def open(self, sealed: bytes, place: Place) -> Secret:
        """Decrypt a field in its place.

        Raises:
            CiphertextRefused: (500 `ciphertext_refused`) changed, cut short, moved, or of an unknown version.
            ServiceAway: (503 `service_away`) KMS did not answer.
        """
        if len(sealed) < _HEAD.size:
            raise CiphertextRefused
        version, size = _HEAD.unpack_from(sealed)
        start = _HEAD.size + size
        if version != _VERSION or len(sealed) < start + _NONCE_BYTES + _TAG_BYTES:
            raise CiphertextRefused
        head, nonce, body = sealed[:start], sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        context = place.context()
        data_key = self._keys.unwrap(self._key, sealed[_HEAD.size : start], context=context)
        if len(data_key) != _KEY_BYTES:
            raise CiphertextRefused
        try:
            return Secret(AESGCM(data_key).decrypt(nonce, body, head + context))
        except InvalidTag as error:
            raise CiphertextRefused from error
