"""The identity provider: a whole sign-in, and every check that a real provider makes too."""

from __future__ import annotations

import base64
import hashlib
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import jwt
import pytest
from cryptography import x509
from flask.testing import FlaskClient

from local_emulator.identity_keys import load_keys
from local_emulator.identity_provider import PEOPLE, Once, Provider, create_app

BASE = "http://127.0.0.1:8080/idp"
CALLBACK = "http://127.0.0.1:8080/auth/callback"
VERIFIER = "v" * 43
SECRET = "client-secret"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
QUESTION = {
    "response_type": "code", "client_id": "driftwise", "redirect_uri": CALLBACK, "scope": "openid email profile",
    "state": "s-1", "nonce": "n-1", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
}  # fmt: skip


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    keys = load_keys(tmp_path_factory.mktemp("keys"))
    return Provider(BASE, SECRET, frozenset({CALLBACK}), keys)


@pytest.fixture
def client(provider: Provider) -> FlaskClient:
    return create_app(provider).test_client()


def choose(client: FlaskClient, email: str = PEOPLE[0].email, **changed: str) -> dict[str, str]:
    reply = client.post("/idp/authorize", query_string={**QUESTION, **changed}, data={"email": email})
    assert reply.status_code == 303
    location = urlsplit(reply.headers["Location"])
    assert f"{location.scheme}://{location.netloc}{location.path}" == CALLBACK
    return {name: values[0] for name, values in parse_qs(location.query).items()}


def redeem(client: FlaskClient, code: str, secret: str = SECRET, **changed: str) -> tuple[int, dict[str, str]]:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    reply = client.post("/idp/token", data={**form, **changed}, auth=("driftwise", secret))
    body: dict[str, str] = reply.get_json()
    return reply.status_code, body


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.email)
def test_everybody_can_sign_in(client: FlaskClient, provider: Provider, person: object) -> None:
    email = getattr(person, "email", "")
    page = client.get("/idp/authorize", query_string=QUESTION)
    assert email in page.text
    answer = choose(client, email)
    assert (answer["state"], answer["iss"]) == ("s-1", BASE)
    status, tokens = redeem(client, answer["code"])
    assert status == 200
    key = jwt.PyJWKSet.from_dict(client.get("/idp/jwks").get_json()).keys[0]
    claims = jwt.decode(tokens["id_token"], key, algorithms=["RS256"], audience="driftwise", issuer=BASE)
    assert (claims["email"], claims["email_verified"], claims["nonce"]) == (email, True, "n-1")
    assert claims["name"]
    info = client.get("/idp/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}).get_json()
    assert (info["sub"], info["email"]) == (claims["sub"], email)


def test_a_code_is_good_once(client: FlaskClient) -> None:
    code = choose(client)["code"]
    assert redeem(client, code)[0] == 200
    assert redeem(client, code) == (
        400,
        {"error": "invalid_grant", "error_description": "the code is unknown, used or too old"},
    )


def test_a_code_is_good_for_a_while() -> None:
    now = [0.0]
    once = Once(lambda: now[0])
    key = once.put(None, 60)  # type: ignore[arg-type]
    now[0] = 61
    assert once.get(key, take=True) is None


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"redirect_uri": "http://evil.example/"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"secret": "guess"}, "invalid_client"),
    ],
)
def test_a_code_is_not_redeemed_with_anything_else(client: FlaskClient, changed: dict[str, str], error: str) -> None:
    status, body = redeem(client, choose(client)["code"], **changed)
    assert status == (401 if error == "invalid_client" else 400)
    assert body["error"] == error


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "email"}, "invalid_scope"),
    ],
)
def test_a_wrong_question_goes_back_to_the_client(client: FlaskClient, changed: dict[str, str], error: str) -> None:
    assert choose(client, **changed)["error"] == error


def test_somebody_unknown_is_denied(client: FlaskClient) -> None:
    assert choose(client, "stranger@acme.example")["error"] == "access_denied"


@pytest.mark.parametrize("changed", [{"redirect_uri": "http://evil.example/"}, {"client_id": "other"}])
def test_an_unknown_client_or_address_is_never_redirected_to(client: FlaskClient, changed: dict[str, str]) -> None:
    for reply in (
        client.get("/idp/authorize", query_string={**QUESTION, **changed}),
        client.post("/idp/authorize", query_string={**QUESTION, **changed}, data={"email": PEOPLE[0].email}),
    ):
        assert reply.status_code == 400
        assert "Location" not in reply.headers


def test_a_token_that_was_not_given_opens_nothing(client: FlaskClient) -> None:
    for headers in ({}, {"Authorization": "Bearer guess"}):
        assert client.get("/idp/userinfo", headers=headers).status_code == 401


def test_the_saml_metadata_hold_a_real_certificate(client: FlaskClient) -> None:
    document = ET.fromstring(client.get("/idp/saml/metadata").data)  # noqa: S314 (our own document)
    assert document.get("entityID") == f"{BASE}/saml/metadata"
    found = document.find(".//{http://www.w3.org/2000/09/xmldsig#}X509Certificate")
    assert found is not None
    assert found.text is not None
    certificate = x509.load_der_x509_certificate(base64.b64decode(found.text))
    certificate.verify_directly_issued_by(certificate)


def test_the_keys_are_kept_and_private(tmp_path: Path) -> None:
    first, second = load_keys(tmp_path), load_keys(tmp_path)
    assert first.key_id == second.key_id
    assert first.certificate == second.certificate
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}
