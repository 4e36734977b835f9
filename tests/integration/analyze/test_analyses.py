"""Plans over the wire: judged, kept, found again, refused by a gate; bodies in every encoding; drift held against them."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.support.analyze_function import AnalyzeFunction, AnalyzeOrg
from tests.support.http_app import call

PLANS = Path(__file__).parents[2] / "fixtures" / "plans"
AZURE = json.loads((PLANS / "azure.json").read_text("utf-8"))
SECRET = "correct-horse-battery-staple"


def plan_of(*changes: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A plan document with some changes."""
    return {"format_version": "1.2", "terraform_version": "1.11.0", "resource_changes": list(changes), **members}


def change_of(address: str, actions: list[str], before: Any, after: Any, **members: Any) -> dict[str, Any]:
    """One resource change."""
    kind, name = address.rsplit(".", 2)[-2:]
    body = {
        "actions": actions,
        "before": before,
        "after": after,
        "after_unknown": {},
        "before_sensitive": {},
        "after_sensitive": {},
    }
    return {
        "address": address, "mode": "managed", "type": kind, "name": name,
        "provider_name": "registry.terraform.io/hashicorp/aws", "change": body | members,
    }  # fmt: skip


DATABASE_GOES = change_of("aws_db_instance.main", ["delete"], {"identifier": "main", "password": SECRET}, None)
QUIET = change_of("aws_sqs_queue.jobs", ["update"], {"delay_seconds": 1}, {"delay_seconds": 2})


def test_a_plan_is_judged_and_found_again(org: AnalyzeOrg) -> None:
    ci = {
        "repo_owner": "acme",
        "repo_name": "infra",
        "pr_number": 7,
        "branch": "more",
        "commit_sha": "0123abc",
        "actor": "ann",
    }
    found = org.analyze(AZURE, ci=ci)
    assert found["risk_level"] == "critical"
    assert found["scan_run"] == {"id": found["id"], "status": "done"}
    assert found["findings"][0]["severity"] == "critical"
    assert found["findings_total"] == len(found["findings"])
    assert found["ci"]["pr_number"] == 7
    assert org.done("GET", f"/analyses/{found['id']}", role="viewer") == found
    [line] = org.done("GET", "/analyses?pull_request=7&repository=acme/infra&branch=more")["items"]
    assert (line["id"], line["summary"], line["risk_level"]) == (found["id"], found["summary"], "critical")
    assert org.done("GET", "/analyses?pull_request=8")["items"] == []
    assert org.audits() == [("analyze:analysis:created", {"risk_level": "critical", "is_refused": False})]


def test_every_change_says_what_it_does_and_the_worst_comes_first(org: AnalyzeOrg) -> None:
    found = org.analyze(plan_of(QUIET, DATABASE_GOES))
    assert [(item["address"], item["action"], item["risk_level"]) for item in found["changes"]] == [
        ("aws_db_instance.main", "delete", "critical"),
        ("aws_sqs_queue.jobs", "update", "none"),
    ]
    assert found["changes"][1]["changed_attributes"] == ["delay_seconds"]
    assert found["counts"] == {"delete": 1, "update": 1}
    assert found["summary"].startswith("1 to change, 1 to destroy; 1 critical")


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: gzip.compress(text.encode()),
    ],
    ids=["utf-8", "utf-16", "byte order mark", "gzip"],
)
def test_a_body_may_be_the_plan_itself_in_any_encoding(org: AnalyzeOrg, encode: Any) -> None:
    content = encode(json.dumps(plan_of(DATABASE_GOES)))
    found = org.done("POST", "/analyze?pr_number=3&repo_name=infra", content=content)
    assert (found["risk_level"], found["ci"]["pr_number"], found["ci"]["repo_name"]) == ("critical", 3, "infra")


def test_a_plan_may_come_as_text(org: AnalyzeOrg) -> None:
    assert org.analyze(json.dumps(plan_of(DATABASE_GOES)))["risk_level"] == "critical"


