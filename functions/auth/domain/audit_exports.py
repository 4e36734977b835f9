"""Which packs an organisation may have built: windows, numbers, lengths, and where a download begins. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.http.errors import Invalid
from shared.security.plans import COMPLIANCE_WINDOWS, require_feature

from ..errors import AuditExportUnfinished, AuditWindowTooLong, TooManyAuditExports

MOST_OPEN, MOST_KEPT = 2, 20
KEPT_FOR = timedelta(days=7)
MOST_TRIES = 12  # without a single file stored in between
MOST_FILES = 5000
MOST_CONTENT_BYTES = 512 * 1024 * 1024
MOST_PACKED_BYTES = 128 * 1024 * 1024
_SKEW = timedelta(seconds=5)  # a window that ends now is not refused for a clock that is a little ahead
_RANGE = re.compile(r"bytes=([0-9]{1,18})-")


@dataclass(frozen=True, slots=True)
class Window:
    """What a pack is about.

    Attributes:
        from_at: what happened at this time or later.
        to_at: and before this time.
    """

    from_at: datetime
    to_at: datetime


def choose_window(
    from_at: datetime | None, to_at: datetime | None, *, plan: str, made_at: datetime, now: datetime
) -> Window:
    """Decide the window of a pack.

    Args:
        from_at: as it was asked for; None for as far back as the plan allows.
        to_at: as it was asked for; None for now.
        plan: the organisation's.
        made_at: when the organisation was made: nothing is older.
        now: aware UTC.

    Raises:
        FeatureRequired: (402 `feature_required`) the plan has no packs.
        AuditWindowTooLong: (402 `audit_window_too_long`) the plan's packs do not reach that far back.
        Invalid: (422 `invalid`) it ends in the future, or before it begins.
    """
    require_feature("compliance", plan)
    reach = COMPLIANCE_WINDOWS[plan]
    earliest = made_at if reach is None else now - reach
    if to_at is not None and to_at > now + _SKEW:
        raise _refused("to_at", "is in the future")
    end = now if to_at is None else min(to_at, now)
    start = earliest if from_at is None else from_at
    if reach is not None and start < earliest - _SKEW:
        raise AuditWindowTooLong(plan, used_days=(now - start).days + 1, cap_days=reach.days)
    if start >= end:
        raise _refused("from_at", "must be before `to_at`")
    return Window(start, end)


def check_room(open_now: int, kept: int) -> None:
    """Refuse one pack too many.

    Raises:
        TooManyAuditExports: (409 `too_many_audit_exports`).
    """
    if open_now >= MOST_OPEN or kept >= MOST_KEPT:
        raise TooManyAuditExports(open=open_now, most_open=MOST_OPEN, kept=kept, most_kept=MOST_KEPT)


def check_whole(export: Mapping[str, Any]) -> None:
    """Refuse to hand out what is not whole.

    Raises:
        AuditExportUnfinished: (409 `audit_export_unfinished`).
    """
    if export["status"] != "done":
        raise AuditExportUnfinished(export_status=export["status"])


def is_too_large(*, files: int, content_bytes: int, packed_bytes: int) -> bool:
    """Say whether a pack has outgrown what one may be."""
    return files > MOST_FILES or content_bytes > MOST_CONTENT_BYTES or packed_bytes > MOST_PACKED_BYTES


def range_start(header: str | None, length: int) -> int:
    """Return where a download goes on (RFC 9110 section 14): `bytes=N-` alone is known, all else is the whole."""
    found = _RANGE.fullmatch(header or "")
    start = int(found[1]) if found else 0
    return start if start < length else 0


def _refused(field: str, problem: str) -> Invalid:
    return Invalid("see `errors` for each field", errors=[{"field": field, "problem": problem}])
