"""Certificates as containers of keys: which keys are taken, and a certificate of our own around a key that never leaves KMS."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from .signing import SignatureAlgorithm, Signer

_LEAST_RSA_BITS, _MOST_RSA_BITS = 2048, 8192
_CURVES = (ec.SECP256R1, ec.SECP384R1)
_BIT_STRING, _SEQUENCE = 0x03, 0x30


def find_weakness(certificate: x509.Certificate) -> str | None:
    """Tell what is wrong with a certificate's key, or None."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        if not _LEAST_RSA_BITS <= key.key_size <= _MOST_RSA_BITS:
            return f"its RSA key has {key.key_size} bits; {_LEAST_RSA_BITS} to {_MOST_RSA_BITS} are taken"
        return None
    if isinstance(key, ec.EllipticCurvePublicKey):
        return None if isinstance(key.curve, _CURVES) else f"its curve is {key.curve.name}; P-256 and P-384 are taken"
    return "its key is neither RSA nor EC"


def is_current(certificate: x509.Certificate, now: datetime) -> bool:
    """Tell whether a certificate is within its own dates."""
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def self_signed(
    signer: Signer,
    public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
    *,
    common_name: str,
    serial_number: int,
    now: datetime,
    lifetime: timedelta,
) -> bytes:
    """Make a self-signed certificate with a signer whose private key stays where it is.

    The library only signs with private keys that it holds, so a passing key of the same kind makes the content,
    and the signer's signature takes the place of the passing one.

    Returns:
        DER (RFC 5280 section 4.1).
    """
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    passing: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if signer.algorithm is SignatureAlgorithm.RSA_SHA256:
        passing = rsa.generate_private_key(public_exponent=65537, key_size=_LEAST_RSA_BITS)
    else:
        passing = ec.generate_private_key(ec.SECP256R1())
    draft = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key)
        .serial_number(serial_number)
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + lifetime)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(passing, hashes.SHA256())
    )
    content = draft.tbs_certificate_bytes
    whole = draft.public_bytes(Encoding.DER)
    between = whole[whole.index(content) + len(content) : -len(_der(_BIT_STRING, b"\x00" + draft.signature))]
    return _der(_SEQUENCE, content + between + _der(_BIT_STRING, b"\x00" + signer.sign(content)))


def _der(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
