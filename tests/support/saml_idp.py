"""An identity provider for tests: says anything, signs anything, breaks any rule that it is asked to break.

It signs and encrypts with the standard library and `cryptography` (`local_emulator.saml_messages`): nothing of what it
makes has gone through lxml, signxml or the service provider's own code.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from local_emulator.saml_messages import (
    DS,
    EXC_C14N,
    SIGNATURE_HERE,
    Answer,
    canonical,
    key_info,
    wrap_signature,
    write_assertion,
    write_response,
)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
ENVELOPED = f'<ds:Transform Algorithm="{DS}enveloped-signature"/>'
CANONICAL = f'<ds:Transform Algorithm="{EXC_C14N}"/>'

_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 (to be refused)
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Make a key once for the whole test run; another name is another key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(name: str, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    """Make a key once for the whole test run."""
    return ec.generate_private_key(curve())


def make_certificate(
    key: Key, *, start: datetime | None = None, end: datetime | None = None, name: str = "Test identity provider"
) -> bytes:
    """Make a self-signed certificate; DER."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start or datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(end or datetime(2050, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


@dataclass(frozen=True, slots=True)
class Form:
    """How a signature is written; each field can be wrong.

    Attributes:
        uri: of the reference; None for the element's own ID.
        inclusive: prefix to namespace, written as a PrefixList and into the canonical form.
        covers: text of the whole document to the text that is hashed; None hashes the element as it stands.
        extra: more XML behind the reference, inside SignedInfo.
        key_info: instead of the certificate's; empty for none.
        sign: signed bytes to signature; None uses the key.
        wrap_base64: breaks the signature's text into lines that end so.
        prefix: False declares the signature's namespace as the default one, as Microsoft's products do.
    """

    method: str = RSA_SHA256
    digest: str = SHA256
    canonicalisation: str = EXC_C14N
    transforms: str | None = None
    uri: str | None = None
    inclusive: Mapping[str, str] = field(default_factory=dict)
    covers: Callable[[str], bytes] | None = None
    extra: str = ""
    key_info: str | None = None
    sign: Callable[[bytes], bytes] | None = None
    wrap_base64: str = ""
    prefix: bool = True


def sign(xml: str, key: Key, certificate: bytes, form: Form | None = None) -> str:
    """Put a signature into the first place for one."""
    form = form or Form()
    bare = xml.replace(SIGNATURE_HERE, "")
    content = form.covers(bare) if form.covers else _with_prefixes(canonical(bare), form.inclusive)
    own_id = re.search(r'\bID="([^"]+)"', xml)
    uri = form.uri if form.uri is not None else f"#{own_id[1] if own_id else ''}"
    signed_info = (
        f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{form.canonicalisation}"/>'
        f'<ds:SignatureMethod Algorithm="{form.method}"/><ds:Reference URI="{uri}">'
        f"<ds:Transforms>{_transforms(form)}</ds:Transforms>"
        f'<ds:DigestMethod Algorithm="{form.digest}"/><ds:DigestValue>{_digest(content, form.digest)}</ds:DigestValue>'
        f"</ds:Reference>{form.extra}</ds:SignedInfo>"
    )
    if not form.prefix:
        signed_info = _unprefixed(signed_info)
    value = base64.b64encode(
        (form.sign or (lambda data: _sign(data, key, form.method)))(canonical(signed_info))
    ).decode()
    if form.wrap_base64:
        value = form.wrap_base64.join(value[at : at + 76] for at in range(0, len(value), 76))
    info = key_info(certificate) if form.key_info is None else form.key_info
    written = wrap_signature(signed_info, value, info)
    return xml.replace(SIGNATURE_HERE, written if form.prefix else _unprefixed(written), 1)


def _unprefixed(xml: str) -> str:
    return xml.replace("<ds:", "<").replace("</ds:", "</").replace("xmlns:ds=", "xmlns=")


def _transforms(form: Form) -> str:
    if form.transforms is not None:
        return form.transforms
    if not form.inclusive:
        return ENVELOPED + CANONICAL
    prefixes = " ".join(form.inclusive)
    return (
        f'{ENVELOPED}<ds:Transform Algorithm="{EXC_C14N}">'
        f'<ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}" PrefixList="{prefixes}"/></ds:Transform>'
    )


