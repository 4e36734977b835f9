"""What goes into the service provider and what comes out; plain values that callers may store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

CLOCK_SKEW = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Connection:
    """An organisation's identity provider, as its administrator set it up.

    Attributes:
        entity_id: the one issuer whose word counts.
        certificates: DER; a signature by any of them counts, so that old and new overlap while a key is changed.
        allow_idp_initiated: whether an answer that nobody asked for is taken (it can be planted in a victim's browser).
        allow_cbc: whether assertions encrypted with AES-CBC are taken, which they are only in a signed response.
    """

    entity_id: str
    certificates: tuple[bytes, ...]
    allow_idp_initiated: bool = False
    allow_cbc: bool = False


@dataclass(frozen=True, slots=True)
class ExpectedResponse:
    """What a response has to fit.

    Attributes:
        request_id: of the open request, which the caller has taken from its store so that it is used once; None when
            nobody asked.
        now: time of the decision, aware UTC.
    """

    request_id: str | None
    acs_url: str
    sp_entity_id: str
    now: datetime


@dataclass(frozen=True, slots=True)
class VerifiedAssertion:
    """What the identity provider said about one person; every field was read from bytes that it signed.

    Attributes:
        not_on_or_after: the end of the assertion's life, as stated.
        attributes: name to values, in the order of the assertion.
        authn_context: how the person signed in there (SAML authn-context), if it was said.
        session_not_on_or_after: when the identity provider wants the session to be over.
    """

    issuer: str
    assertion_id: str
    name_id: str
    name_id_format: str
    session_index: str | None
    authn_instant: datetime
    not_on_or_after: datetime
    in_response_to: str | None
    authn_context: str | None = None
    session_not_on_or_after: datetime | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @property
    def remember_until(self) -> datetime:
        """Return until when (issuer, assertion_id) must be remembered, to refuse it the second time."""
        return self.not_on_or_after + CLOCK_SKEW


@dataclass(frozen=True, slots=True)
class AttributeNames:
    """The names that an administrator gave; a name that is given is the only one that counts."""

    email: str | None = None
    name: str | None = None
    groups: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as the attributes describe them.

    Attributes:
        email: None when there is none, or more than one.
    """

    email: str | None
    name: str | None
    groups: tuple[str, ...]
