"""Reading identity providers' metadata: what is in it, and what an administrator is told when it cannot be used."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from functions.auth.errors import SamlMetadataInvalid
from functions.auth.saml.metadata import read_metadata
from tests.support.saml_idp import DS, SamlIdp, ec_key, key_info, make_certificate, rsa_key
from tests.support.saml_scene import IDP, NOW

MD = "urn:oasis:names:tc:SAML:2.0:metadata"
GOOD = IDP.metadata().decode()
OTHER = SamlIdp("https://other.example/metadata", "other")


def group(*entities: str, attributes: str = "") -> bytes:
    return f'<md:EntitiesDescriptor xmlns:md="{MD}" {attributes}>{"".join(entities)}</md:EntitiesDescriptor>'.encode()


def problem(content: str | bytes, **wanted: str) -> str:
    with pytest.raises(SamlMetadataInvalid) as caught:
        read_metadata(content.encode() if isinstance(content, str) else content, now=NOW, **wanted)
    assert (caught.value.code, caught.value.status) == ("saml_metadata_invalid", 422)
    return caught.value.detail or ""


def test_everything_that_is_needed_comes_out() -> None:
    xml = GOOD.replace("<md:IDPSSODescriptor", '<md:IDPSSODescriptor WantAuthnRequestsSigned="true"')
    xml = xml.replace("<md:SingleSignOnService", "<md:NameIDFormat>urn:x</md:NameIDFormat><md:SingleSignOnService", 1)
    found = read_metadata(xml.encode(), now=NOW)
    assert (found.entity_id, found.certificates) == (IDP.entity_id, (IDP.certificate,))
    assert (found.sso_redirect_url, found.sso_post_url) == (IDP.sso_url, IDP.sso_url)
    assert (found.name_id_formats, found.wants_signed_requests, found.valid_until) == (("urn:x",), True, None)


def test_several_certificates_in_their_order_each_once_expired_ones_too() -> None:
    expired = make_certificate(rsa_key("old"), end=NOW - timedelta(days=1))
    curve = make_certificate(ec_key("curve"))
    found = read_metadata(IDP.metadata(expired, curve, IDP.certificate), now=NOW)
    assert found.certificates == (IDP.certificate, expired, curve)


def test_what_is_not_for_signing_is_left_out() -> None:
    more = key_info(OTHER.certificate)
    xml = GOOD.replace(
        "</md:KeyDescriptor>", f'</md:KeyDescriptor><md:KeyDescriptor use="encryption">{more}</md:KeyDescriptor>'
    )
    assert read_metadata(xml.encode(), now=NOW).certificates == (IDP.certificate,)
    without_use = GOOD.replace(' use="signing"', "")
    assert read_metadata(without_use.encode(), now=NOW).certificates == (IDP.certificate,)


def test_a_certificates_text_may_be_broken_into_lines_and_hold_a_comment_beside_it() -> None:
    text = base64.b64encode(IDP.certificate).decode()
    lines = "\n      " + "\n      ".join(text[at : at + 64] for at in range(0, len(text), 64)) + "\n    "
    xml = f"<?xml version='1.0' encoding='UTF-8'?>\n<!-- ours -->\n{GOOD.replace(text, lines)}"
    assert read_metadata(xml.encode(), now=NOW).certificates == (IDP.certificate,)


def test_a_comment_within_a_certificate_cuts_nothing_off() -> None:
    text = base64.b64encode(IDP.certificate).decode()
    xml = GOOD.replace(text, f"{text[:40]}<!-- x -->{text[40:]}")
    assert read_metadata(xml.encode(), now=NOW).certificates == (IDP.certificate,)


def test_parts_of_other_standards_are_passed_over() -> None:
    """As ADFS writes them: a signature, WS-Federation roles, a service provider's role."""
    more = (
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo/></ds:Signature>'
        '<md:RoleDescriptor xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:fed="http://docs.oasis-open.org/wsfed/federation/200706" xsi:type="fed:SecurityTokenServiceType"/>'
        '<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"/>'
    )
    xml = GOOD.replace("<md:IDPSSODescriptor", f"{more}<md:IDPSSODescriptor", 1)
    assert read_metadata(xml.encode(), now=NOW).entity_id == IDP.entity_id


def test_the_wanted_one_of_many() -> None:
    both = group(GOOD, group(OTHER.metadata().decode()).decode())
    for idp in (IDP, OTHER):
        assert read_metadata(both, now=NOW, entity_id=idp.entity_id).certificates == (idp.certificate,)
    assert "several" in problem(both)
    assert "not describe" in problem(both, entity_id="https://third.example")
    assert "not describe" in problem(group())
    assert "several" in problem(group(GOOD, GOOD), entity_id=IDP.entity_id)
    assert read_metadata(group(GOOD), now=NOW).entity_id == IDP.entity_id


def test_an_entity_hidden_elsewhere_is_none() -> None:
    hidden = GOOD.replace(
        "<md:IDPSSODescriptor", f"<md:Extensions>{OTHER.metadata().decode()}</md:Extensions><md:IDPSSODescriptor"
    )
    assert read_metadata(hidden.encode(), now=NOW).entity_id == IDP.entity_id
    assert "not describe" in problem(hidden, entity_id=OTHER.entity_id)


