"""Opens encrypted assertions. What comes out is as untrusted as what went in: its signature is verified afterwards.

AES-GCM only. AES-CBC is malleable: who may post changed ciphertexts and tell one failure from another reads the
plaintext (Jager and Somorovsky, "How to break XML encryption", 2011). Where an administrator must allow it, because the
identity provider offers nothing else, it is opened only under a verified signature of the response around it, which
leaves nobody but the identity provider a ciphertext to choose. RSA PKCS #1 v1.5 is refused for the same reason
(Bleichenbacher 1998) and without exception. Everything that fails here fails with one reason.
Source: XML Encryption 1.1 sections 5.2 (blocks), 5.5 (key transport), 6.1 (chosen ciphertexts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..errors import SamlRefused
from .documents import Element, decode_base64_element
from .names import DS, XENC, XENC11, ds, xenc
from .reasons import Refusal

_Hash: TypeAlias = Literal["SHA1", "SHA256", "SHA384", "SHA512"]

_GCM_KEY_BYTES: Final = {f"{XENC11}aes128-gcm": 16, f"{XENC11}aes256-gcm": 32}
_CBC_KEY_BYTES: Final = {f"{XENC}aes128-cbc": 16, f"{XENC}aes256-cbc": 32}
_OAEP_MGF1_SHA1, _OAEP = f"{XENC}rsa-oaep-mgf1p", f"{XENC11}rsa-oaep"
_OAEP_DIGESTS: Final[dict[str, _Hash]] = {
    f"{DS}sha1": "SHA1",
    f"{XENC}sha256": "SHA256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "SHA384",
    f"{XENC}sha512": "SHA512",
}
_MASKS: Final[dict[str, _Hash]] = {
    f"{XENC11}mgf1sha1": "SHA1",
    f"{XENC11}mgf1sha256": "SHA256",
    f"{XENC11}mgf1sha384": "SHA384",
    f"{XENC11}mgf1sha512": "SHA512",
}
_HASHES: Final[dict[str, type[hashes.HashAlgorithm]]] = {
    "SHA1": hashes.SHA1,  # not for signatures: OAEP does not lean on collisions (RFC 8017 section 7.1)
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}
_NONCE_BYTES, _TAG_BYTES, _BLOCK_BYTES = 12, 16, 16
_ELEMENT_TYPE = f"{XENC}Element"
_KEY_TYPE = f"{XENC}EncryptedKey"


@dataclass(frozen=True, slots=True)
class Oaep:
    """How a key was wrapped: RSA-OAEP with these two hashes and no label."""

    digest: _Hash
    mask: _Hash


class KeyRefused(Exception):
    """A wrapped key could not be opened; never shown to anybody."""


class Decryptor(Protocol):
    """The service provider's private keys for encryption, wherever they live."""

    def unwrap_key(self, wrapped: bytes, oaep: Oaep) -> bytes:
        """Open a wrapped key.

        Raises:
            KeyRefused: no key of ours opens it, or not with these hashes.
        """
        ...


class PrivateKeyDecryptor:
    """A decryptor over keys that this process holds; several while one takes over from another."""

    def __init__(self, keys: Sequence[rsa.RSAPrivateKey]) -> None:
        self._keys = tuple(keys)

    def unwrap_key(self, wrapped: bytes, oaep: Oaep) -> bytes:
        mask = padding.MGF1(_HASHES[oaep.mask]())
        scheme = padding.OAEP(mask, _HASHES[oaep.digest](), None)
        for key in self._keys:
            try:
                return key.decrypt(wrapped, scheme)
            except ValueError:
                continue
        raise KeyRefused


