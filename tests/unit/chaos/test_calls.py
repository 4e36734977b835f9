"""How a careful client asks again, and what it takes for final."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from tests.chaos.calls import Caller, Calls, GaveUpError, RefusedError

PROBLEM = {"content-type": "application/problem+json"}


def caller(*answers: httpx.Response | Exception) -> tuple[Caller, list[httpx.Request]]:
    """A client whose requests are answered one after the other."""
    requests: list[httpx.Request] = []
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        found = left.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    client = httpx.Client(transport=httpx.MockTransport(answer))
    return Caller("http://suite.example", Calls(), client=client), requests


def refusal(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"code": code}, headers=PROBLEM)


def test_a_lost_answer_is_asked_for_again_under_the_same_key() -> None:
    asking, requests = caller(httpx.ReadError("cut"), refusal(503, "database_away"), httpx.Response(201, json={}))
    assert asking.insist("POST", "/keys", json={}).status_code == 201
    assert len({request.headers["idempotency-key"] for request in requests}) == 1
    assert [(call.status, call.code) for call in asking.calls.all()] == [(0, ""), (503, "database_away"), (201, "")]


@pytest.mark.parametrize("again", [lambda: refusal(401, "unauthenticated"), lambda: refusal(401, "signature_refused")])
def test_401_is_final_unless_a_clock_is_wrong(again: Callable[[], httpx.Response]) -> None:
    asking, _ = caller(again(), httpx.Response(200, json={}))
    asking.is_clock_wrong.set()
    assert asking.insist("GET", "/me").status_code == 200
    asking, _ = caller(again())
    with pytest.raises(RefusedError):
        asking.insist("GET", "/me")


def test_a_refusal_that_tells_of_an_earlier_attempt_is_good_where_it_is_named() -> None:
    asking, _ = caller(httpx.ReadError("cut"), refusal(409, "key_revoked"))
    assert asking.insist("DELETE", "/key", or_codes=frozenset({"key_revoked"})).status_code == 409
    asking, _ = caller(refusal(409, "key_rotated"))
    with pytest.raises(RefusedError):
        asking.insist("DELETE", "/key", or_codes=frozenset({"key_revoked"}))


def test_nobody_waits_once_the_load_is_to_end() -> None:
    asking, _ = caller(refusal(503, "database_away"))
    asking.stop.set()
    with pytest.raises(GaveUpError):
        asking.insist("GET", "/me")


def test_an_error_of_no_documented_shape_is_noted() -> None:
    asking, _ = caller(httpx.Response(500, text="<h1>Internal Server Error</h1>"), refusal(500, "internal"))
    for _ in range(2):
        asking.ask("GET", "/me")
    assert [call.is_typed for call in asking.calls.all()] == [False, True]
