"""Timestamps as PostgreSQL writes them (DateStyle ISO)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pg8000.converters import timestamptz_in

from shared.data.sessions import _moment

ZONES = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))


def as_postgres_writes(moment: datetime) -> str:
    """No digits of a second that are zero, and no minutes of an offset that are."""
    text = moment.isoformat(" ", "microseconds")
    seconds, offset = text[:26].rstrip("0").rstrip("."), text[26:]
    return seconds + offset.removesuffix(":00")


@given(st.datetimes(timezones=ZONES))
def test_every_moment_is_read_as_it_was_meant(moment: datetime) -> None:
    assert _moment(as_postgres_writes(moment)) == moment


@pytest.mark.parametrize(
    "text", ["2026-01-02 03:04:05+00", "2026-01-02 03:04:05.6+00", "2026-01-02 03:04:05.678901+00"]
)
def test_it_reads_what_the_driver_reads(text: str) -> None:
    found = _moment(text)
    assert found == timestamptz_in(text)
    assert isinstance(found, datetime)
    assert found.tzinfo is UTC


@pytest.mark.parametrize("text", ["infinity", "-infinity", "10000-01-01 00:00:00+00", "0044-03-15 00:00:00+00 BC"])
def test_what_python_has_no_moment_for_is_left_to_the_driver(text: str) -> None:
    assert _moment(text) == timestamptz_in(text)
