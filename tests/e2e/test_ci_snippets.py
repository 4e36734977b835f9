"""The ready-made CI snippets against the running suite: each system's shell steps, as that system runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree

from tests.support.ci_systems import SYSTEMS, Outcome, System, run_job
from tests.support.gfm import Page
from tests.support.running_suite import RunningSuite
from tests.support.sarif_schema import sarif_faults

RISKY = Path(__file__).parents[1] / "fixtures" / "plans" / "google.json"
QUIET = {
    "format_version": "1.2",
    "terraform_version": "1.9.8",
    "resource_changes": [
        {
            "address": "aws_sqs_queue.jobs", "mode": "managed", "type": "aws_sqs_queue", "name": "jobs",
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "change": {
                "actions": ["update"], "before": {"delay_seconds": 1}, "after": {"delay_seconds": 2},
                "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {},
            },
        }
    ],
}  # fmt: skip
_BY_NAME = pytest.mark.parametrize("system", SYSTEMS, ids=lambda item: item.name)


def _run(emulator: RunningSuite, system: System, folder: Path, plan: Path) -> Outcome:
    workspace = folder / "workspace"
    workspace.mkdir()
    settings = {
        "DRIFTWISE_URL": emulator.url,
        "DRIFTWISE_ORG": str(emulator.org_id),
        "DRIFTWISE_API_KEY": emulator.api_keys["write"],
    }
    outcome = run_job(system, workspace, plan, settings)
    assert settings["DRIFTWISE_API_KEY"] not in outcome.log
    return outcome


@_BY_NAME
def test_a_risky_plan_stops_the_job_and_every_result_is_there(
    emulator: RunningSuite, system: System, tmp_path: Path
) -> None:
    outcome = _run(emulator, system, tmp_path, RISKY)
    assert outcome.status == 1, outcome.log
    analysis = json.loads((outcome.out / "analysis.json").read_bytes())
    assert analysis["risk_level"] == "critical"
    assert analysis["fail_on"] == "high"
    told = {name: str(value) for name, value in analysis["ci"].items() if value is not None}
    assert told == dict(system.facts)

    log = json.loads((outcome.out / "analysis.sarif").read_bytes())
    assert sarif_faults(log) == []
    assert len(log["runs"][0]["results"]) == analysis["findings_total"]

    report = (outcome.out / "analysis.md").read_text("utf-8")
    assert Page(report.split("\n", 1)[1]).faults == []
    assert "**Stopped.** The gate is at **high**" in report

    failed = list(etree.fromstring((outcome.out / "analysis.junit.xml").read_bytes()).iter("failure"))
    assert len(failed) == sum(item["severity"] in {"critical", "high"} for item in analysis["findings"])
    assert all(item.get("message") in outcome.log for item in failed)


@_BY_NAME
def test_a_quiet_plan_goes_on(emulator: RunningSuite, system: System, tmp_path: Path) -> None:
    plan = tmp_path / "quiet.json"
    plan.write_text(json.dumps(QUIET), encoding="utf-8")
    outcome = _run(emulator, system, tmp_path, plan)
    assert outcome.status == 0, outcome.log
    assert "DriftWise:" in outcome.log
    assert json.loads((outcome.out / "analysis.json").read_bytes())["fail_on"] == "high"


def test_what_is_no_plan_is_told_in_one_line(emulator: RunningSuite, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text(
        '{"version": 4, "terraform_version": "1.9.8", "serial": 3, "lineage": "x", "resources": []}', encoding="utf-8"
    )
    outcome = _run(emulator, SYSTEMS[1], tmp_path, state)
    assert outcome.status == 2, outcome.log
    assert "(plan_unreadable)" in outcome.log
