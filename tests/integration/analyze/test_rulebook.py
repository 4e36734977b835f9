"""Plans judged as their organisation wants it: policy, switched-off rules, own rules, noise, all over the wire."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support.analyze_function import AnalyzeFunction, AnalyzeOrg
from tests.support.http_app import call

from .test_analyses import DATABASE_GOES, QUIET, change_of, plan_of

SPELLING = change_of("aws_sqs_queue.spelled", ["update"], {"tags": {}}, {"tags": None})
PUBLIC = change_of("aws_s3_bucket.site", ["update"], {"acl": "private"}, {"acl": "public-read"})


def accept(flag: str, resource: str | None = None, severity: str = "none") -> dict[str, Any]:
    return {
        "id": "accept",
        "flag_pattern": flag,
        "resource_pattern": resource,
        "severity": severity,
        "reason": "planned",
    }


def put(org: AnalyzeOrg, path: str, body: Any) -> None:
    org.done("PUT", path, body, role="admin")


def own_rule(org: AnalyzeOrg, name: str, expression: str, severity: str = "high", **more: Any) -> None:
    body = {"name": name, "title": "Ours", "expression": expression, "severity": severity, **more}
    org.done("POST", "/custom-rules", body, 201, role="admin")


def suppress(org: AnalyzeOrg, attribute: str, **more: Any) -> str:
    body = {"attribute": attribute, "reason": "known", **more}
    return str(org.done("POST", "/plan-noise/suppress", body, 201, role="admin")["id"])


def addresses(answer: dict[str, Any]) -> set[str]:
    return {change["address"] for change in answer["changes"]}


def test_what_the_policy_accepts_stays_in_sight_and_does_not_count(org: AnalyzeOrg) -> None:
    plan = plan_of(DATABASE_GOES)
    assert org.analyze(plan)["risk_level"] == "critical"
    put(org, "/policy", {"rules": [accept("*", "aws_db_instance.main")]})
    found = org.analyze(plan, fail_on="low")
    assert found["risk_level"] == "none", "and the gate lets it pass"
    assert found["policy_version"] == 1
    assert found["findings"]
    for item in found["findings"]:
        assert (item["severity"], item["override"]["rule"], item["override"]["reason"]) == ("none", "accept", "planned")
    assert "critical" in {item["override"]["severity_before"] for item in found["findings"]}


def test_a_policy_that_raises_closes_the_gate(org: AnalyzeOrg) -> None:
    plan = plan_of(change_of("aws_nothing_known.x", ["create"], None, {"a": 1}))
    assert org.analyze(plan, fail_on="high")["risk_level"] == "low"
    put(org, "/policy", {"rules": [accept("uncovered-type", None, "critical")]})
    org.refused("POST", "/analyze", {"plan_json": plan, "fail_on": "high"}, 409, "risk_gate")


def test_a_rule_that_is_switched_off_says_nothing(org: AnalyzeOrg) -> None:
    plan = plan_of(DATABASE_GOES)
    rules = {item["rule"] for item in org.analyze(plan)["findings"]}
    assert "stateful-destroyed" in rules
    put(org, "/disabled-rules/stateful-destroyed", {"reason": "we rebuild"})
    assert {item["rule"] for item in org.analyze(plan)["findings"]} == rules - {"stateful-destroyed"}


def test_an_own_rule_raises_a_finding_that_the_policy_knows(org: AnalyzeOrg) -> None:
    own_rule(org, "acl", 'change.after.acl == "public-read"', "critical", resource_pattern="aws_s3_*")
    own_rule(org, "off", "change.is_update", "critical", is_enabled=False)
    found = [item for item in org.analyze(plan_of(PUBLIC, QUIET))["findings"] if item["flag"] == "custom-rule"]
    assert [(item["rule"], item["address"], item["severity"]) for item in found] == [
        ("custom-acl", "aws_s3_bucket.site", "critical")
    ]
    assert found[0]["evidence"] == [{"path": "acl", "before": "private", "after": "public-read"}]
    put(org, "/policy", {"rules": [accept("custom-acl", None, "low")]})
    found = [item for item in org.analyze(plan_of(PUBLIC))["findings"] if item["flag"] == "custom-rule"]
    assert [item["severity"] for item in found] == ["low"]


def test_an_own_rule_that_cannot_judge_is_told_about(org: AnalyzeOrg) -> None:
    own_rule(org, "typo", "change.after.acll == 1")
    notes = [note for note in org.analyze(plan_of(PUBLIC, QUIET))["notes"] if "custom-typo" in note]
    assert len(notes) == 1
    assert "2 changes" in notes[0]


def test_an_expression_that_is_no_longer_taken_is_told_about(org: AnalyzeOrg, function: AnalyzeFunction) -> None:
    own_rule(org, "old", "true", "low")
    function.database.owner.run("update analysis.custom_rules set expression = 'change.was_there_once'")
    found = org.analyze(plan_of(QUIET))
    assert [note for note in found["notes"] if "custom-old" in note]
    assert not [item for item in found["findings"] if item["flag"] == "custom-rule"]


def test_a_suppression_hides_an_update_and_says_so(org: AnalyzeOrg) -> None:
    assert addresses(org.analyze(plan_of(QUIET, PUBLIC))) == {"aws_sqs_queue.jobs", "aws_s3_bucket.site"}
    suppressed = suppress(org, "delay_seconds", type="aws_sqs_queue")
    found = org.analyze(plan_of(QUIET, PUBLIC))
    assert addresses(found) == {"aws_s3_bucket.site"}
    assert found["plan_noise"]["changes_hidden"] == 1
    assert [item["suppression_id"] for item in found["plan_noise"]["differences"]] == [suppressed]
    org.done("DELETE", f"/plan-noise/suppress/{suppressed}", status=204, role="admin")
    assert addresses(org.analyze(plan_of(QUIET, PUBLIC))) == {"aws_sqs_queue.jobs", "aws_s3_bucket.site"}


@pytest.mark.parametrize(
    "change",
    [
        DATABASE_GOES,
        change_of("aws_db_instance.main", ["delete", "create"], {"a": 1}, {"a": 2}),
        change_of("aws_sqs_queue.new", ["create"], None, {"a": 1}),
        change_of("aws_db_instance.main", ["update"], {"deletion_protection": True}, {"deletion_protection": False}),
    ],
)
def test_a_suppression_of_everything_hides_nothing_that_matters(org: AnalyzeOrg, change: dict[str, Any]) -> None:
    before = org.analyze(plan_of(change))
    suppress(org, "*")
    put(org, "/plan-noise/settings", {"times": 1, "hides_recurring": True})
    after = org.analyze(plan_of(change))
    for name in ("risk_level", "findings", "changes", "summary"):
        assert after[name] == before[name]


def test_noise_is_remembered_and_hidden_once_it_recurs(org: AnalyzeOrg) -> None:
    put(org, "/plan-noise/settings", {"times": 2, "days": 7, "hides_recurring": True})
    plan = plan_of(SPELLING)
    told = []
    for _ in range(3):
        found = org.analyze(plan)
        told.append((len(found["changes"]), [item["is_recurring"] for item in found["plan_noise"]["differences"]]))
    assert told == [(1, [False]), (1, [False]), (0, [True])]
    (seen,) = org.done("GET", "/plan-noise")["items"]
    assert (seen["times"], seen["address"], seen["is_recurring"]) == (3, "aws_sqs_queue.spelled", True)
    org.function.clock.advance(timedelta(days=8).total_seconds())
    assert addresses(org.analyze(plan)) == {"aws_sqs_queue.spelled"}


def test_a_request_that_is_sent_again_is_seen_once(org: AnalyzeOrg) -> None:
    path, token, again = f"/api/v2/orgs/{org.id}/analyze", org.token(), {"Idempotency-Key": "one"}
    answers = [
        call(org.function.app, "POST", path, token=token, json_body={"plan_json": plan_of(SPELLING)}, headers=again)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [item["times"] for item in org.done("GET", "/plan-noise")["items"]] == [1]


def test_one_organisations_rulebook_is_not_another_ones(org: AnalyzeOrg, function: AnalyzeFunction) -> None:
    other, plan = AnalyzeOrg.make(function), plan_of(DATABASE_GOES, QUIET, SPELLING)
    before = other.analyze(plan)
    put(org, "/policy", {"rules": [accept("*")]})
    put(org, "/disabled-rules/stateful-destroyed", {"reason": "we rebuild"})
    own_rule(org, "all", "true", "critical")
    suppress(org, "*")
    org.analyze(plan)
    after = other.analyze(plan)
    for name in ("risk_level", "findings", "changes", "summary", "notes", "policy_version"):
        assert after[name] == before[name]
