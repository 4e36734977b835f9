"""A scan held against `terraform plan -refresh-only`, on one emulated account of 1,000 resources that Terraform made.

Changes are planted behind Terraform's back, so that it is known what is to be found; both tools are judged by that. What was added is
in no state: Terraform has no way to see it, and is not blamed for it.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from functions.scan.readers.aws import SERVICES
from tests.support.aws_account import (
    Clients,
    ProviderUnavailable,
    Scanned,
    State,
    attributes_of,
    clients,
    declared_in,
    drift_items,
    moto_account,
    prepare_terraform,
    run_terraform,
    scan,
    why_no_terraform,
)  # fmt: skip

from .result import Result

COUNTS = {
    "aws_subnet": 149, "aws_security_group": 150, "aws_ssm_parameter": 150, "aws_sqs_queue": 100, "aws_sns_topic": 100,
    "aws_dynamodb_table": 100, "aws_iam_role": 150, "aws_cloudwatch_log_group": 100,
}  # fmt: skip
PLANTED = 10  # of each kind of change
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}],
}
_BODIES: dict[str, dict[str, object]] = {
    "aws_subnet": {"vpc_id": "${aws_vpc.main.id}", "cidr_block": '${cidrsubnet("10.0.0.0/16", 8, tonumber(each.key))}'},
    "aws_security_group": {
        "name": "group-${each.key}", "description": "made for a measurement", "vpc_id": "${aws_vpc.main.id}",
        "ingress": [{
            "from_port": 443, "to_port": 443, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"], "description": "", "self": False,
            "ipv6_cidr_blocks": [], "prefix_list_ids": [], "security_groups": [],
        }],
    },
    "aws_ssm_parameter": {"name": "/bench/${each.key}", "type": "String", "value": "value ${each.key}"},
    "aws_sqs_queue": {"name": "queue-${each.key}", "visibility_timeout_seconds": 60},
    "aws_sns_topic": {"name": "topic-${each.key}", "display_name": "Topic"},
    "aws_dynamodb_table": {
        "name": "table-${each.key}", "billing_mode": "PAY_PER_REQUEST", "hash_key": "id",
        "attribute": [{"name": "id", "type": "S"}], "tags": {"Team": "data"},
    },
    "aws_iam_role": {"name": "role-${each.key}", "assume_role_policy": json.dumps(_TRUST), "description": "made for a measurement"},
    "aws_cloudwatch_log_group": {"name": "/bench/group-${each.key}", "retention_in_days": 14},
}  # fmt: skip

Finding = tuple[str, str]


@dataclass(frozen=True)
class Truth:
    """What was planted: (kind, address or key)."""

    declared: frozenset[Finding]
    added: frozenset[Finding]


@dataclass(frozen=True)
class Judged:
    """How one tool did."""

    seconds: float
    missed: int
    false: int
    added: int


def measure() -> list[Result]:
    """Measure both on the same account in one run."""
    reason = why_no_terraform()
    if reason is None:
        try:
            with _estate(COUNTS) as (endpoint, work, environment, state):
                truth = plant(clients(endpoint), state, COUNTS)
                before = _ours(endpoint, state, truth)
                theirs = _theirs(work, environment, truth)
                return _results([before, _ours(endpoint, state, truth)], theirs, truth, sum(COUNTS.values()) + 1)
        except ProviderUnavailable as error:
            reason = f"Terraform finds no AWS provider (DRIFTWISE_TF_MIRROR may name a mirror): {str(error)[-200:]}"
    return [
        Result(
            "scan of 1,000 resources", "plan -refresh-only", f"skipped: {reason}", math.nan, "at most 0.1", is_met=False
        )
    ]


def _results(ours: list[Judged], theirs: Judged, truth: Truth, resources: int) -> list[Result]:
    seconds, worst = median(item.seconds for item in ours), max(ours, key=lambda item: (item.missed, item.false))
    ratio, planted, added = seconds / theirs.seconds, len(truth.declared), len(truth.added)
    return [
        Result(
            f"scan + drift of {resources:,} resources", "terraform plan -refresh-only",
            f"{seconds:.1f} s, {theirs.seconds:.1f} s", ratio, "at most 0.1 (10 times faster)", ratio <= 0.1,
        ),
        Result(
            f"missed of {planted} changed or deleted", "terraform", f"{worst.missed}, {theirs.missed}", _ratio(worst.missed, theirs.missed),
            "none", worst.missed == 0,
        ),
        Result("false positives", "terraform", f"{worst.false}, {theirs.false}", _ratio(worst.false, theirs.false), "none", worst.false == 0),
        Result(
            f"unmanaged found of {added}", "terraform", f"{worst.added}, {theirs.added}", worst.added / added, "all", worst.added == added
        ),
    ]  # fmt: skip


def _ratio(ours: int, theirs: int) -> float:
    return ours / theirs if theirs else float(ours)


@contextmanager
def _estate(counts: dict[str, int]) -> Generator[tuple[str, Path, dict[str, str], State]]:
    """Apply the configuration to an empty account; yields its URL, Terraform's folder and environment, and the state."""
    with tempfile.TemporaryDirectory() as folder, moto_account() as endpoint:
        source, work = Path(folder) / "source", Path(folder) / "work"
        for path in (source, work):
            path.mkdir()
        (source / "main.tf").write_text("# The resources stand in main.tf.json.\n", "utf-8")
        environment = prepare_terraform(source, endpoint, work)
        (work / "main.tf.json").write_text(json.dumps(configuration(counts)), "utf-8")
        run_terraform(["apply", "-auto-approve", "-input=false", "-parallelism=30"], work, environment)
        state: State = json.loads((work / "terraform.tfstate").read_text("utf-8"))
        yield endpoint, work, environment, state


