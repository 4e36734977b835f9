"""The workflow that builds and rolls out: nothing reaches a release around a check, and no job can do more than its part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support.running_suite import ROOT

FILE = ROOT / ".github" / "workflows" / "ci.yml"
TEXT = FILE.read_text("utf-8")
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
CHECKS = {"check", "supply-chain"}


def needed(job: str) -> set[str]:
    """Return every job that must have passed before."""
    needs = JOBS[job].get("needs", [])
    direct = {needs} if isinstance(needs, str) else set(needs)
    return direct.union(*(needed(other) for other in direct))


def steps(name: str) -> Iterator[str]:
    yield from (step.get("run") or step["uses"] for step in JOBS[name]["steps"])


def test_every_check_runs_with_each_change_and_none_may_fail_quietly() -> None:
    assert set(WORKFLOW[True]) == {"pull_request", "push"}
    assert WORKFLOW[True]["pull_request"] is None
    for name in CHECKS:
        assert "if" not in JOBS[name]
    assert "bash .ci/run" in steps("check")
    assert "make supply-chain" in steps("supply-chain")
    for escape in ("continue-on-error", "|| true", "allow-not-run"):
        assert escape not in TEXT
    tasks = (ROOT / "Makefile").read_text("utf-8")
    assert "-m infra.supply_chain\n" in tasks
    assert "-m infra.supply_chain --quick\n" in tasks
    assert "allow-not-run" not in tasks


def test_what_is_built_and_rolled_out_has_passed_every_check() -> None:
    assert needed("build") == CHECKS
    assert needed("deploy") == {"build", *CHECKS}
    assert JOBS["build"]["if"] == "github.event_name == 'push' && github.ref == 'refs/heads/main'"
    assert JOBS["deploy"]["environment"] == "platform"


def test_images_are_signed_and_their_provenance_is_kept_before_anything_is_handed_on() -> None:
    order = [re.sub("@.*", "", text.splitlines()[0]) for text in steps("build")]
    assert order.count("actions/attest-build-provenance") == 2
    assert order[-1] == "actions/upload-artifact"
    assert any("infra.release" in text for text in steps("build"))
    assert any("infra.deploy" in text and "images.json" in text for text in steps("deploy"))


def test_a_job_gets_what_it_needs_and_no_secret() -> None:
    assert WORKFLOW["permissions"] == {}
    assert {name: job["permissions"] for name, job in JOBS.items()} == {
        "check": {"contents": "read"},
        "supply-chain": {"contents": "read"},
        "build": {"contents": "read", "id-token": "write", "attestations": "write"},
        "deploy": {"contents": "read", "id-token": "write"},
    }
    assert "secrets." not in TEXT


@pytest.mark.parametrize("used", sorted(set(re.findall(r"uses: (.*)", TEXT))))
def test_every_action_is_named_by_its_commit(used: str) -> None:
    assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used)


def test_cloud_build_is_the_same_gate() -> None:
    build = yaml.safe_load((ROOT / "infra/release/cloudbuild.yaml").read_text("utf-8"))
    scripts = [step["script"] for step in build["steps"]]
    assert "bash .ci/run" in scripts[0]
    assert "make supply-chain\n" in scripts[1]
    assert build["options"]["requestedVerifyOption"] == "VERIFIED"
    assert all(
        re.search("@sha256:[0-9a-f]{64}$", step["name"]) and "allowFailure" not in step for step in build["steps"]
    )
