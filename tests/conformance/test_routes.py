"""Every public route of every function, through the gateway: what each must refuse, and how.

The list comes from the route tables, so a new route joins by itself. What directories call speaks SCIM, and is held to the
same in `test_scim_routes`.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from functions.analyze.errors import UnknownField
from infra.suite import SUITE_FILE, load_suite
from shared.http.routes import Route
from shared.security.actor import Role
from tests.support.browser import Browser, terminal
from tests.support.running_suite import RunningSuite, problem

ROUTES: list[Route[Any]] = [
    route
    for name in sorted(load_suite(SUITE_FILE).functions)
    for route in importlib.import_module(f"functions.{name}.routes").ROUTES
    if not route.is_internal and route.access.who != "scim"
]
GUARDED = [route for route in ROUTES if route.access.who != "anyone"]
OF_ORGS = [route for route in GUARDED if "{org_id}" in route.path]
MUTATING = [route for route in OF_ORGS if route.method not in {"GET", "HEAD"}]
WRITING = [route for route in ROUTES if route.method in {"POST", "PUT", "PATCH"}]
JSON_WRITING = [route for route in WRITING if not route.is_raw]
WITH_MODEL = [route for route in ROUTES if route.body is not None and not route.is_raw]
WITH_QUERY = [
    route for route in ROUTES if route.query is not None and route.query.model_config.get("extra") == "forbid"
]
SIGNED = {  # open to anyone whose signature over the body holds, or whose token from Google
    "/api/v2/secret-scanning/report",
    "/api/v2/asset-feeds/{feed_id}",
}
GARBAGE = {
    "a word": "garbage",
    "an unsigned token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
    "a key that is none": "dw2_" + "0" * 48,
}


def name_of(item: object) -> str:
    return f"{item.method} {item.path}" if isinstance(item, Route) else str(item)


def over(routes: list[Route[Any]]) -> Callable[[Any], Any]:
    assert routes, "the list of routes is empty: the suite would prove nothing"
    return pytest.mark.parametrize("route", routes, ids=name_of)


def path_of(route: Route[Any], org_id: UUID) -> str:
    """Fill in a path template: this organisation, and ids of nothing."""
    return re.sub(r"\{[a-z_]+\}", lambda _: str(uuid4()), route.path.replace("{org_id}", str(org_id)))


def send(
    suite: RunningSuite, route: Route[Any], token: str | None, *, org_id: UUID | None = None, **options: Any
) -> httpx.Response:
    return suite.call(route.method, path_of(route, org_id or suite.org_id), token, **options)


def insider(suite: RunningSuite, route: Route[Any]) -> str:
    """Return the token of somebody whom the route lets in."""
    if route.access.is_fresh:
        suite.sign_in_anew()
    if route.access.who == "key":
        return suite.api_keys[route.access.scope]
    return suite.tokens["platform_admin" if route.access.who == "platform" else "owner"]


def as_json(content: bytes, media_type: str = "application/json") -> dict[str, Any]:
    return {"content": content, "headers": {"Content-Type": media_type}}


@pytest.fixture(scope="module")
def other_org(emulator: RunningSuite) -> UUID:
    """An organisation of somebody else, with the platform admin as its only member."""
    made = emulator.call("POST", "/api/v2/orgs", emulator.tokens["platform_admin"], json={"name": "Other"})
    assert made.status_code == 201, made.text
    return UUID(made.json()["id"])


@over(GUARDED)
def test_without_a_token_a_route_is_closed(emulator: RunningSuite, route: Route[Any]) -> None:
    response = send(emulator, route, None)
    problem(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("route, garbage", list(product(GUARDED, GARBAGE)), ids=name_of)
def test_garbage_opens_no_route(emulator: RunningSuite, route: Route[Any], garbage: str) -> None:
    found = problem(send(emulator, route, GARBAGE[garbage]), 401, "unauthenticated")
    assert "detail" not in found, "a stranger is told why"


@over([route for route in ROUTES if route.access.who == "anyone"])
def test_a_public_route_asks_nobody_who_they_are(emulator: RunningSuite, route: Route[Any]) -> None:
    for token in (None, "garbage", emulator.api_keys["admin"]):
        response = send(emulator, route, token)
        if route.path in SIGNED:
            problem(response, 401, "signature_refused")
        else:
            assert response.status_code not in {401, 403, 500} or route.path == "/auth/callback"


@over(OF_ORGS)
def test_another_organisation_does_not_exist(emulator: RunningSuite, route: Route[Any], other_org: UUID) -> None:
    for org_id in (other_org, uuid4()):
        for token in (
            emulator.tokens["owner"],
            emulator.api_keys["admin"],
            emulator.tokens["viewer"],
            emulator.api_keys["read"],
        ):
            found = problem(send(emulator, route, token, org_id=org_id), 404, "not_found")
            assert set(found) == {"type", "code", "title", "status", "request_id"}, "the two kinds of 404 differ"


@over(OF_ORGS)
def test_an_organisation_that_is_no_id_does_not_exist(emulator: RunningSuite, route: Route[Any]) -> None:
    path = route.path.replace("{org_id}", "not-an-id")
    path = re.sub(r"\{[a-z_]+\}", lambda _: str(uuid4()), path)
    problem(emulator.call(route.method, path, emulator.tokens["owner"]), 404, "not_found")


@over(MUTATING)
def test_who_may_only_read_changes_nothing(emulator: RunningSuite, route: Route[Any]) -> None:
    is_leaving = route.access.permission == "members:leave"  # oneself; others are refused by the handler, as here
    assert is_leaving or route.access.role is None or route.access.role > Role.VIEWER, "a viewer may change something"
    for token in (emulator.tokens["viewer"], emulator.api_keys["read"]):
        found = problem(send(emulator, route, token), 403)
        assert found["code"] in {"role_required", "scope_required", "human_required"}


@over([route for route in OF_ORGS if route.access.who == "human"])
def test_what_is_for_people_refuses_every_key(emulator: RunningSuite, route: Route[Any]) -> None:
    problem(send(emulator, route, emulator.api_keys["admin"]), 403, "human_required")


@over([route for route in GUARDED if route.access.who == "platform"])
def test_what_is_for_platform_admins_refuses_everybody_else(emulator: RunningSuite, route: Route[Any]) -> None:
    for token in (emulator.tokens["owner"], emulator.tokens["viewer"], emulator.api_keys["admin"]):
        problem(send(emulator, route, token), 403, "platform_admin_required")


@over(JSON_WRITING)
def test_malformed_json_is_refused(emulator: RunningSuite, route: Route[Any]) -> None:
    for content in (
        b"{",
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        b"[" * 50_000,
        b'{"a":"\\u0000"}',
        b"[1e999]",
    ):
        problem(send(emulator, route, insider(emulator, route), **as_json(content)), 400, "malformed_request")


@over(WITH_MODEL)
def test_a_body_that_is_no_object_is_refused(emulator: RunningSuite, route: Route[Any]) -> None:
    for content in (b"", b"[]", b"null", b"7", b'"x"'):
        problem(send(emulator, route, insider(emulator, route), **as_json(content)), 400, "malformed_request")


@over(WRITING)
def test_a_body_over_the_cap_is_refused(emulator: RunningSuite, route: Route[Any]) -> None:
    content = b'"' + b"x" * (route.body_limit_bytes - 1) + b'"'
    found = problem(send(emulator, route, insider(emulator, route), **as_json(content)), 413, "body_too_large")
    assert found["limit_bytes"] == route.body_limit_bytes
    chunks = {
        "content": iter([content[: len(content) // 2], content[len(content) // 2 :]]),
        "headers": {"Content-Type": "application/json"},
    }
    problem(send(emulator, route, insider(emulator, route), **chunks), 413, "body_too_large")


@over(JSON_WRITING)
def test_another_media_type_is_refused(emulator: RunningSuite, route: Route[Any]) -> None:
    for media_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "multipart/form-data; boundary=x",
        "",
    ):
        problem(
            send(emulator, route, insider(emulator, route), **as_json(b"{}", media_type)), 415, "media_type_unsupported"
        )


@over(WITH_MODEL)
def test_an_unknown_field_is_refused_by_name(emulator: RunningSuite, route: Route[Any]) -> None:
    content = json.dumps({"no_such_field": "tiger-secret"}).encode()
    response = send(emulator, route, insider(emulator, route), **as_json(content))
    own = UnknownField in route.errors  # the language models' configuration, by contract
    found = problem(response, *((400, "unknown_field") if own else (422, "invalid")))
    assert "no_such_field" in {item["field"] for item in found["errors"]}
    assert "tiger-secret" not in response.text, "the answer repeats what was sent"


@over(WITH_QUERY)
def test_an_unknown_or_repeated_parameter_is_refused_by_name(emulator: RunningSuite, route: Route[Any]) -> None:
    for params in ({"no_such_parameter": "1"}, {"no_such_parameter": ["1", "2"]}):
        found = problem(send(emulator, route, insider(emulator, route), params=params), 422, "invalid")
        assert "no_such_parameter" in {item["field"] for item in found["errors"]}


@over([route for route in WITH_QUERY if "limit" in (route.query.model_fields if route.query else {})])
def test_a_page_has_a_size_that_can_be_had_and_a_cursor_of_ours(emulator: RunningSuite, route: Route[Any]) -> None:
    for params in ({"limit": "0"}, {"limit": "201"}, {"limit": "x"}, {"cursor": "garbage"}, {"cursor": "\x00"}):
        response = send(emulator, route, insider(emulator, route), params=params)
        if response.status_code != 404:  # the list belongs to something that does not exist
            problem(response, 422, "invalid")


@over([route for route in ROUTES if re.search(r"\{(?!org_id)", route.path) and route.body is None and not route.is_raw])
def test_a_thing_that_does_not_exist_is_not_found_whatever_its_id_looks_like(
    emulator: RunningSuite, route: Route[Any]
) -> None:
    for thing in (str(uuid4()), "1", "not-an-id", "%00", "%F0%9F%94%91", "'--", "..%2F..", "a" * 3000):
        path = re.sub(r"\{[a-z_]+\}", thing, route.path.replace("{org_id}", str(emulator.org_id)))
        problem(emulator.call(route.method, path, insider(emulator, route)), 404, "not_found")


def a_token_for(emulator: RunningSuite, route: Route[Any]) -> str:
    """Return the viewer's token; one of its own for the call that ends its session, as other tests go on with the seeded one."""
    if (
        route.path != "/auth/logout"
    ):  # the call that ends all other sessions leaves the seeded one when it is made with it
        return emulator.tokens["viewer"]
    browser = Browser(emulator)
    browser.sign_in("viewer@acme.example")
    return str(terminal(browser)["access_token"])


