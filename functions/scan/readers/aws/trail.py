"""Reads CloudTrail's event history: who called what, for up to 90 days, without any trail being set up.

Owns the pace and the bounds of looking up; what an event means stands in `domain/trail.py`, which one counts in
`domain/attribution.py`. Source: AWS CloudTrail API Reference, LookupEvents.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from shared.ports.clock import Clock

from ...domain.attribution import HistoryRefused
from ...domain.trail import TrailEvent, parse_event
from .base import permission_of, reason_of
from .session import AwsAccount

PERMISSION = "cloudtrail:LookupEvents"
PER_SECOND = 2.0  # "limited to two per second, per account, per Region"
_MOST_PAGES = 4
_PAGE = 50
_MOST_KEPT = 500

LookupKey = Literal["ResourceName", "EventName"]


class Pace:
    """Token buckets, one per account and region: a look-up waits until its turn comes, and never fails for that."""

    _most = 256

    def __init__(self, clock: Clock, per_second: float = PER_SECOND) -> None:
        self._clock = clock
        self._interval = 1.0 / per_second
        self._next: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def wait(self, account: str, region: str) -> None:
        """Wait for the turn of one request."""
        with self._lock:
            now = self._clock.monotonic_seconds()
            turn = max(now, self._next.get((account, region), now))
            self._next = (
                {key: at for key, at in self._next.items() if at > now} if len(self._next) >= self._most else self._next
            )
            self._next[account, region] = turn + self._interval
        if turn > now:
            self._clock.sleep_seconds(turn - now)


@dataclass(slots=True)
class _Found:
    """The pages of one question that were read so far; `token` continues, None when there is no more."""

    pages: list[list[TrailEvent]]
    token: str | None
    is_over: bool = False


class Trail:
    """The event history of one account, asked at AWS's pace; what was asked already is remembered."""

    def __init__(self, account: AwsAccount, pace: Pace) -> None:
        self._account = account
        self._pace = pace
        self._known: dict[tuple[str, LookupKey, str, datetime], _Found] = {}
        self.requests = 0

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return self._account.scope("us-east-1").partition

    def pages(
        self, region: str, key: LookupKey, value: str, *, since: datetime, until: datetime
    ) -> Iterator[list[TrailEvent]]:
        """Yield recorded calls page by page, newest first; at most four pages of 50.

        Args:
            region: where the calls were recorded.
            key: what to look up by; one such condition is all that CloudTrail takes.
            value: its value.
            since: start of the span to look at, included.
            until: its end, included.

        Raises:
            HistoryRefused: there is no answer, and why.
        """
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        found = self._known.setdefault((region, key, value, until), _Found([], None))
        position = 0
        while True:
            while position < len(found.pages):
                yield found.pages[position]
                position += 1
            if found.is_over or position >= _MOST_PAGES:
                return
            asked: dict[str, Any] = {
                "LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}],
                "StartTime": since,
                "EndTime": until,
                "MaxResults": _PAGE,
            }
            reply = self._ask(region, {**asked, "NextToken": found.token} if found.token else asked)
            found.pages.append(
                [event for item in reply.get("Events") or () if (event := parse_event(item)) is not None]
            )
            found.token = reply.get("NextToken")
            found.is_over = not found.token

    def _ask(self, region: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        self._pace.wait(self._account.account, region)
        self.requests += 1
        try:
            reply: Mapping[str, Any] = self._account.client("cloudtrail", region).lookup_events(**asked)
        except ClientError as error:
            reason = reason_of(error)
            is_denied = reason == "access_denied"
            raise HistoryRefused(
                reason, permission_of("cloudtrail", error.operation_name) if is_denied else None
            ) from error
        except BotoCoreError as error:
            raise HistoryRefused("unavailable") from error
        except ResponseParserError as error:
            raise HistoryRefused("malformed") from error
        return reply
