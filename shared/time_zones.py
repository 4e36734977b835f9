"""Time zones by name: those of the IANA database, whose rules say what a clock on the wall shows.

Source: RFC 6557, "Procedures for Maintaining the Time Zone Database".
"""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

_UNKNOWN = (ZoneInfoNotFoundError, ValueError, OSError)


def zone_of(name: str) -> tzinfo:
    """Return a time zone; UTC for one that this machine does not know (any more)."""
    try:
        return ZoneInfo(name)
    except _UNKNOWN:
        return UTC


def _known(name: str) -> str:
    try:
        ZoneInfo(name)
    except _UNKNOWN:
        raise ValueError("not a time zone of the IANA database, such as Europe/Berlin") from None
    return name


ZoneName = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_known)]