def decrypt_assertion(encrypted: Element, decryptor: Decryptor | None, *, allow_cbc: bool) -> bytes:
    """Open an encrypted assertion.

    Args:
        encrypted: an EncryptedAssertion of the right shape.
        decryptor: None when the service provider has no key for encryption.
        allow_cbc: whether AES-CBC is taken; true only for bytes whose signature has been verified.

    Returns:
        The bytes that were encrypted.

    Raises:
        SamlRefused: (401 `saml_refused`).
    """
    if decryptor is None:
        raise SamlRefused(Refusal.DECRYPTION_UNAVAILABLE)
    data = _only(encrypted, xenc("EncryptedData"))
    if data.get("Type", _ELEMENT_TYPE) != _ELEMENT_TYPE:
        raise SamlRefused(Refusal.ENCRYPTION_SHAPE)
    method = _only(data, xenc("EncryptionMethod")).get("Algorithm", "")
    cipher_bytes = _GCM_KEY_BYTES | (_CBC_KEY_BYTES if allow_cbc else {})
    if method not in cipher_bytes:
        raise SamlRefused(Refusal.ENCRYPTION_ALGORITHM)
    wrapped_key = _find_key(encrypted, data)
    oaep = _read_oaep(_only(wrapped_key, xenc("EncryptionMethod")))
    content = _cipher_value(data)
    try:
        key = decryptor.unwrap_key(_cipher_value(wrapped_key), oaep)
        return _open(method, key, content, key_bytes=cipher_bytes[method])
    except (KeyRefused, InvalidTag):
        # Without its cause: nothing of how it failed may reach a log line that a stranger's request can trigger.
        raise SamlRefused(Refusal.DECRYPTION_FAILED) from None


def _find_key(encrypted: Element, data: Element) -> Element:
    """Find the one wrapped key: within the data's KeyInfo, or beside the data and pointed to from there."""
    key_info = _only(data, ds("KeyInfo"))
    beside = encrypted.find(xenc("EncryptedKey"))
    inside = key_info.find(xenc("EncryptedKey"))
    if inside is not None and beside is None:
        return inside
    pointer = key_info.find(ds("RetrievalMethod"))
    if (
        beside is None
        or pointer is None
        or not beside.get("Id")
        or pointer.get("URI") != f"#{beside.get('Id')}"
        or pointer.get("Type", _KEY_TYPE) != _KEY_TYPE
    ):
        raise SamlRefused(Refusal.ENCRYPTION_SHAPE)
    return beside


def _read_oaep(method: Element) -> Oaep:
    algorithm = method.get("Algorithm")
    digest_element, mask_element = method.find(ds("DigestMethod")), method.find(f"{{{XENC11}}}MGF")
    digest = _OAEP_DIGESTS.get("" if digest_element is None else digest_element.get("Algorithm", ""))
    mask = _MASKS.get("" if mask_element is None else mask_element.get("Algorithm", ""))
    if digest_element is None:
        digest = "SHA1"
    if mask_element is None:
        mask = "SHA1"
    if digest is None or mask is None or len(method) != sum(x is not None for x in (digest_element, mask_element)):
        raise SamlRefused(Refusal.ENCRYPTION_ALGORITHM)
    if algorithm == _OAEP or (algorithm == _OAEP_MGF1_SHA1 and mask_element is None):
        return Oaep(digest, mask)
    raise SamlRefused(Refusal.ENCRYPTION_ALGORITHM)


def _open(method: str, key: bytes, content: bytes, *, key_bytes: int) -> bytes:
    if len(key) != key_bytes:
        raise KeyRefused
    return _open_gcm(key, content) if method in _GCM_KEY_BYTES else _open_cbc(key, content)


def _open_gcm(key: bytes, content: bytes) -> bytes:
    if len(content) < _NONCE_BYTES + _TAG_BYTES:
        raise KeyRefused
    return AESGCM(key).decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], None)


def _open_cbc(key: bytes, content: bytes) -> bytes:
    if len(content) < 2 * _BLOCK_BYTES or len(content) % _BLOCK_BYTES:
        raise KeyRefused
    opener = Cipher(algorithms.AES(key), modes.CBC(content[:_BLOCK_BYTES])).decryptor()
    padded = opener.update(content[_BLOCK_BYTES:]) + opener.finalize()
    if not 1 <= padded[-1] <= _BLOCK_BYTES:
        raise KeyRefused
    return padded[: -padded[-1]]


def _cipher_value(element: Element) -> bytes:
    value = _only(_only(element, xenc("CipherData")), xenc("CipherValue"))
    return decode_base64_element(value, Refusal.ENCRYPTION_SHAPE)


def _only(element: Element, tag: str) -> Element:
    found = element.findall(tag)
    if len(found) != 1:
        raise SamlRefused(Refusal.ENCRYPTION_SHAPE)
    return found[0]
