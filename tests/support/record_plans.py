"""Makes the plans under `tests/fixtures/plans/aws` with a real Terraform: apply `main.tf`, change it, plan.

Run as `python -m tests.support.record_plans [case ...]`; `DRIFTWISE_TF_MIRROR` may name a mirror of providers. A case is a
folder with `main.tf` (what stands), `changed/` (what the configuration becomes) and the `plan.json` that comes out.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from local_emulator.moto_server import PLACEHOLDER

from .aws_account import FIXTURES, Clients, clients, moto_account, prepare_terraform, run_terraform

FOLDER = FIXTURES.parent / "plans" / "aws"
NAMES = tuple(sorted(path.parent.name for path in FOLDER.glob("*/main.tf")))

_READ_OF_STATE = ("arn", "account_id")  # of the state before the plan, nothing else is read
_SERVER = "tests.support.moto_databases"
_TIME = "2026-01-01T00:00:00Z"
_WORK = "/work-of-terraform.invalid"


@dataclass(frozen=True)
class Steps:
    """What happens between the first apply and the plan, beside the change of the configuration.

    Attributes:
        by_hand: changes the account behind Terraform's back.
        taint: addresses to mark as tainted.
        options: further arguments of `terraform plan`.
    """

    by_hand: Callable[[Clients], None] | None = None
    taint: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def make_plan(name: str, work: Path) -> dict[str, Any]:
    """Make the plan of one case in an account of its own.

    Args:
        name: folder under `FOLDER`.
        work: empty folder to run in.
    Raises:
        ProviderUnavailable: `terraform init` found no AWS provider.
        RuntimeError: Terraform failed; the message holds the end of its output.
    """
    folder, steps = FOLDER / name, STEPS.get(name, Steps())
    with moto_account(server=_SERVER) as endpoint:
        environment = prepare_terraform(folder, endpoint, work)
        run_terraform(["apply", "-auto-approve", "-input=false", "-parallelism=30"], work, environment)
        for address in steps.taint:
            run_terraform(["taint", address], work, environment)
        if steps.by_hand is not None:
            steps.by_hand(clients(endpoint))
        if (folder / "changed").is_dir():
            environment = prepare_terraform(folder / "changed", endpoint, work)
        run_terraform(["plan", "-input=false", "-parallelism=30", "-out=tfplan", *steps.options], work, environment)
        text = run_terraform(["show", "-json", "tfplan"], work, environment)
        text = text.replace(endpoint.removeprefix("http://"), PLACEHOLDER).replace(str(work), _WORK)
    document = cast("dict[str, Any]", json.loads(text))
    if isinstance(state := document.get("prior_state"), dict):
        _trim(state.get("values", {}).get("root_module", {}))
    return {**document, "timestamp": _TIME} if "timestamp" in document else document


def _trim(module: dict[str, Any]) -> None:
    for resource in module.get("resources", ()):
        values = resource.get("values", {})
        resource["values"] = {name: values[name] for name in _READ_OF_STATE if name in values}
        resource.pop("sensitive_values", None)
    for child in module.get("child_modules", ()):
        _trim(child)


def record(name: str) -> None:
    """Make the plan of one case and keep it beside its configuration."""
    with tempfile.TemporaryDirectory() as temporary:
        document = make_plan(name, Path(temporary))
    (FOLDER / name / "plan.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"{name}: {len(document.get('resource_changes', ()))} resources")


def _make_by_hand(call: Clients) -> None:
    call("s3").create_bucket(Bucket="plans-import-plain")
    call("dynamodb").create_table(
        TableName="orders",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        DeletionProtectionEnabled=True,
    )
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::orders/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    call("iam").create_policy(PolicyName="wide", PolicyDocument=policy)


def _change_by_hand(call: Clients) -> None:
    groups = {
        group["GroupName"]: group["GroupId"] for group in call("ec2").describe_security_groups()["SecurityGroups"]
    }
    world = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    call("ec2").authorize_security_group_ingress(GroupId=groups["opened"], IpPermissions=[world])
    call("ec2").revoke_security_group_ingress(GroupId=groups["closed"], IpPermissions=[world])
    call("rds").modify_db_instance(DBInstanceIdentifier="grown", DBInstanceClass="db.m5.4xlarge", ApplyImmediately=True)
    call("sqs").delete_queue(QueueUrl=call("sqs").get_queue_url(QueueName="gone")["QueueUrl"])
    tags = {"TagSet": [{"Key": "Team", "Value": "orders"}]}
    call("s3").put_bucket_tagging(Bucket="plans-drift-tagged", Tagging=tags)


STEPS: dict[str, Steps] = {
    "destroy": Steps(options=("-destroy",)),
    "drift": Steps(by_hand=_change_by_hand),
    "import": Steps(by_hand=_make_by_hand),
    "replace": Steps(taint=("aws_sqs_queue.tainted",), options=("-replace=aws_dynamodb_table.asked",)),
}


if __name__ == "__main__":
    for case in sys.argv[1:] or NAMES:
        record(case)
