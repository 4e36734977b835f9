"""Rate limits over the Redis protocol: who is counted as whom, what callers are told, and what happens without the limiter."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest
from flask import Request, Response
from redis import Redis
from werkzeug.test import EnvironBuilder

from shared.http import app as app_module
from shared.http.access import Access
from shared.http.app import App
from shared.http.deps import Deps
from shared.http.reply import Reply
from shared.http.routes import Route
from shared.ports.errors import ServiceAway
from shared.security import ratelimit as ratelimit_module
from shared.security.actor import Actor, Role
from shared.security.ratelimit import (
    ADDRESS,
    HUMAN,
    KEY,
    OPEN_TO_ALL,
    ORG,
    REFUSED,
    SIGNED_IN,
    SIGNING_IN,
    Limit,
    Limiter,
    Quota,
)
from shared.telemetry.log import logger
from tests.support.gate import gate_before
from tests.support.http_app import ORG as ORG_ID
from tests.support.http_app import SETTINGS, World, call, problem
from tests.support.redis_server import free_port, redis_server, silent_server

HOUR = 3600  # long windows: nothing comes back while a test runs
SMALL = Quota("small", "address", 5, HOUR)
LASTING = Limit(tuple(replace(quota, window_seconds=HOUR) for quota in (KEY, HUMAN, ORG)))
THINGS = f"/orgs/{ORG_ID}/things"
ROUTES: list[Route[Deps]] = [
    Route("GET", "/open", lambda *_: Reply.ok({}), Access.anyone(), limit=Limit((SMALL,))),
    Route("GET", "/auth/login", lambda *_: Reply.ok({}), Access.anyone(), limit=Limit((SMALL,), is_closed=True)),
    Route("GET", "/me", lambda *_: Reply.ok({}), Access.signed_in(), limit=LASTING),
    Route("GET", "/orgs/{org_id}/things", lambda *_: Reply.ok({}), Access.member(Role.VIEWER), limit=LASTING),
    Route("POST", "/orgs/{org_id}/things", lambda *_: Reply.ok({}), Access.member(Role.VIEWER), limit=LASTING.costing(400)),
    Route("POST", "/_events/x", lambda *_: Reply.no_content(), Access.from_event("x")),
]  # fmt: skip


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with redis_server() as found:
        yield found


@pytest.fixture
def world(url: str) -> World:
    client = Redis.from_url(url)
    client.flushall()
    client.close()
    # a busy machine is no outage; what happens when the server is slow has tests of its own
    return World(settings=replace(SETTINGS, redis_url=url, redis_deadline_ms=5000))


def from_address(app: App[Deps], path: str, address: str) -> Response:
    environ = EnvironBuilder(path=path).get_environ() | {"REMOTE_ADDR": address}
    return app.handle(Request(environ))


def limiter(url: str, **members: object) -> Limiter:
    return Limiter(replace(SETTINGS, **{"redis_url": url, "redis_deadline_ms": 5000, **members}))  # type: ignore[arg-type]


# --- counting --------------------------------------------------------------------------------------------------------


def test_after_the_quota_calls_are_refused_and_told_when_to_come_back(world: World) -> None:
    app = world.app(ROUTES)
    answers = [call(app, "GET", "/open") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    found = problem(answers[-1], 429, "rate_limited")
    assert found["violated_policies"] == ["small"]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= HOUR / 5, (
        "one of five calls an hour comes back every 12 minutes"
    )


def test_every_answer_says_what_is_left(world: World) -> None:
    app = world.app(ROUTES)
    answers = [call(app, "GET", "/open") for _ in range(6)]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {f'"small";q=5;w={HOUR}'}
    left = [re.fullmatch(r'"small";r=(\d+);t=(\d+)', answer.headers["RateLimit"]) for answer in answers]
    assert [int(item[1]) for item in left if item] == [4, 3, 2, 1, 0, 0]
    resets = [int(item[2]) for item in left if item]
    assert resets[:5] == sorted(resets[:5])
    assert HOUR * 0.8 < resets[4] <= HOUR


def test_what_was_spent_comes_back_with_time(url: str) -> None:
    quick = Limit((Quota("quick", "address", 4, 1),))
    counted, spent = limiter(url), Actor()
    for _ in range(4):
        verdict = counted.charge(quick, spent, "192.0.2.9")
        assert verdict is not None
        assert verdict.refusal() is None
    ends_at = time.monotonic() + 20
    refused = 0
    while time.monotonic() < ends_at:
        verdict = counted.charge(quick, spent, "192.0.2.9")
        assert verdict is not None
        if verdict.refusal() is None:
            break
        refused += 1
        time.sleep(0.02)
    else:
        pytest.fail("a spent quota never came back")
    assert verdict.standings[0].left <= 3


def test_many_at_once_get_exactly_the_quota(world: World) -> None:
    app = world.app(ROUTES)
    with ThreadPoolExecutor(8) as pool:
        statuses = [answer.status_code for answer in pool.map(lambda _: call(app, "GET", "/open"), range(40))]
    assert (statuses.count(200), statuses.count(429)) == (5, 35)


def test_instances_share_one_count(world: World) -> None:
    one, other = world.app(ROUTES), world.app(ROUTES)
    statuses = [call(app, "GET", "/open").status_code for app in (one, other) * 3]
    assert statuses == [200] * 5 + [429]


def test_addresses_are_counted_apart_and_an_ipv6_client_by_its_network(world: World) -> None:
    app = world.app(ROUTES)
    for _ in range(5):
        from_address(app, "/open", "192.0.2.1")
    for number in range(5):
        from_address(app, "/open", f"2001:db8:0:1::{number}")
    assert from_address(app, "/open", "192.0.2.1").status_code == 429
    assert from_address(app, "/open", "::ffff:192.0.2.1").status_code == 429, "the same client over IPv6 sockets"
    assert from_address(app, "/open", "192.0.2.2").status_code == 200
    assert from_address(app, "/open", "2001:db8:0:1:ffff::1").status_code == 429, "one client has a whole /64"
    assert from_address(app, "/open", "2001:db8:0:2::1").status_code == 200


def test_keys_people_and_organisations_each_have_a_count(world: World) -> None:
    app = world.app(ROUTES)
    person, key = world.person("owner"), world.key("read")

    def left(token: str) -> dict[str, int]:
        fields = call(app, "GET", THINGS, token=token).headers["RateLimit"]
        return {name: int(value) for name, value in re.findall(r'"([a-z-]+)";r=(\d+)', fields)}

    assert left(person) == {"user": HUMAN.units - 1, "org": ORG.units - 1}
    assert left(key) == {"key": KEY.units - 1, "org": ORG.units - 2}
    assert left(world.key("read")) == {"key": KEY.units - 1, "org": ORG.units - 3}, "another key, the same organisation"
    assert call(app, "GET", "/me", token=person).headers["RateLimit"].startswith(f'"user";r={HUMAN.units - 2};')


def test_expensive_calls_cost_more_and_a_refused_call_costs_nothing(world: World) -> None:
    app, key = world.app(ROUTES), world.key("read")
    statuses = [call(app, "POST", THINGS, token=key).status_code for _ in range(4)]
    assert statuses == [200] * 3 + [429]
    assert call(app, "GET", THINGS, token=key).status_code == 429, "the key's whole quota is spent"
    person = call(app, "GET", THINGS, token=world.person("viewer"))
    assert person.status_code == 200, "somebody else of the organisation is shut out too"
    assert f'"org";r={ORG.units - 1201};' in person.headers["RateLimit"], (
        "the refused call was charged to the organisation"
    )


def test_calls_without_a_valid_credential_are_counted_by_address(world: World) -> None:
    app = world.app(ROUTES)
    tokens = [None, "garbage", "dw2_" + "0" * 48]
    statuses: list[int] = []
    while 429 not in statuses and len(statuses) < 10 * REFUSED.units:
        statuses.append(call(app, "GET", THINGS, token=tokens[len(statuses) % 3]).status_code)
    assert statuses[-1] == 429, "guessing is never slowed down"
    assert set(statuses[:-1]) == {401}
    assert len(statuses) > REFUSED.units
    assert call(app, "GET", THINGS, token=world.key("read")).status_code == 200, (
        "a valid key is shut out by a neighbour"
    )


def test_events_and_the_probe_are_not_limited(world: World) -> None:
    app = world.app(ROUTES)
    token = world.event_token()
    for response in (call(app, "POST", "/_events/x", token=token), call(app, "GET", "/_health")):
        assert response.status_code < 300
        assert "RateLimit" not in response.headers
    assert all(route.rate_limit is None for route in ROUTES if route.access.who == "event")


def test_defaults_follow_the_access_rule() -> None:
    def default(path: str, access: Access) -> Limit | None:
        return Route("GET", path, lambda *_: Reply.ok({}), access).rate_limit

    assert default("/", Access.anyone()) == OPEN_TO_ALL
    assert default("/auth/callback", Access.anyone()) == SIGNING_IN
    assert default("/auth/health", Access.anyone()) == OPEN_TO_ALL
    assert (
        default("/x", Access.human())
        == default("/x", Access.platform())
        == default("/x", Access.signed_in())
        == SIGNED_IN
    )
    assert SIGNING_IN.is_closed
    assert not OPEN_TO_ALL.is_closed
    assert not SIGNED_IN.is_closed


@pytest.mark.parametrize("cost", [0, -1, ADDRESS.units + 1])
def test_a_limit_that_no_call_could_pass_does_not_load(cost: int) -> None:
    with pytest.raises(ValueError):
        OPEN_TO_ALL.costing(cost)


def test_a_scale_stretches_every_quota(url: str) -> None:
    verdict = limiter(url, rate_scale=1000).charge(OPEN_TO_ALL, Actor(), "192.0.2.77")
    assert verdict is not None
    assert verdict.headers()["RateLimit-Policy"] == f'"address";q={ADDRESS.units * 1000};w=60'


def test_a_count_is_forgotten_once_it_is_whole_again(url: str) -> None:
    limiter(url).charge(Limit((Quota("brief", "org", 10, 10),)), Actor("key", "k", UUID(int=1)), None)
    with Redis.from_url(url) as client:
        (key,) = client.keys("rl:brief:*")
        assert 0 < client.pttl(key) <= 1002


# --- without the limiter ---------------------------------------------------------------------------------------------


def test_without_the_limiter_sign_in_is_closed_and_the_rest_open(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, module in (
        ("http", app_module),
        ("ratelimit", ratelimit_module),
    ):  # loggers keep the first output they saw
        monkeypatch.setattr(module, "_log", logger(name))
    world = World(settings=replace(SETTINGS, redis_url=f"redis://127.0.0.1:{free_port()}/0"))
    app = world.app(ROUTES)
    closed = call(app, "GET", "/auth/login")
    assert problem(closed, 503, "service_away")["service"] == "rate-limiter"
    assert int(closed.headers["Retry-After"]) > 0
    for response in (call(app, "GET", "/open"), call(app, "GET", THINGS, token=world.key("read"))):
        assert response.status_code == 200
        assert "RateLimit" not in response.headers
    problem(call(app, "GET", THINGS, token="garbage"), 401, "unauthenticated")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["severity"] for line in lines if line["message"] == "rate limiter away"] == ["ERROR"], (
        "said once a second"
    )
    assert [line.get("rate_limit") for line in lines if line.get("route") == "/open"] == ["away"]


def test_a_slow_limiter_keeps_nobody_waiting() -> None:
    with silent_server() as url:
        slow = Limiter(replace(SETTINGS, redis_url=url))
        assert slow._deadline_seconds == 0.1
        waits = []
        for _ in range(20):
            began = time.monotonic()
            assert slow.charge(OPEN_TO_ALL, Actor(), "192.0.2.1") is None
            waits.append(time.monotonic() - began)
            with pytest.raises(ServiceAway):
                slow.charge(SIGNING_IN, Actor(), "192.0.2.1")
        assert sum(wait > 0.04 for wait in waits) <= 2, "every call waits for a server that does not answer"


@pytest.mark.parametrize(
    "answer",
    [
        b"-LOADING Redis is loading the dataset in memory\r\n",
        b"-READONLY You can't write against a read only replica.\r\n",
        b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
        b"-NOAUTH Authentication required.\r\n",
        b"+OK\r\n",
        b"$-1\r\n",
        b"*4\r\n:0\r\n:4\r\n$1\r\nx\r\n:0\r\n",
        b"*3\r\n:0\r\n:4\r\n:0\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ],
)
def test_a_limiter_that_answers_something_else_is_away(url: str, answer: bytes) -> None:
    with gate_before(url.removeprefix("redis://").removesuffix("/0")) as gate:
        counted = limiter(f"redis://{gate.address}/0")
        gate.answer(answer)
        assert counted.charge(OPEN_TO_ALL, Actor(), "192.0.2.1") is None
        with pytest.raises(ServiceAway):
            counted.charge(SIGNING_IN, Actor(), "192.0.2.1")
        counted.close()


def test_the_limiter_counts_again_once_it_is_back() -> None:
    port = free_port()
    counted = limiter(f"redis://127.0.0.1:{port}/0")
    assert counted.charge(OPEN_TO_ALL, Actor(), "192.0.2.1") is None
    with redis_server(port):
        ends_at = time.monotonic() + 20
        while (verdict := counted.charge(OPEN_TO_ALL, Actor(), "192.0.2.1")) is None:
            assert time.monotonic() < ends_at, "the limiter is never asked again"
            time.sleep(0.05)
        assert verdict.standings[0].left == ADDRESS.units - 1
    counted.close()


def test_a_connection_that_died_idle_costs_no_caller_anything() -> None:
    port = free_port()
    counted = limiter(f"redis://127.0.0.1:{port}/0")
    for _ in range(2):  # the second server is a new one: connections to the first are dead, and it knows no script
        with redis_server(port):
            verdict = counted.charge(SIGNING_IN, Actor(), "192.0.2.1")
            assert verdict is not None
            assert verdict.refusal() is None
    counted.close()
