"""Who is handed how many units, and until when; what they cost is the server's to say (tests/integration/http)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from shared.security.leases import LEASE_SECONDS, MOST_CALLERS, Leases


def ask(leases: Leases[str], now: float, *, cost: int = 1, most: int = 1000, caller: str = "ann") -> int:
    """Ask the server, which grants up to so many units; returns how many were asked for."""
    wanted = leases.begin(caller, now)
    leases.end(caller, cost, wanted, now, ("terms", min(wanted, most)))
    return wanted


def take_all(leases: Leases[str], now: float) -> int:
    taken = 0
    while leases.take("ann", 1, now) is not None:
        taken += 1
    return taken


def test_a_caller_seen_for_the_first_time_gets_nothing_ahead() -> None:
    leases: Leases[str] = Leases()
    assert leases.take("ann", 1, 0.0) is None
    assert ask(leases, 0.0) == 0
    assert leases.take("ann", 1, 0.0) is None


def test_a_caller_that_comes_now_and_then_never_gets_anything_ahead() -> None:
    leases: Leases[str] = Leases()
    for number in range(10):
        assert leases.take("ann", 1, number * 2 * LEASE_SECONDS) is None
        assert ask(leases, number * 2 * LEASE_SECONDS) == 0


def test_who_spends_faster_than_expected_gets_more_each_time() -> None:
    leases: Leases[str] = Leases()
    asked, calls = [], 0
    for _ in range(8):
        asked.append(ask(leases, 0.5))
        calls += 1 + take_all(leases, 0.5)
    assert asked == [0, 2, 6, 14, 30, 62, 126, 254]
    assert calls == 8 + sum(asked)


def test_who_keeps_a_pace_gets_what_it_spends() -> None:
    leases: Leases[str] = Leases()
    ask(leases, 0.0)
    granted = [ask(leases, 0.1)]
    now = 0.1
    for step in range(1, 400):  # ten calls a second
        now = 0.1 + step / 10
        if leases.take("ann", 1, now) is None:
            granted.append(ask(leases, now))
    assert len(granted) < 70, "it asks about once a second"
    assert max(granted[5:]) <= 20
    assert sum(granted) < 600, "half of what is charged is never spent"


def test_units_end_with_their_time() -> None:
    leases: Leases[str] = Leases()
    ask(leases, 0.0)
    assert ask(leases, 0.0) == 2
    assert leases.take("ann", 1, LEASE_SECONDS - 0.001) == ("terms", 1)
    assert leases.take("ann", 1, LEASE_SECONDS) is None


def test_the_time_runs_from_before_the_question() -> None:
    leases: Leases[str] = Leases()
    ask(leases, 0.0)
    wanted = leases.begin("ann", 0.2)
    leases.end("ann", 1, wanted, 0.2, ("terms", wanted))  # whenever the answer came
    assert leases.take("ann", 1, 0.2 + LEASE_SECONDS) is None


def test_a_call_that_costs_more_than_is_left_asks() -> None:
    leases: Leases[str] = Leases()
    ask(leases, 0.0)
    ask(leases, 0.0)
    assert leases.take("ann", 3, 0.0) is None
    assert leases.take("ann", 2, 0.0) == ("terms", 0)


def test_one_asks_for_the_next_lease_while_others_only_pay_for_themselves() -> None:
    leases: Leases[str] = Leases()
    ask(leases, 0.0)
    first = leases.begin("ann", 0.0)
    assert first == 2
    assert leases.begin("ann", 0.0) == 0
    leases.end("ann", 1, 0, 0.0, ("terms", 0))  # the other is back first
    assert leases.take("ann", 1, 0.0) is None
    leases.end("ann", 1, first, 0.0, ("terms", 2))
    assert leases.take("ann", 1, 0.0) == ("terms", 1)


def test_a_question_without_an_answer_does_not_stop_the_next() -> None:
    leases: Leases[str] = Leases()
    ask(leases, 0.0)
    wanted = leases.begin("ann", 0.0)
    leases.end("ann", 1, wanted, 0.0, None)
    assert leases.begin("ann", 0.0) == 2


def test_callers_are_apart() -> None:
    leases: Leases[str] = Leases()
    ask(leases, 0.0)
    ask(leases, 0.0)
    assert leases.take("bob", 1, 0.0) is None
    assert ask(leases, 0.0, caller="bob") == 0


def test_the_memory_is_bounded_and_the_busy_stay() -> None:
    leases: Leases[str] = Leases()
    for number in range(2 * MOST_CALLERS):
        ask(leases, 0.0, caller=f"caller {number}")
        if number % 1000 == 0:
            ask(leases, 0.0)
    assert len(leases._leases) == MOST_CALLERS
    assert leases.take("ann", 1, 0.0) is not None


def test_of_many_threads_none_gets_a_unit_twice() -> None:
    leases: Leases[str] = Leases()
    ask(leases, 0.0)
    while ask(leases, 0.0) < 1000:
        take_all(leases, 0.0)
    units = leases._leases["ann"].units
    with ThreadPoolExecutor(8) as pool:
        taken = [item for item in pool.map(lambda _: leases.take("ann", 1, 0.0), range(2 * units)) if item]
    assert sorted(left for _, left in taken) == list(range(units))
