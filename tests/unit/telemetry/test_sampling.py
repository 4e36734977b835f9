"""Which requests are traced."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.settings import Settings
from shared.telemetry import traces
from shared.telemetry.context import carried, current_traceparent, is_sampled, start_request

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
LEFT_OUT = SAMPLED[:-2] + "00"
OTHER_FLAGS = SAMPLED[:-2] + "02"  # random trace id (level 2), not sampled
BOTH_FLAGS = SAMPLED[:-2] + "03"


@pytest.fixture(autouse=True)
def tracing() -> Iterator[None]:
    traces.configure(Settings(otlp_endpoint="http://127.0.0.1:9", trace_percent=10))
    yield
    traces.configure(Settings())


def is_traced(parent: str | None, *, is_from_inside: bool) -> bool:
    return traces.span("x", parent=parent, is_from_inside=is_from_inside) is not traces._OFF


@pytest.mark.parametrize("parent", ["", SAMPLED, LEFT_OUT, BOTH_FLAGS])
def test_of_requests_from_outside_so_many_of_a_hundred_whatever_they_ask_for(
    monkeypatch: pytest.MonkeyPatch, parent: str
) -> None:
    chosen = []
    for number in range(100):
        monkeypatch.setattr(traces.secrets, "randbelow", lambda _, number=number: number)
        chosen.append(is_traced(parent, is_from_inside=False))
    assert chosen == [True] * 10 + [False] * 90


def test_what_comes_from_inside_is_traced_as_its_cause_was() -> None:
    for parent, expected in {SAMPLED: True, BOTH_FLAGS: True, LEFT_OUT: False, OTHER_FLAGS: False}.items():
        assert {is_traced(parent, is_from_inside=True) for _ in range(50)} == {expected}, parent


def test_a_tick_without_a_cause_is_one_of_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, expected in {0: True, 9: True, 10: False, 99: False}.items():
        monkeypatch.setattr(traces.secrets, "randbelow", lambda _, number=number: number)
        assert is_traced("", is_from_inside=True) is expected


def test_spans_inside_a_request_follow_it() -> None:
    start_request(None, SAMPLED)
    assert not is_sampled(), "the flag of a request from outside is believed"
    assert current_traceparent().split("-")[1] == SAMPLED.split("-")[1]
    assert not is_traced(None, is_from_inside=False)
    with carried(SAMPLED):
        assert is_traced(None, is_from_inside=False)


def test_without_a_collector_nothing_is_traced() -> None:
    traces.configure(Settings(trace_percent=100))
    assert not is_traced(SAMPLED, is_from_inside=True)
    assert not is_traced("", is_from_inside=False)


def test_a_tenth_by_default() -> None:
    assert Settings().trace_percent == 10
