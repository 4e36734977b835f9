"""Envelope encryption of single fields: AES-256-GCM under a data key of its own, which KMS wraps.

A ciphertext is bound to the place it stands in (table, column, organisation, row); moved anywhere else it is refused.

Layout 2, which is written: 2 (1 byte) | number of the KMS version that wrapped the data key (4, big-endian) | length of the
wrapped key (2) | wrapped key | tag of the head (32) | nonce (12) | ciphertext and tag. The body is bound to the place alone
and the head is authenticated by itself, under another key out of the same data key: so the data key can be wrapped again
without a second encryption under the same nonce, and no byte can be changed all the same.
Layout 1, which is still opened: 1 | length of the wrapped key (2) | wrapped key | nonce (12) | ciphertext and tag.
The layout's number is part of every context, so that one layout cannot be passed off as the other.
Source: NIST SP 800-38D; RFC 5869; Google Cloud KMS, "Envelope encryption"; ADR-0011.
"""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from shared.ports.clock import Entropy
from shared.ports.errors import CiphertextRefused
from shared.ports.key_manager import KeyManager
from shared.ports.secret_store import Secret

_LAYOUT = 2
_HEAD = struct.Struct(">BIH")
_HEAD_1 = struct.Struct(">BH")
_HEAD_TAG_BYTES, _NONCE_BYTES, _TAG_BYTES, _KEY_BYTES = 32, 12, 16, 32
_UNKNOWN_VERSION = 0  # of layout 1, which does not say: older than every version there is
_PROBE = Secret(bytes(_KEY_BYTES))


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

    def context(self, layout: int = _LAYOUT) -> bytes:
        """Return the additional authenticated data; names cannot contain the separator."""
        return f"v{layout}|{self.table}|{self.column}|{self.org_id}|{self.row_id}".encode()


@dataclass(frozen=True, slots=True)
class _Parts:
    """A ciphertext taken apart.

    Attributes:
        layout: 1 or 2.
        key_version: number of the KMS version that wrapped the data key; 0 when the layout does not say.
        head: what stands before the head's tag (layout 2) or before the nonce (layout 1).
        wrapped: the wrapped data key, the end of the head.
        tag: of the head; empty in layout 1.
        body: nonce, ciphertext and tag.
    """

    layout: int
    key_version: int
    head: bytes
    wrapped: bytes
    tag: bytes
    body: bytes


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
        sealing_key, _ = _keys_of(data_key)
        body = nonce + AESGCM(sealing_key).encrypt(nonce, plaintext.reveal(), place.context())
        return self._head(data_key, place) + body

    def open(self, sealed: bytes, place: Place) -> Secret:
        """Decrypt a field in its place.

        Raises:
            CiphertextRefused: (500 `ciphertext_refused`) changed, cut short, moved, or of an unknown layout.
            VersionUnusable: (503 `service_away`) the KMS version that wrapped its data key is disabled or destroyed.
            ServiceAway: (503 `service_away`) KMS did not answer.
        """
        _, plaintext = self._open(_parse(sealed), place)
        return plaintext

    def rewrap(self, sealed: bytes, place: Place) -> bytes:
        """Wrap the same data key again, under the present primary version; the body stays as it is, byte for byte.

        A ciphertext of layout 1 binds its body to the wrapped key, so that one is encrypted anew.

        Raises:
            CiphertextRefused, VersionUnusable, ServiceAway: as `open`, which it does first.
        """
        parts = _parse(sealed)
        data_key, plaintext = self._open(parts, place)
        return self._head(data_key, place) + parts.body if parts.layout == _LAYOUT else self.seal(plaintext, place)

    def reencrypt(self, sealed: bytes, place: Place) -> bytes:
        """Encrypt the same plaintext anew, with a fresh data key and nonce.

        Raises:
            CiphertextRefused, VersionUnusable, ServiceAway: as `open`.
        """
        return self.seal(self.open(sealed, place), place)

    def present_version(self) -> int:
        """Return the number of the KMS version that wraps now. For hours after a rotation that may be the one before.

        Raises:
            ServiceAway: (503 `service_away`) KMS did not answer.
        """
        return self._keys.wrap(self._key, _PROBE.reveal(), context=b"probe").version

    def _head(self, data_key: bytes, place: Place) -> bytes:
        _, head_key = _keys_of(data_key)
        wrapped = self._keys.wrap(self._key, data_key, context=place.context())
        head = _HEAD.pack(_LAYOUT, wrapped.version, len(wrapped.ciphertext)) + wrapped.ciphertext
        return head + hmac.digest(head_key, head + place.context(), "sha256")

    def _open(self, parts: _Parts, place: Place) -> tuple[bytes, Secret]:
        """Return data key and plaintext."""
        context = place.context(parts.layout)
        data_key = self._keys.unwrap(self._key, parts.wrapped, context=context)
        if len(data_key) != _KEY_BYTES:
            raise CiphertextRefused
        sealing_key = data_key
        if parts.layout == _LAYOUT:
            sealing_key, head_key = _keys_of(data_key)
            if not hmac.compare_digest(hmac.digest(head_key, parts.head + context, "sha256"), parts.tag):
                raise CiphertextRefused
        else:
            context = parts.head + context
        nonce, body = parts.body[:_NONCE_BYTES], parts.body[_NONCE_BYTES:]
        try:
            return data_key, Secret(AESGCM(sealing_key).decrypt(nonce, body, context))
        except InvalidTag as error:
            raise CiphertextRefused from error


def key_version(sealed: bytes) -> int:
    """Return the number of the KMS version under which a ciphertext says it is wrapped; 0 when its layout does not say.

    Raises:
        CiphertextRefused: (500 `ciphertext_refused`) cut short, or of an unknown layout.
    """
    return _parse(sealed).key_version


def _keys_of(data_key: bytes) -> tuple[bytes, bytes]:
    """Derive the key of the body and the key of the head from a data key: one key, one purpose (RFC 5869 section 2.3)."""
    made = HKDFExpand(SHA256(), 2 * _KEY_BYTES, b"driftwise envelope 2").derive(data_key)
    return made[:_KEY_BYTES], made[_KEY_BYTES:]


def _parse(sealed: bytes) -> _Parts:
    """Take a ciphertext apart; nothing of it is authentic yet."""
    layout = sealed[0] if sealed else 0
    form, tag_bytes = {1: (_HEAD_1, 0), _LAYOUT: (_HEAD, _HEAD_TAG_BYTES)}.get(layout, (None, 0))
    if form is None or len(sealed) < form.size:
        raise CiphertextRefused
    numbers = form.unpack_from(sealed)
    end = form.size + numbers[-1]
    if len(sealed) < end + tag_bytes + _NONCE_BYTES + _TAG_BYTES:
        raise CiphertextRefused
    return _Parts(
        layout=layout,
        key_version=numbers[1] if layout == _LAYOUT else _UNKNOWN_VERSION,
        head=sealed[:end],
        wrapped=sealed[form.size : end],
        tag=sealed[end : end + tag_bytes],
        body=sealed[end + tag_bytes :],
    )
