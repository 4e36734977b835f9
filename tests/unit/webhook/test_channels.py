"""What a channel wants to hear, when it is told, and what becomes of one that does not answer."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.webhook.domain.channels import (
    GIVEN_UP_AFTER,
    Outcome,
    due_at,
    hint_of_recipients,
    hint_of_url,
    judge_failure,
    live_secrets,
    read_retry_after,
    wants,
)
from functions.webhook.domain.notices import Notice

NOW = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
FAILED = Outcome("unexpected_status", 500)
ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham", "Australia/Lord_Howe")
TIMES = st.integers(0, 2 * 365 * 86_400).map(lambda seconds: NOW + timedelta(seconds=seconds))


def channel(**changes: Any) -> dict[str, Any]:
    return {
        "events": ["*"], "least_severity": "none", "account_ids": [], "digest": "immediately", "digest_hour": 9, "quiet_from": None,
        "quiet_until": None, "time_zone": "UTC", "current_secret_encrypted": b"now", "previous_secret_encrypted": None,
        "previous_expires_at": None, **changes,
    }  # fmt: skip


def notice(event: str = "scan:scan:done", severity: Any = "high", account_id: str = "") -> Notice:
    return Notice("e", event, severity, "t", "https://x.example", NOW.isoformat(), account_id)


@pytest.mark.parametrize(
    ("wish", "said", "is_wanted"),
    [
        ({}, notice(), True),
        ({"events": ["scan:*", "keys:*"]}, notice(), True),
        ({"events": ["keys:*"]}, notice(), False),
        ({"events": ["scan:scan"]}, notice(), False),
        ({"events": ["*:deleted"]}, notice("auth:org:deleted", "none"), True),
        ({"least_severity": "high"}, notice(severity="high"), True),
        ({"least_severity": "high"}, notice(severity="medium"), False),
        ({"least_severity": "low"}, notice(severity="none"), False),
        ({"account_ids": ["a", "b"]}, notice(account_id="b"), True),
        ({"account_ids": ["a", "b"]}, notice(account_id="c"), False),
        ({"account_ids": ["a"]}, notice("auth:member:joined", "none"), False),
    ],
)
def test_a_channel_hears_what_it_wants_and_nothing_else(wish: dict[str, Any], said: Notice, is_wanted: bool) -> None:
    assert wants(channel(**wish), said) is is_wanted


NIGHT = {"quiet_from": time(22), "quiet_until": time(7)}
BERLIN = {"time_zone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("wish", "now", "due"),
    [
        ({}, "2026-01-01T12:30", "2026-01-01T12:30"),
        ({"digest": "hourly"}, "2026-01-01T12:30", "2026-01-01T13:00"),
        ({"digest": "hourly"}, "2026-01-01T12:00", "2026-01-01T13:00"),
        ({"digest": "hourly", "time_zone": "Asia/Kathmandu"}, "2026-01-01T12:30", "2026-01-01T13:15"),  # +05:45
        ({"digest": "daily"}, "2026-01-01T08:59", "2026-01-01T09:00"),
        ({"digest": "daily"}, "2026-01-01T09:00", "2026-01-02T09:00"),
        ({"digest": "daily", **BERLIN}, "2026-07-01T06:59", "2026-07-01T07:00"),
        (NIGHT, "2026-01-01T21:59", "2026-01-01T21:59"),
        (NIGHT, "2026-01-01T22:00", "2026-01-02T07:00"),
        (NIGHT, "2026-01-02T06:59", "2026-01-02T07:00"),
        (NIGHT, "2026-01-02T07:00", "2026-01-02T07:00"),
        ({**NIGHT, **BERLIN}, "2026-01-01T21:30", "2026-01-02T06:00"),
        ({**NIGHT, **BERLIN}, "2026-03-28T22:00", "2026-03-29T05:00"),  # that night an hour is left out
        ({**NIGHT, **BERLIN}, "2026-10-24T21:00", "2026-10-25T06:00"),  # and in that one an hour comes twice
        ({"quiet_from": time(12), "quiet_until": time(13)}, "2026-01-01T12:30", "2026-01-01T13:00"),
        ({**NIGHT, "digest": "daily", "digest_hour": 3}, "2026-01-01T12:30", "2026-01-02T07:00"),
        ({**NIGHT, "digest": "hourly"}, "2026-01-01T21:30", "2026-01-02T07:00"),
        ({**NIGHT, "time_zone": "Gone/Away"}, "2026-01-01T23:00", "2026-01-02T07:00"),
    ],
)
def test_a_channel_is_told_at_once_or_with_its_digest_or_when_its_quiet_hours_end(
    wish: dict[str, Any], now: str, due: str
) -> None:
    asked = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert due_at(channel(**wish), asked) == datetime.fromisoformat(due).replace(tzinfo=UTC)


@given(
    now=TIMES,
    zone=st.sampled_from(ZONES),
    digest=st.sampled_from(["immediately", "hourly", "daily"]),
    hour=st.integers(0, 23),
    quiet=st.tuples(st.times(), st.times()).filter(lambda pair: pair[0] != pair[1]),
)
def test_nothing_is_due_in_the_past_or_in_quiet_hours_or_later_than_two_days(
    now: datetime, zone: str, digest: str, hour: int, quiet: tuple[time, time]
) -> None:
    start, end = quiet
    due = due_at(channel(digest=digest, digest_hour=hour, time_zone=zone, quiet_from=start, quiet_until=end), now)
    assert now <= due <= now + timedelta(hours=50)
    at = due.astimezone(ZoneInfo(zone)).time()
    is_quiet = start <= at < end if start < end else at >= start or at < end
    offsets = {(due + timedelta(hours=shift)).astimezone(ZoneInfo(zone)).utcoffset() for shift in (-3, 0, 3)}
    assert not is_quiet or len(offsets) > 1, "only where a clock is put back may a quiet hour come twice"


def test_tries_come_ever_more_seldom_and_the_last_one_when_the_day_is_over() -> None:
    waits, now, since = [], NOW, None
    for tries in range(1, 100):
        verdict = judge_failure(since, tries, FAILED, jitter=0.5, now=now)
        if verdict.disabled_because:
            break
        since = since or now
        waits.append((verdict.next_at - now).total_seconds())
        now = verdict.next_at
    assert verdict.disabled_because == "failing"
    assert now - NOW == GIVEN_UP_AFTER
    assert waits[:6] == [15, 60, 300, 900, 1800, 3600]
    assert len(waits) < 25


@given(st.integers(1, 1000), st.floats(0, 1), st.integers(0, 86_399), st.integers(0, 10**9))
def test_a_next_try_lies_ahead_and_honours_what_the_server_asked_for(
    tries: int, jitter: float, failing_seconds: int, asked_seconds: int
) -> None:
    outcome = Outcome("unexpected_status", 429, retry_after=timedelta(seconds=asked_seconds))
    since = NOW - timedelta(seconds=failing_seconds)
    verdict = judge_failure(since, tries, outcome, jitter=jitter, now=NOW)
    assert verdict.disabled_because is None
    asked = min(timedelta(seconds=asked_seconds), timedelta(hours=24))
    assert NOW + asked <= verdict.next_at <= NOW + timedelta(hours=24)
    assert verdict.next_at > NOW


def test_jitter_spreads_the_tries_of_many_channels() -> None:
    first, last = (judge_failure(None, 1, FAILED, jitter=jitter, now=NOW).next_at - NOW for jitter in (0, 1))
    assert (first, last) == (timedelta(seconds=11.25), timedelta(seconds=18.75))


def test_who_says_gone_is_asked_no_more() -> None:
    assert judge_failure(None, 1, Outcome("unexpected_status", 410), jitter=0, now=NOW).disabled_because == "gone"
    assert judge_failure(None, 1, Outcome("unexpected_status", 404), jitter=0, now=NOW).disabled_because is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("Thu, 01 Jan 2026 12:31:00 GMT", 60),
        ("Thu, 01 Jan 2026 12:00:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e3", None),
        ("9" * 40, None),
        ("\u0663", None),
        ("Thu, 01 Jan 99999 12:31:00 GMT", None),
        ("Thu, 01 Jan 2026 12:31:00", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(text: str, seconds: int | None) -> None:
    assert read_retry_after(text, NOW) == (None if seconds is None else timedelta(seconds=seconds))


def test_of_an_address_only_its_host_and_its_last_characters_are_shown() -> None:
    url = "https://hooks.slack.com/services/T00/B00/abcdefghijklmnop"
    assert hint_of_url(url) == "hooks.slack.com/…mnop"
    assert hint_of_url("https://x.example/short") == "x.example/…", "most of a short secret would be shown"
    assert hint_of_url("https://x.example") == "x.example/…"
    assert hint_of_recipients(["ann@a.example", "bob@b.example"]) == "a…@a.example, b…@b.example"
    assert hint_of_recipients([f"p{number}@a.example" for number in range(9)]).endswith(" and 6 more")


def test_two_secrets_are_live_until_the_grace_is_over() -> None:
    rotated = channel(previous_secret_encrypted=b"old", previous_expires_at=NOW)
    assert live_secrets(rotated, now=NOW - timedelta(seconds=1)) == [b"now", b"old"]
    assert live_secrets(rotated, now=NOW) == [b"now"]
