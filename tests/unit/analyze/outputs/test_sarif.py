"""SARIF logs: valid by the standard's own schema, and what GitHub's code scanning wants of them."""

from __future__ import annotations

import gzip
import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.analyze.domain.outputs import to_sarif
from shared.reports.sarif import MOST_RESULTS
from tests.support.analyses import HOSTILE, accepted, analysis, finding, full
from tests.support.gfm import Page
from tests.support.sarif_schema import sarif_faults

_GITHUB_BYTES = 10_000_000
_BANDS = {"critical": (9.0, 10.0), "high": (7.0, 8.9), "medium": (4.0, 6.9), "low": (0.1, 3.9)}


def _run(answer: dict[str, Any]) -> dict[str, Any]:
    log = json.loads(to_sarif(answer))
    assert sarif_faults(log) == []
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
    return run


def test_the_schema_refuses_what_is_no_log() -> None:
    assert sarif_faults({"version": "2.1.0", "runs": [{"results": []}]}) != []


def test_a_plan_without_findings_is_a_valid_log() -> None:
    assert _run(analysis())["results"] == []


def test_a_finding_is_all_that_code_scanning_asks_for() -> None:
    run = _run(analysis(finding()))
    (rule,), (result,) = run["tool"]["driver"]["rules"], run["results"]
    assert rule["id"] == "aws-ingress/high"
    assert rule["shortDescription"]["text"] == "A port is opened to public networks"
    assert rule["fullDescription"]["text"] == "Anybody on the internet can connect."
    assert "Name the networks" in rule["help"]["text"]
    assert "**What to do:**" in rule["help"]["markdown"]
    assert rule["helpUri"] == "https://example.org/ports"
    assert rule["properties"]["tags"] == ["security", "public-ingress", "external/cwe/cwe-284", "CKV_AWS_24"]
    assert result["message"]["text"].startswith("A port is opened to public networks: module.web")
    assert 'ingress[0].cidr_blocks: ["10.0.0.0/8"] -> ["0.0.0.0/0"]' in result["message"]["text"]
    assert result["partialFingerprints"]["primaryLocationLineHash"] == "aws-ingress:0123456789ab"
    (location,) = result["locations"]
    assert location["logicalLocations"][0]["fullyQualifiedName"] == 'module.web["a"].aws_security_group.main'
    place = location["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "terraform-plan/module.web%5B%22a%22%5D.aws_security_group.main"
    assert place["region"]["startLine"] == 1
    assert run["versionControlProvenance"] == [
        {
            "repositoryUri": "https://github.com/shop/infra",
            "revisionId": "0123456789abcdef0123456789abcdef01234567",
            "branch": "open-port",
        }
    ]
    assert run["automationDetails"]["id"].startswith("driftwise/plan/")


@pytest.mark.parametrize(
    ("severity", "level"), [("critical", "error"), ("high", "error"), ("medium", "warning"), ("low", "note")]
)
def test_severities_are_shown_as_github_counts_them(severity: str, level: str) -> None:
    run = _run(analysis(finding(severity=severity)))
    low, high = _BANDS[severity]
    (rule,) = run["tool"]["driver"]["rules"]
    assert low < float(rule["properties"]["security-severity"]) <= high
    assert rule["defaultConfiguration"]["level"] == run["results"][0]["level"] == level


def test_a_rule_found_at_two_severities_is_two_rules() -> None:
    run = _run(analysis(finding(), finding(id="b", severity="low"), finding(id="c")))
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["aws-ingress/high", "aws-ingress/low"]
    assert [result["ruleIndex"] for result in run["results"]] == [0, 1, 0]


def test_what_a_policy_accepts_is_there_and_suppressed() -> None:
    run = _run(analysis(finding(), accepted()))
    shown, hidden = run["results"]
    assert shown["suppressions"] == []
    assert hidden["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "the lab is meant to be open"}
    ]
    assert hidden["ruleId"] == "aws-ingress/critical"
    assert "suppressions" not in _run(analysis(finding()))["results"][0]


def test_what_is_about_the_whole_plan_has_a_place_too() -> None:
    (result,) = _run(analysis(finding(address="")))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "terraform-plan/whole"
    assert "the plan as a whole" in result["message"]["text"]


def test_what_was_not_judged_is_said() -> None:
    run = _run(analysis(uncovered={"acme_thing": 3}, notes=["the plan is errored"], findings_total=7))
    told = [item["message"]["text"] for item in run["invocations"][0]["toolExecutionNotifications"]]
    assert told[0] == "the plan is errored"
    assert "No rule looks into acme_thing: 3 changes not judged." in told
    assert any("7 findings in all" in text for text in told)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_acts_or_makes_a_log_invalid(text: str) -> None:
    run = _run(full(text))
    for rule in run["tool"]["driver"]["rules"]:
        assert Page(rule["help"]["markdown"]).faults == []
    for result in run["results"]:
        assert "](" not in result["message"]["text"]
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        folder, file = uri.split("/")
        assert (folder, file.strip(".") != "") == ("terraform-plan", True)


@settings(max_examples=60)
@given(st.text(max_size=30))
def test_any_text_makes_a_valid_log(text: str) -> None:
    _run(full(text))


@pytest.mark.parametrize(
    "url", ["https://user:hunter2@github.com/a/b", "http://x", "file:///etc/passwd", "https://[", ""]
)
def test_an_address_that_is_none_of_a_repository_is_left_out(url: str) -> None:
    assert "versionControlProvenance" not in _run(analysis(ci={"repo_url": url}))


def test_a_log_stays_within_what_github_takes_and_says_what_it_left_out() -> None:
    many = [finding(id=f"i{number}", note="", evidence=[]) for number in range(MOST_RESULTS + 10)]
    run = json.loads(to_sarif(analysis(*many)))["runs"][0]
    assert len(run["results"]) == MOST_RESULTS
    told = [item["message"]["text"] for item in run["invocations"][0]["toolExecutionNotifications"]]
    assert "10 more results are left out: GitHub takes no larger log." in told


def test_a_log_of_random_texts_stays_within_githubs_bytes() -> None:
    source = Random(7)
    letters = [chr(number) for number in range(0x4E00, 0x9FFF)]
    noisy = [finding(id=f"i{number}", note="".join(source.choices(letters, k=1_900))) for number in range(2_500)]
    text = to_sarif(analysis(*noisy))
    assert len(gzip.compress(text.encode(), 1)) <= _GITHUB_BYTES
    assert 500 < len(json.loads(text)["runs"][0]["results"]) < 2_500
