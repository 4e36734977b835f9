"""Decisions about signing in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..errors import DomainNotAllowed, EmailUnverified, IdentityConflict, PersonDisabled, SignInFailed

SIGN_IN_LIFETIME = timedelta(minutes=10)
STATE_COOKIE = "__Host-driftwise-sign-in"


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in, as an identity provider vouches.

    Attributes:
        issuer, subject: the provider's lasting name of the person.
        email: may be empty.
        is_email_verified: the provider says that the person owns the address.
        name: may be empty.
        signed_in_at: when the person last proved who they are, seconds since 1970.
        issuer_session: the provider's name of its session, empty when it has none.
        trusted_domains: e-mail domains that this provider speaks for, so that it may join an account that exists.
        allowed_domains: the only e-mail domains that it may sign in; empty for all.
    """

    issuer: str
    subject: str
    email: str
    is_email_verified: bool
    name: str
    signed_in_at: int
    issuer_session: str = ""
    trusted_domains: frozenset[str] = frozenset()
    allowed_domains: frozenset[str] = frozenset()

    @property
    def email_domain(self) -> str:
        """The part of the address behind the @, lower case."""
        return self.email.rpartition("@")[2].lower()


def hash_state(state: str) -> bytes:
    """Hash a sign-in's state for storage: who reads the table cannot finish a sign-in."""
    return hashlib.sha256(state.encode()).digest()


def check_sign_in(
    found: Mapping[str, Any] | None, *, cookie: str | None, state: str, now: datetime
) -> Mapping[str, Any]:
    """Decide whether a callback belongs to a sign-in that this very browser began.

    Args:
        found: the sign-in that was taken for this state.
        cookie: the state that the browser was given.
        state: the state that came back.
        now: time of the decision, aware UTC.

    Raises:
        SignInFailed: (401 `sign_in_failed`).
    """
    if found is None or cookie != state or found["expires_at"] <= now:
        raise SignInFailed
    return found


def check_known(person: Person, user: Mapping[str, Any]) -> None:
    """Decide whether somebody whom the provider signed in before may come in again.

    Raises:
        PersonDisabled: (401 `person_disabled`).
        DomainNotAllowed: (403 `domain_not_allowed`) the provider is no longer used for this domain.
    """
    if user["disabled_at"] is not None:
        raise PersonDisabled
    _check_domain(person, user["email"].rpartition("@")[2].lower())


def check_newcomer(person: Person, account: Mapping[str, Any] | None, platform_domains: AbstractSet[str]) -> None:
    """Decide whether somebody who never came by this provider may come in, as a new account or as one that exists.

    An account that exists is joined only by a provider that speaks for the domain of its address: an address alone proves
    nothing, as a provider may let anybody enter any address, and addresses are given to other people.

    Args:
        person: as the provider vouches.
        account: the account with the same address, None when there is none.
        platform_domains: domains of the people who run the platform.

    Raises:
        EmailUnverified: (403 `email_unverified`).
        DomainNotAllowed: (403 `domain_not_allowed`).
        PersonDisabled: (401 `person_disabled`).
        IdentityConflict: (409 `identity_conflict`) the address belongs to an account that signs in differently.
    """
    if not person.email or not person.is_email_verified:
        raise EmailUnverified
    _check_domain(person, person.email_domain)
    if account is None:
        return
    if account["disabled_at"] is not None:
        raise PersonDisabled
    if person.email_domain not in person.trusted_domains | platform_domains:
        raise IdentityConflict


def _check_domain(person: Person, domain: str) -> None:
    if person.allowed_domains and domain not in person.allowed_domains:
        raise DomainNotAllowed
