"""Setting the journey up: what becomes of a sign-in, and that nothing is made twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from infra.journey.set_up import KEY, ORGANISATION, Operator, SetUpFailed, Wish
from shared.testing.clock import FakeClock

CODES = {
    "device_code": "d", "user_code": "BCDF-GHJK", "verification_uri_complete": "https://x/device?user_code=BCDF-GHJK",
    "expires_in": 60, "interval": 5,
}  # fmt: skip
LIVE = {"id": "k", "name": KEY, "revoked_at": None, "replaced_by_id": None}


def operator(answer: Callable[[httpx.Request], tuple[int, Any]]) -> tuple[Operator, list[str], FakeClock]:
    """Return an operator of a suite that answers so, what was asked, and the clock."""
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        status, document = answer(request)
        return httpx.Response(status, json=document)

    clock = FakeClock()
    client = httpx.Client(base_url="https://x", transport=httpx.MockTransport(handle))
    return Operator(client, clock, lambda _line: None), asked, clock


def signing_in(*errors: str) -> Callable[[httpx.Request], tuple[int, Any]]:
    """Answer polls with these errors, the last one for ever."""
    left = list(errors)

    def answer(request: httpx.Request) -> tuple[int, Any]:
        if request.url.path == "/auth/device/code":
            return 200, CODES
        error = left.pop(0) if len(left) > 1 else left[0]
        return (400, {"error": error}) if error else (200, {"access_token": "t"})

    return answer


def test_it_waits_for_the_person_and_longer_when_it_is_told_to() -> None:
    found, asked, clock = operator(signing_in("authorization_pending", "slow_down", ""))
    found.sign_in()
    assert asked.count("POST /auth/token") == 3
    assert clock.monotonic_seconds() == 5 + 5 + 10


@pytest.mark.parametrize(
    ("error", "told"), [("access_denied", "signing in: 400 access_denied"), ("authorization_pending", "nobody let")]
)
def test_a_person_who_does_not_let_it_in_ends_it(error: str, told: str) -> None:
    found, _, _ = operator(signing_in(error))
    with pytest.raises(SetUpFailed, match=told):
        found.sign_in()


def suite_with(orgs: list[Any], accounts: list[Any], keys: list[Any]) -> Callable[[httpx.Request], tuple[int, Any]]:
    lists = {"/api/v2/orgs": orgs, "/api/v2/orgs/o/cloud-accounts": accounts, "/api/v2/orgs/o/api-keys": keys}

    def answer(request: httpx.Request) -> tuple[int, Any]:
        if request.method == "GET":
            return 200, {"items": lists[request.url.path]}
        return 201, {"id": "o", "external_id": "e", "raw_key": "dw2_new"}

    return answer


def test_what_is_missing_is_made() -> None:
    found, asked, _ = operator(suite_with([{"id": "p", "name": "Acme"}], [], [{**LIVE, "name": "another"}]))
    assert found.new_key(Wish()) == ("o", "dw2_new")
    assert [call for call in asked if call.startswith("POST")] == [
        "POST /api/v2/orgs", "POST /api/v2/orgs/o/cloud-accounts", "POST /api/v2/orgs/o/api-keys",
    ]  # fmt: skip


def test_what_is_there_stays_and_its_key_gets_a_successor() -> None:
    old = [{**LIVE, "id": "older", "revoked_at": "2026-01-01T00:00:00Z"}, {**LIVE, "id": "old", "replaced_by_id": "k"}]
    found, asked, _ = operator(suite_with([{"id": "o", "name": ORGANISATION}], [{"id": "a"}], [*old, LIVE]))
    assert found.new_key(Wish()) == ("o", "dw2_new")
    assert [call for call in asked if call.startswith("POST")] == ["POST /api/v2/orgs/o/api-keys/k/rotate"]


def test_a_refusal_is_told_with_its_code() -> None:
    found, _, _ = operator(lambda _request: (403, {"code": "human_required"}))
    with pytest.raises(SetUpFailed, match="403 human_required"):
        found.new_key(Wish())
