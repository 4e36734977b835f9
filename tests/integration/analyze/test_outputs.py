"""What was stored, in the forms that CI systems read: over the wire, for whoever may read the analysis and nobody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.support.analyze_function import AnalyzeOrg
from tests.support.gfm import Page
from tests.support.sarif_schema import sarif_faults

PLANS = Path(__file__).parents[2] / "fixtures" / "plans"
TYPES = {"sarif": "application/sarif+json", "markdown": "text/markdown", "junit": "application/xml"}


@pytest.fixture(params=["azure", "google"])
def judged(org: AnalyzeOrg, request: pytest.FixtureRequest) -> dict[str, Any]:
    plan = json.loads((PLANS / f"{request.param}.json").read_text("utf-8"))
    return org.analyze(plan, ci={"repo_url": "https://github.com/acme/infra", "branch": "more"})


def _get(org: AnalyzeOrg, judged: dict[str, Any], form: str) -> str:
    reply = org.call("GET", f"/analyses/{judged['id']}?format={form}")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == f"{TYPES[form]}; charset=utf-8"
    return reply.get_data(as_text=True)


def test_a_sarif_log_is_valid_and_has_a_result_for_each_finding(org: AnalyzeOrg, judged: dict[str, Any]) -> None:
    log = json.loads(_get(org, judged, "sarif"))
    assert sarif_faults(log) == []
    (run,) = log["runs"]
    assert [item["partialFingerprints"]["driftwise/v1"] for item in run["results"]] == [
        item["id"] for item in judged["findings"]
    ]
    assert run["automationDetails"]["id"].endswith(judged["id"])


def test_a_markdown_report_names_every_finding_and_nothing_acts(org: AnalyzeOrg, judged: dict[str, Any]) -> None:
    text = _get(org, judged, "markdown")
    page = Page(text.split("\n", 1)[1])
    assert page.faults == []
    assert f"## DriftWise: {judged['risk_level']} risk" in text
    assert {item["address"] for item in judged["findings"] if item["severity"] != "low" and item["address"]} <= set(
        page.codes
    )


def test_a_junit_report_has_a_test_for_each_finding(org: AnalyzeOrg, judged: dict[str, Any]) -> None:
    root = etree.fromstring(_get(org, judged, "junit").encode())
    assert len(list(root.iter("testcase"))) == len(judged["findings"])
    assert list(root.iter("failure")) == [], "no gate was set"


def test_a_form_that_is_none_is_refused(org: AnalyzeOrg, judged: dict[str, Any]) -> None:
    reply = org.call("GET", f"/analyses/{judged['id']}?format=html")
    assert reply.status_code == 422


def test_a_gate_stands_in_what_is_written(org: AnalyzeOrg) -> None:
    plan = json.loads((PLANS / "azure.json").read_text("utf-8"))
    problem = org.refused("POST", "/analyze?fail_on=high", plan, 409, "risk_gate")
    found = {"id": problem["analysis_id"]}
    assert "**Stopped.** The gate is at **high**" in _get(org, found, "markdown")
    failures = list(etree.fromstring(_get(org, found, "junit").encode()).iter("failure"))
    assert failures
    assert all(
        case.getparent().get("classname") in {"DriftWise.critical-risk", "DriftWise.high-risk"} for case in failures
    )
