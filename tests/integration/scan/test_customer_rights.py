"""What customers grant in AWS is what the readers call, all of it and nothing that writes (`terraform/customer/aws`)."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import botocore.session
import httpx
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from functions.scan.domain.resources import NotChecked, Unread
from functions.scan.readers.aws import SERVICES
from functions.scan.readers.aws.base import Scope, collect, reason_of
from infra.build.customer_rights import FILE, MOST_CHARACTERS, ROOT, main, read_actions
from tests.support.aws_account import (
    ACCOUNT,
    REGION,
    ProviderUnavailable,
    action_of,
    clients,
    moto_account,
    terraform_apply,
    why_no_terraform,
)

READERS = ROOT / "functions" / "scan" / "readers" / "aws"
READING = ("Describe", "Get", "List")
# moto asks for their rights by names that IAM does not have; the recorded calls judge these (`test_aws_laws.py`)
NOT_JUDGED = {"cloudwatch", "lambda", "route53"}
EXTERNAL_ID = "dw-abcdefghijklmnopqrstuvwxyz234567"
MODULE = f"""
module "driftwise" {{
  source                  = "./aws"
  driftwise_principal_arn = "arn:aws:iam::{ACCOUNT}:role/driftwise-scan"
  external_id             = "{EXTERNAL_ID}"
}}
"""


class Credentials(NamedTuple):
    access_key_id: str
    secret_access_key: str
    session_token: str


# Actions that tell more than configuration, and why the readers need them all the same.
TELL_MORE = {
    "ssm:GetParameters": "the value of a plain parameter is what Terraform declares; SecureStrings are not asked for",
    "lambda:GetFunction": "it also answers with a link to the code, which is never followed",
    "ec2:DescribeInstanceAttribute": "user data is what Terraform declares; it is stored as a digest",
    "ec2:DescribeLaunchTemplateVersions": "user data is what Terraform declares; it is stored as a digest",
}
# What reads the contents of a customer's stores. None of it is ever asked for.
CONTENTS = {
    "secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue", "s3:GetObject", "s3:GetObjectVersion", "kms:Decrypt",
    "kms:GenerateDataKey", "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan", "sqs:ReceiveMessage",
    "logs:GetLogEvents", "logs:FilterLogEvents", "logs:StartQuery", "ssm:GetParameter", "ssm:GetParametersByPath",
    "ssm:GetParameterHistory", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:GetAuthorizationToken", "rds:DownloadDBLogFilePortion",
    "ec2:GetPasswordData", "ec2:GetConsoleOutput", "iam:GetAccessKeyLastUsed", "sts:AssumeRole",
}  # fmt: skip


def granted_actions() -> set[str]:
    (statement,) = json.loads(FILE.read_text("utf-8"))["Statement"]
    assert (statement["Effect"], statement["Resource"]) == ("Allow", "*")
    return set(statement["Action"])


def operations() -> Mapping[str, tuple[str, ...]]:
    """Return the API operations behind each IAM action of the services that are read, as botocore describes them."""
    session: Any = botocore.session.get_session()
    found: dict[str, tuple[str, ...]] = {}
    for name in ("cloudwatch", "dynamodb", "ec2", "ecr", "ecs", "elbv2", "events", "iam", "kms", "lambda", "logs", "rds", "route53",
                 "s3", "secretsmanager", "sns", "sqs", "ssm"):  # fmt: skip
        model = session.get_service_model(name)
        for operation in model.operation_names:
            action = action_of(model.signing_name, operation)
            found[action] = (*found.get(action, ()), operation)
    return found


def test_the_policy_is_current() -> None:
    assert main(["--check"]) == 0, "run `python -m infra.build.customer_rights` and commit it"


def test_a_stale_policy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.build.customer_rights.ROOT", tmp_path)
    monkeypatch.setattr("infra.build.customer_rights.FILE", tmp_path / "read_policy.json")
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert main(["--check"]) == 0


def test_nothing_is_granted_that_no_reader_calls() -> None:
    sources = "".join(path.read_text("utf-8") for path in READERS.glob("*.py"))
    idle = {
        action
        for action, names in operations().items()
        if action in granted_actions() and not any(re.search(rf"\b{xform_name(name)}\b", sources) for name in names)
    }
    assert idle == set()


def test_every_action_is_one_of_aws_and_reads() -> None:
    known = operations()
    for action in granted_actions():
        assert action in known, f"{action}: AWS has no such operation"
        assert all(name.startswith(READING) for name in known[action]), f"{action} changes something"
        assert action.partition(":")[2].startswith(READING)


def test_contents_stay_closed() -> None:
    assert granted_actions() & CONTENTS == set()
    assert set(TELL_MORE) <= granted_actions(), "an explanation is stale"


def test_the_policy_fits_one_managed_policy() -> None:
    document = json.loads(FILE.read_text("utf-8"))
    assert len(json.dumps(document, separators=(",", ":"))) <= MOST_CHARACTERS
    assert sorted(granted_actions()) == read_actions()


@pytest.fixture
def role(tmp_path: Path) -> Iterator[tuple[str, Credentials]]:
    """An account that really refuses, and what DriftWise gets when it takes on the role of the module."""
    if reason := why_no_terraform():
        pytest.skip(reason)
    configuration, work = tmp_path / "configuration", tmp_path / "work"
    configuration.mkdir()
    work.mkdir()
    shutil.copytree(FILE.parent, configuration / "aws", ignore=shutil.ignore_patterns(".terraform*", "tests"))
    (configuration / "main.tf").write_text(MODULE, encoding="utf-8")
    with moto_account() as endpoint:
        try:
            terraform_apply(configuration, endpoint, work)
        except ProviderUnavailable as error:
            pytest.skip(f"Terraform's AWS provider is not available: {str(error)[:200]}")
        sts: Any = clients(endpoint)("sts")
        role_arn = f"arn:aws:iam::{ACCOUNT}:role/driftwise-read"
        reply = sts.assume_role(RoleArn=role_arn, RoleSessionName="driftwise-scan", ExternalId=EXTERNAL_ID)[
            "Credentials"
        ]
        enforce(endpoint, calls_before=0)
        try:
            yield endpoint, Credentials(reply["AccessKeyId"], reply["SecretAccessKey"], reply["SessionToken"])
        finally:
            enforce(endpoint, calls_before=10**9)


@pytest.mark.terraform
def test_the_role_of_the_module_reads_everything_and_changes_nothing(role: tuple[str, Credentials]) -> None:
    endpoint, credentials = role
    session: Any = boto3.Session(*credentials, region_name=REGION)

    @cache
    def client(service: str) -> Any:
        return session.client(service, endpoint_url=endpoint)

    scope = Scope(account=ACCOUNT, region=REGION, partition="aws", client=client)
    judged = [listing for service in SERVICES if service.name not in NOT_JUDGED for listing in service.listings]
    found = [item for listing in judged for item in collect(listing, scope)]
    assert [item for item in found if isinstance(item, NotChecked | Unread)] == []
    assert len(judged) > 30
    for write in (
        lambda: client("iam").create_user(UserName="intruder"),
        lambda: client("s3").create_bucket(Bucket="intruder"),
        lambda: client("ec2").create_vpc(CidrBlock="10.0.0.0/16"),
        lambda: client("secretsmanager").get_secret_value(SecretId="any"),
    ):
        with pytest.raises(ClientError) as refused:
            write()
        assert reason_of(refused.value) == "access_denied"


def enforce(endpoint: str, *, calls_before: int) -> None:
    """Let the account check rights after so many further calls."""
    httpx.post(f"{endpoint}/moto-api/reset-auth", content=str(calls_before)).raise_for_status()