@pytest.mark.parametrize("level", ["group", "entity", "role"])
def test_metadata_end_when_the_first_of_their_levels_does(level: str) -> None:
    def written(at: str) -> bytes:
        end = f'validUntil="{at}"'
        xml = GOOD
        if level == "entity":
            xml = xml.replace("<md:EntityDescriptor", f"<md:EntityDescriptor {end}")
        if level == "role":
            xml = xml.replace("<md:IDPSSODescriptor", f"<md:IDPSSODescriptor {end}")
        return group(xml, attributes=end if level == "group" else "")

    found = read_metadata(written("2026-11-20T12:00:01Z"), now=NOW)
    assert found.valid_until == NOW + timedelta(seconds=1)
    assert "valid until 2026-11-20T12:00:00" in problem(written("2026-11-20T12:00:00Z"))
    assert "time" in problem(written("tomorrow"))


@pytest.mark.parametrize(
    ("location", "good"),
    [
        ("https://idp.example/sso", True),
        ("https://idp.example:8443/sso?tenant=1", True),
        ("https://idp.example", True),
        ("http://idp.example/sso", False),
        ("http://127.0.0.1:8080/idp", False),
        ("javascript:alert(1)", False),
        ("//idp.example/sso", False),
        ("/sso", False),
        ("", False),
        ("https://user@idp.example/sso", False),
        ("https://idp.example\\@evil.example/", False),
        ("https://idp.example/a b", False),
        ("https://idp.example/\u00e9", False),
        (f"https://idp.example/{'a' * 1100}", False),
    ],
)
def test_addresses_for_signing_in(location: str, good: bool) -> None:
    xml = GOOD.replace(f'Location="{IDP.sso_url}"', f'Location="{location}"')
    if good:
        assert read_metadata(xml.encode(), now=NOW).sso_redirect_url == location
    else:
        assert "https" in problem(xml)


def test_the_emulators_addresses_are_taken_where_that_is_allowed() -> None:
    for location in ("http://127.0.0.1:8080/idp/saml/sso", "http://localhost/sso"):
        xml = GOOD.replace(IDP.sso_url, location)
        assert read_metadata(xml.encode(), now=NOW, allow_loopback=True).sso_post_url == location
    for location in ("http://127.0.0.1.evil.example/", "http://10.0.0.1/", "http://localhost.evil.example/"):
        with pytest.raises(SamlMetadataInvalid):
            read_metadata(GOOD.replace(IDP.sso_url, location).encode(), now=NOW, allow_loopback=True)


def test_one_binding_is_enough() -> None:
    xml = GOOD.replace("HTTP-POST", "SOAP")
    found = read_metadata(xml.encode(), now=NOW)
    assert (found.sso_redirect_url, found.sso_post_url) == (IDP.sso_url, None)
    assert "no address" in problem(xml.replace("HTTP-Redirect", "PAOS"))


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (rsa_key("short", 1024), "1024 bits"),
        (ec_key("odd", ec.SECP521R1), "secp521r1"),
        (ec_key("small", ec.SECP224R1), "secp224r1"),
    ],
    ids=["rsa 1024", "p-521", "p-224"],
)
def test_a_key_that_cannot_be_used(key: object, words: str) -> None:
    idp = SamlIdp(key=key)  # type: ignore[arg-type]
    assert words in problem(idp.metadata())
    assert read_metadata(idp.metadata(OTHER.certificate), now=NOW).certificates == (OTHER.certificate,)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<md:EntityDescriptor", "<!DOCTYPE x><md:EntityDescriptor", "DTD"),
        ("<md:EntityDescriptor", "<?x?><md:EntityDescriptor", "DTD"),
        ("<md:IDPSSODescriptor", "&x;<md:IDPSSODescriptor", "DTD"),
        ("</md:EntityDescriptor>", "", "well-formed"),
        (f'entityID="{IDP.entity_id}"', "", "entity id"),
        (f'entityID="{IDP.entity_id}"', 'entityID=" x"', "entity id"),
        (f'entityID="{IDP.entity_id}"', f'entityID="{"x" * 1025}"', "entity id"),
        ("urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:1.1:protocol", "not describe"),
        ("md:EntityDescriptor", "md:Entity", "neither"),
        (f'xmlns:md="{MD}"', f'xmlns:md="{MD}x"', "neither"),
        ("<ds:X509Certificate>", "<ds:X509Certificate>!", "base64"),
        ("<ds:X509Certificate>", "<ds:X509Certificate>AAAA", "none"),
        ('use="signing"', 'use="encryption"', "no certificate"),
        ("ds:X509Certificate", "ds:KeyName", "no certificate"),
        ("<md:KeyDescriptor", f"<md:Extensions>{'<x/>' * 20_001}</md:Extensions><md:KeyDescriptor", "parts"),
        ("</md:EntityDescriptor>", f"{' ' * 1_100_000}</md:EntityDescriptor>", "megabyte"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_the_administrator_is_told(old: str, new: str, words: str) -> None:
    assert old in GOOD
    assert words in problem(GOOD.replace(old, new))


def test_no_more_than_sixteen_certificates() -> None:
    many = [make_certificate(rsa_key("idp"), name=f"certificate {number}") for number in range(16)]
    assert len(read_metadata(IDP.metadata(*many[:15]), now=NOW).certificates) == 16
    assert "more than 16" in problem(IDP.metadata(*many))


def test_not_utf8() -> None:
    assert "UTF-8" in problem(GOOD.encode("utf-16"))
