"""What a process keeps from elsewhere: read when due, by one thread, and kept on while its source is away."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from shared.ports.errors import ServiceAway
from shared.ports.kept import Kept
from shared.testing.clock import FakeClock

WAIT_SECONDS = 20


class Source:
    """Gives 1, 2, 3, … while it is there; a test can hold it up in the middle of an answer."""

    def __init__(self) -> None:
        self.is_away = False
        self.asked = 0
        self.has_begun = Event()
        self.may_go_on = Event()
        self.may_go_on.set()

    def read(self) -> int:
        self.asked += 1
        self.has_begun.set()
        assert self.may_go_on.wait(WAIT_SECONDS)
        if self.is_away:
            raise ServiceAway("source")
        return self.asked


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def kept(source: Source, clock: FakeClock) -> Kept[int]:
    return Kept("number", source.read, clock, fresh_seconds=60)


def test_it_is_read_when_it_is_needed_and_again_when_it_is_old(
    kept: Kept[int], source: Source, clock: FakeClock
) -> None:
    assert source.asked == 0
    assert [kept.get(), kept.get()] == [1, 1]
    clock.advance(60)
    assert [kept.get(), kept.get()] == [2, 2]


def test_what_never_ages_is_read_once(source: Source, clock: FakeClock) -> None:
    kept = Kept("number", source.read, clock)
    kept.get()
    clock.advance(10**9)
    assert kept.get() == 1


def test_an_older_one_is_kept_while_its_source_is_away(kept: Kept[int], source: Source, clock: FakeClock) -> None:
    kept.get()
    source.is_away = True
    clock.advance(60)
    assert [kept.get() for _ in range(5)] == [1] * 5
    assert source.asked == 2, "every caller asks a source that is away"
    clock.advance(10)
    assert kept.get() == 1
    source.is_away = False
    clock.advance(10)
    assert kept.get() == 4


def test_without_one_callers_are_told_and_the_source_is_asked_again_soon(
    kept: Kept[int], source: Source, clock: FakeClock
) -> None:
    source.is_away = True
    for _ in range(5):
        with pytest.raises(ServiceAway):
            kept.get()
    assert source.asked == 1
    source.is_away = False
    clock.advance(1)
    assert kept.get() == 2


@pytest.mark.parametrize("is_away", [True, False])
def test_who_has_none_waits_for_the_one_reading(kept: Kept[int], source: Source, is_away: bool) -> None:
    def outcome() -> object:
        try:
            return kept.get()
        except ServiceAway as error:
            return error.code

    source.is_away = is_away
    source.may_go_on.clear()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(outcome) for _ in range(8)]
        assert source.has_begun.wait(WAIT_SECONDS)
        assert not any(item.done() for item in waiting)
        source.may_go_on.set()
        found = [item.result(WAIT_SECONDS) for item in waiting]
    assert found == ["service_away" if is_away else 1] * 8
    assert source.asked == 1


def test_who_has_an_older_one_waits_for_nobody(kept: Kept[int], source: Source, clock: FakeClock) -> None:
    kept.get()
    clock.advance(60)
    source.has_begun.clear()
    source.may_go_on.clear()
    with ThreadPoolExecutor(1) as pool:
        reading: Future[int] = pool.submit(kept.get)
        assert source.has_begun.wait(WAIT_SECONDS)
        assert [kept.get(), kept.get()] == [1, 1]
        assert not reading.done()
        source.may_go_on.set()
        assert reading.result(WAIT_SECONDS) == 2
    assert kept.get() == 2


def test_a_defect_in_reading_leaves_nobody_waiting(clock: FakeClock) -> None:
    answers: list[object] = [ZeroDivisionError(), 7]

    def read() -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    kept = Kept("number", read, clock)
    with pytest.raises(ZeroDivisionError):
        kept.get()
    assert kept.get() == 7


def test_what_was_let_go_is_read_anew_unless_it_was_replaced_already(kept: Kept[int]) -> None:
    first = kept.get()
    kept.forget(first)
    second = kept.get()
    assert (first, second) == (1, 2)
    kept.forget(first)
    assert kept.get() == 2
