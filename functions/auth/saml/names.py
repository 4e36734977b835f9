"""Names of the standards: namespaces, elements, algorithms. Nothing is matched by anything but the whole name."""

from __future__ import annotations

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
MD = "urn:oasis:names:tc:SAML:2.0:metadata"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"

RESPONSE = f"{{{SAMLP}}}Response"
STATUS = f"{{{SAMLP}}}Status"
STATUS_CODE = f"{{{SAMLP}}}StatusCode"
ASSERTION = f"{{{SAML}}}Assertion"
ENCRYPTED_ASSERTION = f"{{{SAML}}}EncryptedAssertion"
ISSUER = f"{{{SAML}}}Issuer"
NAME_ID = f"{{{SAML}}}NameID"
SIGNATURE = f"{{{DS}}}Signature"

VERSION = "2.0"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
ENTITY_FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
PERSISTENT_FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
UNSPECIFIED_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
REDIRECT_BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST_BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"

ENVELOPED = f"{DS}enveloped-signature"
SHA256 = f"{XENC}sha256"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"


def saml(local: str) -> str:
    """Name an element of an assertion."""
    return f"{{{SAML}}}{local}"


def samlp(local: str) -> str:
    """Name an element of the protocol."""
    return f"{{{SAMLP}}}{local}"


def md(local: str) -> str:
    """Name an element of metadata."""
    return f"{{{MD}}}{local}"


def ds(local: str) -> str:
    """Name an element of a signature."""
    return f"{{{DS}}}{local}"


def xenc(local: str) -> str:
    """Name an element of encryption."""
    return f"{{{XENC}}}{local}"
