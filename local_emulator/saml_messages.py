"""Writes and signs SAML responses, with the standard library and `cryptography` alone.

Shares nothing with the service provider that has to believe it: no lxml, no signxml, text instead of trees. The standard
library's canonical form (C14N 2.0) is, without its options, that of Exclusive C14N 1.0 for documents that hold no
comments, which ours do not.
Source: SAML core 2.0; XML Signature 1.1; https://www.w3.org/TR/xml-c14n2/ section 1.3.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

DS = "http://www.w3.org/2000/09/xmldsig#"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
SIGNATURE_HERE = "@signature@"
"""Where a signature goes; taken out before anything is hashed."""

_ID = re.compile(r'\bID="([^"]+)"')
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
_PASSWORD_CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"  # noqa: S105 (a class of contexts)


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that a response says; a field that is None is left out.

    Attributes:
        audiences: one restriction each, of the audiences in it.
    """

    issuer: str | None
    destination: str | None
    recipient: str | None
    audiences: Sequence[Sequence[str]]
    in_response_to: str | None
    confirmation_in_response_to: str | None
    response_id: str
    assertion_id: str
    issued_at: datetime
    not_before: datetime | None
    not_on_or_after: datetime | None
    confirmation_not_on_or_after: datetime | None
    name_id: str
    name_id_format: str | None = _EMAIL_FORMAT
    response_issuer: str | None = None
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    authn_instant: datetime | None = None
    session_index: str | None = "session-1"
    session_not_on_or_after: datetime | None = None
    confirmation_not_before: datetime | None = None
    confirmation_method: str = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    status: str = _SUCCESS
    version: str = "2.0"


def write_instant(at: datetime) -> str:
    """Write a time, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_assertion(answer: Answer) -> str:
    """Write the assertion, with the place for its signature in it."""
    restrictions = "".join(
        f"<saml:AudienceRestriction>{''.join(_text('saml:Audience', one) for one in audiences)}</saml:AudienceRestriction>"
        for audiences in answer.audiences
    )
    confirmation = _tag(
        "saml:SubjectConfirmationData",
        NotBefore=answer.confirmation_not_before,
        NotOnOrAfter=answer.confirmation_not_on_or_after,
        Recipient=answer.recipient,
        InResponseTo=answer.confirmation_in_response_to,
    )
    conditions = _tag("saml:Conditions", NotBefore=answer.not_before, NotOnOrAfter=answer.not_on_or_after)
    statement = _tag(
        "saml:AuthnStatement",
        AuthnInstant=answer.authn_instant or answer.issued_at,
        SessionIndex=answer.session_index,
        SessionNotOnOrAfter=answer.session_not_on_or_after,
    )
    start = _tag("saml:Assertion", ID=answer.assertion_id, Version=answer.version, IssueInstant=answer.issued_at)
    return (
        f'{start[:-1]} xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">'
        f"{'' if answer.issuer is None else _text('saml:Issuer', answer.issuer)}{SIGNATURE_HERE}"
        f"<saml:Subject>{_tag('saml:NameID', Format=answer.name_id_format)}{escape(answer.name_id)}</saml:NameID>"
        f"{_tag('saml:SubjectConfirmation', Method=answer.confirmation_method)}"
        f"{confirmation}</saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>"
        f"{conditions}{restrictions}</saml:Conditions>"
        f"{statement}<saml:AuthnContext>{_text('saml:AuthnContextClassRef', _PASSWORD_CONTEXT)}</saml:AuthnContext>"
        f"</saml:AuthnStatement>{_attributes(answer.attributes)}</saml:Assertion>"
    )


def write_response(answer: Answer, assertion: str) -> str:
    """Write a response around an assertion, with the place for its own signature in it."""
    start = _tag(
        "samlp:Response",
        ID=answer.response_id,
        Version=answer.version,
        IssueInstant=answer.issued_at,
        Destination=answer.destination,
        InResponseTo=answer.in_response_to,
    )
    issuer = answer.response_issuer or answer.issuer
    return (
        f'{start[:-1]} xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">'
        f"{'' if issuer is None else _text('saml:Issuer', issuer)}{SIGNATURE_HERE}"
        f"<samlp:Status>{_tag('samlp:StatusCode', Value=answer.status)}</samlp:StatusCode></samlp:Status>"
        f"{assertion}</samlp:Response>"
    )


def canonical(xml: str) -> bytes:
    """Return the exclusive canonical form of an element that stands alone."""
    return ET.canonicalize(xml).encode()


def sign(xml: str, key: rsa.RSAPrivateKey, certificate_der: bytes) -> str:
    """Put an enveloped signature (RSA-SHA256) into the place for it."""
    found = _ID.search(xml)
    if found is None:
        raise ValueError("what is signed has an ID")
    digest = base64.b64encode(hashlib.sha256(canonical(xml.replace(SIGNATURE_HERE, ""))).digest()).decode()
    signed_info = (
        f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{EXC_C14N}"/>'
        '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>'
        f'<ds:Reference URI="#{found[1]}"><ds:Transforms><ds:Transform Algorithm="{DS}enveloped-signature"/>'
        f'<ds:Transform Algorithm="{EXC_C14N}"/></ds:Transforms>'
        '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
        f"<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )
    value = base64.b64encode(key.sign(canonical(signed_info), padding.PKCS1v15(), hashes.SHA256())).decode()
    return xml.replace(SIGNATURE_HERE, wrap_signature(signed_info, value, key_info(certificate_der)))


def wrap_signature(signed_info: str, value: str, info: str) -> str:
    """Write a signature element around its parts."""
    return f'<ds:Signature xmlns:ds="{DS}">{signed_info}<ds:SignatureValue>{value}</ds:SignatureValue>{info}</ds:Signature>'


def key_info(certificate_der: bytes) -> str:
    """Write which certificate belongs to the key, as identity providers do; nobody should believe it."""
    certificate = base64.b64encode(certificate_der).decode()
    return f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"


def _attributes(attributes: Mapping[str, Sequence[str]]) -> str:
    if not attributes:
        return ""
    told = "".join(
        f"{_tag('saml:Attribute', Name=name)}{''.join(_text('saml:AttributeValue', value) for value in values)}</saml:Attribute>"
        for name, values in attributes.items()
    )
    return f"<saml:AttributeStatement>{told}</saml:AttributeStatement>"


def _text(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"


def _tag(tag: str, /, **attributes: str | datetime | None) -> str:
    told = {
        name: write_instant(value) if isinstance(value, datetime) else value
        for name, value in attributes.items()
        if value
    }
    return f"<{tag}{''.join(f' {name}={quoteattr(value)}' for name, value in told.items())}>"
