"""Well signed, and still refused: every rule about what a response says, with its edges."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from functions.auth.errors import SamlRefused
from functions.auth.saml.models import CLOCK_SKEW, ExpectedResponse
from functions.auth.saml.reasons import Refusal
from functions.auth.saml.responses import verify_response
from functions.auth.saml.times import parse_instant
from local_emulator.saml_messages import Answer
from tests.support.saml_idp import SamlIdp, make_certificate, rsa_key
from tests.support.saml_scene import (
    ACS,
    ANSWER,
    CONNECTION,
    EXPECTED,
    IDP,
    NOW,
    REQUEST,
    SP,
    accept,
    at,
    cut,
    refusal,
)

TICK = timedelta(milliseconds=1)
OTHER = "https://other.example"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"destination": f"{ACS}/"}, Refusal.DESTINATION),
        ({"destination": ACS.replace("c1", "c2")}, Refusal.DESTINATION),
        ({"destination": None}, Refusal.DESTINATION),
        ({"response_issuer": OTHER}, Refusal.RESPONSE_ISSUER),
        ({"issuer": OTHER, "response_issuer": IDP.entity_id}, Refusal.ASSERTION_ISSUER),
        ({"issuer": f"{IDP.entity_id} ", "response_issuer": IDP.entity_id}, Refusal.ASSERTION_ISSUER),
        ({"in_response_to": "_another"}, Refusal.IN_RESPONSE_TO),
        ({"in_response_to": None}, Refusal.IN_RESPONSE_TO),
        ({"confirmation_in_response_to": "_another"}, Refusal.IN_RESPONSE_TO),
        ({"confirmation_in_response_to": None}, Refusal.IN_RESPONSE_TO),
        ({"recipient": f"{ACS}?"}, Refusal.CONFIRMATION_RECIPIENT),
        ({"recipient": None}, Refusal.CONFIRMATION_RECIPIENT),
        ({"confirmation_not_on_or_after": None}, Refusal.CONFIRMATION_EXPIRED),
        ({"confirmation_not_before": NOW - timedelta(hours=1)}, Refusal.CONFIRMATION_NOT_BEFORE),
        ({"confirmation_not_on_or_after": NOW + timedelta(hours=24) + TICK}, Refusal.CONFIRMATION_TOO_LONG),
        ({"confirmation_method": "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"}, Refusal.CONFIRMATION_METHOD),
        ({"audiences": ()}, Refusal.AUDIENCE),
        ({"audiences": ((OTHER,),)}, Refusal.AUDIENCE),
        ({"audiences": ((SP,), (OTHER,))}, Refusal.AUDIENCE),
        ({"audiences": ((OTHER,), (SP,))}, Refusal.AUDIENCE),
        ({"audiences": ((f"{SP}/",),)}, Refusal.AUDIENCE),
        ({"audiences": ((f" {SP}",),)}, Refusal.AUDIENCE),
        ({"audiences": ((SP.upper(),),)}, Refusal.AUDIENCE),
        ({"audiences": ((),)}, Refusal.CONDITIONS),
        ({"version": "1.1"}, Refusal.VERSION),
        ({"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"}, Refusal.STATUS),
        ({"status": "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"}, Refusal.STATUS),
        ({"name_id": ""}, Refusal.SUBJECT),
        ({"name_id": " mina@acme.example"}, Refusal.SUBJECT),
        ({"name_id": "mina@acme.example\n"}, Refusal.SUBJECT),
        ({"name_id": "mina\u202e@acme.example"}, Refusal.SUBJECT),
        ({"name_id": "m" * 257}, Refusal.SUBJECT),
    ],
    ids=lambda value: str(value)[:60],
)
@pytest.mark.parametrize("sign_response", [False, True], ids=["assertion", "both"])
def test_a_response_that_says_something_else(changed: dict[str, object], reason: Refusal, sign_response: bool) -> None:
    answer: Answer = replace(ANSWER, **changed)  # type: ignore[arg-type]
    assert refusal(IDP.respond(answer, sign_response=sign_response)) is reason


@pytest.mark.parametrize(
    ("field", "early", "late"),
    [
        ("not_before", Refusal.NOT_YET_VALID, None),
        ("not_on_or_after", None, Refusal.EXPIRED),
        ("confirmation_not_on_or_after", None, Refusal.CONFIRMATION_EXPIRED),
        ("session_not_on_or_after", None, Refusal.SESSION_EXPIRED),
        ("issued_at", Refusal.ISSUED_IN_FUTURE, None),
        ("authn_instant", Refusal.ISSUED_IN_FUTURE, None),
    ],
)
def test_every_time_holds_to_the_edge_of_the_clocks_skew(
    field: str, early: Refusal | None, late: Refusal | None
) -> None:
    if early is not None:
        assert accept(IDP.respond(replace(ANSWER, **{field: NOW + CLOCK_SKEW}))).name_id  # type: ignore[arg-type]
        assert refusal(IDP.respond(replace(ANSWER, **{field: NOW + CLOCK_SKEW + TICK}))) is early  # type: ignore[arg-type]
    if late is not None:
        assert accept(IDP.respond(replace(ANSWER, **{field: NOW - CLOCK_SKEW + TICK}))).name_id  # type: ignore[arg-type]
        assert refusal(IDP.respond(replace(ANSWER, **{field: NOW - CLOCK_SKEW}))) is late  # type: ignore[arg-type]


def test_conditions_may_leave_their_times_out_but_not_themselves() -> None:
    answer = replace(ANSWER, not_before=None, not_on_or_after=None)
    assert accept(IDP.respond(answer)).not_on_or_after == ANSWER.confirmation_not_on_or_after
    for part, reason in {
        "Conditions": Refusal.CONDITIONS,
        "AuthnStatement": Refusal.AUTHN_STATEMENT,
        "Subject": Refusal.SUBJECT,
    }.items():
        response = IDP.respond(ANSWER, edit_assertion=lambda xml, part=part: xml.replace(cut(xml, f"saml:{part}"), ""))
        assert refusal(response) is reason


def test_an_assertion_is_good_for_a_day_at_most() -> None:
    answer = replace(
        ANSWER,
        confirmation_not_on_or_after=NOW + timedelta(hours=24),
        not_on_or_after=NOW + timedelta(days=300),
    )
    assert accept(IDP.respond(answer)).remember_until == NOW + timedelta(hours=24) + CLOCK_SKEW


def test_nobody_asked() -> None:
    unsolicited = replace(EXPECTED, request_id=None)
    answer = replace(ANSWER, in_response_to=None, confirmation_in_response_to=None)
    assert refusal(IDP.respond(answer), CONNECTION, unsolicited) is Refusal.UNSOLICITED
    assert refusal(IDP.respond(ANSWER), CONNECTION, unsolicited) is Refusal.UNSOLICITED
    assert refusal(IDP.respond(answer)) is Refusal.IN_RESPONSE_TO


@pytest.mark.parametrize("field", ["in_response_to", "confirmation_in_response_to"])
def test_an_answer_to_a_request_is_no_unsolicited_one(field: str) -> None:
    """Else an answer that was meant for one browser could be played into another."""
    answer = replace(ANSWER, **{"in_response_to": None, "confirmation_in_response_to": None, field: REQUEST.id})  # type: ignore[arg-type]
    allowed = replace(CONNECTION, allow_idp_initiated=True)
    assert refusal(IDP.respond(answer), allowed, replace(EXPECTED, request_id=None)) is Refusal.IN_RESPONSE_TO


def test_another_connection_of_the_same_identity_provider_is_another() -> None:
    elsewhere = ExpectedResponse(REQUEST.id, ACS.replace("c1", "c2"), SP.replace("c1", "c2"), NOW)
    assert refusal(IDP.respond(ANSWER), CONNECTION, elsewhere) is Refusal.DESTINATION


def test_another_connections_key_signs_nobody_in_here() -> None:
    foreign = SamlIdp(IDP.entity_id, "another key")
    assert refusal(foreign.respond(ANSWER)) is Refusal.SIGNATURE_INVALID
    assert refusal(foreign.respond(ANSWER, sign_response=True)) is Refusal.SIGNATURE_INVALID


def test_a_good_assertion_in_a_response_that_another_key_signed() -> None:
    foreign = SamlIdp(IDP.entity_id, "another key")
    response = IDP.respond(ANSWER, sign_response=False).decode()
    resigned = foreign.sign(response.replace("<samlp:Status>", "@signature@<samlp:Status>", 1))
    assert refusal(resigned.encode()) is Refusal.SIGNATURE_INVALID


@pytest.mark.parametrize("days", [-1, 1], ids=["expired", "not yet"])
def test_a_certificate_outside_of_its_dates_signs_nobody_in(days: int) -> None:
    key = rsa_key("idp")
    certificate = make_certificate(
        key,
        start=NOW + timedelta(days=days) if days > 0 else None,
        end=NOW + timedelta(days=days) if days < 0 else None,
    )
    connection = replace(CONNECTION, certificates=(certificate,))
    assert refusal(IDP.respond(ANSWER), connection) is Refusal.CERTIFICATE_EXPIRED


def test_without_a_certificate_nobody_signs_in() -> None:
    assert refusal(IDP.respond(ANSWER), replace(CONNECTION, certificates=())) is Refusal.SIGNATURE_INVALID


def test_a_weak_key_signs_nobody_in_even_if_a_connection_has_it() -> None:
    weak = SamlIdp(IDP.entity_id, key=rsa_key("weak", 1024))
    connection = replace(CONNECTION, certificates=(weak.certificate,))
    assert refusal(weak.respond(ANSWER), connection) is Refusal.SIGNATURE_INVALID


def test_the_person_is_told_nothing_and_the_log_everything() -> None:
    with pytest.raises(SamlRefused) as caught:
        verify_response(IDP.respond(replace(ANSWER, recipient=OTHER)), CONNECTION, EXPECTED)
    error = caught.value
    assert (error.code, error.status, error.reason) == ("saml_refused", 401, Refusal.CONFIRMATION_RECIPIENT)
    assert error.detail is None
    assert error.facts == {}
    for word in (OTHER, "recipient", "signature", ANSWER.name_id):
        assert word not in f"{error} {error.title}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-20T12:00:00",
        "2026-11-20T12:00:00+00:00",
        "2026-11-20T12:00:00z",
        "2026-11-20 12:00:00Z",
        "2026-11-20",
        "2026-11-20T12:00:00.Z",
        "2026-11-20T12:00:00.0000000000Z",
        "2026-13-20T12:00:00Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T12:00:60Z",
        " 2026-11-20T12:00:00Z",
        "2026-11-20T12:00:00Z\n",
        "\uff12026-11-20T12:00:00Z",
        "-2026-11-20T12:00:00Z",
        "20261120T120000Z",
    ],
)
def test_a_time_that_is_no_time(text: str) -> None:
    with pytest.raises(SamlRefused) as caught:
        parse_instant(text)
    assert caught.value.reason is Refusal.TIME_FORM


def test_times_are_read_to_the_microsecond() -> None:
    assert parse_instant("2026-11-20T12:00:00.1234567Z") == datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
    assert parse_instant("2026-11-20T12:00:00.5Z") == datetime(2026, 11, 20, 12, 0, 0, 500000, tzinfo=UTC)


def test_a_response_of_last_week_is_over() -> None:
    assert refusal(IDP.respond(ANSWER), CONNECTION, at(NOW + timedelta(days=7))) is Refusal.CONFIRMATION_EXPIRED
