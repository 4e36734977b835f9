"""Reads Cloud Audit Logs, the log of admin activity: who called what on one resource, for up to 400 days.

Owns the pace and the bounds; what an entry means stands in `domain/audit_logs.py`.
Source: https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list; https://cloud.google.com/logging/quotas
("entries.list: 60 per minute, per project"); https://cloud.google.com/logging/docs/view/logging-query-language.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from shared.ports.clock import Clock

from ...domain.attribution import HistoryRefused
from ...domain.audit_logs import parse_entry
from ...domain.trail import TrailEvent
from ..aws.pace import Pace
from .inventory import Answer

ENTRIES: Final = "https://logging.googleapis.com/v2/entries:list"
PERMISSION: Final = "logging.logEntries.list"
CALLS_PER_MINUTE: Final = 50
MOST_PLACES: Final = 100  # "A maximum of 100 resources may be specified in a single request."
_BURST: Final = 5
_PAGE: Final = 100
_MOST_PAGES: Final = 4
_MOST_NAME: Final = 1024
_OK, _UNAUTHORISED, _FORBIDDEN, _MISSING, _THROTTLED = 200, 401, 403, 404, 429


class Asks(Protocol):
    """Asks Google, as a customer's identity."""

    def post(self, url: str, content: bytes) -> Answer | None:
        """Return the answer; None when there was none in time, or one beyond the bound."""
        ...


class AuditLogs:
    """The audit logs of whatever one identity may see."""

    def __init__(self, google: Asks, clock: Clock) -> None:
        self._google = google
        self._pace = Pace(CALLS_PER_MINUTE / 60, _BURST, now=clock.monotonic_seconds, sleep=clock.sleep_seconds)
        self.requests = 0

    def events(
        self, places: Sequence[str], names: Sequence[str], *, since: datetime, until: datetime
    ) -> Iterator[TrailEvent]:
        """Yield the calls on a resource, newest first.

        Args:
            places: whose logs, e.g. `projects/shop-prod`; at most `MOST_PLACES`.
            names: what entries may call the resource.
            since: aware; the first moment.
            until: aware; the last one.

        Raises:
            HistoryRefused: there is no answer, and why.
            ValueError: too many places.
        """
        if len(places) > MOST_PLACES:
            raise ValueError(f"more than {MOST_PLACES} places")
        usable = [quoted(name) for name in names if len(name) <= _MOST_NAME]
        if not usable:
            return
        wish: dict[str, Any] = {
            "resourceNames": list(places),
            "filter": " AND ".join(
                (
                    'log_id("cloudaudit.googleapis.com/activity")',
                    f"protoPayload.resourceName=({' OR '.join(usable)})",
                    f'timestamp>="{since:%Y-%m-%dT%H:%M:%SZ}"',
                    f'timestamp<="{until:%Y-%m-%dT%H:%M:%S.%fZ}"',
                )
            ),
            "orderBy": "timestamp desc",
            "pageSize": _PAGE,
        }
        for _ in range(_MOST_PAGES):
            found = self._ask(wish)
            entries = found.get("entries", [])
            if not isinstance(entries, list):
                raise HistoryRefused("malformed")
            yield from (event for one in entries if isinstance(one, Mapping) and (event := parse_entry(one)))
            token = found.get("nextPageToken")
            if not isinstance(token, str) or not token:
                return
            wish["pageToken"] = token

    def _ask(self, wish: Mapping[str, Any]) -> Mapping[str, Any]:
        self._pace.take()
        self.requests += 1
        answer = self._google.post(ENTRIES, json.dumps(wish).encode())
        if answer is None:
            raise HistoryRefused("unavailable")
        if answer.status == _THROTTLED:
            raise HistoryRefused("throttled")
        if answer.status == _FORBIDDEN:
            is_off = b"SERVICE_DISABLED" in answer.content[:65536]
            raise HistoryRefused("not_enabled") if is_off else HistoryRefused("access_denied", PERMISSION)
        if answer.status in {_UNAUTHORISED, _MISSING}:
            raise HistoryRefused("access_denied")
        if answer.status != _OK:
            raise HistoryRefused("unavailable")
        try:
            found = json.loads(answer.content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise HistoryRefused("malformed")
        return found


def quoted(value: str) -> str:
    """Write a text as a literal of the query language."""
    return '"' + "".join(f"\\{one}" if one in '"\\' else one for one in value if one.isprintable()) + '"'
