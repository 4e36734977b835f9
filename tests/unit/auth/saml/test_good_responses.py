"""Responses that must sign somebody in: every form that is allowed, the vendors' shapes, other people's software."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from functions.auth.saml.documents import decode_message
from functions.auth.saml.models import AttributeNames, Connection, Profile
from functions.auth.saml.profiles import read_profile
from tests.support.saml_idp import (
    SHA256,
    Encryption,
    Form,
    SamlIdp,
    ec_key,
    make_certificate,
    rsa_key,
)
from tests.support.saml_scene import ANSWER, CONNECTION, EXPECTED, IDP, NOW, REQUEST, accept
from tests.support.saml_vendors import VENDORS, Vendor, respond

PEERS = Path(__file__).parents[3] / "fixtures" / "saml" / "peers"
PUBLIC = rsa_key("service provider").public_key()
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"


def test_everything_that_was_said_comes_out() -> None:
    answer = replace(
        ANSWER,
        attributes={"email": ["mina@acme.example"], "groups": ["a", "b"], "empty": [""]},
        authn_instant=NOW - timedelta(hours=1),
        session_not_on_or_after=NOW + timedelta(hours=8),
    )
    found = accept(IDP.respond(answer))
    assert (found.issuer, found.assertion_id) == (IDP.entity_id, answer.assertion_id)
    assert (found.name_id, found.name_id_format) == (answer.name_id, answer.name_id_format)
    assert (found.session_index, found.in_response_to) == ("session-1", REQUEST.id)
    assert found.authn_instant == NOW - timedelta(hours=1)
    assert found.authn_context == "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
    assert found.session_not_on_or_after == NOW + timedelta(hours=8)
    assert found.attributes == {"email": ("mina@acme.example",), "groups": ("a", "b"), "empty": ()}


def test_the_earlier_end_is_the_assertions_end_and_it_is_remembered_until_nobody_would_take_it() -> None:
    answer = replace(
        ANSWER,
        not_on_or_after=NOW + timedelta(minutes=9),
        confirmation_not_on_or_after=NOW + timedelta(minutes=3),
    )
    found = accept(IDP.respond(answer))
    assert found.not_on_or_after == NOW + timedelta(minutes=3)
    assert found.remember_until == NOW + timedelta(minutes=4)
    conditions_end = replace(answer, not_on_or_after=NOW + timedelta(minutes=2))
    assert accept(IDP.respond(conditions_end)).not_on_or_after == NOW + timedelta(minutes=2)


def test_the_same_response_says_the_same_the_second_time_so_that_a_store_can_know_it() -> None:
    response = IDP.respond(ANSWER)
    first, second = accept(response), accept(response)
    assert (first.issuer, first.assertion_id, first.remember_until) == (
        second.issuer,
        second.assertion_id,
        second.remember_until,
    )


@pytest.mark.parametrize("sign_response", [False, True], ids=["assertion", "both"])
@pytest.mark.parametrize(
    "form",
    [
        Form(),
        Form(method=f"{MORE}rsa-sha384", digest=f"{MORE}sha384"),
        Form(method=f"{MORE}rsa-sha512", digest="http://www.w3.org/2001/04/xmlenc#sha512"),
        Form(prefix=False),
        Form(key_info=""),
        Form(wrap_base64="\n"),
        Form(inclusive={"xs": "http://www.w3.org/2001/XMLSchema"}),
    ],
    ids=["sha256", "sha384", "sha512", "default namespace", "no key info", "lines", "prefix list"],
)
def test_signatures_of_every_allowed_form(form: Form, sign_response: bool) -> None:
    def declare(xml: str) -> str:
        return xml.replace(" ID=", ' xmlns:xs="http://www.w3.org/2001/XMLSchema" ID=', 1)

    response = IDP.respond(
        ANSWER,
        sign_assertion=form,
        sign_response=sign_response and form,
        edit_assertion=declare,
        edit_response=declare,
    )
    assert accept(response).name_id == ANSWER.name_id


def test_a_prefix_list_may_name_what_only_the_response_declares() -> None:
    response = IDP.respond(
        ANSWER,
        sign_assertion=Form(inclusive={"xs": "http://www.w3.org/2001/XMLSchema"}),
        edit_response=lambda xml: xml.replace(" ID=", ' xmlns:xs="http://www.w3.org/2001/XMLSchema" ID=', 1),
    )
    assert accept(response).name_id == ANSWER.name_id


@pytest.mark.parametrize(
    ("curve", "method", "digest"),
    [
        (ec.SECP256R1, f"{MORE}ecdsa-sha256", SHA256),
        (ec.SECP384R1, f"{MORE}ecdsa-sha384", f"{MORE}sha384"),
    ],
)
def test_signatures_by_elliptic_curves(curve: type[ec.EllipticCurve], method: str, digest: str) -> None:
    idp = SamlIdp(key=ec_key("idp", curve))
    response = idp.respond(ANSWER, sign_assertion=Form(method=method, digest=digest))
    assert accept(response, Connection(idp.entity_id, (idp.certificate,))).name_id == ANSWER.name_id


def test_while_a_key_is_changed_both_certificates_sign_people_in() -> None:
    new = SamlIdp(name="next key")
    connection = replace(CONNECTION, certificates=(IDP.certificate, new.certificate))
    for idp in (IDP, new):
        assert accept(idp.respond(ANSWER), connection).name_id == ANSWER.name_id


def test_a_renewed_certificate_of_the_same_key_takes_over_from_the_expired_one() -> None:
    expired = make_certificate(rsa_key("idp"), end=NOW - timedelta(days=1))
    connection = replace(CONNECTION, certificates=(expired, IDP.certificate))
    assert accept(IDP.respond(ANSWER), connection).name_id == ANSWER.name_id


@pytest.mark.parametrize("sign_response", [False, True], ids=["assertion", "both"])
@pytest.mark.parametrize(
    "how",
    [
        Encryption(PUBLIC),
        Encryption(PUBLIC, cipher=f"{XENC11}aes128-gcm"),
        Encryption(PUBLIC, digest=None),
        Encryption(PUBLIC, digest=SHA256),
        Encryption(PUBLIC, transport=f"{XENC11}rsa-oaep", digest=SHA256, mask=f"{XENC11}mgf1sha256"),
        Encryption(PUBLIC, transport=f"{XENC11}rsa-oaep", digest=None),
        Encryption(PUBLIC, beside=True),
    ],
    ids=["gcm", "aes128", "no digest", "sha256", "oaep 1.1", "oaep 1.1 bare", "key beside"],
)
def test_encrypted_assertions(how: Encryption, sign_response: bool) -> None:
    response = IDP.respond(ANSWER, encryption=how, sign_response=sign_response)
    assert ANSWER.name_id.encode() not in response
    assert accept(response).name_id == ANSWER.name_id


def test_cbc_is_taken_where_it_was_allowed_and_the_response_is_signed() -> None:
    how = Encryption(PUBLIC, cipher="http://www.w3.org/2001/04/xmlenc#aes256-cbc")
    response = IDP.respond(ANSWER, encryption=how, sign_response=True)
    assert accept(response, replace(CONNECTION, allow_cbc=True)).name_id == ANSWER.name_id


def test_nobody_asked_where_that_is_allowed() -> None:
    answer = replace(ANSWER, in_response_to=None, confirmation_in_response_to=None)
    found = accept(
        IDP.respond(answer),
        replace(CONNECTION, allow_idp_initiated=True),
        replace(EXPECTED, request_id=None),
    )
    assert (found.name_id, found.in_response_to) == (ANSWER.name_id, None)


def test_an_audience_restriction_may_name_others_beside_us() -> None:
    answer = replace(ANSWER, audiences=(("https://other.example", REQUEST.issuer), (REQUEST.issuer,)))
    assert accept(IDP.respond(answer)).name_id == ANSWER.name_id


def test_one_of_several_confirmations_is_enough() -> None:
    def add(xml: str) -> str:
        other = '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"/>'
        return xml.replace("</saml:NameID>", f"</saml:NameID>{other}")

    assert accept(IDP.respond(ANSWER, edit_assertion=add)).name_id == ANSWER.name_id


def test_one_time_use_is_what_we_do_anyway() -> None:
    response = IDP.respond(
        ANSWER, edit_assertion=lambda xml: xml.replace("</saml:Conditions>", "<saml:OneTimeUse/></saml:Conditions>")
    )
    assert accept(response).name_id == ANSWER.name_id


def test_values_that_are_elements_are_left_out_and_repeated_names_are_merged() -> None:
    def add(xml: str) -> str:
        nested = "<saml:AttributeValue><saml:NameID>someone</saml:NameID></saml:AttributeValue>"
        more = f'<saml:Attribute Name="Role"><saml:AttributeValue>b</saml:AttributeValue>{nested}</saml:Attribute>'
        return xml.replace("</saml:AttributeStatement>", f"{more}</saml:AttributeStatement>")

    found = accept(IDP.respond(replace(ANSWER, attributes={"Role": ["a"]}), edit_assertion=add))
    assert found.attributes == {"Role": ("a", "b")}


def test_characters_that_xml_escapes_come_out_as_they_were_meant() -> None:
    answer = replace(ANSWER, name_id="o'hara&sons<x>@acme.example", attributes={"é": ["Zoë & Co"]})
    found = accept(IDP.respond(answer))
    assert (found.name_id, found.attributes) == ("o'hara&sons<x>@acme.example", {"é": ("Zoë & Co",)})


def test_the_form_field_is_what_the_browser_posts() -> None:
    response = IDP.respond(ANSWER)
    assert decode_message(IDP.post(response, "r")["SAMLResponse"]) == response


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_the_vendors_shapes(vendor: Vendor) -> None:
    response = respond(vendor, IDP, REQUEST, now=NOW)
    found = accept(response, Connection(vendor.entity_id, (IDP.certificate,)))
    profile = read_profile(found, AttributeNames())
    assert (found.name_id, profile) == (vendor.name_id, Profile(vendor.email, vendor.display_name, vendor.groups))


@pytest.mark.parametrize(
    ("file", "issuer", "name_id"),
    [
        ("samlp_assertion", "https://samlp.example/idp", "1"),
        ("samlp_both", "https://samlp.example/idp", "1"),
        ("samlify_assertion", "https://samlify.example/idp", "mina@acme.example"),
        ("pysaml2_assertion", "https://pysaml2.example/idp", "mina@acme.example"),
        ("pysaml2_both", "https://pysaml2.example/idp", "mina@acme.example"),
    ],
)
def test_what_other_peoples_identity_providers_made(file: str, issuer: str, name_id: str) -> None:
    content = (PEERS / f"{file}.xml").read_bytes()
    certificate = x509.load_pem_x509_certificate((PEERS / "certificate.pem").read_bytes())
    issued = re.search(rb'IssueInstant="([^"]+)"', content)
    assert issued is not None
    connection = Connection(issuer, (certificate.public_bytes(Encoding.DER),))
    found = accept(content, connection, replace(EXPECTED, now=datetime.fromisoformat(issued[1].decode())))
    assert (found.name_id, found.issuer) == (name_id, issuer)
    assert read_profile(found, AttributeNames()).email == "mina@acme.example"
