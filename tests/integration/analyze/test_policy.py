"""The policy over the wire: versions, what is refused, and that organisations do not meet."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.analyze_function import AnalyzeFunction, AnalyzeOrg
from tests.support.database import ClonedDatabase, actor_in


def rule(name: str = "accept-queues", **more: Any) -> dict[str, Any]:
    return {"id": name, "flag_pattern": "resource-*", "severity": "none", "reason": "they come and go", **more}


def put(org: AnalyzeOrg, *rules: Any, status: int = 200, headers: dict[str, str] | None = None, **more: Any) -> Any:
    return org.done("PUT", "/policy", {"rules": list(rules), **more}, status, role="admin", **(headers or {}))


def refused(org: AnalyzeOrg, body: Any, status: int, code: str, **headers: str) -> dict[str, Any]:
    return org.refused("PUT", "/policy", body, status, code, role="admin", **headers)


def test_there_is_no_policy_at_first(org: AnalyzeOrg) -> None:
    response = org.call("GET", "/policy", role="viewer")
    assert json.loads(response.get_data()) == {"version": 0, "rules": [], "changed_by": None, "changed_at": None}
    assert response.headers["ETag"] == '"0"'


def test_a_policy_replaces_the_one_before_and_every_version_is_kept(org: AnalyzeOrg) -> None:
    first = put(org, rule())
    assert (first["version"], first["rules"]) == (1, [rule(resource_pattern=None)])
    second = put(org, rule("a", severity="high"), rule("b", resource_pattern="aws_*"))
    assert second["version"] == 2
    assert put(org)["rules"] == []
    shown = [org.done("GET", f"/policy?version={version}", role="viewer") for version in (1, 2, 3)]
    assert shown[:2] == [first, second]
    assert org.done("GET", "/policy", role="viewer") == shown[2]
    org.refused("GET", "/policy?version=4", None, 404, "not_found")
    assert [(action, facts["rules"], facts["version_before"]) for action, facts in org.audits()] == [
        ("analyze:policy:changed", 1, 0), ("analyze:policy:changed", 2, 1), ("analyze:policy:changed", 0, 2),
    ]  # fmt: skip


def test_whoever_saw_another_version_is_told(org: AnalyzeOrg) -> None:
    put(org, rule(), version=0)
    assert refused(org, {"rules": [], "version": 0}, 409, "policy_changed")["version"] == 1
    assert refused(org, {"rules": []}, 409, "policy_changed", **{"If-Match": '"7"'})["version"] == 1
    refused(org, {"rules": [], "version": 1}, 409, "policy_changed", **{"If-Match": '"2"'})
    refused(org, {"rules": []}, 422, "invalid", **{"If-Match": "1"})
    assert put(org, version=1, headers={"If-Match": 'W/"1"'})["version"] == 2
    assert put(org, headers={"If-Match": "*"})["version"] == 3


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"severity": "fatal"}, "severity"),
        ({"flag_pattern": ""}, "flag_pattern"),
        ({"flag_pattern": "*a" * 7}, "flag_pattern"),
        ({"resource_pattern": "x" * 201}, "resource_pattern"),
        ({"reason": ""}, "reason"),
        ({"reason": "   "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"id": "with space"}, "id"),
        ({"comment": "?"}, "comment"),
    ],
)
def test_a_refusal_names_the_rule_and_the_field(org: AnalyzeOrg, wrong: dict[str, Any], field: str) -> None:
    problem = refused(org, {"rules": [rule("fine"), {**rule("second"), **wrong}]}, 422, "invalid")
    (told,) = problem["errors"]
    assert (told["field"], told["rule"]) == (f"rules.1.{field}", wrong.get("id", "second"))
    assert org.done("GET", "/policy")["version"] == 0


def test_what_is_wrong_with_the_list_itself(org: AnalyzeOrg) -> None:
    assert "twice" in refused(org, {"rules": [rule("twice"), rule("twice")]}, 422, "invalid")["errors"][0]["problem"]
    refused(org, {"rules": [rule(f"r{n}") for n in range(201)]}, 422, "invalid")
    refused(org, {"rules": ["no object"]}, 422, "invalid")
    refused(org, {"rules": 5}, 422, "invalid")
    refused(org, {}, 422, "invalid")
    refused(org, {"rules": [], "version": -1}, 422, "invalid")
    assert put(org, *[rule(f"r{n}") for n in range(200)])["version"] == 1


def test_only_people_who_are_admins_change_it(org: AnalyzeOrg) -> None:
    for role in ("viewer", "member"):
        org.refused("PUT", "/policy", {"rules": []}, 403, "role_required", role=role)


@pytest.mark.parametrize(
    ("method", "path", "name", "body"),
    [
        ("PUT", "/policy", "policy", {"rules": []}),
        ("POST", "/custom-rules", "custom-rules", {"name": "a", "title": "t", "expression": "true", "severity": "low"}),
        ("POST", "/plan-noise/suppress", "noise-suppressions", {"attribute": "tags", "reason": "known"}),
    ],
)
def test_of_two_changes_at_once_one_is_asked_to_come_again(
    org: AnalyzeOrg, function: AnalyzeFunction, method: str, path: str, name: str, body: dict[str, Any]
) -> None:
    with function.db.unit(actor_in(org.id)) as tx:
        assert tx.try_lock(name)
        org.refused(method, path, body, 503, "write_conflict", role="admin")
    assert org.call(method, path, body, role="admin").status_code in {200, 201}


def test_organisations_do_not_meet(org: AnalyzeOrg, function: AnalyzeFunction) -> None:
    other = AnalyzeOrg.make(function)
    put(org, rule())
    assert other.done("GET", "/policy")["version"] == 0
    assert put(other, rule("theirs"))["version"] == 1
    assert [item["id"] for item in org.done("GET", "/policy")["rules"]] == ["accept-queues"]


def test_a_policy_cannot_be_changed_or_deleted_in_the_database(org: AnalyzeOrg, database: ClonedDatabase) -> None:
    put(org, rule())
    grants = database.owner.run(
        "select privilege_type from information_schema.table_privileges "
        "where table_schema = 'analysis' and table_name = 'policies' and grantee = 'analyze_work' order by 1"
    )
    assert grants == [["SELECT"]], "inserts go by column, and nothing else is granted"
