"""Times as SAML writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ..errors import SamlRefused
from .reasons import Refusal

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)


def parse_instant(text: str) -> datetime:
    """Parse a time; digits below a microsecond are cut.

    Raises:
        SamlRefused: (401 `saml_refused`) not a time in UTC with a `Z`.

    Source: SAML core 1.3.3.
    """
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise SamlRefused(Refusal.TIME_FORM)
    try:
        whole = datetime.fromisoformat(found[1])
    except ValueError as error:
        raise SamlRefused(Refusal.TIME_FORM) from error
    return whole.replace(microsecond=int((found[2] or "0")[:6].ljust(6, "0")), tzinfo=UTC)


def write_instant(at: datetime) -> str:
    """Write a time, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
