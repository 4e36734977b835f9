"""Import blocks with generated configuration: a real Terraform plans to take an estate over and to change nothing.

The estate runs in moto, in no state; what DriftWise's readers see of it is all that the configuration is made of.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from functions.scan.domain.regional import without_region
from functions.scan.domain.resources import LiveResource
from functions.scan.fixing.importing import build_import
from functions.scan.types.aws import SPECS
from functions.scan.types.aws.imports import RULES
from functions.scan.types.import_rules import Source
from tests.support.aws_account import (
    FIXTURES,
    ProviderUnavailable,
    moto_account,
    prepare_terraform,
    replay,
    scan,
    why_no_terraform,
)

# What moto answers otherwise than AWS, so that the provider plans to set what runs already.
EXCEPTIONS = {"aws_ecs_service": "moto returns neither the deployment percentages nor the rebalancing of zones"}
NOT_IN_THE_ESTATE = {
    "aws_cloudwatch_event_bus", "aws_db_parameter_group", "aws_iam_group_policy_attachment", "aws_iam_user_policy", "aws_iam_user_policy_attachment",
    "aws_lb_listener_rule", "aws_s3_bucket_ownership_controls", "aws_s3_bucket_public_access_block",
}  # fmt: skip


@pytest.mark.terraform
def test_a_plan_takes_the_estate_over_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if reason := why_no_terraform():
        pytest.skip(reason)
    configuration, work = tmp_path / "configuration", tmp_path / "work"
    configuration.mkdir()
    work.mkdir()
    with moto_account() as endpoint:
        replay(endpoint, FIXTURES / "demo" / "requests.jsonl.gz")
        chosen = _one_of_each([item for item in scan(endpoint).live if not item.cloud_made and item.type in RULES])
        text = "\n".join(_text(item, f"_{number}") for number, item in enumerate(chosen))
        text = text.replace("https://127.0.0.1/", f"{endpoint}/")  # a queue's URL names no port when it is stored
        (configuration / "main.tf").write_text(text, encoding="utf-8")
        (work / "secrets.auto.tfvars.json").write_text(json.dumps(_secrets(text, chosen)), encoding="utf-8")
        try:
            environment = prepare_terraform(configuration, endpoint, work)
        except ProviderUnavailable as error:
            pytest.skip(f"Terraform's AWS provider is not available: {str(error)[:200]}")
        plan = _plan(work, environment)
    changed = {item["address"]: item["change"] for item in plan if item["change"]["actions"] != ["no-op"]}
    assert changed == {}
    imported = {item["type"] for item in plan if "importing" in item["change"]}
    assert imported == {item.type for item in chosen}
    with capsys.disabled():
        print(f"\n{len(imported)} types are imported without a change; left out: {EXCEPTIONS}")  # noqa: T201  # exceptions are told
    assert len(imported) >= 30
    assert set(RULES) - imported == NOT_IN_THE_ESTATE | set(EXCEPTIONS)


def _one_of_each(live: list[LiveResource]) -> list[LiveResource]:
    seen: Counter[str] = Counter()
    found = []
    for item in live:
        if item.type not in EXCEPTIONS and not seen[item.type]:
            seen[item.type] += 1
            found.append(item)
    return found


def _text(item: LiveResource, suffix: str) -> str:
    stored = {name: value for name, value in item.attributes.items() if name in SPECS[item.type].shapes}
    found = build_import(
        item.type, Source(without_region(item.key, item.region), item.cloud_id, stored, item.tags), suffix=suffix
    )
    assert found.import_block
    assert found.configuration
    return f"{found.import_block}\n\n{found.configuration}"


def _secrets(text: str, chosen: list[LiveResource]) -> dict[str, str]:
    """Give the variables that stand for secrets the values that run, as a person would."""
    names = re.findall(r'variable "(\w+)"', text)
    values = [str(item.attributes["value"]) for item in chosen if item.type == "aws_ssm_parameter"]
    assert len(names) == len(values) == 1
    return dict(zip(names, values, strict=True))


def _plan(work: Path, environment: dict[str, str]) -> list[dict[str, Any]]:
    """Plan; the exit status says whether anything would change besides what is imported."""
    command = ["terraform", "plan", "-no-color", "-input=false", "-parallelism=20", "-out=plan", "-detailed-exitcode"]
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 2}, (done.stdout + done.stderr)[-6000:]
    shown = subprocess.run(
        ["terraform", "show", "-json", "plan"], cwd=work, env=environment, capture_output=True, check=True
    )
    found: list[dict[str, Any]] = json.loads(shown.stdout)["resource_changes"]
    summary = re.search(r"Plan: (\d+) to import, (\d+) to add, (\d+) to change, (\d+) to destroy", done.stdout)
    assert summary, done.stdout[-2000:]
    changes = [item["address"] for item in found if item["change"]["actions"] != ["no-op"]]
    assert summary.groups()[1:] == ("0", "0", "0"), (summary[0], changes)
    return found