def configuration(counts: dict[str, int]) -> dict[str, Any]:
    """Return the configuration: a VPC, and so many of each type by `for_each`."""
    resources: dict[str, Any] = {"aws_vpc": {"main": {"cidr_block": "10.0.0.0/16"}}}
    for name, number in counts.items():
        resources[name] = {
            "many": {"for_each": f"${{toset([for n in range({number}) : tostring(n)])}}", **_BODIES[name]}
        }
    return {"resource": resources}


def plant(aws: Clients, state: State, counts: dict[str, int]) -> Truth:
    """Change, delete and add behind Terraform's back; returns what that comes to."""
    declared: set[Finding] = set()
    for number in range(PLANTED):
        for name in counts:
            address = f'{name}.many["{number}"]'
            _change(aws, name, attributes_of(state, address))
            declared.add(("changed", address))
        for name in ("aws_ssm_parameter", "aws_sqs_queue", "aws_cloudwatch_log_group"):
            address = f'{name}.many["{PLANTED + number}"]'
            _delete(aws, name, attributes_of(state, address))
            declared.add(("missing", address))
    vpc_id = attributes_of(state, "aws_vpc.main")["id"]
    added = {item for number in range(PLANTED) for item in _add(aws, number, vpc_id)}
    return Truth(frozenset(declared), frozenset(added))


def _change(aws: Clients, name: str, state: dict[str, Any]) -> None:
    changes = {
        "aws_subnet": lambda: aws("ec2").modify_subnet_attribute(SubnetId=state["id"], MapPublicIpOnLaunch={"Value": True}),
        "aws_security_group": lambda: aws("ec2").authorize_security_group_ingress(
            GroupId=state["id"], IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
        ),
        "aws_ssm_parameter": lambda: aws("ssm").put_parameter(Name=state["name"], Value="other", Type="String", Overwrite=True),
        "aws_sqs_queue": lambda: aws("sqs").set_queue_attributes(QueueUrl=state["id"], Attributes={"VisibilityTimeout": "90"}),
        "aws_sns_topic": lambda: aws("sns").set_topic_attributes(TopicArn=state["arn"], AttributeName="DisplayName", AttributeValue="Other"),
        "aws_dynamodb_table": lambda: aws("dynamodb").tag_resource(ResourceArn=state["arn"], Tags=[{"Key": "Team", "Value": "other"}]),
        "aws_iam_role": lambda: aws("iam").update_role(RoleName=state["name"], Description="other"),
        "aws_cloudwatch_log_group": lambda: aws("logs").put_retention_policy(logGroupName=state["name"], retentionInDays=30),
    }  # fmt: skip
    changes[name]()


def _delete(aws: Clients, name: str, state: dict[str, Any]) -> None:
    deletions = {
        "aws_ssm_parameter": lambda: aws("ssm").delete_parameter(Name=state["name"]),
        "aws_sqs_queue": lambda: aws("sqs").delete_queue(QueueUrl=state["id"]),
        "aws_cloudwatch_log_group": lambda: aws("logs").delete_log_group(logGroupName=state["name"]),
    }
    deletions[name]()


def _add(aws: Clients, number: int, vpc_id: str) -> Iterator[Finding]:
    group = aws("ec2").create_security_group(GroupName=f"added-{number}", Description="added", VpcId=vpc_id)
    yield "unmanaged", group["GroupId"]
    yield (
        "unmanaged",
        aws("iam").create_role(RoleName=f"added-{number}", AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"][
            "RoleName"
        ],
    )
    yield "unmanaged", aws("sns").create_topic(Name=f"added-{number}")["TopicArn"]


def _ours(endpoint: str, state: State, truth: Truth) -> Judged:
    began = time.perf_counter()
    found: set[Finding] = {
        (item.kind, item.address or item.key) for item in drift_items(declared_in(state), _scan(endpoint))
    }
    seconds = time.perf_counter() - began
    return _judge(seconds, found, truth)


def _scan(endpoint: str) -> Scanned:
    """Read services side by side, as the shards of a scan are read; Terraform refreshes as many resources at once."""
    whole = Scanned()
    with ThreadPoolExecutor(max_workers=10) as pool:
        for found in pool.map(lambda service: scan(endpoint, [service]), SERVICES):
            whole.live += found.live
            whole.unread += found.unread
            whole.not_checked += found.not_checked
            whole.types |= found.types
    return whole


def _theirs(work: Path, environment: dict[str, str], truth: Truth) -> Judged:
    began = time.perf_counter()
    run_terraform(["plan", "-refresh-only", "-input=false", "-out=refreshed"], work, environment)
    seconds = time.perf_counter() - began
    plan = json.loads(run_terraform(["show", "-json", "refreshed"], work, environment))
    found = {
        ("missing" if "delete" in item["change"]["actions"] else "changed", str(item["address"]))
        for item in plan.get("resource_drift", ())
    }
    return _judge(seconds, found, truth)


def _judge(seconds: float, found: set[Finding], truth: Truth) -> Judged:
    return Judged(
        seconds=seconds,
        missed=len(truth.declared - found),
        false=len(found - truth.declared - truth.added),
        added=len(found & truth.added),
    )
