"""Signs what we send: query strings of the redirect binding and XML of the POST binding."""

from __future__ import annotations

import base64
import hashlib
from enum import StrEnum
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree

from .documents import Element
from .names import DS, ECDSA_SHA256, ENVELOPED, EXC_C14N, RSA_SHA256, SHA256, SIGNATURE, ds

_P256_BYTES = 32


class SignatureAlgorithm(StrEnum):
    """The algorithms that we sign with; RSA is the one that every identity provider reads."""

    RSA_SHA256 = RSA_SHA256
    ECDSA_SHA256 = ECDSA_SHA256


class Signer(Protocol):
    """A key of the service provider that signs, wherever it lives."""

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """Return what `sign` does."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Sign data, hashed by SHA-256 on the way: PKCS #1 v1.5 for RSA, ASN.1 DER for P-256, as Cloud KMS returns them."""
        ...


class PrivateKeySigner:
    """A signer over a key that this process holds."""

    def __init__(self, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    @property
    def algorithm(self) -> SignatureAlgorithm:
        is_rsa = isinstance(self._key, rsa.RSAPrivateKey)
        return SignatureAlgorithm.RSA_SHA256 if is_rsa else SignatureAlgorithm.ECDSA_SHA256

    def sign(self, data: bytes) -> bytes:
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self._key.sign(data, ec.ECDSA(hashes.SHA256()))


def signature_value(signer: Signer, data: bytes) -> str:
    """Sign data; returns base64 of the form that XML Signature gives a signature, which for ECDSA is r and s side by side.

    Source: XML Signature 1.1 section 6.4.3; SAML bindings 3.4.4.1 takes its algorithms from there.
    """
    signature = signer.sign(data)
    if signer.algorithm is SignatureAlgorithm.ECDSA_SHA256:
        r, s = decode_dss_signature(signature)
        signature = r.to_bytes(_P256_BYTES, "big") + s.to_bytes(_P256_BYTES, "big")
    return base64.b64encode(signature).decode()


def sign_element(element: Element, signer: Signer) -> None:
    """Put an enveloped signature behind the element's first child, its issuer (SAML core 5.4)."""
    digest = base64.b64encode(hashlib.sha256(_canonical(element)).digest()).decode()
    signature = etree.Element(SIGNATURE, nsmap={"ds": DS})
    signed_info = etree.SubElement(signature, ds("SignedInfo"))
    etree.SubElement(signed_info, ds("CanonicalizationMethod"), Algorithm=EXC_C14N)
    etree.SubElement(signed_info, ds("SignatureMethod"), Algorithm=str(signer.algorithm))
    reference = etree.SubElement(signed_info, ds("Reference"), URI=f"#{element.get('ID')}")
    transforms = etree.SubElement(reference, ds("Transforms"))
    for algorithm in (ENVELOPED, EXC_C14N):
        etree.SubElement(transforms, ds("Transform"), Algorithm=algorithm)
    etree.SubElement(reference, ds("DigestMethod"), Algorithm=SHA256)
    etree.SubElement(reference, ds("DigestValue")).text = digest
    etree.SubElement(signature, ds("SignatureValue")).text = signature_value(signer, _canonical(signed_info))
    element.insert(1, signature)


def _canonical(element: Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
