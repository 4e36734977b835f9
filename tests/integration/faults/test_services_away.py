"""What each kind of call must do while one service is away, slow or failing, and that it does well again by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Response

from functions.keys import wiring as keys_wiring
from infra.suite import load_suite
from shared.data import connections
from shared.http.deps import Deps
from shared.ports import google
from shared.ports.errors import ServiceAway
from shared.settings import Settings
from tests.support.backends import (
    Backends,
    Begun,
    Fault,
    Functions,
    NotBegun,
    away,
    running_backends,
    running_functions,
)
from tests.support.database import DatabaseServer
from tests.support.logs import fresh_loggers
from tests.support.waiting import wait_until

# What each kind of call gets: `ok`, or a 503 with Retry-After that names this as away. `fresh` is a process whose first
# requests these are, `running` one that served each kind of call before.
#   health   the public health route
#   key      a read with an API key
#   person   a read with a person's access token, verified by the keys that auth publishes
#   sign-in  the way back from the identity provider
#   token    an access token for a refresh token
EXPECTED = """
service         fault    process  health  key             person         sign-in         token
kms             refused  fresh    ok      ok              jwks           ok              kms
kms             refused  running  ok      ok              ok             ok              kms
kms             silent   fresh    ok      ok              jwks           ok              kms
kms             silent   running  ok      ok              ok             ok              kms
kms             slow     fresh    ok      ok              ok             ok              ok
kms             slow     running  ok      ok              ok             ok              ok
kms             failing  fresh    ok      ok              ok             ok              ok
kms             failing  running  ok      ok              ok             ok              ok
secret_manager  refused  fresh    ok      secret_manager  ok             secret_manager  ok
secret_manager  refused  running  ok      ok              ok             secret_manager  ok
secret_manager  silent   fresh    ok      secret_manager  ok             secret_manager  ok
secret_manager  silent   running  ok      ok              ok             secret_manager  ok
secret_manager  slow     fresh    ok      ok              ok             ok              ok
secret_manager  slow     running  ok      ok              ok             ok              ok
secret_manager  failing  fresh    ok      ok              ok             ok              ok
secret_manager  failing  running  ok      ok              ok             ok              ok
redis           refused  fresh    ok      ok              ok             rate-limiter    rate-limiter
redis           refused  running  ok      ok              ok             rate-limiter    rate-limiter
redis           silent   fresh    ok      ok              ok             rate-limiter    rate-limiter
redis           silent   running  ok      ok              ok             rate-limiter    rate-limiter
redis           slow     fresh    ok      ok              ok             rate-limiter    rate-limiter
redis           slow     running  ok      ok              ok             rate-limiter    rate-limiter
redis           failing  fresh    ok      ok              ok             rate-limiter    rate-limiter
redis           failing  running  ok      ok              ok             rate-limiter    rate-limiter
database        refused  fresh    ok      database_away   database_away  database_away   database_away
database        refused  running  ok      database_away   database_away  database_away   database_away
database        silent   fresh    ok      database_away   database_away  database_away   database_away
database        silent   running  ok      database_away   database_away  database_away   database_away
database        slow     fresh    ok      ok              ok             ok              ok
database        slow     running  ok      ok              ok             ok              ok
database        failing  fresh    ok      database_away   database_away  database_away   database_away
database        failing  running  ok      database_away   database_away  database_away   database_away
"""
HEAD, *ROWS = [line.split() for line in EXPECTED.split("\n") if line]
# An answer that takes longer never reaches its caller: the platform ends the call.
DEADLINE_SECONDS = min(load_suite().functions[name].entry_points[name].timeout_seconds for name in ("auth", "keys"))
RECOVERY_SECONDS = 20.0
REDIS_DEADLINE_MS, PATIENT_MS = 100, 5000  # a busy machine is no outage, unless it is Redis that is looked at


@pytest.fixture(scope="module")
def backends(tmp_path_factory: pytest.TempPathFactory, database_server: DatabaseServer) -> Iterator[Backends]:
    with running_backends(tmp_path_factory.mktemp("google"), database_server) as running:
        yield running


@pytest.fixture
def healthy(backends: Backends) -> Iterator[Backends]:
    """The back ends, all of them well before and after."""
    yield backends
    backends.heal()


def calls_of(functions: Functions, begun: Begun) -> dict[str, Callable[[], Response]]:
    return {
        "health": functions.check_health,
        "key": functions.read_by_key,
        "person": functions.read_by_token,
        "sign-in": lambda: functions.finish_sign_in(begun),
        "token": lambda: functions.refresh(begun),
    }


def ask(functions: Functions, begun: Begun) -> dict[str, str]:
    """Make every kind of call, all at once; returns what each was told to be away."""
    calls = calls_of(functions, begun)
    with ThreadPoolExecutor(len(calls)) as pool:
        waiting = {kind: pool.submit(one) for kind, one in calls.items()}
        return {kind: away(answer.result(DEADLINE_SECONDS)) for kind, answer in waiting.items()}


def serves_everything(functions: Functions) -> bool:
    try:
        begun = functions.begin()
    except NotBegun:
        return False
    return set(ask(functions, begun).values()) == {"ok"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row[:3]))
def test_while_a_service_is_away(
    healthy: Backends, row: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, fault, process, *expected = row
    fresh_loggers(monkeypatch)
    if fault in {"refused", "silent"}:  # no patience brings an answer, so the test need not have as much
        monkeypatch.setattr(google, "_DEADLINE_SECONDS", 2.0)
        monkeypatch.setattr(connections, "_SOCKET_SECONDS", 2.0)
    patience_ms = REDIS_DEADLINE_MS if service == "redis" else PATIENT_MS
    with running_functions(healthy, patience_ms) as functions, running_functions(healthy, PATIENT_MS) as others:
        if process == "running":
            wait_until(lambda: serves_everything(functions), "all is well before", timeout_seconds=RECOVERY_SECONDS)
        begun = others.begin()
        capsys.readouterr()
        healthy.strike(service, fault)  # type: ignore[arg-type]  # words of the table
        found = ask(functions, begun)
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert list(found.values()) == expected
        let_in = [line.get("rate_limit") for line in lines if line["message"] == "request" and line["status"] == 200]
        assert set(let_in) == ({"away"} if service == "redis" else {None})
        healthy.heal()
        wait_until(lambda: serves_everything(functions), "all is well again", timeout_seconds=RECOVERY_SECONDS)
        if found["token"] != "ok":
            assert away(functions.refresh(begun)) == "ok", "the call that failed has used the refresh token up"


def test_callers_of_a_fresh_process_wait_together_and_not_one_after_the_other(healthy: Backends) -> None:
    with running_functions(healthy, PATIENT_MS) as functions, ThreadPoolExecutor(16) as pool:
        healthy.strike("secret_manager", "silent")
        waiting = [pool.submit(functions.read_by_key) for _ in range(16)]
        assert {away(item.result(DEADLINE_SECONDS)) for item in waiting} == {"secret_manager"}


@pytest.mark.parametrize("fault", ["refused", "silent"])
def test_a_fresh_process_verifies_tokens_by_the_keys_that_auth_knows(healthy: Backends, fault: Fault) -> None:
    with running_functions(healthy, PATIENT_MS) as functions:
        wait_until(lambda: serves_everything(functions), "all is well before", timeout_seconds=RECOVERY_SECONDS)
        healthy.strike("kms", fault)
        functions.restart_keys()
        assert away(functions.read_by_token()) == "ok"


def test_clients_that_cannot_be_built_are_built_later(healthy: Backends, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a function's `wiring.py` raises while it builds costs that request, and no other."""
    built = keys_wiring.load_deps
    attempts: list[Settings] = []

    def load_deps(settings: Settings) -> Deps:
        attempts.append(settings)
        if len(attempts) == 1:
            raise ServiceAway("kms")
        return built(settings)

    monkeypatch.setattr(keys_wiring, "load_deps", load_deps)
    with running_functions(healthy, PATIENT_MS) as functions:
        assert [away(functions.read_by_key()) for _ in range(3)] == ["kms", "ok", "ok"]
    assert len(attempts) == 2