def test_a_gate_refuses_and_keeps_the_judgement(org: AnalyzeOrg) -> None:
    body = {"plan_json": plan_of(DATABASE_GOES), "fail_on": "high"}
    problem = org.refused("POST", "/analyze", body, 409, "risk_gate")
    assert (problem["risk_level"], problem["fail_on"]) == ("critical", "high")
    assert problem["findings"][0]["address"] == "aws_db_instance.main"
    kept = org.done("GET", f"/analyses/{problem['analysis_id']}")
    assert (kept["risk_level"], kept["fail_on"]) == ("critical", "high")
    assert org.done("GET", "/analyses")["items"][0]["is_refused"]


@pytest.mark.parametrize("gate", ["low", "critical"])
def test_a_risk_below_the_gate_passes(org: AnalyzeOrg, gate: str) -> None:
    found = org.done("POST", f"/analyze?fail_on={gate}", content=json.dumps(plan_of(QUIET)).encode())
    assert (found["risk_level"], found["fail_on"]) == ("none", gate)


def test_a_repeated_request_is_answered_once_and_again(org: AnalyzeOrg) -> None:
    token, path = org.token(), f"/api/v2/orgs/{org.id}/analyze"
    body = {"plan_json": plan_of(DATABASE_GOES), "fail_on": "low"}
    first, second = (
        call(org.function.app, "POST", path, token=token, json_body=body, headers={"Idempotency-Key": "one"})
        for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (409, 409)
    assert first.mimetype == second.mimetype == "application/problem+json"
    assert json.loads(first.get_data())["analysis_id"] == json.loads(second.get_data())["analysis_id"]
    assert len(org.done("GET", "/analyses")["items"]) == 1


def test_a_sensitive_value_is_nowhere(org: AnalyzeOrg) -> None:
    change = change_of(
        "aws_db_instance.main", ["delete", "create"], {"password": SECRET, "engine": "x"}, {"password": f"{SECRET}2", "engine": "y"},
        before_sensitive={"password": True}, after_sensitive={"password": True}, replace_paths=[["engine"]],
    )  # fmt: skip
    found = org.analyze(plan_of(change))
    assert SECRET not in json.dumps(found)
    stored = org.function.database.owner.run("select cast(a as text) from analysis.analyses a")
    assert SECRET not in str(stored)


@pytest.mark.parametrize(
    ("content", "looks_like"),
    [
        (b"", "empty"),
        (b"{", "cut_json"),
        (b"PK\x03\x04binary", "binary_plan"),
        (b"<!DOCTYPE html><html>", "html"),
        (
            json.dumps({"version": 4, "serial": 1, "lineage": "x", "terraform_version": "1", "resources": []}).encode(),
            "state",
        ),
        (json.dumps({"plan_json": "Terraform will perform the following actions"}).encode(), "plan_text"),
    ],
)
def test_what_is_no_plan_is_told_what_it_looks_like(org: AnalyzeOrg, content: bytes, looks_like: str) -> None:
    problem = org.refused("POST", "/analyze", None, 422, "plan_unreadable", content=content or b" ")
    assert problem["looks_like"] == looks_like


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"plan_json": 7}, "plan_json"),
        ({"plan_json": {}, "more": 1}, "more"),
        ({"plan_json": {}, "fail_on": "none"}, "fail_on"),
        ({"plan_json": {}, "ci": {"pr_number": 0}}, "ci.pr_number"),
    ],
)
def test_a_wrong_member_is_named(org: AnalyzeOrg, body: dict[str, Any], field: str) -> None:
    problem = org.refused("POST", "/analyze", body, 422, "invalid")
    assert field in [item["field"].removesuffix(".str") for item in problem["errors"]]


def test_the_history_ends_where_the_plan_says_and_the_purge_deletes_it(function: AnalyzeFunction) -> None:
    free, enterprise = AnalyzeOrg.make(function, "free"), AnalyzeOrg.make(function, "enterprise")
    ids = [org.analyze(plan_of(QUIET))["id"] for org in (free, enterprise)]
    function.clock.advance(timedelta(hours=25).total_seconds())
    free.refused("GET", f"/analyses/{ids[0]}", None, 404, "not_found")
    assert free.done("GET", "/analyses")["items"] == []
    assert enterprise.done("GET", f"/analyses/{ids[1]}")["id"] == ids[1]
    assert function.tick("analysis-purge") == {"deleted": 1, "is_complete": True}
    assert function.database.owner.run("select id from analysis.analyses") == [[UUID(ids[1])]]


