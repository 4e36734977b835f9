"""Where vulnerabilities are reported, for `/.well-known/security.txt` (RFC 9116). Pure text from settings.

Only the operator knows an address that somebody reads, and until when that holds: without it, and after that, nothing is published.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

_CONTACT = re.compile(r"mailto:[^@\s?]+@[^@\s?]+|https://[^\s/]+/?\S*|tel:\+[0-9-]+")
_WEB = re.compile(r"https://[^\s/]+/?\S*")


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What the operator says of reports.

    Attributes:
        contact: the address as a URI.
        until: the day from which on nobody vouches for it any more.
        policy: where the operator's own policy stands; empty for none.
    """

    contact: str
    until: date
    policy: str = ""

    def holds(self, now: datetime) -> bool:
        """Say whether somebody vouches for the address."""
        return now < self._ends_at

    def text(self, public_url: str) -> str:
        """Return the file.

        Args:
            public_url: of this installation, without a trailing slash.
        """
        fields = {
            "Contact": self.contact,
            "Expires": f"{self._ends_at:%Y-%m-%dT%H:%M:%SZ}",
            "Canonical": f"{public_url}/.well-known/security.txt",
            "Preferred-Languages": "en",
            "Policy": self.policy,
        }
        return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)

    @property
    def _ends_at(self) -> datetime:
        return datetime.combine(self.until, time(), UTC)


def read_disclosure(contact: str, until: str, policy: str) -> Disclosure | None:
    """Read the settings; None when there is no address.

    Args:
        contact: URI of `mailto`, `https` or `tel`.
        until: a day, as in `2026-12-31`; no address without one.
        policy: URI of `https`, or nothing.

    Raises:
        ValueError: one of them cannot be read; names its variable.
    """
    if not contact:
        return None
    if not _CONTACT.fullmatch(contact):
        raise ValueError("DW_SECURITY_CONTACT must be an address of mailto:, https: or tel:")
    if policy and not _WEB.fullmatch(policy):
        raise ValueError("DW_SECURITY_POLICY must be an address of https:")
    try:
        return Disclosure(contact, date.fromisoformat(until), policy)
    except ValueError:
        raise ValueError("DW_SECURITY_CONTACT_UNTIL must be a day, as in 2026-12-31") from None
