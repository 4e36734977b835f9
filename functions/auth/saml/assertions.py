"""Reads a verified assertion and holds what it says against what was expected.

Source: SAML core 2.4 (subjects), 2.5 (conditions), 2.7 (statements); profiles 4.1.4.2 and 4.1.4.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ..errors import SamlRefused
from .documents import Element
from .models import CLOCK_SKEW, Connection, ExpectedResponse, VerifiedAssertion
from .names import BEARER, ENTITY_FORMAT, ISSUER, NAME_ID, UNSPECIFIED_FORMAT, VERSION, saml
from .reasons import Refusal
from .times import parse_instant

_MOST_NAME_ID_CHARACTERS = 256
_MOST_LIFETIME = timedelta(hours=24)
"""How long an assertion may be good for: it has to be remembered that long."""


def read_assertion(assertion: Element, connection: Connection, expected: ExpectedResponse) -> VerifiedAssertion:
    """Read an assertion that was parsed from signed bytes and has the right shape.

    Raises:
        SamlRefused: (401 `saml_refused`).
    """
    if assertion.get("Version") != VERSION:
        raise SamlRefused(Refusal.VERSION)
    issuer = _child(assertion, ISSUER, Refusal.ASSERTION_ISSUER)
    if issuer.text != connection.entity_id or issuer.get("Format", ENTITY_FORMAT) != ENTITY_FORMAT:
        raise SamlRefused(Refusal.ASSERTION_ISSUER)
    if parse_instant(assertion.get("IssueInstant", "")) > expected.now + CLOCK_SKEW:
        raise SamlRefused(Refusal.ISSUED_IN_FUTURE)
    subject = _child(assertion, saml("Subject"), Refusal.SUBJECT)
    name_id = _child(subject, NAME_ID, Refusal.SUBJECT)
    confirmed_until = _check_confirmations(subject, expected)
    good_until = _check_conditions(_child(assertion, saml("Conditions"), Refusal.CONDITIONS), expected)
    statement = _child(assertion, saml("AuthnStatement"), Refusal.AUTHN_STATEMENT)
    authn_instant, session_ends = _read_statement(statement, expected.now)
    return VerifiedAssertion(
        issuer=connection.entity_id,
        assertion_id=assertion.get("ID", ""),
        name_id=_read_name_id(name_id),
        name_id_format=name_id.get("Format", UNSPECIFIED_FORMAT),
        session_index=statement.get("SessionIndex"),
        authn_instant=authn_instant,
        not_on_or_after=confirmed_until if good_until is None else min(confirmed_until, good_until),
        in_response_to=expected.request_id,
        authn_context=statement.findtext(f"{saml('AuthnContext')}/{saml('AuthnContextClassRef')}"),
        session_not_on_or_after=session_ends,
        attributes=_read_attributes(assertion),
    )


def _read_name_id(element: Element) -> str:
    text = element.text or ""
    if not text or text != text.strip() or len(text) > _MOST_NAME_ID_CHARACTERS or not text.isprintable():
        raise SamlRefused(Refusal.SUBJECT)
    return text


def _check_confirmations(subject: Element, expected: ExpectedResponse) -> datetime:
    """Find a bearer confirmation that fits; returns its end. With none, the first one's fault is told."""
    refused: SamlRefused | None = None
    for confirmation in subject.findall(saml("SubjectConfirmation")):
        try:
            return _check_confirmation(confirmation, expected)
        except SamlRefused as error:
            refused = refused or error
    raise refused or SamlRefused(Refusal.CONFIRMATION_METHOD)


def _check_confirmation(confirmation: Element, expected: ExpectedResponse) -> datetime:
    data = confirmation.find(saml("SubjectConfirmationData"))
    if confirmation.get("Method") != BEARER or data is None:
        raise SamlRefused(Refusal.CONFIRMATION_METHOD)
    if data.get("Recipient") != expected.acs_url:
        raise SamlRefused(Refusal.CONFIRMATION_RECIPIENT)
    if data.get("NotBefore") is not None:
        raise SamlRefused(Refusal.CONFIRMATION_NOT_BEFORE)
    end = data.get("NotOnOrAfter")
    if end is None:
        raise SamlRefused(Refusal.CONFIRMATION_EXPIRED)
    until = parse_instant(end)
    if expected.now - CLOCK_SKEW >= until:
        raise SamlRefused(Refusal.CONFIRMATION_EXPIRED)
    if until > expected.now + _MOST_LIFETIME:
        raise SamlRefused(Refusal.CONFIRMATION_TOO_LONG)
    if data.get("InResponseTo") != expected.request_id:
        raise SamlRefused(Refusal.IN_RESPONSE_TO)
    return until


def _check_conditions(conditions: Element, expected: ExpectedResponse) -> datetime | None:
    """Check the conditions; returns their end, if they have one. OneTimeUse asks for what is done anyway."""
    not_before, end = conditions.get("NotBefore"), conditions.get("NotOnOrAfter")
    if not_before is not None and expected.now + CLOCK_SKEW < parse_instant(not_before):
        raise SamlRefused(Refusal.NOT_YET_VALID)
    until = None if end is None else parse_instant(end)
    if until is not None and expected.now - CLOCK_SKEW >= until:
        raise SamlRefused(Refusal.EXPIRED)
    restrictions = conditions.findall(saml("AudienceRestriction"))
    for restriction in restrictions:
        if expected.sp_entity_id not in {audience.text for audience in restriction}:
            raise SamlRefused(Refusal.AUDIENCE)
    if not restrictions:
        raise SamlRefused(Refusal.AUDIENCE)
    return until


def _read_statement(statement: Element, now: datetime) -> tuple[datetime, datetime | None]:
    authn_instant = parse_instant(statement.get("AuthnInstant", ""))
    if authn_instant > now + CLOCK_SKEW:
        raise SamlRefused(Refusal.ISSUED_IN_FUTURE)
    end = statement.get("SessionNotOnOrAfter")
    session_ends = None if end is None else parse_instant(end)
    if session_ends is not None and now - CLOCK_SKEW >= session_ends:
        raise SamlRefused(Refusal.SESSION_EXPIRED)
    return authn_instant, session_ends


def _read_attributes(assertion: Element) -> dict[str, tuple[str, ...]]:
    """Collect values by attribute name; a name that comes twice has the values of both, as Keycloak sends roles."""
    found: dict[str, tuple[str, ...]] = {}
    for attribute in assertion.iterfind(f"{saml('AttributeStatement')}/{saml('Attribute')}"):
        name = attribute.get("Name", "")
        found[name] = (*found.get(name, ()), *_values(attribute))
    return found


def _values(attribute: Element) -> Iterator[str]:
    """Yield the values that are text; one that is made of elements means nothing to us."""
    for value in attribute:
        if not len(value) and value.text and value.text.strip():
            yield value.text.strip()


def _child(element: Element, tag: str, reason: Refusal) -> Element:
    found = element.findall(tag)
    if len(found) != 1:
        raise SamlRefused(reason)
    return found[0]
