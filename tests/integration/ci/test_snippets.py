"""The ready-made snippets: valid for their CI system, and their steps do what they are there for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.analyses import analysis, finding
from tests.support.ci_systems import FOLDER, SYSTEMS, System, run_job
from tests.support.plan_service import KEY, ORG, PlanService, plan_service

PLAN = b'{"format_version": "1.2", "resource_changes": []}\n'
FILES = {"analysis.json", "analysis.sarif", "analysis.md", "analysis.junit.xml"}
SCHEMAS = {
    "github-actions.yml": ["vendor.github-workflows"],
    "gitlab-ci.yml": ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
    "azure-pipelines.yml": [
        "vendor.azure-pipelines",
        "--data-transform",
        "azure-pipelines",
        "--regex-variant",
        "nonunicode",
    ],
}


def _settings(service: PlanService, **more: str) -> dict[str, str]:
    return {"DRIFTWISE_URL": service.url, "DRIFTWISE_ORG": ORG, "DRIFTWISE_API_KEY": KEY, **more}


def _check(name: str, file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *SCHEMAS[name], str(file)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_snippet_is_valid_by_its_systems_schema(name: str, tmp_path: Path) -> None:
    done = _check(name, FOLDER / name)
    assert done.returncode == 0, done.stdout
    broken = tmp_path / name
    broken.write_text(
        (FOLDER / name).read_text("utf-8").replace("script:", "scirpt:").replace("runs-on:", "runs_on:"), "utf-8"
    )
    assert _check(name, broken).returncode == 1


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda item: item.name)
def test_a_plan_under_the_gate_passes_and_its_results_are_there(system: System, tmp_path: Path) -> None:
    outcome, service = _run(system, tmp_path, analysis(finding(severity="medium")))
    assert outcome.status == 0, outcome.log
    assert {item.name for item in outcome.out.iterdir()} == FILES
    (asked,) = service.judged
    assert asked.body == PLAN
    assert asked.query == {"fail_on": "high", **system.facts}


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda item: item.name)
def test_a_plan_over_the_gate_fails_with_its_results_there_and_no_plan_left(system: System, tmp_path: Path) -> None:
    outcome, service = _run(system, tmp_path, analysis(finding()))
    assert outcome.status == 1, outcome.log
    assert {item.name for item in outcome.out.iterdir()} == FILES
    assert "A port is opened to public networks" in outcome.log
    assert KEY not in outcome.log
    assert "hunter2" not in outcome.log
    assert service.seen_keys == []
    left = [item.name for item in outcome.workspace.rglob("*") if re.search(r"\.tfplan$|^tfplan|^default\.", item.name)]
    assert left == [], "a plan file may hold secrets, and could be applied"


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda item: item.name)
def test_a_service_that_refuses_fails_the_job(system: System, tmp_path: Path) -> None:
    outcome, _ = _run(system, tmp_path, analysis(), DRIFTWISE_API_KEY="dw2_wrong_key")
    assert outcome.status == 2, outcome.log
    assert "unauthenticated" in outcome.log


def _run(system: System, folder: Path, answer: dict[str, Any], **settings: str) -> tuple[Any, PlanService]:
    plan = folder / "the-plan.json"
    plan.write_bytes(PLAN)
    workspace = folder / "workspace"
    workspace.mkdir()
    with plan_service(answer) as service:
        return run_job(system, workspace, plan, _settings(service, **settings)), service


def test_github_shows_the_report_in_the_jobs_summary_and_uploads_the_log(tmp_path: Path) -> None:
    outcome, _ = _run(SYSTEMS[0], tmp_path, analysis(finding()))
    assert "## DriftWise: high risk" in (outcome.workspace / "summary.md").read_text("utf-8")
    (job,) = yaml.safe_load((FOLDER / "github-actions.yml").read_text("utf-8"))["jobs"].values()
    upload = job["steps"][-1]
    assert upload["with"]["sarif_file"] == "driftwise/analysis.sarif"
    assert upload["if"].startswith("always()")
    assert job["permissions"] == {"contents": "read", "actions": "read", "security-events": "write"}


def test_actions_are_pinned_by_digest_and_none_runs_with_more_than_it_needs() -> None:
    text = (FOLDER / "github-actions.yml").read_text("utf-8")
    used = re.findall(r"uses: (.+)", text)
    assert used
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", item) for item in used)
    assert "pull_request_target" not in text
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}


@pytest.mark.parametrize(("name", "sign"), [("gitlab-ci.yml", "junit: driftwise/analysis.junit.xml"), ("Jenkinsfile", "junit testResults: 'driftwise/analysis.junit.xml'"), ("azure-pipelines.yml", "testResultsFiles: driftwise/analysis.junit.xml")])  # fmt: skip
def test_test_results_are_published(name: str, sign: str) -> None:
    assert sign in (FOLDER / name).read_text("utf-8")


def test_azure_is_told_of_the_summary(tmp_path: Path) -> None:
    outcome, _ = _run(SYSTEMS[-1], tmp_path, analysis(finding()))
    assert f"##vso[task.uploadsummary]{outcome.workspace}/driftwise/analysis.md" in outcome.log
    assert outcome.log.count("##vso[") == 1


def test_atlantis_keeps_no_plan_that_was_not_let_through(tmp_path: Path) -> None:
    over, under = tmp_path / "over", tmp_path / "under"
    over.mkdir()
    under.mkdir()
    atlantis = SYSTEMS[2]
    assert not (_run(atlantis, over, analysis(finding()))[0].workspace / "default.tfplan").exists()
    assert (_run(atlantis, under, analysis())[0].workspace / "default.tfplan").exists()


def test_atlantis_file_has_only_what_atlantis_knows() -> None:
    document = yaml.safe_load((FOLDER / "atlantis-repos.yaml").read_text("utf-8"))
    assert set(document) == {"repos", "workflows"}
    assert set(document["workflows"]["driftwise"]) == {"plan", "apply"}
    for stage in document["workflows"]["driftwise"].values():
        for step in stage["steps"]:
            assert step in ("init", "plan", "apply") or set(step["run"]) == {"command", "output"}


def test_every_snippet_is_in_the_readme() -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")
    for item in FOLDER.iterdir():
        assert item.name == "README.md" or f"({item.name})" in readme
    assert json.dumps("DRIFTWISE_API_KEY").strip('"') in readme
