"""Calls that the limiter charged ahead: never more than the quota, refused only by the server, and few round trips.

The script runs in the emulator's server; its clock and the limiter's stand still until a test moves them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from unittest.mock import patch
from uuid import UUID

import fakeredis
import pytest
from fakeredis import FakeRedis, FakeServer
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.ports.errors import ServiceAway
from shared.security import ratelimit
from shared.security.actor import Actor
from shared.security.leases import LEASE_SECONDS
from shared.security.ratelimit import Limit, Limiter, Quota, Verdict
from tests.support.http_app import SETTINGS
from tests.support.redis_server import redis_server

KEY, ORG = Quota("key", "key", 240), Quota("org", "org", 480)
BOTH = Limit((KEY, ORG))
SHARE = 1 / 16  # of a quota may be in use where units are charged ahead
_MICROSECOND = 1e-6


@dataclass
class Watch:
    """One clock for the server and for every instance."""

    now: float = 1_700_000_000.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now - 1_600_000_000


@dataclass
class Shadow:
    """The exact count (GCRA) of what one subject really spent, when it did."""

    quota: Quota
    full_at: float = 0.0

    @property
    def each(self) -> float:
        return self.quota.window_seconds / self.quota.units

    def used_seconds(self, now: float) -> float:
        return max(self.full_at - now, 0.0)

    def left(self, now: float) -> int:
        return int((self.quota.window_seconds - self.used_seconds(now)) / self.each + 0.001)

    def spend(self, cost: int, now: float) -> None:
        self.full_at = max(self.full_at, now) + cost * self.each


@dataclass
class Fleet:
    """Instances of a function, which share one server."""

    watch: Watch
    instances: list[Limiter]
    questions: int = 0
    shadows: dict[tuple[str, str], Shadow] = field(default_factory=dict)

    def call(self, instance: int, actor: Actor, limit: Limit = BOTH) -> Verdict:
        """Make one call and count it in the shadow."""
        verdict = self.instances[instance].charge(limit, actor, None)
        assert verdict is not None
        if verdict.refusal() is None:
            for shadow in self.shadows_of(actor, limit):
                shadow.spend(limit.cost, self.watch.now)
        return verdict

    def shadows_of(self, actor: Actor, limit: Limit) -> list[Shadow]:
        subjects = {"key": actor.id, "org": str(actor.org_id)}
        return [self.shadows.setdefault((quota.name, subjects[quota.subject]), Shadow(quota)) for quota in limit.quotas]


def make_fleet(watch: Watch, size: int) -> Fleet:
    server = FakeServer()
    fleet = Fleet(watch, [])
    for _ in range(size):
        limiter = Limiter(replace(SETTINGS, redis_url="redis://in-memory"))
        script = FakeRedis(server=server).register_script(ratelimit._SCRIPT)

        def ask(keys: list[str], args: list[object], script: object = script) -> object:
            fleet.questions += 1
            return script(keys=keys, args=args)  # type: ignore[operator]

        limiter._script = ask  # type: ignore[assignment]
        fleet.instances.append(limiter)
    return fleet


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    watch = Watch()
    clock = SimpleNamespace(time=watch.time, monotonic=watch.monotonic)
    with (
        patch.object(fakeredis._socket._base, "time", clock),
        patch.object(fakeredis.commands_mixins.server_mixin, "time", clock),
        patch.object(ratelimit, "time", clock),
    ):
        yield watch


def actor(number: int) -> Actor:
    return Actor("key", f"key-{number}", UUID(int=1))


def calls_until_refused(fleet: Fleet, who: Sequence[Actor], instances: Sequence[int] = (0,)) -> int:
    """Call in turn from everywhere while time stands still; returns how many calls were let in."""
    for number in range(10_000):
        if fleet.call(instances[number % len(instances)], who[number % len(who)]).refusal() is not None:
            return number
    raise AssertionError("nobody is ever refused")


# --- how many ------------------------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.004, 0.02, 0.11, 0.6, 0.97, 1.0, 1.4, 3.0]),  # seconds between the calls of a burst
        st.integers(1, 90),  # calls
        st.integers(0, 2),  # instance
        st.integers(0, 2),  # key, all of one organisation
        st.sampled_from([1, 1, 1, 1, 4]),  # cost
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(steps=STEPS)
def test_never_more_than_the_quota_and_no_refusal_before_fifteen_sixteenths_of_it_are_spent(
    watch: Watch, steps: list[tuple[float, int, int, int, int]]
) -> None:
    watch.now += 10_000
    fleet = make_fleet(watch, 3)
    for pause, calls, instance, number, cost in steps:
        for _ in range(calls):
            watch.now += pause
            verdict = fleet.call(instance, actor(number), BOTH.costing(cost))
            shadows = fleet.shadows_of(actor(number), BOTH)
            tolerance = 2 * _MICROSECOND * sum(item[1] for item in steps)  # the server rounds at each call
            for shadow in shadows:
                assert shadow.used_seconds(watch.now) <= shadow.quota.window_seconds + tolerance, (
                    "more calls were let in than the exact count lets in"
                )
            refused = [item.quota.name for item in verdict.standings if item.is_refused]
            spent = [
                shadow.used_seconds(watch.now) + cost * shadow.each
                for shadow in shadows
                if shadow.quota.name in refused
            ]
            for used in spent:
                assert used >= KEY.window_seconds * (1 - SHARE) - tolerance, "a call was refused too early"


@settings(max_examples=25, deadline=None)
@given(pauses=st.lists(st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0, 2.5]), min_size=1, max_size=150))
def test_what_is_said_to_be_left_is_never_more_than_there_is(watch: Watch, pauses: list[float]) -> None:
    watch.now += 10_000
    fleet = make_fleet(watch, 1)
    for pause in pauses:
        watch.now += pause
        verdict = fleet.call(0, actor(0))
        for standing, shadow in zip(verdict.standings, fleet.shadows_of(actor(0), BOTH), strict=True):
            there_is = shadow.left(watch.now)
            assert there_is - SHARE * shadow.quota.units - 1 <= standing.left <= there_is


def test_from_one_instance_or_from_many_the_quota_is_the_same(watch: Watch) -> None:
    for size in (1, 3):
        watch.now += 10_000
        fleet = make_fleet(watch, size)
        let_in = calls_until_refused(fleet, [actor(0)], range(size))
        assert KEY.units * (1 - SHARE) <= let_in <= KEY.units
        assert fleet.questions < let_in, "each call asked the server"


def test_an_organisations_quota_holds_for_all_its_keys_together(watch: Watch) -> None:
    watch.now += 10_000
    fleet = make_fleet(watch, 3)
    let_in = calls_until_refused(fleet, [actor(number) for number in range(7)], range(3))
    assert ORG.units * (1 - SHARE) <= let_in <= ORG.units


def test_many_callers_who_stop_do_not_use_an_organisations_quota_up(watch: Watch) -> None:
    """Each of them leaves units that were charged ahead and are never spent."""
    watch.now += 10_000
    fleet = make_fleet(watch, 3)
    for number in range(60):
        for _ in range(2):
            fleet.call(number % 3, actor(number))
    spent = 120
    assert (
        ORG.units * (1 - SHARE) - spent
        <= calls_until_refused(fleet, [actor(99), actor(98), actor(97)])
        <= ORG.units - spent
    )


def test_units_that_are_handed_out_late_do_not_come_on_top_of_what_has_flowed_back(watch: Watch) -> None:
    watch.now += 10_000
    fleet = make_fleet(watch, 2)
    for _ in range(2):
        fleet.call(0, actor(0))  # the second is charged two more ahead
    watch.now += LEASE_SECONDS - 0.01  # long enough for all that was spent to flow back
    assert calls_until_refused(fleet, [actor(0)], (1,)) <= KEY.units - 2
    before = fleet.questions
    for _ in range(2):
        assert fleet.call(0, actor(0)).refusal() is None
    assert fleet.questions == before, "these were charged before"
    (key, _) = fleet.shadows_of(actor(0), BOTH)
    assert key.used_seconds(watch.now) <= KEY.window_seconds + _MICROSECOND


# --- when the server is asked ----------------------------------------------------------------------------------------


def test_a_busy_caller_with_plenty_left_asks_a_few_times_only(watch: Watch) -> None:
    watch.now += 10_000
    fleet = make_fleet(watch, 1)
    plenty = Limit(tuple(replace(quota, units=quota.units * 1000) for quota in BOTH.quotas))
    for _ in range(1000):
        watch.now += 0.005
        fleet.call(0, actor(0), plenty)
    assert fleet.questions <= 20


def test_a_caller_that_comes_now_and_then_is_charged_nothing_ahead(watch: Watch) -> None:
    watch.now += 10_000
    fleet = make_fleet(watch, 1)
    lefts = []
    for _ in range(5):
        watch.now += 2 * LEASE_SECONDS
        lefts.append(fleet.call(0, actor(0)).standings[0].left)
    assert lefts == [KEY.units - 1] * 5
    assert fleet.questions == 5


def test_a_closed_route_asks_each_time_and_takes_nothing_that_was_charged_for_an_open_one(watch: Watch) -> None:
    watch.now += 10_000
    fleet = make_fleet(watch, 1)
    closed = replace(BOTH, is_closed=True)
    for _ in range(20):
        fleet.call(0, actor(0), closed)
    assert fleet.questions == 20
    for _ in range(20):
        fleet.call(0, actor(0))
    before = fleet.questions
    fleet.call(0, actor(0), closed)
    assert fleet.questions == before + 1


def test_no_more_is_charged_ahead_than_flows_back_in_that_time(watch: Watch) -> None:
    watch.now += 10_000
    fleet = make_fleet(watch, 2)
    large = Limit((replace(KEY, units=6000),))  # a hundred a second
    for _ in range(300):
        fleet.call(0, actor(0), large)
    told_elsewhere = fleet.call(1, actor(0), large).standings[0].left
    assert 6000 - 301 - 2 * 100 <= told_elsewhere < 6000 - 301


def test_where_little_flows_back_every_call_asks(watch: Watch) -> None:
    watch.now += 10_000
    fleet = make_fleet(watch, 2)
    slow = Limit((replace(KEY, units=20, window_seconds=3600),))
    let_in = [fleet.call(number % 2, actor(0), slow).refusal() is None for number in range(25)]
    assert let_in == [True] * 20 + [False] * 5
    assert fleet.questions == 25


def test_units_that_were_not_spent_in_time_are_not_spent_later(watch: Watch) -> None:
    watch.now += 10_000
    fleet = make_fleet(watch, 1)
    for _ in range(10):
        fleet.call(0, actor(0))
    before = fleet.questions
    watch.now += LEASE_SECONDS
    fleet.call(0, actor(0))
    assert fleet.questions == before + 1


# --- without the server ----------------------------------------------------------------------------------------------


def test_what_was_charged_is_let_in_without_the_server_and_then_routes_are_open_or_closed_as_ever() -> None:
    plenty = replace(BOTH, quotas=tuple(replace(quota, units=quota.units * 1000) for quota in BOTH.quotas))
    with redis_server() as url:
        limiter = Limiter(replace(SETTINGS, redis_url=url, redis_deadline_ms=5000))
        for _ in range(100):
            assert limiter.charge(plenty, actor(0), None) is not None
    ends_at = time.monotonic() + 20
    while (verdict := limiter.charge(plenty, actor(0), None)) is not None:
        assert verdict.refusal() is None
        assert time.monotonic() < ends_at, "it never notices that the server is away"
        time.sleep(0.02)
    with pytest.raises(ServiceAway):
        limiter.charge(replace(plenty, is_closed=True), actor(0), None)
    limiter.close()
