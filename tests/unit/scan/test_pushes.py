"""What Pub/Sub pushes for an asset feed: the wrapping, the welcome, changes, and everything else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.scan.domain.pushes import read_push, word_of
from shared.http.errors import MalformedRequest
from tests.support.asset_feed import WELCOME, pushed, temporal_asset


def test_a_message_is_read_as_google_wraps_it() -> None:
    found = read_push(json.dumps(pushed(b"x")).encode())
    assert (found.message_id, found.data) == ("2070443601311540", b"x")
    assert found.published_at == datetime(2026, 1, 1, 0, 0, 0, 749000, tzinfo=UTC)


def test_a_time_with_nanoseconds_is_a_time() -> None:
    body = pushed(b"x")
    body["message"]["publishTime"] = "2026-01-01T00:00:00.123456789Z"
    assert read_push(json.dumps(body).encode()).published_at.microsecond == 123456


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("messageId", None), ("messageId", ""), ("messageId", 7), ("messageId", "a b"), ("messageId", "x" * 201),
        ("publishTime", None), ("publishTime", "yesterday"), ("publishTime", "2026-01-01T00:00:00"), ("publishTime", 7),
        ("publishTime", "2026-01-01T00:00:00Z" + " " * 30), ("data", "%"), ("data", 7), ("data", None),
    ],
)  # fmt: skip
def test_a_message_that_lacks_what_pubsub_always_says_is_refused(name: str, value: Any) -> None:
    body = pushed(b"x")
    body["message"][name] = value
    with pytest.raises(MalformedRequest):
        read_push(json.dumps(body).encode())


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"message": []}', b'{"message": null}', temporal_asset()])
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedRequest):
        read_push(content)


@pytest.mark.parametrize("name", ["changed", "policy_changed", "deleted"])
def test_a_temporal_asset_is_a_change(name: str) -> None:
    assert word_of(temporal_asset(name)) == "change"


@pytest.mark.parametrize("data", [WELCOME, b'"' + WELCOME + b'"'])
def test_the_first_message_of_a_feed_is_its_welcome(data: bytes) -> None:
    assert word_of(data) == "welcome"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"hello", b"{}", b"[]", b'{"asset": 1}', b'{"asset": {"name": "", "assetType": "x"}}', b'{"asset": {"name": "x"}}',
        b'{"asset": {"name": "x", "assetType": ["x"]}}', b"[" * 500, b'{"asset":{"name":"x","assetType":"y"},"asset":{}}', b"\xff",
        b"[" + b"1," * 300_000 + b"1]",
    ],
)  # fmt: skip
def test_anything_else_on_the_topic_is_no_change(data: bytes) -> None:
    assert word_of(data) == "other"


@given(st.binary(max_size=200))
def test_whatever_bytes_come_are_read_or_refused(content: bytes) -> None:
    assert word_of(content) in {"change", "welcome", "other"}
    with pytest.raises(MalformedRequest):
        read_push(content)