def _with_prefixes(content: bytes, inclusive: Mapping[str, str]) -> bytes:
    """Write namespaces of a PrefixList into the first tag, sorted by prefix (Exclusive C14N 1.0 section 3)."""
    if not inclusive:
        return content
    tag, rest = content.split(b">", 1)
    declared = dict(re.findall(rb' xmlns:(\w+)="([^"]*)"', tag))
    declared |= {prefix.encode(): uri.encode() for prefix, uri in inclusive.items()}
    bare = re.sub(rb' xmlns:\w+="[^"]*"', b"", tag)
    name, _, attributes = bare.partition(b" ")
    written = b"".join(b' xmlns:%s="%s"' % (prefix, declared[prefix]) for prefix in sorted(declared))
    return name + written + (b" " + attributes if attributes else b"") + b">" + rest


def _digest(content: bytes, algorithm: str) -> str:
    name = algorithm.rsplit("#", 1)[-1]
    return base64.b64encode(hashlib.new(name if name in _HASHES else "sha256", content).digest()).decode()


def _sign(content: bytes, key: Key, method: str) -> bytes:
    chosen = _HASHES.get(method.rsplit("-", 1)[-1], hashes.SHA256())
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(content, padding.PKCS1v15(), chosen)
    size = (key.key_size + 7) // 8
    return b"".join(part.to_bytes(size, "big") for part in decode_dss_signature(key.sign(content, ec.ECDSA(chosen))))


@dataclass(frozen=True, slots=True)
class Encryption:
    """How an assertion is encrypted."""

    public_key: rsa.RSAPublicKey
    cipher: str = f"{XENC11}aes256-gcm"
    transport: str = f"{XENC}rsa-oaep-mgf1p"
    digest: str | None = f"{DS}sha1"
    mask: str | None = None
    beside: bool = False


def encrypt(xml: str, how: Encryption) -> str:
    """Encrypt an assertion (XML Encryption 1.1); the key within the data, or beside it as older OpenSAML does."""
    key = os.urandom(16 if "128" in how.cipher else 32)
    nonce = os.urandom(12 if how.cipher.endswith("gcm") else 16)
    if how.cipher.endswith("gcm"):
        content = nonce + AESGCM(key).encrypt(nonce, xml.encode(), None)
    else:
        missing = 16 - len(xml.encode()) % 16
        closer = Cipher(algorithms.AES(key), modes.CBC(nonce)).encryptor()
        content = nonce + closer.update(xml.encode() + bytes([missing]) * missing) + closer.finalize()
    encrypted_key = _wrap_key(key, how)
    key_part = f'<ds:RetrievalMethod Type="{XENC}EncryptedKey" URI="#_key"/>' if how.beside else encrypted_key
    return (
        '<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">'
        f'<xenc:EncryptedData xmlns:xenc="{XENC}" Type="{XENC}Element" Id="_data">'
        f'<xenc:EncryptionMethod Algorithm="{how.cipher}"/><ds:KeyInfo xmlns:ds="{DS}">{key_part}</ds:KeyInfo>'
        f"<xenc:CipherData><xenc:CipherValue>{base64.b64encode(content).decode()}</xenc:CipherValue></xenc:CipherData>"
        f"</xenc:EncryptedData>{encrypted_key if how.beside else ''}</saml:EncryptedAssertion>"
    )


def _wrap_key(key: bytes, how: Encryption) -> str:
    digest = _HASHES[(how.digest or "sha1").rsplit("#", 1)[-1]]
    mask = _HASHES[how.mask.rsplit("mgf1", 1)[-1]] if how.mask else hashes.SHA1()  # noqa: S303 (OAEP's default mask)
    scheme: padding.AsymmetricPadding = padding.OAEP(padding.MGF1(mask), digest, None)
    if how.transport.endswith("rsa-1_5"):
        scheme = padding.PKCS1v15()
    wrapped = base64.b64encode(how.public_key.encrypt(key, scheme)).decode()
    told = f'<ds:DigestMethod xmlns:ds="{DS}" Algorithm="{how.digest}"/>' if how.digest else ""
    told += f'<xenc11:MGF xmlns:xenc11="{XENC11}" Algorithm="{how.mask}"/>' if how.mask else ""
    return (
        f'<xenc:EncryptedKey xmlns:xenc="{XENC}" Id="_key"><xenc:EncryptionMethod Algorithm="{how.transport}">{told}'
        f"</xenc:EncryptionMethod><xenc:CipherData><xenc:CipherValue>{wrapped}</xenc:CipherValue></xenc:CipherData>"
        "</xenc:EncryptedKey>"
    )


