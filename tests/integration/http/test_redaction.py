"""Secrets pushed through every route of every function by every door; then everything that came out is searched for them."""

from __future__ import annotations

import base64
import importlib
import json
import re
from typing import Any, NoReturn

import pytest
from flask import Response

from infra.suite import load_suite
from shared.http.app import App
from shared.http.deps import Deps
from shared.http.routes import Route
from shared.security.api_keys import make_key
from shared.security.redact import redact_text
from tests.support.http_app import ORG, Directory, World, call
from tests.support.logs import fresh_loggers
from tests.unit.security.test_redact import PLAIN, SECRETS, leaks

ROUTES: list[Route[Any]] = [
    route
    for name in sorted(load_suite().functions)
    for table in ("ROUTES", "EVENT_ROUTES")
    for route in getattr(importlib.import_module(f"functions.{name}.routes"), table, [])
]
PLANTED = [
    "a key of ours",
    "a token",
    "an AWS access key id",
    "a GitHub token",
    "a Slack token",
    "a Stripe key",
    "a private key",
]
MAIL = "ada@mail.example.org"


class Leaky(Directory):
    """A database whose errors repeat what they were given, as drivers' errors do."""

    def unit(self, *given: object, **more: object) -> NoReturn:
        raise RuntimeError(f"cannot run {given} {more}: {self.said}")

    unit_in = relay = unit
    said = ""


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> tuple[App[Deps], World]:
    fresh_loggers(monkeypatch)
    world = World(directory=Leaky())
    return world.app(ROUTES), world


def filled(route: Route[Any], thing: str) -> str:
    path = route.path.replace("{org_id}", str(ORG))
    return re.sub(r"\{[a-z_]+\}", re.sub(r"[^\w.~-]", "", thing) or "x", path)


def everything_out(responses: list[Response], out: str) -> str:
    return "\n".join([*(f"{answer.headers}\n{answer.get_data(as_text=True)}" for answer in responses), out])


def message(secret: str, **attributes: str) -> dict[str, Any]:
    data = base64.b64encode(json.dumps({"x": secret}).encode()).decode()
    return {"message": {"data": data, "messageId": secret[:40], "attributes": {"event_id": secret[:60], **attributes}}}


@pytest.mark.parametrize("name", PLANTED)
def test_no_secret_comes_out_of_any_route(
    app: tuple[App[Deps], World], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    under_test, world = app
    secret = SECRETS[name]
    one_line = "".join(secret.split())
    world.directory.said = f"password={PLAIN} {secret} {MAIL}"  # type: ignore[attr-defined]
    owner, key = world.person("owner", is_platform_admin=True), world.key("admin")
    answers: list[Response] = []
    for route in ROUTES:
        path = filled(route, "x")
        tokens = [world.event_token()] if route.access.who == "event" else [owner, key]
        for token in tokens:
            answers += [
                call(under_test, route.method, filled(route, one_line), token=token),
                call(under_test, route.method, f"{path}?x={one_line.replace('+', '%2B')}&{one_line[:60]}=1", token=token),
                call(under_test, route.method, path, token=token, headers={"X-Request-Id": one_line[:60], "traceparent": one_line}),
                call(under_test, route.method, path, token=token, headers={"Idempotency-Key": one_line[:190], "Cookie": f"x={one_line}"}),
                call(under_test, route.method, path, token=token, json_body={"x": secret, secret[:90]: 1, "password": PLAIN}),
                call(under_test, route.method, path, token=token, json_body=message(secret)),
                call(under_test, route.method, path, token=token, content=f'{{"x": {secret}'.encode(), content_type=one_line[:60]),
            ]  # fmt: skip
        for credential in (one_line, f"dw2_{one_line}"):
            answers.append(call(under_test, route.method, path, token=credential))
            answers.append(call(under_test, route.method, path, headers={"X-Api-Key": credential}))
    answers.append(call(under_test, "GET", f"/no/such/{one_line}", token=owner))
    answers.append(call(under_test, "BREW", f"/{one_line}"))
    out = capsys.readouterr().out
    assert len(out.splitlines()) >= len(answers), "the log was not caught"
    found = everything_out(answers, out)
    for hidden in (secret, one_line, PLAIN):
        assert not leaks(hidden, found), [line for line in found.splitlines() if leaks(hidden, line)][:3]
    assert MAIL not in out
    for line in out.splitlines():
        json.loads(line)


def test_what_a_caller_proved_itself_with_is_in_no_log_and_no_answer(
    app: tuple[App[Deps], World], capsys: pytest.CaptureFixture[str]
) -> None:
    under_test, world = app
    tokens = [world.person("owner"), world.key("admin"), world.event_token(), make_key(world.entropy).reveal()]
    world.directory.said = " ".join(tokens)  # type: ignore[attr-defined]
    answers = [call(under_test, route.method, filled(route, "x"), token=token) for route in ROUTES for token in tokens]
    found = everything_out(answers, capsys.readouterr().out)
    for token in tokens:
        assert not leaks(token, found)


def test_the_log_still_says_what_operators_need(
    app: tuple[App[Deps], World], capsys: pytest.CaptureFixture[str]
) -> None:
    under_test, world = app
    world.directory.said = "relation keys is missing"  # type: ignore[attr-defined]
    request_id = "operators-find-me"
    answer = call(
        under_test,
        "GET",
        f"/api/v2/orgs/{ORG}/api-keys",
        token=world.person("owner"),
        headers={"X-Request-Id": request_id},
    )
    assert answer.status_code == 500
    failure, line = (json.loads(text) for text in capsys.readouterr().out.splitlines()[-2:])
    assert "relation keys is missing" in failure["exception"]
    assert "functions/keys/handlers.py" in failure["exception"]
    assert (line["request_id"], line["org_id"], line["route"]) == (
        request_id,
        str(ORG),
        "/api/v2/orgs/{org_id}/api-keys",
    )
    assert line["actor"].startswith("human:")
    assert redact_text(json.dumps(line)) == json.dumps(line)


def test_a_secret_as_request_id_is_not_taken_over(app: tuple[App[Deps], World]) -> None:
    key = make_key(app[1].entropy).reveal()
    assert call(app[0], "GET", "/keys/health", headers={"X-Request-Id": key}).headers["X-Request-Id"] != key


def test_a_line_says_how_much_came_in_and_went_out(
    app: tuple[App[Deps], World], capsys: pytest.CaptureFixture[str]
) -> None:
    under_test, world = app
    answer = call(under_test, "POST", f"/api/v2/orgs/{ORG}/api-keys", token=world.person("owner"), json_body={"x": 1})
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["bytes_in"], line["bytes_out"]) == (8, len(answer.get_data()))
    assert (line["method"], line["status"]) == ("POST", answer.status_code)
    assert line["logging.googleapis.com/trace"].endswith(answer.headers.get("traceparent", "--").split("-")[1])
    assert re.fullmatch("[0-9a-f]{16}", line["logging.googleapis.com/spanId"])