def test_nobody_sees_the_analyses_of_another_organisation(function: AnalyzeFunction, org: AnalyzeOrg) -> None:
    found = org.analyze(plan_of(QUIET))
    AnalyzeOrg.make(function).refused("GET", f"/analyses/{found['id']}", None, 404, "not_found")


def test_a_viewer_may_not_have_a_plan_judged(org: AnalyzeOrg) -> None:
    org.refused("POST", "/analyze", {"plan_json": plan_of(QUIET)}, 403, "role_required", role="viewer")


def drift(org: AnalyzeOrg, **values: Any) -> str:
    """Put an open drift into the database; returns its id."""
    run = org.function.database.owner.run
    account = run(
        "insert into scan.cloud_accounts (org_id, provider, name, external_account, regions, auth_kind, role_arn) "
        "values (:org, 'aws', 'a', '123456789012', '{us-east-1}', 'role', 'arn:aws:iam::123456789012:role/r') "
        "on conflict (org_id, provider, external_account) do update set name = 'a' returning id",
        org=org.id,
    )[0][0]
    scan = run(
        "insert into scan.scans (org_id, account_id, status) values (:org, :account, 'done') returning id",
        org=org.id, account=account,
    )[0][0]  # fmt: skip
    row = {"kind": "changed", "path": None, "before": None, "after": None, "cloud_id": None, "address": None} | values
    return str(
        run(
            "insert into scan.drift_items (org_id, account_id, scan_id, kind, type, key, address, cloud_id, path, before, after, "
            "severity, rule, fingerprint) values (:org, :account, :scan, :kind, :type, 'k', :address, :cloud_id, :path, "
            "cast(:before as jsonb), cast(:after as jsonb), 'medium', 'r', sha256(cast(:print as bytea))) returning id",
            org=org.id, account=account, scan=scan, print=json.dumps(row).encode(),
            **{**row, "before": json.dumps(row["before"]), "after": json.dumps(row["after"])},
        )[0][0]
    )  # fmt: skip


def test_a_plan_says_which_open_drift_it_would_undo(org: AnalyzeOrg) -> None:
    arn = "arn:aws:sqs:us-east-1:123456789012:jobs"
    item = drift(
        org, type="aws_sqs_queue", address="aws_sqs_queue.jobs", cloud_id=arn, path="delay_seconds", before=2, after=1
    )
    change = change_of(
        "aws_sqs_queue.jobs", ["update"], {"arn": arn, "delay_seconds": 1}, {"arn": arn, "delay_seconds": 2}
    )
    found = org.analyze(plan_of(change))
    [link] = found["drift"]
    assert (link["drift_id"], link["effect"], link["is_certain"]) == (item, "reverted", True)
    [finding] = [item for item in found["findings"] if item["flag"] == "drift-reverted"]
    assert (finding["severity"], finding["evidence"]) == (
        "medium", [{"path": "delay_seconds", "before": 1, "after": 2}],
    )  # fmt: skip


def test_an_undoing_that_makes_a_database_again_is_critical(org: AnalyzeOrg) -> None:
    drift(org, type="aws_db_instance", address="aws_db_instance.main", path="engine_version", before="14", after="15")
    change = change_of("aws_db_instance.main", ["delete", "create"], {"engine_version": "15"}, {"engine_version": "14"})
    found = org.analyze(plan_of(change))
    [finding] = [item for item in found["findings"] if item["flag"] == "drift-reverted"]
    assert finding["severity"] == "critical"
    assert "Matched by address only." in finding["note"]


def test_drift_of_another_organisation_is_not_seen(function: AnalyzeFunction, org: AnalyzeOrg) -> None:
    drift(
        AnalyzeOrg.make(function),
        type="aws_sqs_queue",
        address="aws_sqs_queue.jobs",
        path="delay_seconds",
        before=2,
        after=1,
    )
    assert org.analyze(plan_of(QUIET))["drift"] == []
