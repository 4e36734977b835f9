"""What is made once for each key: shared while it is good, made again afterwards, bounded in number."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.ports.kept_by_key import KeptByKey
from shared.testing.clock import FakeClock


def test_whoever_wants_the_same_waits_for_the_first_one_and_nobody_else_does() -> None:
    kept = KeptByKey[str](FakeClock(), most=8)
    begun, go_on, made = threading.Event(), threading.Event(), list[str]()

    def slow() -> str:
        begun.set()
        assert go_on.wait(30)
        made.append("slow")
        return "slow"

    with ThreadPoolExecutor(4) as pool:
        same = [pool.submit(kept.get, "a", slow, lambda _found: 60.0) for _ in range(3)]
        assert begun.wait(30)
        assert kept.get("b", lambda: "other", lambda _found: 60.0) == "other"
        go_on.set()
        assert [future.result(30) for future in same] == ["slow"] * 3
    assert made == ["slow"]


def test_a_failure_is_not_remembered() -> None:
    kept = KeptByKey[int](FakeClock(), most=8)
    with pytest.raises(ZeroDivisionError):
        kept.get("a", lambda: 1 // 0, lambda _found: 60.0)
    assert kept.get("a", lambda: 1, lambda _found: 60.0) == 1


def test_each_is_good_for_as_long_as_it_says() -> None:
    clock = FakeClock()
    kept, numbers = KeptByKey[int](clock, most=8), iter(range(10))
    for passed, expected in ((0, 0), (29, 0), (1, 1), (29, 1)):
        clock.advance(passed)
        assert kept.get("a", lambda: next(numbers), lambda _found: 30.0) == expected


def test_whatever_ends_first_goes_when_there_are_too_many() -> None:
    kept = KeptByKey[int](FakeClock(), most=2)
    for key, seconds in ((1, 30.0), (2, 10.0), (3, 20.0)):
        assert kept.get(key, lambda key=key: key, lambda _found, seconds=seconds: seconds) == key
    assert len(kept) == 2
    assert [kept.get(key, lambda: 0, lambda _found: 5.0) for key in (1, 3)] == [1, 3], "the second one made room"
