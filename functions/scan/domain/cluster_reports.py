"""How the parts of a report follow one another, and when a report is too old to conclude anything from.

Decides, stores nothing. See ADR-0042.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.ports.secret_store import Secret
from shared.security.signatures import SECRET_PREFIX

from ..errors import ReportGap, ReportGone, ReportMismatch, ReportTooLarge

PROVIDER = "kubernetes"
MOST_OBJECTS = 200_000
MOST_OBJECT_BYTES = 1024 * 1024 * 1024
SILENCE = timedelta(hours=1)
"""How long an operator may be silent before its report says nothing any more; it sends a part every ten minutes."""
SCAN_INTERVAL = timedelta(minutes=5)
"""How soon after a scan of a cluster a change starts another one."""
_PURPOSE = b"driftwise operator report v1"


def signing_secret(api_key: str) -> Secret:
    """Derive what signs reports from the key that sends them: a secret in the form of Standard Webhooks.

    Source: RFC 2104; ADR-0042.
    """
    derived = hmac.new(api_key.encode(), _PURPOSE, hashlib.sha256).digest()
    return Secret(SECRET_PREFIX.encode() + base64.b64encode(derived))


def is_repeated(report: Mapping[str, Any] | None, part: int, content_hash: bytes) -> bool:
    """Say whether a part was taken before.

    Args:
        report: the report's row; None when nothing of it came.
        part: number of the part.
        content_hash: SHA-256 of its body.

    Raises:
        ReportGone: (409 `report_gone`) the report was given up, or never began: it has to begin anew.
        ReportGap: (409 `report_gap`) parts before this one are missing.
        ReportMismatch: (409 `report_mismatch`) this number was another body's.
    """
    if report is None:
        if part == 1:
            return False
        raise ReportGone
    taken: int = report["parts"]
    if part > taken + 1:
        raise ReportGap(expected_part=taken + 1)
    if part == taken and bytes(report["last_hash"]) != content_hash:
        raise ReportMismatch
    return part <= taken


def check_size(objects: int, object_bytes: int) -> None:
    """Refuse a report that has grown over what is kept of one cluster.

    Raises:
        ReportTooLarge: (413 `report_too_large`).
    """
    if objects > MOST_OBJECTS or object_bytes > MOST_OBJECT_BYTES:
        raise ReportTooLarge(limit_objects=MOST_OBJECTS, limit_bytes=MOST_OBJECT_BYTES)


def is_silent(report: Mapping[str, Any], now: datetime) -> bool:
    """Say whether nothing was heard of the operator for so long that its report may not be true any more."""
    return bool(now - report["received_at"] > SILENCE)
