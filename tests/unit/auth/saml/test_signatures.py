"""Signatures that verify, or nearly, and must not count: algorithms, references, transforms, keys, key information.

Every one is made with the right key unless the test says otherwise: what refuses it is a rule, not a wrong number.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from functions.auth.saml.reasons import Refusal
from tests.support.saml_idp import (
    CANONICAL,
    DS,
    ENVELOPED,
    EXC_C14N,
    RSA_SHA256,
    SHA256,
    XENC,
    Form,
    SamlIdp,
    canonical,
    ec_key,
    key_info,
    rsa_key,
)
from tests.support.saml_scene import ANSWER, CONNECTION, IDP, accept, cut, refusal

MORE = "http://www.w3.org/2001/04/xmldsig-more#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
CERTIFICATE = x509.load_der_x509_certificate(IDP.certificate)
PUBLIC_KEY = CERTIFICATE.public_key()
SECRETS = {
    "certificate": IDP.certificate,
    "pem": CERTIFICATE.public_bytes(Encoding.PEM),
    "key": PUBLIC_KEY.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "key pem": PUBLIC_KEY.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "empty": b"",
}


@pytest.mark.parametrize("on", ["assertion", "response"])
@pytest.mark.parametrize(
    "form",
    [
        Form(method=f"{DS}rsa-sha1"),
        Form(method=f"{DS}dsa-sha1"),
        Form(method=f"{MORE}rsa-sha224"),
        Form(method=f"{MORE}rsa-md5"),
        Form(method=f"{MORE}rsa-ripemd160"),
        Form(method="http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"),
        Form(method=""),
        Form(method="none"),
        Form(method=RSA_SHA256.upper()),
        Form(method=f"{RSA_SHA256} "),
        Form(digest=f"{DS}sha1"),
        Form(digest=f"{MORE}md5"),
        Form(digest=f"{MORE}sha224"),
        Form(digest="http://www.w3.org/2007/05/xmldsig-more#sha3-256"),
        Form(digest=""),
        Form(canonicalisation=C14N),
        Form(canonicalisation=f"{C14N}#WithComments"),
        Form(canonicalisation=f"{EXC_C14N}WithComments"),
        Form(canonicalisation="http://www.w3.org/2006/12/xml-c14n11"),
        Form(canonicalisation=""),
        Form(transforms=f'{ENVELOPED}<ds:Transform Algorithm="{EXC_C14N}WithComments"/>'),
        Form(transforms=f'{ENVELOPED}<ds:Transform Algorithm="{C14N}"/>'),
        Form(transforms=CANONICAL + ENVELOPED),
        Form(transforms=ENVELOPED + ENVELOPED),
        Form(transforms=CANONICAL + CANONICAL),
        Form(transforms=f'{ENVELOPED}<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>'),
        Form(transforms=f'{ENVELOPED}<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"/>'),
        Form(transforms=f'{ENVELOPED}<ds:Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2"/>'),
        Form(transforms=f'{ENVELOPED}<ds:Transform Algorithm="{DS}base64"/>'),
        Form(transforms=f'<ds:Transform Algorithm="{DS}Enveloped-Signature"/>{CANONICAL}'),
    ],
    ids=lambda form: (form.transforms or form.canonicalisation + form.method + form.digest)[-70:],
)
def test_algorithms_that_are_not_on_the_list(form: Form, on: str) -> None:
    response = IDP.respond(ANSWER, **{f"sign_{on}": form})
    assert refusal(response) is Refusal.ALGORITHM_FORBIDDEN


@pytest.mark.parametrize(
    "form",
    [
        Form(transforms=ENVELOPED),
        Form(transforms=CANONICAL),
        Form(transforms=""),
        Form(transforms=ENVELOPED + CANONICAL + CANONICAL),
        Form(
            transforms=f'{ENVELOPED}<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116">'
            '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"/></ds:Transform>'
        ),
        Form(
            transforms=f'{ENVELOPED}<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116">'
            "<ds:XPath>not(ancestor-or-self::ds:Signature)</ds:XPath></ds:Transform>"
        ),
        Form(transforms=f'<ds:Transform Algorithm="{DS}enveloped-signature">x</ds:Transform>{CANONICAL}'),
        Form(transforms=ENVELOPED + CANONICAL.replace("/>", "><ds:XPath/></ds:Transform>")),
        Form(extra=f'<ds:Reference URI="#{ANSWER.response_id}"/>'),
        Form(
            extra=f'<ds:Reference URI="#{ANSWER.response_id}"><ds:Transforms>{ENVELOPED}{CANONICAL}</ds:Transforms>'
            f'<ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>'
        ),
        Form(extra="<ds:Manifest/>"),
        Form(extra=f'<ds:SignatureMethod Algorithm="{RSA_SHA256}"/>'),
    ],
    ids=lambda form: (form.transforms if form.transforms is not None else form.extra)[:70],
)
def test_signed_info_of_another_shape(form: Form) -> None:
    assert refusal(IDP.respond(ANSWER, sign_assertion=form)) is Refusal.SIGNATURE_SHAPE


@pytest.mark.parametrize("prefixes", ["", " ", "#default", "xs  xsi", " xs", "xs\nxsi", "1a", "xs,xsi", "*"])
def test_a_prefix_list_that_is_none(prefixes: str) -> None:
    transforms = (
        f'{ENVELOPED}<ds:Transform Algorithm="{EXC_C14N}"><ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}" '
        f'PrefixList="{prefixes.replace(chr(10), "&#10;")}"/></ds:Transform>'
    )
    assert refusal(IDP.respond(ANSWER, sign_assertion=Form(transforms=transforms))) is Refusal.SIGNATURE_SHAPE


def test_a_prefix_list_on_the_wrong_transform_or_twice() -> None:
    one = f'<ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}" PrefixList="xs"/>'
    for transforms in (
        f'<ds:Transform Algorithm="{DS}enveloped-signature">{one}</ds:Transform>{CANONICAL}',
        f'{ENVELOPED}<ds:Transform Algorithm="{EXC_C14N}">{one}{one}</ds:Transform>',
    ):
        assert refusal(IDP.respond(ANSWER, sign_assertion=Form(transforms=transforms))) is Refusal.SIGNATURE_SHAPE


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "#",
        "#_another",
        f"#{ANSWER.response_id}",
        ANSWER.assertion_id,
        f"#{ANSWER.assertion_id} ",
        f"##{ANSWER.assertion_id}",
        "#xpointer(/)",
        f"#xpointer(id('{ANSWER.assertion_id}'))",
        "http://127.0.0.1:9/x",
        "file:///etc/hostname",
        f"%23{ANSWER.assertion_id}",
    ],
)
def test_a_reference_to_anything_but_the_element_itself(uri: str) -> None:
    """The whole document (`URI=""`) too: what it covers depends on who reads it."""
    assert refusal(IDP.respond(ANSWER, sign_assertion=Form(uri=uri))) is Refusal.SIGNATURE_REFERENCE


def test_a_reference_without_an_address() -> None:
    response = IDP.respond(ANSWER).decode().replace(f' URI="#{ANSWER.assertion_id}"', "")
    assert refusal(response.encode()) is Refusal.SIGNATURE_SHAPE


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("name", ["hmac-sha256", "hmac-sha1", "hmac-sha512"])
def test_a_public_key_is_no_shared_secret(name: str, secret: bytes) -> None:
    space = DS if name == "hmac-sha1" else MORE
    form = Form(method=f"{space}{name}", sign=lambda data: hmac.digest(secret, data, name[5:]))
    assert refusal(IDP.respond(ANSWER, sign_assertion=form)) is Refusal.ALGORITHM_FORBIDDEN


def test_an_algorithm_for_another_kind_of_key() -> None:
    as_ec = Form(
        method=f"{MORE}ecdsa-sha256", sign=lambda data: rsa_key("idp").sign(data, padding.PKCS1v15(), hashes.SHA256())
    )
    assert refusal(IDP.respond(ANSWER, sign_assertion=as_ec)) is Refusal.SIGNATURE_INVALID
    curve = SamlIdp(IDP.entity_id, key=ec_key("idp"))
    as_rsa = Form(
        method=RSA_SHA256, sign=lambda data: ec_key("idp").sign(data, ec.ECDSA(hashes.SHA256())), digest=SHA256
    )
    response = curve.respond(ANSWER, sign_assertion=replace(as_rsa, method=f"{MORE}rsa-sha512"))
    assert refusal(response, replace(CONNECTION, certificates=(curve.certificate,))) is Refusal.SIGNATURE_INVALID


def test_a_signature_by_a_curve_is_two_numbers_of_fixed_length_and_not_der() -> None:
    curve = SamlIdp(IDP.entity_id, key=ec_key("idp"))
    connection = replace(CONNECTION, certificates=(curve.certificate,))
    assert accept(curve.respond(ANSWER), connection).name_id == ANSWER.name_id
    for sign in (
        lambda data: ec_key("idp").sign(data, ec.ECDSA(hashes.SHA256())),
        lambda _: b"\x00" * 64,
        lambda _: b"",
    ):
        form = Form(method=f"{MORE}ecdsa-sha256", sign=sign)
        assert refusal(curve.respond(ANSWER, sign_assertion=form), connection) in {
            Refusal.SIGNATURE_INVALID,
            Refusal.SIGNATURE_SHAPE,
        }


def test_a_certificate_that_comes_along_is_not_believed() -> None:
    forger = SamlIdp(IDP.entity_id, "forger's key")
    assert refusal(forger.respond(ANSWER, sign_response=True)) is Refusal.SIGNATURE_INVALID
    with_ours = Form(key_info=key_info(IDP.certificate))
    assert refusal(forger.respond(ANSWER, sign_assertion=with_ours)) is Refusal.SIGNATURE_INVALID


@pytest.mark.parametrize(
    "info",
    [
        "",
        "<ds:KeyInfo><ds:KeyName>whatever</ds:KeyName></ds:KeyInfo>",
        "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data></ds:KeyInfo>",
        '<ds:KeyInfo><ds:RetrievalMethod URI="http://127.0.0.1:9/key"/></ds:KeyInfo>',
        "<ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo>",
        key_info(SamlIdp(name="forger's key").certificate),
    ],
    ids=["none", "name", "broken", "address", "number", "another"],
)
def test_key_information_is_not_looked_at(info: str) -> None:
    assert accept(IDP.respond(ANSWER, sign_assertion=Form(key_info=info))).name_id == ANSWER.name_id


def _value(response: bytes, name: str) -> str:
    text = response.decode()
    return text[text.index(f"<ds:{name}>") + len(name) + 5 : text.index(f"</ds:{name}>")]


@pytest.mark.parametrize("name", ["DigestValue", "SignatureValue"])
def test_values_are_base64_in_its_one_form(name: str) -> None:
    response = IDP.respond(ANSWER)
    value = _value(response, name)
    for forged, reason in {
        "": Refusal.SIGNATURE_SHAPE,
        "!": Refusal.SIGNATURE_SHAPE,
        f"{value}=": Refusal.SIGNATURE_SHAPE,
        f"{value[:-1]}": Refusal.SIGNATURE_SHAPE,
        f"\u00e9{value}": Refusal.SIGNATURE_SHAPE,
        f"{value[:8]}<ds:x/>{value[8:]}": Refusal.SIGNATURE_SHAPE,
        f"{value[:8]}<!-- x -->{value[8:]}": Refusal.MARKUP_FORBIDDEN,
        f"{value[:8]}&#x2d;{value[8:]}": Refusal.SIGNATURE_SHAPE,
        base64.b64encode(b"\x00" * 32).decode(): Refusal.SIGNATURE_INVALID,
    }.items():
        changed = response.replace(f">{value}<".encode(), f">{forged}<".encode())
        assert changed != response
        assert refusal(changed) is reason, forged


def test_a_comment_in_a_digest_value_hides_no_second_one() -> None:
    """CVE-2025-29775: one reader took the text before the comment, another the text behind it."""
    forged = IDP.respond(replace(ANSWER, name_id="owner@acme.example"), sign_assertion=False).decode()
    signed = IDP.respond(ANSWER).decode()
    signature = cut(signed, "ds:Signature")
    digest = base64.b64encode(hashlib.sha256(canonical(cut(forged, "saml:Assertion"))).digest()).decode()
    commented = signature.replace("<ds:DigestValue>", f"<ds:DigestValue><!--{digest}-->")
    response = forged.replace("<saml:Subject>", f"{commented}<saml:Subject>")
    assert refusal(response.encode()) is Refusal.MARKUP_FORBIDDEN


def test_two_signed_infos_in_one_signature() -> None:
    """CVE-2025-29774: one was verified, the other was read."""
    forged = IDP.respond(replace(ANSWER, name_id="owner@acme.example")).decode()
    signed = IDP.respond(ANSWER).decode()
    info = cut(signed, "ds:SignedInfo")
    for mark in ("<ds:SignedInfo", "<ds:SignatureValue>", "<ds:KeyInfo>"):
        assert refusal(forged.replace(mark, info + mark, 1).encode()) is Refusal.SIGNATURE_SHAPE


def test_an_object_in_a_signature() -> None:
    response = IDP.respond(ANSWER).decode()
    for extra in ("<ds:Object/>", "<ds:Object><ds:Manifest/></ds:Object>", "<x xmlns='urn:x'/>"):
        changed = response.replace("</ds:Signature>", f"{extra}</ds:Signature>")
        assert refusal(changed.encode()) is Refusal.SIGNATURE_SHAPE


def test_key_information_hides_no_part_of_a_message() -> None:
    response = IDP.respond(ANSWER).decode()
    for part in (
        '<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">x</saml:Issuer>',
        f'<xenc:EncryptedKey xmlns:xenc="{XENC}"/>',
    ):
        changed = response.replace("<ds:KeyInfo>", f"<ds:KeyInfo>{part}")
        assert refusal(changed.encode()) is Refusal.SIGNATURE_SHAPE


def test_the_response_is_signed_by_one_certificate_and_the_assertion_by_another_of_the_connection() -> None:
    new = SamlIdp(IDP.entity_id, "next key")
    response = new.sign(
        IDP.respond(ANSWER).decode().replace("<samlp:Status>", "@signature@<samlp:Status>", 1)
    ).encode()  # fmt: skip
    both = replace(CONNECTION, certificates=(IDP.certificate, new.certificate))
    assert accept(response, both).name_id == ANSWER.name_id
    assert refusal(response) is Refusal.SIGNATURE_INVALID
