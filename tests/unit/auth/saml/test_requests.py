"""What we send: requests whose signature others can check, our metadata, a certificate around a key of KMS.

Signatures are checked with `cryptography` over octets and over the standard library's canonical form.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from functions.auth.saml.certificates import self_signed
from functions.auth.saml.metadata import read_metadata
from functions.auth.saml.requests import AuthnRequest, new_request_id, post_form, redirect_url
from functions.auth.saml.signing import PrivateKeySigner
from functions.auth.saml.sp_metadata import ServiceProvider, write_metadata
from local_emulator.saml_messages import canonical
from shared.ports.clock import SystemEntropy
from tests.support.saml_idp import ec_key, read_redirect, rsa_key
from tests.support.saml_scene import ACS, NOW, SP, cut

RSA, EC = PrivateKeySigner(rsa_key("our signing")), PrivateKeySigner(ec_key("our signing"))
REQUEST = AuthnRequest("_r1", NOW, "https://idp.example/sso", SP, ACS)
NAMES = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
MORE = "http://www.w3.org/2001/04/xmldsig-more#"


def read(xml: str | bytes) -> ET.Element:
    return ET.fromstring(xml)  # noqa: S314 (made by us)


def check_signature(signer: PrivateKeySigner, signature: bytes, content: bytes) -> None:
    if signer is RSA:
        rsa_key("our signing").public_key().verify(signature, content, padding.PKCS1v15(), hashes.SHA256())
        return
    assert len(signature) == 64
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    ec_key("our signing").public_key().verify(der, content, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("signer", [RSA, EC], ids=["rsa", "ec"])
@pytest.mark.parametrize("address", ["https://idp.example/sso", "https://idp.example/sso?tenant=1&x=%2F"])
def test_a_redirect_is_signed_over_the_very_octets_of_its_query(signer: PrivateKeySigner, address: str) -> None:
    url = redirect_url(replace(REQUEST, destination=address), signer, "state/+ 1")
    assert url.startswith(address)
    query = url.removeprefix(address)[1:]
    signed, _, signature = query.partition("&Signature=")
    assert [pair.split("=")[0] for pair in signed.split("&")] == ["SAMLRequest", "RelayState", "SigAlg"]
    check_signature(signer, base64.b64decode(unquote(signature)), signed.encode())
    fields = parse_qs(query)
    assert fields["RelayState"] == ["state/+ 1"]
    assert fields["SigAlg"] == [f"{MORE}{'rsa' if signer is RSA else 'ecdsa'}-sha256"]
    found = read_redirect(url)
    assert (found.id, found.issuer, found.acs_url) == ("_r1", SP, ACS)


@pytest.mark.parametrize("signer", [RSA, EC], ids=["rsa", "ec"])
def test_a_posted_request_carries_its_signature_within(signer: PrivateKeySigner) -> None:
    form = post_form(REQUEST, signer, "state")
    assert (form.action, form.fields["RelayState"]) == ("https://idp.example/sso", "state")
    xml = base64.b64decode(form.fields["SAMLRequest"]).decode()
    root = read(xml)
    assert [child.tag.split("}")[1] for child in root] == ["Issuer", "Signature", "NameIDPolicy"]
    signature = cut(xml, "ds:Signature")
    digest = hashlib.sha256(canonical(xml.replace(signature, ""))).digest()
    assert base64.b64decode(root.findtext(".//ds:DigestValue", "", NAMES)) == digest
    reference = root.find(".//ds:Reference", NAMES)
    assert reference is not None
    assert reference.get("URI") == "#_r1"
    info = cut(signature, "ds:SignedInfo").replace("<ds:SignedInfo", f'<ds:SignedInfo xmlns:ds="{NAMES["ds"]}"')
    check_signature(signer, base64.b64decode(root.findtext(".//ds:SignatureValue", "", NAMES)), canonical(info))


def test_what_a_request_says() -> None:
    contexts = ["urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken", "https://refeds.org/profile/mfa"]
    full = replace(REQUEST, force_authn=True, name_id_format="urn:x:format", authn_contexts=contexts)
    root, bare = (_sent(request) for request in (full, REQUEST))
    assert root.attrib == {
        "ID": "_r1",
        "Version": "2.0",
        "IssueInstant": "2026-11-20T12:00:00Z",
        "Destination": "https://idp.example/sso",
        "AssertionConsumerServiceURL": ACS,
        "ProtocolBinding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
        "ForceAuthn": "true",
    }
    policy = root.find("samlp:NameIDPolicy", NAMES)
    assert policy is not None
    assert policy.attrib == {"AllowCreate": "true", "Format": "urn:x:format"}
    wanted = root.find("samlp:RequestedAuthnContext", NAMES)
    assert wanted is not None
    assert wanted.get("Comparison") == "exact"
    assert [one.text for one in wanted] == contexts
    assert "ForceAuthn" not in bare.attrib
    assert bare.find("samlp:RequestedAuthnContext", NAMES) is None
    assert bare.find("samlp:NameIDPolicy[@Format]", NAMES) is None


def test_what_is_not_ours_is_escaped() -> None:
    awkward = 'https://app.example/?a=1&b="<x>'
    root = _sent(replace(REQUEST, sp_entity_id=awkward, acs_url=awkward))
    assert root.findtext("saml:Issuer", "", NAMES) == awkward
    assert root.get("AssertionConsumerServiceURL") == awkward


@pytest.mark.parametrize("relay_state", ["", "x" * 81, "é" * 41])
def test_a_relay_state_has_80_bytes_at_most(relay_state: str) -> None:
    for send in (redirect_url, post_form):
        with pytest.raises(ValueError, match="80 bytes"):
            send(REQUEST, RSA, relay_state)


def test_request_ids_are_names_that_nobody_guesses() -> None:
    ids = {new_request_id(SystemEntropy()) for _ in range(100)}
    assert len(ids) == 100
    assert all(one.startswith("_") and len(one) == 41 for one in ids)


def test_our_metadata() -> None:
    signing, encryption = (_certificate(signer) for signer in (RSA, EC))
    document = write_metadata(ServiceProvider(SP, ACS, [signing, encryption], [encryption]))
    root = read(document)
    assert root.get("entityID") == SP
    role = root[0]
    assert (role.get("AuthnRequestsSigned"), role.get("WantAssertionsSigned")) == ("true", "true")
    assert role.get("protocolSupportEnumeration") == NAMES["samlp"]
    keys = [
        (key.get("use"), base64.b64decode(key.findtext(".//ds:X509Certificate", "", NAMES)))
        for key in role.findall("md:KeyDescriptor", NAMES)
    ]
    assert keys == [("signing", signing), ("signing", encryption), ("encryption", encryption)]
    ciphers = {method.get("Algorithm") for method in role.findall(".//md:EncryptionMethod", NAMES)}
    assert not any("cbc" in str(cipher) or "1_5" in str(cipher) for cipher in ciphers)
    services = role.findall("md:AssertionConsumerService", NAMES)
    assert [service.attrib for service in services] == [
        {
            "Binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
            "Location": ACS,
            "index": "0",
            "isDefault": "true",
        }
    ]
    order = [child.tag.split("}")[1] for child in role]
    assert order == ["KeyDescriptor"] * 3 + ["NameIDFormat"] * 3 + ["AssertionConsumerService"]


@pytest.mark.parametrize("signer", [RSA, EC], ids=["rsa", "ec"])
def test_a_certificate_around_a_key_that_stays_where_it_is(signer: PrivateKeySigner) -> None:
    der = _certificate(signer)
    certificate = x509.load_der_x509_certificate(der)
    certificate.verify_directly_issued_by(certificate)
    assert certificate.public_key() == (rsa_key if signer is RSA else ec_key)("our signing").public_key()
    assert certificate.subject.rfc4514_string() == "CN=DriftWise"
    assert certificate.serial_number == 4711
    assert certificate.not_valid_before_utc <= NOW <= certificate.not_valid_after_utc
    assert certificate.not_valid_after_utc == NOW + timedelta(days=700)


def test_an_identity_provider_that_is_given_our_metadata_is_none() -> None:
    from functions.auth.errors import SamlMetadataInvalid

    with pytest.raises(SamlMetadataInvalid):
        read_metadata(write_metadata(ServiceProvider(SP, ACS, [_certificate(RSA)])), now=NOW)


def _sent(request: AuthnRequest) -> ET.Element:
    query = parse_qs(urlsplit(redirect_url(request, RSA, "s")).query)
    return read(zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), wbits=-15))


def _certificate(signer: PrivateKeySigner) -> bytes:
    public_key = (rsa_key if signer is RSA else ec_key)("our signing").public_key()
    lifetime = timedelta(days=700)
    return self_signed(signer, public_key, common_name="DriftWise", serial_number=4711, now=NOW, lifetime=lifetime)