@over(ROUTES)
def test_every_answer_is_hardened_and_carries_its_id(emulator: RunningSuite, route: Route[Any]) -> None:
    sent = uuid4().hex
    for token in (None, a_token_for(emulator, route)):
        response = send(emulator, route, token, headers={"X-Request-Id": sent})
        assert response.status_code < 500, response.text
        assert response.headers["x-request-id"] == sent
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert "access-control-allow-origin" not in response.headers
        if route.access.who != "anyone":
            assert response.headers["cache-control"] == "no-store", "an answer about an organisation may be cached"


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
def test_a_method_a_path_does_not_have_names_those_it_has(emulator: RunningSuite, path: str) -> None:
    methods = {route.method for route in ROUTES if route.path == path}
    filled = re.sub(r"\{[a-z_]+\}", lambda _: str(uuid4()), path)
    wrong = next(name for name in ("TRACE", "PUT", "PATCH", "DELETE") if name not in methods and name != "TRACE")
    response = emulator.call(wrong, filled, emulator.tokens["owner"])
    problem(response, 405, "method_not_allowed")
    assert methods <= {name.strip() for name in response.headers["allow"].split(",")}
    problem(emulator.call("GET", f"{filled}/" if path != "/" else "//", emulator.tokens["owner"]), 404, "not_found")


@pytest.mark.parametrize(
    "path", ["/_health", "/_events/scan-shards", "/_events/outbox-relay", "/%5fhealth", "/keys/../_health", "//_health"]
)
def test_what_is_internal_cannot_be_reached_from_outside(emulator: RunningSuite, path: str) -> None:
    for method in ("GET", "POST"):
        request = emulator.client.build_request(method, emulator.url + "/x")
        request.url = httpx.URL(emulator.url).copy_with(raw_path=path.encode())
        problem(emulator.client.send(request), 404, "not_found")
