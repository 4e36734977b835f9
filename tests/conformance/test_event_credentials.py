"""Every route that takes events, at its own process: nobody but the queue and the scheduler gets in.

From outside these routes do not exist (`test_routes`); here somebody has got past the gateway.
"""

from __future__ import annotations

import importlib
from typing import Any
from uuid import uuid4

import httpx
import pytest

from infra.suite import SUITE_FILE, load_suite
from local_emulator.names import SENDER
from shared.http.routes import Route
from tests.conformance.test_route_credentials import Forger
from tests.support.running_suite import RunningSuite, problem
from tests.support.scanning import Estate

SUITE = load_suite(SUITE_FILE)
EVENTS: list[tuple[str, Route[Any]]] = [
    (entry_point.name, route)
    for name, function in sorted(SUITE.functions.items())
    for route in getattr(importlib.import_module(f"functions.{name}.routes"), "EVENT_ROUTES", [])
    for entry_point in function.entry_points.values()
    if entry_point.trigger == "events"
]


def over_events() -> Any:
    return pytest.mark.parametrize(
        ("entry_point", "route"), EVENTS, ids=[f"{name} {route.path}" for name, route in EVENTS]
    )


def post(suite: RunningSuite, entry_point: str, route: Route[Any], token: str | None) -> httpx.Response:
    headers = {"X-Request-Id": "the-same-for-all"} | ({"Authorization": f"Bearer {token}"} if token else {})
    message = {"message": {"data": "e30=", "messageId": str(uuid4()), "attributes": {"org_id": str(suite.org_id)}}}
    url = f"http://127.0.0.1:{suite.processes[entry_point]}{route.path}"
    return suite.client.post(url, json=message, headers=headers)


@pytest.fixture(scope="module")
def forged(emulator: RunningSuite) -> dict[str, str | None]:
    """Credentials by what is wrong with them; `{worker}` stands for the worker's own address."""
    forger = Forger(emulator)
    return {
        "no token": None,
        "garbage": "garbage",
        "an owner's token": emulator.tokens["owner"],
        "the platform admin's token": emulator.tokens["platform_admin"],
        "an API key": emulator.api_keys["admin"],
        "a token of ours that says it is the sender": forger.token(email=SENDER, email_verified=True, kind="JWT"),
        "the sender's token for somebody else": pushed(emulator, "https://elsewhere.example"),
        "the sender's token for the gateway": pushed(emulator, emulator.url),
    }


def pushed(suite: RunningSuite, audience: str, email: str = SENDER) -> str:
    """Get a token of the queue's issuer."""
    tokens = f"{Estate(suite, '').described['google']['http']}/_token"
    answer = suite.client.get(tokens, params={"audience": audience, "email": email})
    return str(answer.json()["token"])


@over_events()
def test_nobody_but_the_sender_gets_in(
    emulator: RunningSuite, entry_point: str, route: Route[Any], forged: dict[str, str | None]
) -> None:
    worker = f"http://127.0.0.1:{emulator.processes[entry_point]}"
    stranger = {"another account's token for this worker": pushed(emulator, worker, "somebody@other.example")}
    told: set[bytes] = set()
    for name, token in {**forged, **stranger}.items():
        answer = post(emulator, entry_point, route, token)
        assert answer.status_code == 401, f"{name} gets in: {answer.status_code} {answer.text[:300]}"
        problem(answer, 401, "unauthenticated")
        told.add(answer.content)
    assert len(told) == 1, "the answers tell a forger what was wrong"


@over_events()
def test_the_sender_gets_in(emulator: RunningSuite, entry_point: str, route: Route[Any]) -> None:
    worker = f"http://127.0.0.1:{emulator.processes[entry_point]}"
    assert post(emulator, entry_point, route, pushed(emulator, worker)).status_code in {200, 204}


@over_events()
def test_a_worker_has_no_public_routes(emulator: RunningSuite, entry_point: str, route: Route[Any]) -> None:
    worker = f"http://127.0.0.1:{emulator.processes[entry_point]}"
    for path in ("/api/v2/me", emulator.org("/api-keys"), emulator.org("/scans")):
        headers = {"Authorization": f"Bearer {emulator.tokens['owner']}"}
        problem(emulator.client.get(worker + path, headers=headers), 404, "not_found")
