"""From attributes to a person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.auth.saml.models import AttributeNames, Profile, VerifiedAssertion
from functions.auth.saml.profiles import read_profile
from tests.support.saml_scene import ANSWER, IDP, accept

CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
BASE = replace(
    accept(IDP.respond(ANSWER)), name_id="42", name_id_format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
)
NONE = AttributeNames()


def said(**attributes: list[str] | str) -> VerifiedAssertion:
    return with_attributes(
        {name: [values] if isinstance(values, str) else values for name, values in attributes.items()}
    )


def with_attributes(attributes: dict[str, list[str]]) -> VerifiedAssertion:
    return replace(BASE, attributes={name: tuple(values) for name, values in attributes.items()})


@pytest.mark.parametrize(
    "name",
    ["email", "mail", "Email", "emailAddress", "urn:oid:0.9.2342.19200300.100.1.3", f"{CLAIMS}/emailaddress"],
)
def test_the_names_that_identity_providers_give_the_address(name: str) -> None:
    assert read_profile(with_attributes({name: ["Mina@Acme.example"]}), NONE).email == "mina@acme.example"


def test_the_name_id_is_the_address_only_if_it_says_so() -> None:
    as_email = replace(
        BASE,
        attributes={},
        name_id="Mina@acme.example",
        name_id_format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    )
    assert read_profile(as_email, NONE).email == "mina@acme.example"
    unspecified = replace(as_email, name_id_format="urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified")
    assert read_profile(unspecified, NONE).email is None
    assert read_profile(as_email, AttributeNames(email="work")).email is None


def test_the_configured_name_is_the_only_one_that_counts() -> None:
    assertion = said(email="other@acme.example", work="mina@acme.example")
    assert read_profile(assertion, AttributeNames(email="work")).email == "mina@acme.example"
    assert read_profile(said(email="other@acme.example"), AttributeNames(email="work")).email is None
    assert read_profile(said(displayName="A", groups="g"), AttributeNames(name="x", groups="y")) == Profile(
        None, None, ()
    )


def test_two_addresses_are_none() -> None:
    assert read_profile(said(email=["mina@acme.example", "owner@acme.example"]), NONE).email is None
    assert read_profile(said(email=["mina@acme.example", "MINA@acme.example"]), NONE).email == "mina@acme.example"
    assert read_profile(said(email=["a@acme.example", "b@acme.example"], mail="c@acme.example"), NONE).email is None


@pytest.mark.parametrize(
    "text",
    [
        "mina", "@acme.example", "mina@", "mina@acme", "mina@@acme.example", "mina@acme.example@evil.example",
        "mina@acme.example,owner@acme.example", "Mina <mina@acme.example>", "mina@acme.example\x00", "mina @acme.example",
        "mina@acme..example", "mina@acme.example.", '"mina"@acme.example', "mina@[127.0.0.1]", "mi\u0307na@acme.example",
        "mina@\uff41cme.example", f"{'m' * 65}@acme.example", f"m@{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 63}.example",
    ],
)  # fmt: skip
def test_an_address_that_is_none(text: str) -> None:
    assert read_profile(said(email=text), NONE).email is None


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"displayName": ["Mina Member"]}, "Mina Member"),
        ({"http://schemas.microsoft.com/identity/claims/displayname": ["Mina"]}, "Mina"),
        ({"firstName": ["Mina"], "lastName": ["Member"]}, "Mina Member"),
        ({f"{CLAIMS}/givenname": ["Mina"], f"{CLAIMS}/surname": ["Member"]}, "Mina Member"),
        ({"urn:oid:2.5.4.42": ["Mina"]}, "Mina"),
        ({"urn:oid:2.5.4.3": ["Mina M."]}, "Mina M."),
        ({f"{CLAIMS}/name": ["mina@acme.onmicrosoft.example"]}, None),
        ({"displayName": ["Mina\n\u202eMember\x07"]}, "Mina Member"),
        ({"displayName": ["M" * 300]}, "M" * 200),
        ({"displayName": ["\u200b"]}, None),
        ({}, None),
    ],
)
def test_names(attributes: dict[str, list[str]], name: str | None) -> None:
    assert read_profile(with_attributes(attributes), NONE).name == name


@pytest.mark.parametrize(
    "name",
    [
        "groups",
        "memberOf",
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
        "http://schemas.xmlsoap.org/claims/Group",
    ],
)
def test_groups_in_their_order_each_once(name: str) -> None:
    assert read_profile(with_attributes({name: ["b", "a", "b"]}), NONE).groups == ("b", "a")


def test_configured_name_and_groups() -> None:
    names = AttributeNames(name="full", groups="teams")
    found = read_profile(said(full="Mina", displayName="X", teams=["t"], groups=["g"]), names)
    assert (found.name, found.groups) == ("Mina", ("t",))
