"""The SAML half of the laptop's identity provider: checks signed requests, writes signed answers; `saml_pages` shows them.

Knows a service provider by the metadata that it serves at its entity id, as a real one knows it by its upload: the
request's signature must be of a key in there, the answer goes to the address in there and to no other. Checked with
`cryptography` and the standard library, so that a request which only our own code would take is refused here.
Source: SAML bindings 3.4 (redirect), 3.5 (POST); profiles 4.1.3 and 4.1.4.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import urllib.request
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from .identity_keys import IdentityKeys
from .saml_messages import Answer, canonical, sign, write_assertion, write_response

_NAMES = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_MOST_BYTES = 64 * 1024
_LIFETIME = timedelta(minutes=5)
_SIGNATURE = re.compile(r"<ds:Signature\b.*?</ds:Signature>", re.DOTALL)
_SIGNED_INFO = re.compile(r"<ds:SignedInfo\b.*?</ds:SignedInfo>", re.DOTALL)


class SamlRefusedError(Exception):
    """A request that a real identity provider would not take; the text is for the developer in front of the browser."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a service provider asked, once everything about it has been checked."""

    request_id: str
    issuer: str
    acs_url: str
    relay_state: str


@dataclass(frozen=True, slots=True)
class ServiceProvider:
    """What a service provider's metadata say."""

    acs_urls: frozenset[str]
    keys: tuple[rsa.RSAPublicKey | ec.EllipticCurvePublicKey, ...]


@dataclass(frozen=True, slots=True)
class SamlProvider:
    """The provider's settings.

    Attributes:
        base_url: of the whole identity provider, without a trailing slash.
        trusted_prefix: entity ids begin so; nothing is fetched from anywhere else.
        fetch: reads a service provider's metadata.
    """

    base_url: str
    keys: IdentityKeys
    trusted_prefix: str
    fetch: Callable[[str], bytes]

    @property
    def entity_id(self) -> str:
        return f"{self.base_url}/saml/metadata"

    @property
    def sso_url(self) -> str:
        return f"{self.base_url}/saml/sso"

    def read_redirect(self, query_string: str) -> Question:
        """Check a request by the redirect binding; the signature covers the query as it was sent."""
        fields = dict(pair.split("=", 1) for pair in query_string.split("&") if "=" in pair)
        if not {"SAMLRequest", "SigAlg", "Signature"} <= fields.keys():
            raise SamlRefusedError("the request is not signed")
        signed = "&".join(
            f"{name}={fields[name]}" for name in ("SAMLRequest", "RelayState", "SigAlg") if name in fields
        )
        inflate = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        try:
            xml = inflate.decompress(_decode(unquote(fields["SAMLRequest"])), _MOST_BYTES)
        except zlib.error as error:
            raise SamlRefusedError("the request is not deflated") from error
        question, provider = self._read(xml, unquote(fields.get("RelayState", "")))
        _verify(provider, unquote(fields["SigAlg"]), _decode(unquote(fields["Signature"])), signed.encode())
        return question

    def read_post(self, form: Mapping[str, str]) -> Question:
        """Check a request by the POST binding; the signature is in it."""
        try:
            xml = _decode(form.get("SAMLRequest", "")).decode()
        except UnicodeDecodeError as error:
            raise SamlRefusedError("the request is not UTF-8") from error
        question, provider = self._read(xml.encode(), form.get("RelayState", ""))
        signatures = _SIGNATURE.findall(xml)
        if len(signatures) != 1:
            raise SamlRefusedError("the request is not signed, or not by one signature with the prefix ds")
        signature = _parse(f'<x xmlns:ds="{_NAMES["ds"]}">{signatures[0]}</x>'.encode())
        reference = signature.find(".//ds:Reference", _NAMES)
        digest = hashlib.sha256(canonical(xml.replace(signatures[0], ""))).digest()
        told = signature.findtext(".//ds:DigestValue", "", _NAMES)
        if reference is None or reference.get("URI") != f"#{question.request_id}" or _decode(told) != digest:
            raise SamlRefusedError("the signature is not of this request")
        info = _SIGNED_INFO.search(signatures[0])
        method = signature.find(".//ds:SignatureMethod", _NAMES)
        if info is None or method is None:
            raise SamlRefusedError("the signature has no SignedInfo")
        content = canonical(info[0].replace("<ds:SignedInfo", f'<ds:SignedInfo xmlns:ds="{_NAMES["ds"]}"', 1))
        value = _decode(signature.findtext(".//ds:SignatureValue", "", _NAMES))
        _verify(provider, method.get("Algorithm", ""), value, content)
        return question

    def _read(self, xml: bytes, relay_state: str) -> tuple[Question, ServiceProvider]:
        root = _parse(xml)
        issuer = root.findtext("saml:Issuer", "", _NAMES)
        if root.tag != f"{{{_NAMES['samlp']}}}AuthnRequest" or root.get("Version") != "2.0" or not root.get("ID"):
            raise SamlRefusedError("it is no AuthnRequest of SAML 2.0 with an ID")
        if root.get("Destination") != self.sso_url:
            raise SamlRefusedError(f"its Destination is not {self.sso_url}")
        provider = self._service_provider(issuer)
        acs_url = root.get("AssertionConsumerServiceURL", "")
        if acs_url not in provider.acs_urls:
            raise SamlRefusedError("its AssertionConsumerServiceURL is not in the service provider's metadata")
        return Question(root.get("ID", ""), issuer, acs_url, relay_state), provider

    def _service_provider(self, entity_id: str) -> ServiceProvider:
        if not entity_id.startswith(self.trusted_prefix):
            raise SamlRefusedError(f"no service provider is known by the entity id {entity_id[:200]}")
        try:
            root = _parse(self.fetch(entity_id))
        except OSError as error:
            raise SamlRefusedError(f"the metadata of {entity_id[:200]} cannot be read") from error
        services = root.findall("md:SPSSODescriptor/md:AssertionConsumerService", _NAMES)
        certificates = root.findall("md:SPSSODescriptor/md:KeyDescriptor[@use='signing']//ds:X509Certificate", _NAMES)
        found = [x509.load_der_x509_certificate(base64.b64decode(one.text or "")).public_key() for one in certificates]
        return ServiceProvider(
            frozenset(service.get("Location", "") for service in services if service.get("Binding") == _POST),
            tuple(key for key in found if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)),
        )

    def answer(self, question: Question, *, email: str, name: str, now: datetime) -> str:
        """Write the response, signed in both places as Okta does."""
        answer = Answer(
            issuer=self.entity_id,
            destination=question.acs_url,
            recipient=question.acs_url,
            audiences=((question.issuer,),),
            in_response_to=question.request_id,
            confirmation_in_response_to=question.request_id,
            response_id=f"_{secrets.token_hex(16)}",
            assertion_id=f"_{secrets.token_hex(16)}",
            issued_at=now,
            not_before=now - _LIFETIME,
            not_on_or_after=now + _LIFETIME,
            confirmation_not_on_or_after=now + _LIFETIME,
            name_id=email,
            session_index=secrets.token_hex(8),
            attributes={"email": [email], "displayName": [name]},
        )
        assertion = sign(write_assertion(answer), self.keys.saml_key, self.keys.certificate_der)
        return sign(write_response(answer, assertion), self.keys.saml_key, self.keys.certificate_der)


