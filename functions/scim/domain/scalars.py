"""Values that are written in more than one way: booleans as text, moments with their offset."""

from __future__ import annotations

import re
from datetime import datetime

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.IGNORECASE | re.ASCII)


def read_boolean(value: object) -> bool | None:
    """Read a boolean, also as the text that Entra ID sends; None when it is none.

    Source: https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    return None


def read_moment(text: str) -> datetime | None:
    """Read an xsd:dateTime with its offset (RFC 7643 section 2.3.5); None when it is none."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None
