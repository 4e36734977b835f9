"""Calls to the platform's language model, counted over a real Postgres as the function that asks it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest

from shared.data.database import Database
from shared.data.errors import PoolExhausted, QueryTimeout
from shared.data.model_quota import Windows, take_model_call
from shared.security.plans import ModelCallsUsed
from tests.support.database import ClonedDatabase, actor_in

WEDNESDAY = datetime(2026, 1, 7, 10, 30, tzinfo=UTC)  # ISO week 2 of 2026 began on Monday the 5th
THREADS = 50
Take = Callable[[], bool]


def take(db: Database, org_id: UUID, plan: str, now: datetime = WEDNESDAY) -> bool:
    """Take one call in a unit of work of its own; says whether it was let through."""
    try:
        with db.unit(actor_in(org_id)) as tx:
            take_model_call(tx, plan, now=now)
    except ModelCallsUsed:
        return False
    return True


def counted(database: ClonedDatabase, org_id: UUID) -> dict[tuple[str, datetime], int]:
    rows = database.owner.run("select period, starts_at, used from core.model_calls where org_id = :id", id=org_id)
    return {(row[0], row[1]): row[2] for row in rows}


@pytest.fixture
def db(database: ClonedDatabase) -> Database:
    return database.build_database("analyze", pool_size=8)


@pytest.mark.parametrize("plan, cap, window", [("free", 5, "week"), ("team", 20, "hour")])
def test_the_plans_gate_lets_its_number_through_and_no_more(
    database: ClonedDatabase, db: Database, plan: str, cap: int, window: str
) -> None:
    org_id, other = database.make_org(plan=plan), database.make_org(plan=plan)
    assert [take(db, org_id, plan) for _ in range(cap + 3)] == [True] * cap + [False] * 3
    with pytest.raises(ModelCallsUsed) as caught, db.unit(actor_in(org_id)) as tx:
        take_model_call(tx, plan, now=WEDNESDAY)
    facts = caught.value.facts
    assert (facts["used"], facts["cap"], facts["window"]) == (cap, cap, window)
    assert facts["required_plan"] == {"free": "team", "team": "enterprise"}[plan]
    ends = {"week": "2026-01-12T00:00:00+00:00", "hour": "2026-01-07T11:00:00+00:00"}
    assert facts["resets_at"] == ends[window]
    assert take(db, other, plan), "one organisation pays for another"


def test_the_dearest_plan_has_no_gate_and_is_counted(database: ClonedDatabase, db: Database) -> None:
    org_id = database.make_org(plan="enterprise")
    assert all(take(db, org_id, "enterprise") for _ in range(30))
    assert set(counted(database, org_id).values()) == {30}


def test_a_new_window_begins_at_the_full_hour_and_on_monday(database: ClonedDatabase, db: Database) -> None:
    team, free = database.make_org(plan="team"), database.make_org(plan="free")
    last_moment = datetime(2026, 1, 11, 23, 59, 59, 999999, tzinfo=UTC)  # a Sunday
    assert [take(db, team, "team", last_moment) for _ in range(21)][-2:] == [True, False]
    assert [take(db, free, "free", last_moment) for _ in range(6)][-2:] == [True, False]
    monday = last_moment + timedelta(microseconds=1)
    assert take(db, team, "team", monday)
    assert take(db, free, "free", monday)


@pytest.mark.parametrize(
    "now, week",
    [
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2025, 12, 29, tzinfo=UTC)),  # week 1 begins in the old year
        (datetime(2026, 1, 4, 23, 59, tzinfo=UTC), datetime(2025, 12, 29, tzinfo=UTC)),
        (datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC)),
        (datetime(2027, 1, 3, tzinfo=UTC), datetime(2026, 12, 28, tzinfo=UTC)),  # week 53 goes on into the new year
    ],
)
def test_weeks_are_those_of_iso_8601(now: datetime, week: datetime) -> None:
    assert Windows.at(now).week == week
    assert week.isocalendar()[:2] == now.isocalendar()[:2]
    assert week.isocalendar()[2] == 1


def test_both_windows_are_charged_so_that_a_change_of_plan_forgets_nothing(
    database: ClonedDatabase, db: Database
) -> None:
    org_id = database.make_org(plan="team")
    assert all(take(db, org_id, "team") for _ in range(7))
    assert not take(db, org_id, "free"), "seven calls of this week are over the smaller plan's five"
    free = database.make_org(plan="free")
    assert all(take(db, free, "free") for _ in range(5))
    assert [take(db, free, "team") for _ in range(16)] == [True] * 15 + [False], (
        "the hour's five count for the new plan"
    )


def test_a_refused_call_costs_nothing_even_when_its_unit_of_work_commits(
    database: ClonedDatabase, db: Database
) -> None:
    org_id = database.make_org(plan="free")
    for _ in range(5):
        take(db, org_id, "free")
    before = counted(database, org_id)
    for _ in range(3):
        with db.unit(actor_in(org_id)) as tx, pytest.raises(ModelCallsUsed):
            take_model_call(tx, "free", now=WEDNESDAY)
    assert counted(database, org_id) == before
    assert set(before.values()) == {5}


def test_a_call_whose_unit_of_work_is_rolled_back_costs_nothing(database: ClonedDatabase, db: Database) -> None:
    org_id = database.make_org(plan="free")
    with pytest.raises(RuntimeError), db.unit(actor_in(org_id)) as tx:
        take_model_call(tx, "free", now=WEDNESDAY)
        raise RuntimeError("the caller failed")
    assert counted(database, org_id) == {}
    assert [take(db, org_id, "free") for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.parametrize("plan, cap", [("free", 5), ("team", 20)])
def test_fifty_threads_get_exactly_what_the_plan_allows(database: ClonedDatabase, plan: str, cap: int) -> None:
    org_id, barrier = database.make_org(plan=plan), Barrier(THREADS)
    processes = [database.build_database("analyze", pool_size=2) for _ in range(10)]

    def run(number: int) -> bool:
        barrier.wait()
        while True:
            try:
                return take(processes[number % len(processes)], org_id, plan)
            except (PoolExhausted, QueryTimeout):
                continue  # a busy database is no verdict: its callers try again, and it stored nothing

    with ThreadPoolExecutor(THREADS) as pool:
        verdicts = Counter(pool.map(run, range(THREADS)))
    assert verdicts == {True: cap, False: THREADS - cap}
    assert set(counted(database, org_id).values()) == {cap}, "the gates were charged for what was refused, or unevenly"
