"""Signature wrapping: a good signature somewhere, and a forged assertion where a reader might look.

The eight classic forms (Somorovsky et al., "On Breaking SAML", 2012, numbered as SAML Raider does), each with the forged
part under a new ID and under the signed one's; then the hiding places and namespaces of later years.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import TypeAlias

import pytest
from lxml import etree

from functions.auth.saml.reasons import Refusal
from tests.support.saml_idp import DS, Encryption, Form, SamlIdp, encrypt, rsa_key
from tests.support.saml_scene import ANSWER, CONNECTION, IDP, accept, cut, refusal

Element: TypeAlias = etree._Element
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
NS = {"saml": SAML, "samlp": SAMLP, "ds": DS}
OWNER = "owner@acme.example"


def signed(*, response: bool = False) -> Element:
    return etree.fromstring(IDP.respond(ANSWER, sign_response=response))


def child(element: Element, path: str) -> Element:
    found = element.find(path, NS)
    assert found is not None
    return found


def forge(element: Element, new_id: str | None) -> Element:
    """Make it say that the owner has signed in; under a new ID, or the old one."""
    for name_id in element.iterfind(".//saml:NameID", NS):
        name_id.text = OWNER
    if new_id is not None:
        element.set("ID", new_id)
    return element


def unsigned(element: Element) -> Element:
    copy = deepcopy(element)
    copy.remove(child(copy, "ds:Signature"))
    return copy


def xsw1(new_id: str | None) -> Element:
    root = signed(response=True)
    original = unsigned(root)
    forge(root, new_id)
    child(root, "ds:Signature").append(original)
    return root


def xsw2(new_id: str | None) -> Element:
    root = signed(response=True)
    original = unsigned(root)
    forge(root, new_id)
    root.insert(1, original)
    return root


def xsw3(new_id: str | None) -> Element:
    root = signed()
    assertion = child(root, "saml:Assertion")
    assertion.addprevious(forge(unsigned(assertion), new_id))
    return root


def xsw4(new_id: str | None) -> Element:
    root = signed()
    assertion = child(root, "saml:Assertion")
    forged = forge(unsigned(assertion), new_id)
    root.replace(assertion, forged)
    forged.append(assertion)
    return root


def xsw5(new_id: str | None) -> Element:
    root = signed()
    assertion = child(root, "saml:Assertion")
    root.append(unsigned(assertion))
    forge(assertion, new_id)
    return root


def xsw6(new_id: str | None) -> Element:
    root = signed()
    assertion = child(root, "saml:Assertion")
    original = unsigned(assertion)
    forge(assertion, new_id)
    child(assertion, "ds:Signature").append(original)
    return root


def xsw7(new_id: str | None) -> Element:
    root = signed()
    assertion = child(root, "saml:Assertion")
    extensions = etree.Element(f"{{{SAMLP}}}Extensions")
    extensions.append(forge(unsigned(assertion), new_id))
    assertion.addprevious(extensions)
    return root


def xsw8(new_id: str | None) -> Element:
    root = signed()
    assertion = child(root, "saml:Assertion")
    original = unsigned(assertion)
    forge(assertion, new_id)
    etree.SubElement(child(assertion, "ds:Signature"), f"{{{DS}}}Object").append(original)
    return root


@pytest.mark.parametrize(
    "new_id", ["_forged", "", None], ids=["under a new id", "without an id", "under the signed id"]
)
@pytest.mark.parametrize("wrap", [xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8], ids=lambda wrap: wrap.__name__)
def test_the_eight_classic_forms(wrap: Callable[[str | None], Element], new_id: str | None) -> None:
    response = etree.tostring(wrap(new_id))
    assert OWNER.encode() in response
    expected = {None: Refusal.ID_REPEATED, "": Refusal.ID_FORBIDDEN}.get(new_id, Refusal.ASSERTION_COUNT)
    if wrap in {xsw1, xsw2} and new_id:
        expected = Refusal.ID_REPEATED  # the assertion within is copied with its ID
    assert refusal(response) is expected


@pytest.mark.parametrize("wrap", [xsw1, xsw2], ids=lambda wrap: wrap.__name__)
def test_a_wrapped_response_with_no_id_in_common(wrap: Callable[[str | None], Element]) -> None:
    root = wrap("_forged")
    child(root, "saml:Assertion").set("ID", "_forged_assertion")
    assert refusal(etree.tostring(root)) is Refusal.ASSERTION_COUNT


def _hide(place: str, namespaces: str = "") -> Callable[[str, str], str]:
    """Put the forged assertion where `place` says with `%s`, before or behind the mark in it."""

    def hide(response: str, forged: str) -> str:
        mark, _, xml = place.partition("|")
        assert mark in response
        return response.replace(mark, xml % forged + mark if namespaces == "before" else mark + xml % forged, 1)

    return hide


@pytest.mark.parametrize(
    "hide",
    [
        _hide("</samlp:StatusCode>|<samlp:StatusDetail>%s</samlp:StatusDetail>"),
        _hide("<ds:KeyInfo>|%s"),
        _hide("<ds:X509Data>|%s"),
        _hide("</saml:Conditions>|<saml:Advice>%s</saml:Advice>"),
        _hide("<saml:AttributeValue>|%s"),
        _hide("</saml:Issuer>|<samlp:Extensions>%s</samlp:Extensions>"),
        _hide("<ds:Transforms>|<ds:Transform Algorithm='x'>%s</ds:Transform>"),
        _hide("</samlp:Response>|%s", "before"),
        _hide("<saml:Subject>|%s"),
    ],
)
def test_a_second_assertion_has_no_hiding_place(hide: Callable[[str, str], str]) -> None:
    for name in ("saml:Assertion", "samlp:Assertion", "x:Assertion", "saml:EncryptedAssertion"):
        forged = f'<{name} xmlns:x="urn:x" ID="_forged"><saml:NameID>{OWNER}</saml:NameID></{name}>'
        response = hide(IDP.respond(ANSWER).decode(), f'<y xmlns:saml="{SAML}" xmlns:samlp="{SAMLP}">{forged}</y>')
        assert refusal(response.encode()) in {Refusal.ASSERTION_COUNT, Refusal.ID_FORBIDDEN}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        # the response's or the assertion's own name in a namespace that only looks like it
        (f'xmlns:samlp="{SAMLP}"', f'xmlns:samlp="{SAMLP}x"', Refusal.ID_FORBIDDEN),
        (f'xmlns:samlp="{SAMLP}"', 'xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol"', Refusal.ID_FORBIDDEN),
        ("<samlp:Response ", "<saml:Response ", Refusal.NOT_WELL_FORMED),
        # a prefix that means one thing to a parser of text and another to one of namespaces
        (
            "<samlp:StatusCode ",
            '<samlp:StatusCode xmlns:samlp="urn:x" ',
            Refusal.STATUS,
        ),
        ('xmlns:ds="http://www.w3.org/2000/09/xmldsig#"', 'xmlns:ds="http://www.w3.org/2000/09/xmldsig"', Refusal.SIGNATURE_PLACE),
        ("<ds:SignedInfo ", '<ds:SignedInfo xmlns:x="urn:x" x:y="1" ', Refusal.SIGNATURE_SHAPE),
        ("<ds:Reference ", '<ds:Reference saml:URI="#_x" ', Refusal.SIGNATURE_SHAPE),
        ("<ds:DigestMethod ", '<ds:DigestMethod saml:Algorithm="x" ', Refusal.SIGNATURE_SHAPE),
        (" Version=", ' saml:Version="2.0" Version=', Refusal.SHAPE),
        (" Destination=", ' x:Destination="https://x.example" xmlns:x="urn:x" Destination=', Refusal.SHAPE),
        (" InResponseTo=", ' saml:InResponseTo="_x" InResponseTo=', Refusal.SHAPE),
        ("<saml:AttributeValue>", '<saml:AttributeValue saml:x="1">', Refusal.SHAPE),
        ("<saml:Issuer>", '<saml:Issuer xmlns="urn:x"><x/>', Refusal.SHAPE),
    ],
)  # fmt: skip
def test_namespaces_are_not_confused(old: str, new: str, reason: Refusal) -> None:
    response = IDP.respond(ANSWER).decode()
    assert old in response
    assert refusal(response.replace(old, new, 1).encode()) is reason


def test_a_declaration_that_nothing_uses_changes_nothing_that_is_read() -> None:
    response = IDP.respond(ANSWER)
    declared = response.replace(b"<ds:Signature ", b'<ds:Signature xmlns:saml="urn:x" ')
    assert declared != response
    assert accept(declared) == accept(response)


def test_an_encrypted_assertion_is_no_way_around_the_signature() -> None:
    """Whoever has our public certificate can encrypt: only what comes out counts, and it must be signed."""
    foreign = SamlIdp(IDP.entity_id, "another key")
    how = Encryption(rsa_key("service provider").public_key())
    forged = replace(ANSWER, name_id=OWNER)
    assert refusal(IDP.respond(forged, sign_assertion=False, encryption=how)) is Refusal.SIGNATURE_MISSING
    assert refusal(foreign.respond(forged, encryption=how)) is Refusal.SIGNATURE_INVALID


def test_an_encrypted_assertion_beside_a_signed_one() -> None:
    how = Encryption(rsa_key("service provider").public_key())
    forged = encrypt(f'<saml:Assertion xmlns:saml="{SAML}" ID="_f"/>', how)
    response = IDP.respond(ANSWER).decode()
    for mark in ("<saml:Assertion ", "</samlp:Response>"):
        assert refusal(response.replace(mark, forged + mark, 1).encode()) is Refusal.ASSERTION_COUNT


def test_an_encrypted_assertion_swapped_into_a_signed_response() -> None:
    how = Encryption(rsa_key("service provider").public_key())
    first = IDP.respond(ANSWER, encryption=how, sign_response=True).decode()
    second = IDP.respond(replace(ANSWER, assertion_id="_second"), encryption=how).decode()
    swapped = first.replace(cut(first, "saml:EncryptedAssertion"), cut(second, "saml:EncryptedAssertion"))
    assert refusal(swapped.encode()) is Refusal.SIGNATURE_INVALID


def test_what_is_encrypted_is_held_to_the_same_rules() -> None:
    how = Encryption(rsa_key("service provider").public_key())
    assertion = IDP.sign(f'<saml:Assertion xmlns:saml="{SAML}" ID="_a">@signature@</saml:Assertion>')
    for content, reason in {
        "<!DOCTYPE x>" + assertion: Refusal.MARKUP_FORBIDDEN,
        assertion.replace("_a", "a b", 1): Refusal.ID_FORBIDDEN,
        f'<x ID="_a" xmlns="{SAML}"/>': Refusal.ENCRYPTION_SHAPE,
        f'<samlp:Response xmlns:samlp="{SAMLP}" ID="_a"/>': Refusal.ENCRYPTION_SHAPE,
        f'<saml:Assertion xmlns:saml="{SAML}">{assertion}</saml:Assertion>': Refusal.ASSERTION_COUNT,
        f'<saml:EncryptedAssertion xmlns:saml="{SAML}"/>': Refusal.ENCRYPTION_SHAPE,
        "nothing": Refusal.NOT_WELL_FORMED,
        "<saml:Assertion/>": Refusal.NOT_WELL_FORMED,
    }.items():
        response = IDP.respond(ANSWER).decode()
        wrapped = response.replace(cut(response, "saml:Assertion"), encrypt(content, how))
        assert refusal(wrapped.encode()) is reason, content


def test_a_signature_stands_in_two_places_only() -> None:
    response = IDP.respond(ANSWER).decode()
    signature = cut(response, "ds:Signature")
    more = signature.replace("<ds:Signature ", '<ds:Signature Id="_more" ')
    places = {
        "<saml:Subject>": Refusal.SHAPE,  # twice in the assertion
        "</saml:Assertion>": Refusal.SHAPE,
        "<saml:NameID ": Refusal.SIGNATURE_PLACE,
        "</samlp:Status>": Refusal.SIGNATURE_PLACE,
        "<ds:KeyInfo>": Refusal.SIGNATURE_PLACE,
        "<ds:X509Data>": Refusal.SIGNATURE_PLACE,
        "</saml:AttributeValue>": Refusal.SIGNATURE_PLACE,
        "</samlp:Response>": Refusal.SHAPE,
    }
    for mark, reason in places.items():
        assert refusal(response.replace(mark, more + mark, 1).encode()) is reason, mark


def test_a_signature_behind_the_subject_is_in_the_wrong_place() -> None:
    response = IDP.respond(
        ANSWER, edit_assertion=lambda xml: xml.replace("@signature@", "").replace("</saml:Subject>", "</saml:Subject>@signature@")
    )  # fmt: skip
    assert refusal(response) is Refusal.SHAPE


def test_taking_the_signature_away() -> None:
    both = etree.fromstring(IDP.respond(ANSWER, sign_response=True))
    child(both, "saml:Assertion").remove(child(both, "saml:Assertion/ds:Signature"))
    assert refusal(etree.tostring(both)) is Refusal.SIGNATURE_INVALID
    both.remove(child(both, "ds:Signature"))
    assert refusal(etree.tostring(both)) is Refusal.SIGNATURE_MISSING
    assert refusal(IDP.respond(ANSWER, sign_assertion=False)) is Refusal.SIGNATURE_MISSING
    assert refusal(IDP.respond(ANSWER, sign_assertion=False, sign_response=True)) is Refusal.SIGNATURE_MISSING


def test_taking_the_responses_signature_away_changes_nothing_that_is_read() -> None:
    response = IDP.respond(ANSWER, sign_response=True)
    root = etree.fromstring(response)
    root.remove(child(root, "ds:Signature"))
    assert accept(etree.tostring(root)) == accept(response)


@pytest.mark.parametrize("sign_response", [False, True], ids=["assertion", "both"])
def test_changing_what_was_signed(sign_response: bool) -> None:
    response = IDP.respond(ANSWER, sign_response=sign_response).decode()
    for old, new in (
        ("mina@acme.example</saml:NameID>", "owner@acme.example</saml:NameID>"),
        ("mina@acme.example</saml:NameID>", "mina@acme.example </saml:NameID>"),
        ("mina@acme.example</saml:NameID>", "mina@acme.example&#13;</saml:NameID>"),
        ("<saml:Subject>", "<saml:Subject>\n"),
        ("Mina Member", "Olivia Owner"),
        ("</saml:AuthnStatement>", "</saml:AuthnStatement> "),
        ("</saml:Conditions>", "<saml:OneTimeUse/></saml:Conditions>"),
    ):
        assert old in response
        assert refusal(response.replace(old, new, 1).encode()) is Refusal.SIGNATURE_INVALID, new


def test_text_between_elements_is_no_place_either() -> None:
    response = IDP.respond(ANSWER).decode()
    for mark in ("<samlp:Status>", "<saml:Assertion ", "<saml:Subject>", "<ds:SignedInfo ", "</samlp:Response>"):
        assert refusal(response.replace(mark, f"x{mark}", 1).encode()) in {Refusal.SHAPE, Refusal.SIGNATURE_SHAPE}
    spaced = response.replace("<samlp:Status>", "\n  <samlp:Status>").replace(
        "</samlp:Response>", "\n</samlp:Response>"
    )
    assert accept(spaced.encode()).name_id == ANSWER.name_id


def test_void_canonicalisation() -> None:
    """A relative namespace makes libxml2 canonicalise to nothing, whose digest anybody knows (PortSwigger, 2025)."""
    void = Form(covers=lambda _: b"")
    assert refusal(IDP.respond(ANSWER, sign_assertion=void)) is Refusal.SIGNATURE_INVALID
    relative = IDP.respond(
        ANSWER,
        sign_assertion=void,
        edit_assertion=lambda xml: xml.replace("<saml:Subject>", '<saml:Subject xmlns:x="1">'),
    )
    assert refusal(relative) is Refusal.NAMESPACE_FORBIDDEN


def test_the_signature_of_one_assertion_on_another() -> None:
    other = replace(ANSWER, name_id=OWNER, assertion_id="_other")
    first, second = IDP.respond(ANSWER).decode(), IDP.respond(other, sign_assertion=False).decode()
    signature = cut(first, "ds:Signature")
    assert (
        refusal(second.replace("<saml:Subject>", f"{signature}<saml:Subject>").encode()) is Refusal.SIGNATURE_REFERENCE
    )
    moved = signature.replace(ANSWER.assertion_id, "_other")
    assert refusal(second.replace("<saml:Subject>", f"{moved}<saml:Subject>").encode()) is Refusal.SIGNATURE_INVALID


def test_an_assertion_of_one_identity_provider_in_the_connection_of_another() -> None:
    other = SamlIdp("https://other.example/metadata", "another key")
    connection = replace(CONNECTION, certificates=(IDP.certificate, other.certificate))
    assert refusal(other.respond(replace(ANSWER, issuer=other.entity_id)), connection) is Refusal.RESPONSE_ISSUER
