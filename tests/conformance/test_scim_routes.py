"""Every route that directories call: what each must refuse, in SCIM's form. The list comes from the route table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Response

from functions.scim.routes import ROUTES as ALL_ROUTES
from shared.http.routes import Route
from shared.ports.clock import SystemEntropy
from shared.ports.secret_store import Secret
from shared.security.api_keys import SCIM_PREFIX, ApiKey, make_key, parse_key
from tests.support.database import DatabaseServer
from tests.support.http_app import call
from tests.support.scim_function import ERROR, SCIM, ScimFunction, ScimOrg

ROUTES: list[Route[Any]] = [route for route in ALL_ROUTES if route.access.who == "scim"]
WRITING = [route for route in ROUTES if route.is_raw and not route.path.endswith("/Me")]
OF_THINGS = [route for route in ROUTES if re.search(r"\{(?!org_id)", route.path)]
MALFORMED = (
    b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b'{"a":"\xff"}', b"\xef\xbb\xbf{}", b"[" * 50_000, b'{"a":"\\u0000"}', b"[1e999]",
)  # fmt: skip


@pytest.fixture(scope="module")
def org(database_server: DatabaseServer) -> Iterator[ScimOrg]:
    with database_server.clone() as database:
        yield ScimOrg.make(ScimFunction(database))


@pytest.fixture(scope="module")
def things(org: ScimOrg) -> dict[str, str]:
    """What there is: an id for each name in a path."""
    return {"user_id": org.make_user("thing")["id"], "group_id": org.make_group("Things")["id"]}


@pytest.fixture(scope="module")
def other(org: ScimOrg) -> ScimOrg:
    return ScimOrg.make(org.function, name="other")


def path_of(route: Route[Any], org_id: object, thing: str = "") -> str:
    path = route.path.replace("{org_id}", str(org_id))
    return re.sub(r"\{[a-z_]+\}", thing or str(uuid4()), path)


def send(org: ScimOrg, route: Route[Any], token: str | None, path: str = "", **more: Any) -> Response:
    return call(org.function.app, route.method, path or path_of(route, org.id), token=token, **more)


def check(response: Response, status: int, scim_type: str | None = None) -> None:
    found = json.loads(response.get_data())
    told = (response.status_code, found)
    assert (response.status_code, found.get("scimType")) == (status, scim_type), told
    assert response.mimetype == SCIM, told
    assert set(found) <= {"schemas", "status", "scimType", "detail"}, told
    assert (found["schemas"], found["status"]) == ([ERROR], str(status)), told
    assert found["detail"], told


def test_the_list_is_whole() -> None:
    assert len(ROUTES) > 25
    assert {route.media_type for route in ROUTES} == {SCIM}
    assert {route.path for route in ALL_ROUTES if "/scim/v2/" in route.path} == {route.path for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_nobody_but_the_directory_comes_in(org: ScimOrg, other: ScimOrg, route: Route[Any]) -> None:
    good = parse_key(org.token, SCIM_PREFIX)
    assert good is not None
    guessed = ApiKey(good.public_id, Secret(b"0" * 30), SCIM_PREFIX).reveal()
    unknown = make_key(SystemEntropy(), SCIM_PREFIX).reveal()
    key = org.make_key(org.owner_id).reveal()
    refused = {
        "nobody": None, "garbage": "garbage", "an owner": org.owner_token, "an API key": key, "a guessed secret": guessed,
        "an unknown token": unknown, "a typo": org.token[:-1] + ("0" if org.token[-1] != "0" else "1"),
        "the secret of a key": "dw2_" + org.token[4:],
    }  # fmt: skip
    for name, token in refused.items():
        response = send(org, route, token)
        assert response.status_code == 401, f"{name} opens {route.method} {route.path}"
        check(response, 401)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    check(send(org, route, other.token), 404)
    check(send(org, route, org.token, path_of(route, "not-an-id")), 404)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_plan_without_scim_closes_every_route(org: ScimOrg, other: ScimOrg, route: Route[Any]) -> None:
    owner = org.function.database.owner
    owner.run("update core.orgs set plan = 'team' where id = :id", id=other.id)
    try:
        check(send(other, route, other.token), 402)
    finally:
        owner.run("update core.orgs set plan = 'enterprise' where id = :id", id=other.id)


@pytest.mark.parametrize("route", WRITING, ids=lambda route: f"{route.method} {route.path}")
def test_bodies_that_cannot_be_read_are_refused(org: ScimOrg, things: dict[str, str], route: Route[Any]) -> None:
    path = re.sub(r"\{([a-z_]+)\}", lambda found: {"org_id": str(org.id), **things}[found[1]], route.path)
    before = len(org.function.audits(org.id, "scim:request:refused"))
    for content in MALFORMED:
        check(send(org, route, org.token, path, content=content, content_type=SCIM), 400, "invalidSyntax")
    for content in (b"", b"[]", b"null", b"7", b'"x"', b"{}"):
        check(send(org, route, org.token, path, content=content, content_type="application/json"), 400, "invalidSyntax")
    refused = len(org.function.audits(org.id, "scim:request:refused")) - before
    assert refused == len(MALFORMED) + 5, "each body that came and was refused is in the audit log"
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/problem+json"):
        check(send(org, route, org.token, path, content=b"{}", content_type=media_type), 415)
    over = b'"' + b"x" * (route.body_limit_bytes - 1) + b'"'
    check(send(org, route, org.token, path, content=over, content_type=SCIM), 413)
    check(send(org, route, org.token, path, content=over, content_type=SCIM, is_chunked=True), 413)


@pytest.mark.parametrize("route", OF_THINGS, ids=lambda route: f"{route.method} {route.path}")
def test_what_does_not_exist_is_not_found_whatever_its_id_looks_like(org: ScimOrg, route: Route[Any]) -> None:
    body: dict[str, Any] = {
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:core:2.0:Group",
            "urn:ietf:params:scim:api:messages:2.0:PatchOp",
        ],
        "userName": "x", "displayName": "x", "Operations": [{"op": "replace", "path": "displayName", "value": "y"}],
    }  # fmt: skip
    for thing in (str(uuid4()), "1", "not-an-id", "%00", "%F0%9F%94%91", "'--", "a" * 300):
        sent = {"json_body": body, "content_type": SCIM} if route.is_raw else {}
        check(send(org, route, org.token, path_of(route, org.id, thing), **sent), 404)


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
def test_other_methods_are_refused_by_name(org: ScimOrg, path: str) -> None:
    methods = {route.method for route in ROUTES if route.path == path}
    wrong = next((name for name in ("PUT", "PATCH", "DELETE") if name not in methods), None)
    if wrong is None:
        return
    filled = re.sub(r"\{[a-z_]+\}", str(uuid4()), path.replace("{org_id}", str(org.id)))
    if filled.endswith("/.search"):
        filled_id = path.replace("/.search", "/{user_id}")
        methods |= {route.method for route in ROUTES if route.path == filled_id}
        wrong = "TRACE"
    response = call(org.function.app, wrong, filled, token=org.token)
    check(response, 405)
    assert {route.method for route in ROUTES if route.path == path} <= {
        name.strip() for name in response.headers["Allow"].split(",")
    }


def test_a_path_that_is_not_there_speaks_scim_too(org: ScimOrg) -> None:
    for path in (f"/scim/v2/{org.id}", f"/scim/v2/{org.id}/", f"/scim/v2/{org.id}/Nope", f"/scim/v2/{org.id}/Users/"):
        check(call(org.function.app, "GET", path, token=org.token), 404)
