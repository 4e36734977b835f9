"""Decisions about an organisation's own identity provider and its domains."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import idna

from shared.ports.clock import Entropy

from ..errors import DomainInvalid, DomainUnproven, PersonDisabled, SamlEmailMissing, SignInFailed

REQUEST_LIFETIME = timedelta(minutes=10)
STATE_COOKIE = "__Host-driftwise-saml"
TXT_LABEL = "_driftwise-challenge"
_TXT_PREFIX = "driftwise-domain-verification="
_TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_LEAST_LABELS = 2


def issuer_of(connection_id: UUID) -> str:
    """Return the name under which identities of a connection are kept: another organisation's never meets it."""
    return f"saml:{connection_id}"


def request_id_of(state: str) -> str:
    """Derive a request's id from the state that travels beside it: who has only the table has neither."""
    return f"_{hashlib.sha256(f'driftwise saml request {state}'.encode()).hexdigest()[:40]}"


def check_request(
    found: Mapping[str, Any] | None, *, connection_id: UUID, cookie: str | None, state: str, now: datetime
) -> Mapping[str, Any] | None:
    """Decide which request a response may answer: the one that this very browser began, or none.

    Args:
        found: the request that was taken for this state, None for an unknown one.
        connection_id: whose address was called.
        cookie: the state that the browser was given.
        state: what came back beside the response.
        now: time of the decision, aware UTC.

    Returns:
        The request; None when the response answers none of ours.

    Raises:
        SignInFailed: (401 `sign_in_failed`) it is another browser's, too old, or of another connection.
    """
    if found is None:
        return None
    if cookie != state or found["connection_id"] != connection_id or found["expires_at"] <= now:
        raise SignInFailed
    return found


def subject_of(name_id: str, name_id_format: str, email: str) -> str:
    """Return the lasting name of a person: the provider's, unless that one is made anew for each sign-in."""
    return email if name_id_format == _TRANSIENT or len(name_id) > 255 else name_id  # noqa: PLR2004  # the column's length


def check_email(email: str | None, proven_domains: AbstractSet[str]) -> str:
    """Decide whether an organisation's provider may speak for an address.

    Raises:
        SamlEmailMissing: (403 `saml_email_missing`).
        DomainUnproven: (403 `domain_unproven`) the organisation has not proven that the domain is its own.
    """
    if email is None:
        raise SamlEmailMissing
    if email.rpartition("@")[2] not in proven_domains:
        raise DomainUnproven
    return email


def check_enabled(user: Mapping[str, Any] | None) -> None:
    """Refuse a switched-off account. Raises: PersonDisabled (401 `person_disabled`)."""
    if user is not None and user["disabled_at"] is not None:
        raise PersonDisabled


def read_domain(text: str) -> str:
    """Return a domain in its one form: lower case, punycode, no dot at the end (RFC 5891, UTS 46).

    Raises:
        DomainInvalid: (422 `domain_invalid`).
    """
    try:
        domain = idna.encode(text.strip().rstrip("."), uts46=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        raise DomainInvalid from None
    labels = domain.split(".")
    if len(labels) < _LEAST_LABELS or labels[-1].isdigit() or len(domain) > 240:  # noqa: PLR2004  # room for our label
        raise DomainInvalid
    return domain


def make_challenge(entropy: Entropy) -> str:
    """Make what the domain's owner must publish."""
    return base64.b32encode(entropy.token_bytes(20)).decode().lower()


def txt_name(domain: str) -> str:
    """Return the name of the record that proves a domain."""
    return f"{TXT_LABEL}.{domain}"


def txt_value(challenge: str) -> str:
    """Return what that record must hold."""
    return _TXT_PREFIX + challenge
