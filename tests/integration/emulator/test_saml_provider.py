"""The laptop's SAML identity provider against our service provider: a whole sign-in, and every request that it refuses."""

from __future__ import annotations

import base64
import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from functions.auth.saml.certificates import self_signed
from functions.auth.saml.documents import decode_message
from functions.auth.saml.metadata import read_metadata
from functions.auth.saml.models import AttributeNames, Connection, ExpectedResponse, VerifiedAssertion
from functions.auth.saml.profiles import read_profile
from functions.auth.saml.requests import AuthnRequest, post_form, redirect_url
from functions.auth.saml.responses import verify_response
from functions.auth.saml.signing import PrivateKeySigner
from functions.auth.saml.sp_metadata import ServiceProvider, write_metadata
from local_emulator.identity_keys import load_keys
from local_emulator.identity_provider import PEOPLE, Provider, create_app
from tests.support.saml_idp import Key, ec_key, rsa_key

GATEWAY = "http://127.0.0.1:8080"
SP = f"{GATEWAY}/auth/saml/c1/metadata"
ACS = f"{GATEWAY}/auth/saml/c1/acs"
NOW = datetime.now(UTC)
REQUEST = AuthnRequest("_r1", NOW, f"{GATEWAY}/idp/saml/sso", SP, ACS)
RSA, EC = (PrivateKeySigner(key) for key in (rsa_key("our signing"), ec_key("our signing")))


def _certificate(signer: PrivateKeySigner, key: Key) -> bytes:
    public_key = key.public_key()
    return self_signed(
        signer, public_key, common_name="DriftWise", serial_number=1, now=NOW, lifetime=timedelta(days=1)
    )


METADATA = write_metadata(
    ServiceProvider(SP, ACS, [_certificate(RSA, rsa_key("our signing")), _certificate(EC, ec_key("our signing"))])
)


def fetch(url: str) -> bytes:
    if url != SP:
        raise OSError(url)
    return METADATA


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    keys = load_keys(tmp_path_factory.mktemp("keys"))
    provider = Provider(f"{GATEWAY}/idp", "secret", frozenset({f"{GATEWAY}/auth/callback"}), keys, fetch=fetch)
    return create_app(provider).test_client()


def inputs(page: str) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', page)}


def go(client: FlaskClient, url: str) -> str:
    page = client.get(url.removeprefix(GATEWAY))
    assert page.status_code == 200, page.text
    return page.text


def choose(client: FlaskClient, page: str, email: str) -> str:
    action = re.search(r'<form method="post" action="([^"]+)"', page)
    assert action is not None
    assert email in page
    form = {"question": inputs(page)["question"], "email": email}
    reply = client.post(action[1].removeprefix(GATEWAY), data=form)
    assert reply.status_code == 200, reply.text
    return reply.text


def believe(client: FlaskClient, page: str) -> VerifiedAssertion:
    """Read the answer as the service provider would, by the identity provider's own metadata."""
    metadata = read_metadata(client.get("/idp/saml/metadata").data, now=NOW, allow_loopback=True)
    connection = Connection(metadata.entity_id, metadata.certificates)
    expected = ExpectedResponse("_r1", ACS, SP, datetime.now(UTC))
    return verify_response(decode_message(inputs(page)["SAMLResponse"]), connection, expected)


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.email)
def test_everybody_can_sign_in(client: FlaskClient, person: object) -> None:
    email = getattr(person, "email", "")
    page = choose(client, go(client, redirect_url(REQUEST, RSA, "relay&1")), email)
    assert f'action="{ACS}"' in page
    assert inputs(page)["RelayState"] == "relay&1"
    assertion = believe(client, page)
    profile = read_profile(assertion, AttributeNames())
    assert (assertion.name_id, profile.email, profile.name) == (email, email, getattr(person, "name", ""))


@pytest.mark.parametrize("signer", [RSA, EC], ids=["rsa", "ec"])
def test_by_both_bindings_and_both_kinds_of_keys(client: FlaskClient, signer: PrivateKeySigner) -> None:
    by_redirect = go(client, redirect_url(REQUEST, signer, "relay-1"))
    form = post_form(REQUEST, signer, "relay-1")
    by_post = client.post(form.action.removeprefix(GATEWAY), data=form.fields).text
    for page in (by_redirect, by_post):
        assert believe(client, choose(client, page, PEOPLE[0].email)).name_id == PEOPLE[0].email


