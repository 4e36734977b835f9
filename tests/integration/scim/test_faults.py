"""What a directory hears when things go wrong on our side, and what happens when two calls meet."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.data.errors import DatabaseAway, PoolExhausted
from tests.support.scim_function import ERROR, PATCH, SCIM, ScimFunction, ScimOrg, told


def test_without_a_database_the_answer_is_scims_and_says_when_to_come_back(
    function: ScimFunction, org: ScimOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_values: object, **_more: object) -> None:
        raise DatabaseAway

    user = org.make_user("ada")
    for name in ("lookup", "unit_in"):
        with monkeypatch.context() as patched:
            patched.setattr(type(function.deps.db), name, gone)
            response = org.send("GET", f"/Users/{user['id']}")
        found = told(response)
        assert (response.status_code, response.mimetype, found["schemas"], found["status"]) == (
            503,
            SCIM,
            [ERROR],
            "503",
        )
        assert int(response.headers["Retry-After"]) > 0
    assert org.ask("GET", f"/Users/{user['id']}")["id"] == user["id"]


def test_what_is_wrong_on_our_side_ends_a_whole_bulk_request(org: ScimOrg, monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.scim.handlers import people

    def busy(*_values: object) -> None:
        raise PoolExhausted

    monkeypatch.setattr(people, "create_user", busy)
    data = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "x"}
    operation = {"method": "POST", "path": "/Users", "bulkId": "u", "data": data}
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation]}
    org.refused("POST", "/Bulk", body, status=503)


def test_a_defect_tells_nothing(org: ScimOrg, monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.scim.handlers import people

    def broken(*_values: object) -> None:
        raise RuntimeError("tiger-secret")

    monkeypatch.setattr(people, "get_user", broken)
    assert "tiger" not in org.refused("GET", f"/Users/{org.id}", status=500)


def test_of_two_changes_to_one_version_one_wins(org: ScimOrg) -> None:
    user = org.make_user("ada")
    path, headers = f"/Users/{user['id']}", {"If-Match": user["meta"]["version"]}

    def change(title: str) -> int:
        operation = {"op": "replace", "path": "title", "value": title}
        return org.send("PATCH", path, {"schemas": [PATCH], "Operations": [operation]}, headers=headers).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(change, "abcd")) == [200, 412, 412, 412]
    assert org.ask("GET", path)["meta"]["version"] == 'W/"2"'


def test_changes_of_one_group_at_once_are_all_kept(org: ScimOrg) -> None:
    ids = [org.make_user(f"u{number}")["id"] for number in range(8)]
    group = org.make_group("Engineers")

    def add(user_id: str) -> int:
        operation = {"op": "add", "path": "members", "value": [{"value": user_id}]}
        return org.send("PATCH", f"/Groups/{group['id']}", {"schemas": [PATCH], "Operations": [operation]}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(add, ids)) == [200] * 8
    found = org.ask("GET", f"/Groups/{group['id']}")
    assert {item["value"] for item in found["members"]} == set(ids)
    assert found["meta"]["version"] == 'W/"9"'
