"""Verifies the signature of one element and returns the bytes that it covers; whoever reads on reads those.

signxml verifies; which documents it gets to see is decided here: one signature that belongs to the element, one
reference to that element, two transforms, a few algorithms, and keys from the connection alone.
Source: XML Signature 1.1; SAML core 5.4; XML Signature Best Practices (W3C 2013); ADR-0014.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature as KeyDisagrees
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from ..errors import SamlRefused
from .certificates import find_weakness, is_current
from .documents import Element, decode_base64_element
from .names import DS, ENVELOPED, EXC_C14N, SIGNATURE
from .reasons import Refusal

_RSA_METHODS: Final = frozenset({SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512})
_EC_METHODS: Final = frozenset({SignatureMethod.ECDSA_SHA256, SignatureMethod.ECDSA_SHA384})
_DIGESTS: Final = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_METHOD_NAMES: Final = {method.value: method for method in _RSA_METHODS | _EC_METHODS}
_DIGEST_NAMES: Final = frozenset(digest.value for digest in _DIGESTS)
_PREFIX_LIST = re.compile(r"[A-Za-z_][\w.-]*(?: [A-Za-z_][\w.-]*)*", re.ASCII)
_NAMESPACES: Final = {"ds": DS, "ec": EXC_C14N}


def is_signed(element: Element) -> bool:
    """Tell whether an element carries a signature of its own."""
    return element.find(SIGNATURE) is not None


def verify_element(element: Element, certificates: Sequence[x509.Certificate], *, now: datetime) -> bytes:
    """Verify an element's own signature.

    Args:
        element: of the right shape already.
        certificates: of the connection; any of them may have signed.
        now: time of the decision; a certificate outside of its dates has not signed.

    Returns:
        The element's canonical bytes, without the signature, as they were signed.

    Raises:
        SamlRefused: (401 `saml_refused`).
    """
    signature = element.find(SIGNATURE)
    if signature is None:
        raise SamlRefused(Refusal.SIGNATURE_MISSING)
    method = _check_rules(signature, element.get("ID", ""))
    reason = Refusal.SIGNATURE_INVALID
    for certificate in certificates:
        signed = _verify_with(element, certificate, method)
        if signed is None:
            continue
        if is_current(certificate, now):
            return signed
        reason = Refusal.CERTIFICATE_EXPIRED
    raise SamlRefused(reason)


def _check_rules(signature: Element, own_id: str) -> SignatureMethod:
    method = _METHOD_NAMES.get(_algorithm(signature, "ds:SignedInfo/ds:SignatureMethod"))
    canonicalisation = _algorithm(signature, "ds:SignedInfo/ds:CanonicalizationMethod")
    digest = _algorithm(signature, "ds:SignedInfo/ds:Reference/ds:DigestMethod")
    if method is None or canonicalisation != EXC_C14N or digest not in _DIGEST_NAMES:
        raise SamlRefused(Refusal.ALGORITHM_FORBIDDEN)
    reference = signature.find("ds:SignedInfo/ds:Reference", _NAMESPACES)
    if reference is None or not own_id or reference.get("URI") != f"#{own_id}":
        raise SamlRefused(Refusal.SIGNATURE_REFERENCE)
    transforms = reference.findall("ds:Transforms/ds:Transform", _NAMESPACES)
    if [transform.get("Algorithm") for transform in transforms] != [ENVELOPED, EXC_C14N]:
        raise SamlRefused(Refusal.ALGORITHM_FORBIDDEN)
    if len(transforms[0]):
        raise SamlRefused(Refusal.SIGNATURE_SHAPE)
    for prefixes in transforms[1]:
        if _PREFIX_LIST.fullmatch(prefixes.get("PrefixList", "")) is None:
            raise SamlRefused(Refusal.SIGNATURE_SHAPE)
    for path in ("ds:SignedInfo/ds:Reference/ds:DigestValue", "ds:SignatureValue"):
        value = signature.find(path, _NAMESPACES)
        if value is None:
            raise SamlRefused(Refusal.SIGNATURE_SHAPE)
        decode_base64_element(value, Refusal.SIGNATURE_SHAPE)
    return method


def _algorithm(signature: Element, path: str) -> str:
    found = signature.find(path, _NAMESPACES)
    return "" if found is None else found.get("Algorithm", "")


def _verify_with(element: Element, certificate: x509.Certificate, method: SignatureMethod) -> bytes | None:
    """Verify with one certificate; None when it did not sign."""
    methods = _RSA_METHODS if isinstance(certificate.public_key(), rsa.RSAPublicKey) else _EC_METHODS
    if method not in methods or find_weakness(certificate) is not None:
        return None
    rules = SignatureConfiguration(
        require_x509=True,
        location="./",
        expect_references=1,
        signature_methods=methods,
        digest_algorithms=_DIGESTS,
        ignore_ambiguous_key_info=True,
        # The caller looks at the dates itself, to tell a wrong signature from one by an expired certificate.
        verification_time=certificate.not_valid_before_utc,
    )
    try:
        found = XMLVerifier().verify(element, x509_cert=certificate, id_attribute="ID", expect_config=rules)
    except (SignXMLException, KeyDisagrees, etree.LxmlError, ValueError):
        return None
    results = found if isinstance(found, list) else [found]
    if len(results) != 1:
        return None
    return results[0].signed_data
