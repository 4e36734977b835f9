"""Notification channels: what each wants to hear, when it is told, and what becomes of one that does not answer.

Decides, stores nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from shared.rules.globs import matches
from shared.rules.levels import rank
from shared.time_zones import zone_of

from .notices import Notice

Because: TypeAlias = Literal["gone", "failing"]

GIVEN_UP_AFTER = timedelta(hours=24)
_DELAYS_SECONDS = (15, 60, 300, 900, 1800, 3600, 2 * 3600)  # the last one again and again
_JITTER = 0.25
_MOST_RETRY_AFTER = timedelta(hours=24)
_GONE = 410
# What Slack says once an app was uninstalled, its webhook removed, or the channel or workspace closed: no later try can work. What an
# admin of the workspace forbids for now (`action_prohibited`) may be allowed again and is tried like any failure.
# Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling-errors
_SLACK_GONE = frozenset({
    "account_inactive", "channel_is_archived", "channel_not_found", "invalid_token", "no_active_hooks", "no_service", "no_service_id",
    "no_team", "team_disabled", "token_revoked",
})  # fmt: skip
_CLIENT_ERRORS = (400, 500)
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_HINTED, _LEAST_HIDDEN = 4, 20
_SHOWN_RECIPIENTS = 3
_DIGITS = re.compile(r"[0-9]{1,9}")


def wants(channel: Mapping[str, Any], notice: Notice) -> bool:
    """Say whether a channel is to hear of something; one that names accounts hears of these accounts alone."""
    return (
        any(matches(pattern, notice.event) for pattern in channel["events"])
        and rank(notice.severity) >= rank(channel["least_severity"])
        and (not channel["account_ids"] or notice.account_id in {str(each) for each in channel["account_ids"]})
    )


# --- When --------------------------------------------------------------------------------------------------------------


def due_at(channel: Mapping[str, Any], now: datetime) -> datetime:
    """Return when a channel is told of what happens now: at once, with its next digest, or when its quiet hours end.

    Args:
        channel: the row.
        now: aware UTC.
    """
    zone = zone_of(channel["time_zone"])
    due = _digest_at(channel, now.astimezone(zone))
    return _after_quiet(channel, due.astimezone(zone)).astimezone(UTC)


def _digest_at(channel: Mapping[str, Any], local: datetime) -> datetime:
    if channel["digest"] == "hourly":
        start = local.replace(minute=0, second=0, microsecond=0)
        return (start.astimezone(UTC) + _HOUR).astimezone(local.tzinfo)
    if channel["digest"] == "daily":
        return _next(local, time(channel["digest_hour"]))
    return local


def _after_quiet(channel: Mapping[str, Any], local: datetime) -> datetime:
    start, end = channel["quiet_from"], channel["quiet_until"]
    if start is None or end is None:
        return local
    at = local.time()
    is_quiet = start <= at < end if start < end else at >= start or at < end
    return _next(local, end) if is_quiet else local


def _next(local: datetime, at: time) -> datetime:
    """Return when the clock on the wall next shows a time, after `local`."""
    day: date = local.date()
    while (found := datetime.combine(day, at, local.tzinfo)).astimezone(UTC) <= local.astimezone(UTC):
        day += _DAY
    return found


# --- What becomes of a try ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of sending one message once.

    Attributes:
        error_code: None when it was delivered.
        status: of the answer, where there was one.
        start: of the answer, without secrets; empty when there is nothing to show.
        retry_after: what the answer asked for.
    """

    error_code: str | None
    status: int | None = None
    start: str = ""
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a try that failed: another one, or the end of the channel."""

    next_at: datetime
    disabled_because: Because | None = None


def is_gone(kind: str, outcome: Outcome) -> bool:
    """Say whether an answer means that nobody is there any more: 410, or one of Slack's words with a status of the client's fault."""
    if outcome.status == _GONE:
        return True
    is_refused = outcome.status is not None and _CLIENT_ERRORS[0] <= outcome.status < _CLIENT_ERRORS[1]
    return kind == "slack" and is_refused and outcome.start in _SLACK_GONE


def judge_failure(
    failing_since: datetime | None, tries: int, outcome: Outcome, *, jitter: float, now: datetime, kind: str = ""
) -> Verdict:
    """Decide what follows from a try that failed.

    Args:
        failing_since: since when nothing was delivered to the channel, None when the try before went through.
        tries: of this message, this one included.
        outcome: of the try.
        jitter: a number from 0 to 1, random.
        now: time of the decision.
        kind: of the channel, as Slack says in words that its address is dead.
    """
    if is_gone(kind, outcome):
        return Verdict(now, "gone")
    if failing_since is not None and now - failing_since >= GIVEN_UP_AFTER:
        return Verdict(now, "failing")
    delay = timedelta(seconds=_DELAYS_SECONDS[min(tries, len(_DELAYS_SECONDS)) - 1])
    delay *= 1 - _JITTER + 2 * _JITTER * jitter
    asked = min(outcome.retry_after or timedelta(), _MOST_RETRY_AFTER)
    ends_at = (failing_since or now) + GIVEN_UP_AFTER  # there is a last try when the day is over
    return Verdict(min(now + max(delay, asked), max(ends_at, now + asked)))


def read_retry_after(text: str, now: datetime) -> timedelta | None:
    """Read a `Retry-After` header (RFC 9110 section 10.2.3): seconds, or a date."""
    if _DIGITS.fullmatch(text):
        return timedelta(seconds=int(text))
    try:
        moment = parsedate_to_datetime(text)
        return max(moment.astimezone(UTC) - now, timedelta()) if moment.tzinfo else None
    except (ValueError, TypeError, OverflowError):
        return None


# --- Addresses and secrets ---------------------------------------------------------------------------------------------


def hint_of_url(url: str) -> str:
    """Return what is shown of a URL, which is a credential: its host, and its last characters when enough stays hidden."""
    parts = urlsplit(url)
    hidden = url.partition(parts.netloc)[2]
    return f"{parts.netloc}/…{hidden[-_HINTED:] if len(hidden) >= _LEAST_HIDDEN else ''}"


def hint_of_recipients(recipients: Sequence[str]) -> str:
    """Return what is shown of e-mail addresses: the first letter of each, and its domain."""
    shown = [f"{each[0]}…@{each.rpartition('@')[2]}"[:80] for each in recipients[:_SHOWN_RECIPIENTS]]
    more = len(recipients) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def write_recipients(recipients: Sequence[str]) -> bytes:
    """Return e-mail addresses as they are sealed."""
    return json.dumps(list(recipients)).encode()


def read_recipients(content: bytes) -> list[str]:
    """Return e-mail addresses as they were sealed."""
    return [str(each) for each in json.loads(content)]


def live_secrets(channel: Mapping[str, Any], *, now: datetime) -> list[bytes]:
    """Return the sealed secrets that messages are signed with now: the present one, and one whose grace is not over."""
    found = [bytes(channel["current_secret_encrypted"])]
    ends_at = channel["previous_expires_at"]
    if ends_at is not None and now < ends_at:
        found.append(bytes(channel["previous_secret_encrypted"]))
    return found