@dataclass(frozen=True, slots=True)
class Request:
    """An AuthnRequest as it arrived."""

    id: str
    issuer: str
    acs_url: str
    relay_state: str


def read_redirect(url: str) -> Request:
    """Read a request that came by the redirect binding; its signature is not looked at."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    root = ET.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"]), wbits=-15))  # noqa: S314 (our own)
    issuer = root.findtext("{urn:oasis:names:tc:SAML:2.0:assertion}Issuer", "")
    return Request(root.get("ID", ""), issuer, root.get("AssertionConsumerServiceURL", ""), query.get("RelayState", ""))


class SamlIdp:
    """An identity provider with a key of its own.

    Args:
        name: of its key; two with one name have the same.
    """

    def __init__(
        self, entity_id: str = "https://idp.example/metadata", name: str = "idp", key: Key | None = None
    ) -> None:
        self.entity_id = entity_id
        self.key: Key = key or rsa_key(name)
        self.certificate = make_certificate(self.key)
        self.sso_url = "https://idp.example/sso"

    def metadata(self, *more_certificates: bytes) -> bytes:
        """Write its metadata, the further certificates behind its own."""
        keys = "".join(
            f'<md:KeyDescriptor use="signing">{key_info(one)}</md:KeyDescriptor>'
            for one in (self.certificate, *more_certificates)
        )
        services = "".join(
            f'<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-{binding}" Location="{self.sso_url}"/>'
            for binding in ("Redirect", "POST")
        )
        return (
            f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="{DS}" '
            f'entityID="{self.entity_id}">'
            '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
            f"{keys}{services}</md:IDPSSODescriptor></md:EntityDescriptor>"
        ).encode()

    def answer(self, request: Request, *, now: datetime, name_id: str = "mina@acme.example") -> Answer:
        """Return what a faithful response to a request says; change it with `dataclasses.replace`."""
        return Answer(
            issuer=self.entity_id,
            destination=request.acs_url,
            recipient=request.acs_url,
            audiences=((request.issuer,),),
            in_response_to=request.id or None,
            confirmation_in_response_to=request.id or None,
            response_id=f"_{os.urandom(16).hex()}",
            assertion_id=f"_{os.urandom(16).hex()}",
            issued_at=now,
            not_before=now - timedelta(minutes=5),
            not_on_or_after=now + timedelta(minutes=5),
            confirmation_not_on_or_after=now + timedelta(minutes=5),
            name_id=name_id,
            attributes={"email": [name_id], "displayName": ["Mina Member"]},
        )

    def respond(
        self,
        answer: Answer,
        *,
        sign_assertion: Form | bool = True,
        sign_response: Form | bool = False,
        encryption: Encryption | None = None,
        edit_assertion: Callable[[str], str] = str,
        edit_response: Callable[[str], str] = str,
    ) -> bytes:
        """Write a response.

        Args:
            answer: what it says.
            sign_assertion: False leaves the signature out.
            sign_response: as above.
            encryption: encrypts the assertion after it was signed.
            edit_assertion: changes the assertion's text before it is signed.
            edit_response: changes the response's text before it is signed.
        """
        assertion = self.sign(edit_assertion(write_assertion(answer)), sign_assertion)
        if encryption is not None:
            assertion = encrypt(assertion, encryption)
        return self.sign(edit_response(write_response(answer, assertion)), sign_response).encode()

    def sign(self, xml: str, form: Form | bool = True) -> str:
        """Sign XML that has a place for a signature; False takes the place out."""
        if form is False:
            return xml.replace(SIGNATURE_HERE, "", 1)
        form = Form() if form is True else form
        if isinstance(self.key, ec.EllipticCurvePrivateKey) and form.method == RSA_SHA256:
            form = replace(form, method="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256")
        return sign(xml, self.key, self.certificate, form)

    def post(self, response: bytes, relay_state: str) -> dict[str, str]:
        """Return the form fields that a browser posts to the assertion consumer service."""
        return {"SAMLResponse": base64.b64encode(response).decode(), "RelayState": relay_state}