def test_the_answer_posts_itself_by_a_script_of_this_page_alone(client: FlaskClient) -> None:
    page = go(client, redirect_url(REQUEST, RSA, "relay-1"))
    form = {"question": inputs(page)["question"], "email": PEOPLE[0].email}
    reply = client.post("/idp/saml/choose", data=form)
    nonce = re.search(r"script-src 'nonce-([^']+)'", reply.headers["Content-Security-Policy"])
    assert nonce is not None
    assert f'<script nonce="{nonce[1]}">' in reply.text
    assert reply.headers["Cache-Control"] == "no-store"


def test_a_question_is_answered_once(client: FlaskClient) -> None:
    page = go(client, redirect_url(REQUEST, RSA, "relay-1"))
    choose(client, page, PEOPLE[0].email)
    form = {"question": inputs(page)["question"], "email": PEOPLE[0].email}
    assert client.post("/idp/saml/choose", data=form).status_code == 400
    assert client.post("/idp/saml/choose", data={"email": PEOPLE[0].email}).status_code == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"acs_url": "http://evil.example/acs"},
        {"acs_url": ACS.replace("c1", "c2")},
        {"sp_entity_id": "http://evil.example/metadata"},
        {"sp_entity_id": SP.replace("c1", "c2")},
        {"destination": f"{GATEWAY}/idp/saml/other"},
    ],
)
def test_a_request_for_somebody_else(client: FlaskClient, changed: dict[str, str]) -> None:
    request = replace(REQUEST, **changed)  # type: ignore[arg-type]
    query = urlsplit(redirect_url(request, RSA, "relay-1")).query
    reply = client.get(f"/idp/saml/sso?{query}")
    assert (reply.status_code, reply.get_json()["error"]) == (400, "saml_request_refused")
    form = post_form(request, RSA, "relay-1")
    assert client.post("/idp/saml/sso", data=form.fields).status_code == 400


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("RelayState=relay-1", "RelayState=relay-2"),
        ("RelayState=relay-1&", ""),
        ("&Signature=", "&Signature=AAAA"),
        ("&Signature=", "&Other="),
        ("SigAlg=", "Other="),
        ("rsa-sha256", "rsa-sha1"),
        ("rsa-sha256", "ecdsa-sha256"),
        ("SAMLRequest=", "SAMLRequest=AAAA"),
    ],
)
def test_a_redirect_that_is_not_signed_as_it_stands(client: FlaskClient, old: str, new: str) -> None:
    url = redirect_url(REQUEST, RSA, "relay-1")
    assert old in url
    assert client.get(url.replace(old, new).removeprefix(GATEWAY)).status_code == 400


def test_another_key_asks_in_vain(client: FlaskClient) -> None:
    other = PrivateKeySigner(rsa_key("somebody else's"))
    assert client.get(redirect_url(REQUEST, other, "relay-1").removeprefix(GATEWAY)).status_code == 400
    assert client.post("/idp/saml/sso", data=post_form(REQUEST, other, "relay-1").fields).status_code == 400


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (ACS.encode(), ACS.encode() + b"/"),
        (b"AllowCreate", b"allowCreate"),
        (b"<ds:Signature ", b"<ds:Nothing "),
        (b'URI="#_r1"', b'URI=""'),
        (b"<samlp:AuthnRequest", b"<!DOCTYPE x><samlp:AuthnRequest"),
        (b"<samlp:AuthnRequest", b""),
    ],
)
def test_a_posted_request_that_was_changed(client: FlaskClient, old: bytes, new: bytes) -> None:
    xml = base64.b64decode(post_form(REQUEST, RSA, "relay-1").fields["SAMLRequest"])
    assert old in xml
    fields = {"SAMLRequest": base64.b64encode(xml.replace(old, new)).decode()}
    assert client.post("/idp/saml/sso", data=fields).status_code == 400


def test_what_is_no_request_at_all(client: FlaskClient) -> None:
    for query in ("", "SAMLRequest=", "SAMLRequest=%00&SigAlg=x&Signature=AAAA"):
        assert client.get(f"/idp/saml/sso?{query}").status_code == 400
    for form in ({}, {"SAMLRequest": "!"}, {"SAMLRequest": "AAAA"}):
        assert client.post("/idp/saml/sso", data=form).status_code == 400


def test_the_octets_of_the_query_are_what_is_sent(client: FlaskClient) -> None:
    query = parse_qs(urlsplit(redirect_url(REQUEST, RSA, "relay 1/+")).query)
    assert query["RelayState"] == ["relay 1/+"]
    page = choose(client, go(client, redirect_url(REQUEST, RSA, "relay 1/+")), PEOPLE[0].email)
    assert inputs(page)["RelayState"] == "relay 1/+"
