"""Writes our own metadata, which an administrator gives to the identity provider.

Source: SAML metadata 2.0 (OASIS 2005) section 2.4.4.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from .documents import Element
from .names import (
    DS,
    EMAIL_FORMAT,
    MD,
    PERSISTENT_FORMAT,
    POST_BINDING,
    SAMLP,
    UNSPECIFIED_FORMAT,
    XENC,
    XENC11,
    ds,
    md,
)

_FORMATS = (EMAIL_FORMAT, PERSISTENT_FORMAT, UNSPECIFIED_FORMAT)
_CIPHERS = (f"{XENC11}aes256-gcm", f"{XENC11}aes128-gcm", f"{XENC}rsa-oaep-mgf1p", f"{XENC11}rsa-oaep")


@dataclass(frozen=True, slots=True)
class ServiceProvider:
    """We, as one connection's identity provider sees us.

    Attributes:
        acs_url: where responses are posted to.
        signing_certificates: DER; the new one beside the old one while the key is changed.
        encryption_certificates: DER; none when assertions are not to be encrypted.
    """

    entity_id: str
    acs_url: str
    signing_certificates: Sequence[bytes]
    encryption_certificates: Sequence[bytes] = ()


def write_metadata(provider: ServiceProvider) -> bytes:
    """Write the metadata document; to be served as `application/samlmetadata+xml`."""
    root = etree.Element(md("EntityDescriptor"), {"entityID": provider.entity_id}, nsmap={"md": MD, "ds": DS})
    role = etree.SubElement(
        root,
        md("SPSSODescriptor"),
        {"AuthnRequestsSigned": "true", "WantAssertionsSigned": "true", "protocolSupportEnumeration": SAMLP},
    )
    for certificate in provider.signing_certificates:
        _add_key(role, "signing", certificate)
    for certificate in provider.encryption_certificates:
        descriptor = _add_key(role, "encryption", certificate)
        for algorithm in _CIPHERS:
            etree.SubElement(descriptor, md("EncryptionMethod"), {"Algorithm": algorithm})
    for name_id_format in _FORMATS:
        etree.SubElement(role, md("NameIDFormat")).text = name_id_format
    etree.SubElement(
        role,
        md("AssertionConsumerService"),
        {"Binding": POST_BINDING, "Location": provider.acs_url, "index": "0", "isDefault": "true"},
    )
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _add_key(role: Element, use: str, certificate: bytes) -> Element:
    descriptor = etree.SubElement(role, md("KeyDescriptor"), {"use": use})
    data = etree.SubElement(etree.SubElement(descriptor, ds("KeyInfo")), ds("X509Data"))
    etree.SubElement(data, ds("X509Certificate")).text = base64.b64encode(certificate).decode()
    return descriptor