def fetch_metadata(url: str) -> bytes:
    """Read metadata from the gateway of this emulator."""
    with urllib.request.urlopen(url, timeout=5) as reply:
        content: bytes = reply.read(_MOST_BYTES)
    return content


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise SamlRefusedError("a part of it is not base64") from error


def _parse(xml: bytes) -> ET.Element:
    """Parse what another process of this emulator sent; a DTD is all that could hurt."""
    if b"<!" in xml or len(xml) > _MOST_BYTES:
        raise SamlRefusedError("it is too large, or has a DTD or a comment in it")
    try:
        return ET.fromstring(xml)  # noqa: S314 (no DTD, see above)
    except ET.ParseError as error:
        raise SamlRefusedError("it is not XML") from error


def _verify(provider: ServiceProvider, algorithm: str, signature: bytes, content: bytes) -> None:
    for key in provider.keys:
        try:
            if isinstance(key, rsa.RSAPublicKey) and algorithm == f"{_MORE}rsa-sha256":
                key.verify(signature, content, padding.PKCS1v15(), hashes.SHA256())
                return
            if isinstance(key, ec.EllipticCurvePublicKey) and algorithm == f"{_MORE}ecdsa-sha256":
                half = len(signature) // 2
                r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
                key.verify(encode_dss_signature(r, s), content, ec.ECDSA(hashes.SHA256()))
                return
        except InvalidSignature:
            continue
    raise SamlRefusedError("no key of the service provider's metadata made this signature")
