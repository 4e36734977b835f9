"""The way of a request through an App: caps, media types, keys, ids, headers and what happens when a handler fails."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Request, Response
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from werkzeug.test import EnvironBuilder

from shared.data.errors import AlreadyHandled
from shared.data.unit_of_work import Replayed
from shared.http.access import Access
from shared.http.app import App
from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.errors import AppError
from shared.http.reply import Reply
from shared.http.routes import Route
from shared.security.actor import Role
from shared.security.api_keys import make_key
from tests.support.http_app import ORG, OTHER_ORG, SETTINGS, World, call, problem

LIMIT = 1000
THINGS = f"/orgs/{ORG}/things"


class Wish(BaseModel):
    model_config = {"extra": "forbid"}
    name: str


def show(seen: Call, _deps: Deps) -> Reply:
    """Answer with what the handler was given."""
    return Reply.ok(
        {
            "actor": [seen.actor.kind, seen.actor.id],
            "json": seen.json,
            "size": len(seen.content),
            "query": dict(seen.query_values),
            "idempotency": [seen.idempotency.key, seen.idempotency.fingerprint.hex()] if seen.idempotency else None,
            "event": [seen.event.id, seen.event.payload, seen.event.attempt] if seen.event else None,
        }
    )


def make(seen: Call, _deps: Deps) -> Reply:
    return Reply(201, {"name": seen.body(Wish).name})


def fail(*_: object) -> Reply:
    raise RuntimeError("the password is hunter2")


def refuse(*_: object) -> Reply:
    raise AppError("kept short", retry_after_seconds=3)


def replay(*_: object) -> Reply:
    raise Replayed(201, {"first": True})


def repeat(*_: object) -> Reply:
    raise AlreadyHandled


ROUTES: list[Route[Deps]] = [
    Route("POST", "/echo", show, Access.anyone(), body_limit_bytes=LIMIT),
    Route("POST", "/raw", show, Access.anyone(), body_limit_bytes=LIMIT, is_raw=True),
    Route("GET", "/echo", show, Access.anyone()),
    Route("POST", "/make", make, Access.anyone()),
    Route("GET", "/me", show, Access.signed_in()),
    Route("POST", "/me", show, Access.signed_in()),
    Route("GET", "/orgs/{org_id}/things", show, Access.member(Role.VIEWER)),
    Route("POST", "/orgs/{org_id}/things", show, Access.member(Role.MEMBER)),
    Route("PUT", "/orgs/{org_id}/things", show, Access.member(Role.MEMBER)),
    Route("GET", "/fail", fail, Access.anyone()),
    Route("GET", "/refuse", refuse, Access.anyone()),
    Route("GET", "/replay", replay, Access.anyone()),
    Route("GET", "/empty", lambda *_: Reply.no_content(), Access.anyone()),
    Route("GET", "/page", lambda *_: Reply.text("<p>", "text/html"), Access.anyone()),
    Route("POST", "/_events/x", show, Access.from_event("x")),
    Route("POST", "/_events/refused", make, Access.from_event("x")),
    Route("POST", "/_events/failed", refuse, Access.from_event("x")),
    Route("POST", "/_events/repeated", repeat, Access.from_event("x")),
]


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def app(world: World) -> App[Deps]:
    return world.app(ROUTES)


# --- bodies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_chunked", [False, True], ids=["declared", "chunked"])
def test_a_body_is_taken_up_to_the_cap_and_refused_past_it(app: App[Deps], is_chunked: bool) -> None:
    for path in ("/raw", "/echo"):
        full = b'"' + b"x" * (LIMIT - 2) + b'"'
        assert call(app, "POST", path, content=full, content_type="application/json", is_chunked=is_chunked).json == {
            **EMPTY,
            "size": LIMIT,
            "json": "x" * (LIMIT - 2) if path == "/echo" else None,
        }
        over = call(app, "POST", path, content=full + b" ", content_type="application/json", is_chunked=is_chunked)
        assert problem(over, 413, "body_too_large")["limit_bytes"] == LIMIT


EMPTY = {"actor": ["anonymous", ""], "json": None, "size": 0, "query": {}, "idempotency": None, "event": None}


@pytest.mark.parametrize("is_terminated", [False, True], ids=["plain server", "server that ends the stream itself"])
def test_a_body_that_ends_before_its_declared_length_is_refused(app: App[Deps], is_terminated: bool) -> None:
    environ = EnvironBuilder(path="/raw", method="POST", input_stream=BytesIO(b"abc")).get_environ()
    environ["CONTENT_LENGTH"] = "100"
    environ["wsgi.input_terminated"] = is_terminated
    problem(app.handle(Request(environ)), 400, "malformed_request")


@pytest.mark.parametrize(
    "content_type, is_taken",
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("APPLICATION/JSON", True),
        ("application/merge-patch+json", True),
        (None, False),
        ("", False),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", False),
        ("multipart/form-data; boundary=x", False),
        ("application/jsonp", False),
        ("application/xml", False),
        ("*/*", False),
    ],
)
def test_json_must_be_declared_as_json(app: App[Deps], content_type: str | None, is_taken: bool) -> None:
    response = call(app, "POST", "/echo", content=b"{}", content_type=content_type)
    if is_taken:
        assert response.status_code == 200
    else:
        problem(response, 415, "media_type_unsupported")
    assert call(app, "POST", "/raw", content=b"\xff", content_type=content_type).status_code == 200


@pytest.mark.parametrize(
    "content, status, code",
    [
        (b"", 400, "malformed_request"),
        (b"[]", 400, "malformed_request"),
        (b"null", 400, "malformed_request"),
        (b'"x"', 400, "malformed_request"),
        (b"{", 400, "malformed_request"),
        (b"{}", 422, "invalid"),
        (b'{"name":7}', 422, "invalid"),
        (b'{"name":"x","more":1}', 422, "invalid"),
        (b'{"name":"\\u0000"}', 400, "malformed_request"),
    ],
)
def test_a_body_that_is_no_wish_is_refused(app: App[Deps], content: bytes, status: int, code: str) -> None:
    problem(call(app, "POST", "/make", content=content, content_type="application/json"), status, code)


def test_a_repeated_or_unstorable_query_parameter_is_refused_by_name(app: App[Deps]) -> None:
    assert call(app, "GET", "/echo?a=1&b=").json["query"] == {"a": "1", "b": ""}
    for query, name in (("a=1&a=2", "a"), ("b=1&a=%00", "a"), ("a%00=1", "a\x00")):
        found = problem(call(app, "GET", f"/echo?{query}"), 422, "invalid")
        assert [item["field"] for item in found["errors"]] == [name]


# --- who calls -------------------------------------------------------------------------------------------------------


def test_a_person_and_a_key_are_let_in_and_known(world: World, app: App[Deps]) -> None:
    assert call(app, "GET", THINGS, token=world.person("viewer")).json["actor"][0] == "human"
    assert call(app, "GET", THINGS, token=world.key("read")).json["actor"][0] == "key"
    assert call(app, "GET", THINGS, headers={"X-Api-Key": world.key("read")}).json["actor"][0] == "key"
    assert call(app, "GET", "/me", headers={"Authorization": f"bearer {world.person()}"}).json["actor"][0] == "human"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": "Bearer x"},
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": "dw2_" + "a" * 48},
        {"Authorization": "Bearer dw2_" + "a" * 48},
        {"Authorization": "Bearer \u00fc"},
        {"X-Api-Key": ""},
        {"X-Api-Key": "dw2_"},
        {"X-Api-Key": "x" * 10_000},
    ],
)
def test_whoever_proves_nothing_is_told_nothing(app: App[Deps], headers: dict[str, str]) -> None:
    for path in (THINGS, "/me"):
        found = problem(call(app, "GET", path, headers=headers), 401, "unauthenticated")
        assert "detail" not in found


def test_two_credentials_at_once_are_refused(world: World, app: App[Deps]) -> None:
    headers = {"X-Api-Key": world.key("read"), "Authorization": f"Bearer {world.person('owner')}"}
    problem(call(app, "GET", THINGS, headers=headers), 401, "unauthenticated")


def test_another_organisation_is_not_found_for_people_and_keys(world: World, app: App[Deps]) -> None:
    elsewhere = f"/orgs/{OTHER_ORG}/things"
    for token in (world.person("owner"), world.key("admin"), world.person(), world.person(is_platform_admin=True)):
        problem(call(app, "GET", elsewhere, token=token), 404, "not_found")
    problem(call(app, "GET", "/orgs/not-an-id/things", token=world.person("owner")), 404, "not_found")


def test_a_key_is_worth_no_more_than_its_maker_is_today(world: World, app: App[Deps]) -> None:
    for maker_role, status in (("owner", 200), ("member", 200), ("viewer", 403)):
        response = call(app, "POST", THINGS, token=world.key("admin", maker_role=maker_role))
        assert response.status_code == status, f"a key of a {maker_role}"


def test_a_key_ends_with_its_expiry_its_revocation_and_its_makers_membership(world: World, app: App[Deps]) -> None:
    brief = world.key("read", expires_at=world.clock.now() + timedelta(seconds=60))
    assert call(app, "GET", THINGS, token=brief).status_code == 200
    world.clock.advance(60)
    problem(call(app, "GET", THINGS, token=brief), 401, "unauthenticated")
    revoked, orphaned = world.key("read"), world.key("read")
    world.directory.keys[revoked[4:16]]["revoked_at"] = world.clock.now()
    world.directory.roles.pop((ORG, world.directory.keys[orphaned[4:16]]["maker_id"]))
    for key in (revoked, orphaned):
        problem(call(app, "GET", THINGS, token=key), 401, "unauthenticated")


def test_a_key_with_the_right_id_and_a_wrong_secret_is_refused(world: World, app: App[Deps]) -> None:
    mine, other = world.key("read"), world.key("read")
    world.directory.keys[mine[4:16]]["secret_hash"] = world.directory.keys[other[4:16]]["secret_hash"]
    problem(call(app, "GET", THINGS, token=mine), 401, "unauthenticated")


def test_a_key_still_works_after_the_pepper_is_rotated(world: World, app: App[Deps]) -> None:
    before = world.key("read")
    world.secrets.add_version("api-key-pepper", b"a newer pepper of thirty-two byte")
    world.clock.advance(61)  # which version is the newest is asked once a minute
    after = world.key("read")
    assert world.directory.keys[after[4:16]]["pepper_version"] > world.directory.keys[before[4:16]]["pepper_version"]
    for key in (before, after):
        assert call(app, "GET", THINGS, token=key).status_code == 200


def test_an_unknown_key_is_a_401_even_when_no_pepper_can_be_had() -> None:
    world = World()
    world.secrets.is_away = True
    unknown = make_key(world.entropy).reveal()
    problem(call(world.app(ROUTES), "GET", THINGS, token=unknown), 401, "unauthenticated")


# --- idempotency keys ------------------------------------------------------------------------------------------------


def keyed(app: App[Deps], key: str, token: str, content: bytes = b"{}", method: str = "POST") -> Response:
    headers = {"Idempotency-Key": key}
    return call(app, method, THINGS, token=token, headers=headers, content=content, content_type="application/json")


@pytest.mark.parametrize("key", ["x", "x" * 200, "8e03978e-40d5-43e8-bc93-6894a57f9324", "a b~!"])
def test_an_idempotency_key_is_handed_on(world: World, app: App[Deps], key: str) -> None:
    assert keyed(app, key, world.key("write")).json["idempotency"][0] == key


@pytest.mark.parametrize("key", ["", "x" * 201, "\u00fc", "a\tb", "a\x7fb"])
def test_a_wrong_idempotency_key_is_refused(world: World, app: App[Deps], key: str) -> None:
    problem(keyed(app, key, world.key("write")), 400, "malformed_request")


def test_the_fingerprint_tells_requests_and_callers_apart(world: World, app: App[Deps]) -> None:
    one, other = world.key("write"), world.key("write")
    prints = [keyed(app, "k", one), keyed(app, "k", one), keyed(app, "k", other), keyed(app, "k", one, b"[]")]
    first, again, by_other, with_other_body = (reply.json["idempotency"][1] for reply in prints)
    assert first == again
    assert len({first, by_other, with_other_body}) == 3


def test_only_posts_inside_an_organisation_take_a_key(world: World, app: App[Deps]) -> None:
    assert keyed(app, "k", world.key("write"), method="PUT").json["idempotency"] is None
    headers = {"Idempotency-Key": "k"}
    assert call(app, "POST", "/echo", headers=headers).json["idempotency"] is None


def test_a_replayed_answer_says_so(app: App[Deps]) -> None:
    response = call(app, "GET", "/replay")
    assert (response.status_code, response.json) == (201, {"first": True})
    assert response.headers["Idempotency-Replayed"] == "true"


# --- ids and headers -------------------------------------------------------------------------------------------------

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize("sent", ["a" * 8, "a" * 64, "8e03978e-40d5-43e8-bc93-6894a57f9324", "A_b-1234"])
def test_a_well_formed_request_id_is_kept(app: App[Deps], sent: str) -> None:
    assert call(app, "GET", "/echo", headers={"X-Request-Id": sent}).headers["X-Request-Id"] == sent


@pytest.mark.parametrize(
    "sent", [None, "", "short", "a" * 65, "has space", "a" * 20 + "\u00fc", "<script>", "a;b=cdefgh", "a" * 9 + "\x00"]
)
def test_any_other_request_id_is_replaced(app: App[Deps], sent: str | None) -> None:
    found = call(app, "GET", "/fail", headers={} if sent is None else {"X-Request-Id": sent}).headers["X-Request-Id"]
    assert re.fullmatch(r"[0-9a-f]{32}", found)


def test_a_trace_goes_on_under_a_new_span(app: App[Deps]) -> None:
    found = call(app, "GET", "/echo", headers={"traceparent": TRACE}).headers["traceparent"]
    assert found.split("-")[1] == TRACE.split("-")[1]
    assert found.split("-")[2] != TRACE.split("-")[2]
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", found)


@pytest.mark.parametrize(
    "sent",
    ["", "x", TRACE.upper(), TRACE[:-1], TRACE + "-x", TRACE.replace("00-", "ff-", 1), f"00-{'0' * 32}-b7ad6b7169203331-01",
     f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01", f"{TRACE},{TRACE}"],
)  # fmt: skip
def test_a_malformed_trace_starts_a_new_one(app: App[Deps], sent: str) -> None:
    found = call(app, "GET", "/echo", headers={"traceparent": sent}).headers["traceparent"]
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", found)
    assert found.split("-")[1] != TRACE.split("-")[1]


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_header_value_reaches_an_answer_unchecked(request_id: str, trace: str) -> None:
    from shared.telemetry.context import current_traceparent, start_request

    assert re.fullmatch(r"[0-9A-Za-z_-]{8,64}", start_request(request_id, trace))
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", current_traceparent())


@pytest.mark.parametrize(
    "path, status",
    [
        ("/echo", 200),
        ("/fail", 500),
        ("/empty", 204),
        ("/page", 200),
        ("/nothing", 404),
        ("/_health", 200),
        (THINGS, 401),
    ],
)
def test_every_answer_is_hardened(app: App[Deps], path: str, status: int) -> None:
    response = call(app, "GET", path)
    assert response.status_code == status
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "Strict-Transport-Security" not in response.headers, "the emulator speaks no TLS"
    assert not any(name.lower().startswith("access-control-") for name, _ in response.headers)


def test_production_insists_on_tls() -> None:
    world = World(settings=replace(SETTINGS, env="production", redis_url="rediss://127.0.0.1:1"))
    for path in ("/echo", "/fail"):
        assert call(world.app(ROUTES), "GET", path).headers["Strict-Transport-Security"].startswith("max-age=63072000")


def test_an_empty_answer_has_neither_body_nor_type(app: App[Deps]) -> None:
    response = call(app, "GET", "/empty")
    assert (response.get_data(), "Content-Type" in response.headers) == (b"", False)


# --- failures --------------------------------------------------------------------------------------------------------


def test_an_unexpected_error_is_an_internal_error_without_its_text(app: App[Deps]) -> None:
    response = call(app, "GET", "/fail")
    found = problem(response, 500, "internal_error")
    assert "hunter2" not in response.get_data(as_text=True)
    assert set(found) == {"type", "code", "title", "status", "request_id"}


def test_an_error_of_ours_keeps_its_detail_and_retry_hint(app: App[Deps]) -> None:
    response = call(app, "GET", "/refuse")
    assert problem(response, 500, "internal_error")["detail"] == "kept short"
    assert response.headers["Retry-After"] == "3"


def test_clients_that_cannot_be_built_are_a_problem_and_tried_again() -> None:
    world, tries = World(), []

    def load(settings: Any) -> Deps:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("no route to 10.0.0.7")
        return world.deps(settings)

    app = App("under-test", load, ROUTES, settings=SETTINGS)
    assert call(app, "GET", "/_health").status_code == 200, "the process is up without its clients"
    first = call(app, "GET", "/echo")
    problem(first, 500, "internal_error")
    assert "10.0.0.7" not in first.get_data(as_text=True)
    assert call(app, "GET", "/echo").status_code == 200
    assert call(app, "GET", "/echo").status_code == 200
    assert len(tries) == 2


# --- events ----------------------------------------------------------------------------------------------------------


def push(payload: Any, **attributes: str) -> dict[str, Any]:
    data = base64.b64encode(json.dumps(payload).encode()).decode()
    return {
        "message": {"data": data, "messageId": "m1", "attributes": attributes},
        "deliveryAttempt": 3,
        "subscription": "s",
    }


def test_a_push_of_the_queue_is_unwrapped(world: World, app: App[Deps]) -> None:
    token = world.event_token()
    found = call(app, "POST", "/_events/x", token=token, json_body=push({"a": 1}, event_id="e1", org_id=str(ORG))).json
    assert found["event"] == ["e1", {"a": 1}, 3]
    assert call(app, "POST", "/_events/x", token=token, json_body=push({})).json["event"] == ["m1", {}, 3]
    assert call(app, "POST", "/_events/x", token=token).json["event"] == ["", {}, 1], "a tick carries no message"


def test_only_the_queue_itself_may_push(world: World, app: App[Deps]) -> None:
    tokens = [
        None,
        "x",
        world.person("owner", is_platform_admin=True),
        world.key("admin"),
        world.event_token(email="someone@else.example"),
        world.event_token(email_verified=False),
        world.event_token(email_verified="true"),
        world.event_token(email=None),
    ]
    for token in tokens:
        problem(call(app, "POST", "/_events/x", token=token, json_body=push({})), 401, "unauthenticated")
    for path in (THINGS, "/me"):
        problem(call(app, "GET", path, token=world.event_token()), 401, "unauthenticated")


def test_nobody_may_push_when_no_sender_is_configured() -> None:
    for missing in ("events_sender", "events_audience", "events_issuer"):
        world = World(settings=replace(SETTINGS, **{missing: ""}))
        token = world.event_token(email="")
        problem(call(world.app(ROUTES), "POST", "/_events/x", token=token, json_body=push({})), 401, "unauthenticated")


@pytest.mark.parametrize(
    "message",
    [
        {"data": "%%%"},
        {"data": "e30"},
        {"data": 7},
        {"data": "bnVs"},
        {"attributes": {"org_id": "x"}},
        {"attributes": [1]},
    ],
)
def test_a_push_that_is_not_ours_is_refused(world: World, app: App[Deps], message: dict[str, Any]) -> None:
    body = {"message": message}
    problem(call(app, "POST", "/_events/x", token=world.event_token(), json_body=body), 400, "malformed_request")


def test_an_event_is_retried_after_a_500_and_not_after_a_refusal_or_a_repeat(world: World, app: App[Deps]) -> None:
    status = {
        path: call(app, "POST", f"/_events/{path}", token=world.event_token(), json_body=push({})).status_code
        for path in ("failed", "refused", "repeated")
    }
    assert status == {"failed": 500, "refused": 204, "repeated": 204}
