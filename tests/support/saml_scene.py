"""One sign-in by SAML, held still: who asks, who answers, when; and what the service provider makes of an answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from functions.auth.errors import SamlRefused
from functions.auth.saml.encryption import Decryptor, PrivateKeyDecryptor
from functions.auth.saml.models import Connection, ExpectedResponse, VerifiedAssertion
from functions.auth.saml.reasons import Refusal
from functions.auth.saml.responses import verify_response

from .saml_idp import Request, SamlIdp, rsa_key

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SP = "https://app.driftwise.example/auth/saml/c1/metadata"
ACS = "https://app.driftwise.example/auth/saml/c1/acs"
REQUEST = Request("_4f1c2b7ad9e84c0fb7c35a0e6d1f2a3b4c5d6e7f", SP, ACS, "relay-1")
IDP = SamlIdp()
ANSWER = replace(IDP.answer(REQUEST, now=NOW), response_id="_response-1", assertion_id="_assertion-1")
CONNECTION = Connection(IDP.entity_id, (IDP.certificate,))
EXPECTED = ExpectedResponse(REQUEST.id, ACS, SP, NOW)
DECRYPTOR = PrivateKeyDecryptor([rsa_key("service provider")])


def accept(
    response: bytes,
    connection: Connection = CONNECTION,
    expected: ExpectedResponse = EXPECTED,
    decryptor: Decryptor | None = DECRYPTOR,
) -> VerifiedAssertion:
    """Verify a response that is expected to be good."""
    return verify_response(response, connection, expected, decryptor)


def refusal(
    response: bytes,
    connection: Connection = CONNECTION,
    expected: ExpectedResponse = EXPECTED,
    decryptor: Decryptor | None = DECRYPTOR,
) -> Refusal:
    """Verify a response that is expected to be bad; returns the reason."""
    try:
        found = verify_response(response, connection, expected, decryptor)
    except SamlRefused as error:
        return Refusal(error.reason)
    raise AssertionError(f"it was taken: {found.name_id} of {found.issuer}")


def at(now: datetime) -> ExpectedResponse:
    """Expect the same response at another time."""
    return replace(EXPECTED, now=now)


def cut(xml: str, tag: str) -> str:
    """Return the first element of a name, as it is written."""
    return xml[xml.index(f"<{tag}") : xml.index(f"</{tag}>") + len(tag) + 3]
