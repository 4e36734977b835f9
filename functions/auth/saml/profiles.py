"""Maps attributes to a person: e-mail address, name, groups, by the names that identity providers use for them.

An address that is found here is the identity provider's word. Whether this provider may speak for the address's
domain is the caller's question.
"""

from __future__ import annotations

import re
from typing import Final

from .models import AttributeNames, Profile, VerifiedAssertion
from .names import EMAIL_FORMAT

_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
_EMAIL_NAMES: Final = (
    f"{_CLAIMS}/emailaddress",  # Entra ID, ADFS
    "urn:oid:0.9.2342.19200300.100.1.3",  # mail, RFC 4524 2.16
    "email",
    "mail",
    "Email",
    "emailAddress",
)
_NAME_NAMES: Final = (
    "http://schemas.microsoft.com/identity/claims/displayname",
    "urn:oid:2.16.840.1.113730.3.1.241",  # displayName, RFC 2798 2.3
    "displayName",
    "displayname",
    "fullname",
    "name",
    "urn:oid:2.5.4.3",  # cn
)
_NAME_PAIRS: Final = (
    (f"{_CLAIMS}/givenname", f"{_CLAIMS}/surname"),
    ("urn:oid:2.5.4.42", "urn:oid:2.5.4.4"),
    ("firstName", "lastName"),
    ("firstname", "lastname"),
    ("givenName", "sn"),
)
_GROUP_NAMES: Final = (
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
    "http://schemas.xmlsoap.org/claims/Group",
    "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",  # isMemberOf
    "groups",
    "memberOf",
    "member",
)
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
_MOST_EMAIL_CHARACTERS, _MOST_NAME_CHARACTERS = 254, 200


def read_profile(assertion: VerifiedAssertion, names: AttributeNames) -> Profile:
    """Read a person from a verified assertion.

    Args:
        assertion: the verified one.
        names: what the administrator set; a set name is looked at alone, so that no other attribute can speak for it.
    """
    return Profile(
        _read_email(assertion, names.email), _read_name(assertion, names.name), _read_groups(assertion, names)
    )


def _read_email(assertion: VerifiedAssertion, configured: str | None) -> str | None:
    """Read the address; two different ones under one name are none."""
    for name in (configured,) if configured else _EMAIL_NAMES:
        values = {value.lower() for value in assertion.attributes.get(name, ())}
        if values:
            return _as_email(values.pop()) if len(values) == 1 else None
    if configured is None and assertion.name_id_format == EMAIL_FORMAT:
        return _as_email(assertion.name_id.lower())
    return None


def _as_email(text: str) -> str | None:
    return text if len(text) <= _MOST_EMAIL_CHARACTERS and _EMAIL.fullmatch(text) else None


def _read_name(assertion: VerifiedAssertion, configured: str | None) -> str | None:
    for name in (configured,) if configured else _NAME_NAMES:
        if values := assertion.attributes.get(name):
            return _as_name(values[0])
    for first, last in () if configured else _NAME_PAIRS:
        words = [values[0] for name in (first, last) if (values := assertion.attributes.get(name))]
        if words:
            return _as_name(" ".join(words))
    return None


def _as_name(text: str) -> str | None:
    kept = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(kept.split())[:_MOST_NAME_CHARACTERS] or None


def _read_groups(assertion: VerifiedAssertion, names: AttributeNames) -> tuple[str, ...]:
    for name in (names.groups,) if names.groups else _GROUP_NAMES:
        if values := assertion.attributes.get(name):
            return tuple(dict.fromkeys(values))
    return ()
