"""Finding the route of a request."""

from __future__ import annotations

from typing import Any, cast

import pytest

from shared.http.access import Access
from shared.http.errors import MethodNotAllowed, RouteNotFound
from shared.http.reply import Reply
from shared.http.routes import Route, RouteTable
from tests.support.http_app import World, call, problem


def answer(name: str, method: str, path: str) -> Route[Any]:
    return Route(method, path, lambda *_: Reply.ok({"route": name}), Access.anyone())


ROUTES = [
    answer("list", "GET", "/things"),
    answer("create", "POST", "/things"),
    answer("get", "GET", "/things/{thing_id}"),
    answer("change", "PATCH", "/things/{thing_id}"),
    answer("latest", "GET", "/things/latest"),
    answer("parts", "GET", "/things/{thing_id}/parts/{part_id}"),
]
TABLE: RouteTable[Any] = RouteTable(ROUTES)


@pytest.mark.parametrize(
    "method, path, name, parameters",
    [
        ("GET", "/things", "list", {}),
        ("POST", "/things", "create", {}),
        ("GET", "/things/7", "get", {"thing_id": "7"}),
        ("PATCH", "/things/7", "change", {"thing_id": "7"}),
        ("GET", "/things/latest", "latest", {}),
        ("GET", "/things/7/parts/8", "parts", {"thing_id": "7", "part_id": "8"}),
    ],
)
def test_a_request_finds_its_route(method: str, path: str, name: str, parameters: dict[str, str]) -> None:
    route, found = TABLE.find(method, path)
    assert (cast("Any", route.handler)(None, None).body, dict(found)) == ({"route": name}, parameters)


@pytest.mark.parametrize(
    "path",
    ["/", "", "/thing", "/things/", "/things/7/", "//things", "/things//", "/things/7/parts", "/THINGS", "/things/7/parts/8/9",
     "/things/a/b", "/things\x00", "/things/../things/", "/things;x=1", "things"],
)  # fmt: skip
def test_a_path_that_is_not_exactly_a_route_is_not_found(path: str) -> None:
    with pytest.raises(RouteNotFound):
        TABLE.find("GET", path)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_a_wrong_method_names_the_methods_there_are(method: str) -> None:
    with pytest.raises(MethodNotAllowed) as caught:
        TABLE.find(method, "/things")
    assert caught.value.facts == {"allowed": ["GET", "HEAD", "POST"]}


def test_the_answer_to_a_wrong_method_carries_allow() -> None:
    response = call(World().app(ROUTES), "DELETE", "/things/7")
    found = problem(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, HEAD, PATCH"
    assert found["allowed"] == ["GET", "HEAD", "PATCH"]


def test_an_unknown_path_is_a_problem() -> None:
    problem(call(World().app(ROUTES), "GET", "/nothing"), 404, "not_found")


def test_head_is_answered_like_get() -> None:
    assert call(World().app(ROUTES), "HEAD", "/things").status_code == 200


def test_the_internal_health_path_answers_get_and_refuses_to_be_written_to() -> None:
    app = World().app(ROUTES)
    assert call(app, "GET", "/_health").get_json() == {"status": "ok"}
    assert call(app, "GET", "/_health?deep=1").status_code == 200
    problem(call(app, "POST", "/_health"), 405, "method_not_allowed")


def test_a_route_without_a_rule_or_given_twice_does_not_load() -> None:
    with pytest.raises(TypeError, match="has no access rule"):
        RouteTable([Route("GET", "/x", lambda *_: Reply.ok({}), cast("Any", None))])
    with pytest.raises(ValueError, match="two routes for GET /things"):
        RouteTable([*ROUTES, ROUTES[0]])


@pytest.mark.parametrize(
    "path, is_internal", [("/_events/x", True), ("/_health", True), ("/events", False), ("/", False)]
)
def test_internal_routes_are_known_by_their_path(path: str, is_internal: bool) -> None:
    assert answer("x", "GET", path).is_internal is is_internal
