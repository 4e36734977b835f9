"""What customers grant in AWS is what the readers call, all of it and nothing that writes (`terraform/customer/aws`)."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session
import httpx
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from functions.scan.domain.resources import NotChecked, Unread
from functions.scan.readers.aws import SERVICES
from functions.scan.readers.aws.base import collect, reason_of
from functions.scan.readers.aws.session import AwsAccount, Login, sign_in
from infra.build.customer_rights import FILE, MOST_CHARACTERS, MOST_POLICIES, ROOT, main, policies, read_actions
from shared.testing.identity_tokens import MemoryIdentityTokens
from tests.support.aws_account import (
    ACCOUNT,
    REGION,
    ProviderUnavailable,
    action_of,
    moto_account,
    terraform_apply,
    why_no_terraform,
)

READERS = ROOT / "functions" / "scan" / "readers" / "aws"
READING = ("Describe", "Get", "List", "BatchGet", "Lookup", "Search", "GET")
# moto asks for their rights by names that IAM does not have; the recorded calls judge these (`test_aws_laws.py`)
NOT_JUDGED = {
    "apigateway",
    "backup",
    "batch",
    "cloudfront",
    "cloudwatch",
    "eks",
    "elasticfilesystem",
    "guardduty",
    "lambda",
    "mq",
    "route53",
    "scheduler",
}
EXTERNAL_ID = "dw-abcdefghijklmnopqrstuvwxyz234567"
MODULE = f"""
module "driftwise" {{
  source                      = "./aws"
  driftwise_google_account_id = "117234567890123456789"
  external_id                 = "{EXTERNAL_ID}"
}}
"""


# Actions that tell more than configuration, and why the readers need them all the same.
TELL_MORE = {
    "ssm:GetParameters": "the value of a plain parameter is what Terraform declares; SecureStrings are not asked for",
    "lambda:GetFunction": "it also answers with a link to the code, which is never followed",
    "ec2:DescribeInstanceAttribute": "user data is what Terraform declares; it is stored as a digest",
    "cognito-idp:DescribeIdentityProvider": "the client's secret is what Terraform declares; it is stored as a digest",
    "cognito-idp:DescribeUserPoolClient": "it also answers with the client's secret, which is not kept",
    "codebuild:BatchGetProjects": "plain variables are what Terraform declares; they are stored as a digest",
    "glue:GetConnections": "asked to hide passwords; the other properties are stored as a digest",
    "apigateway:GET": "it would also tell an API key's value, which no reader asks for: API Gateway knows no narrower right",
    "autoscaling:DescribeLaunchConfigurations": "user data is what Terraform declares; it is stored as a digest",
    "ec2:DescribeVpnConnections": "it also answers with pre-shared keys, which are not kept",
    "ec2:DescribeLaunchTemplateVersions": "user data is what Terraform declares; it is stored as a digest",
}
# What reads the contents of a customer's stores. None of it is ever asked for.
CONTENTS = {
    "secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue", "s3:GetObject", "s3:GetObjectVersion", "kms:Decrypt",
    "kms:GenerateDataKey", "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan", "sqs:ReceiveMessage",
    "logs:GetLogEvents", "logs:FilterLogEvents", "logs:StartQuery", "ssm:GetParameter", "ssm:GetParametersByPath",
    "ssm:GetParameterHistory", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:GetAuthorizationToken", "rds:DownloadDBLogFilePortion",
    "ec2:GetPasswordData", "ec2:GetConsoleOutput", "iam:GetAccessKeyLastUsed", "sts:AssumeRole",
    "athena:GetQueryResults", "kinesis:GetRecords", "redshift:GetClusterCredentials", "glue:GetPartitions",
    "cognito-identity:GetCredentialsForIdentity", "cognito-idp:ListUsers", "codebuild:ListSourceCredentials", "backup:GetRecoveryPointRestoreMetadata",
}  # fmt: skip


def granted_actions() -> set[str]:
    found: set[str] = set()
    for document in json.loads(FILE.read_text("utf-8")):
        (statement,) = document["Statement"]
        assert (statement["Effect"], statement["Resource"]) == ("Allow", "*")
        found |= set(statement["Action"])
    return found


def operations() -> Mapping[str, tuple[str, ...]]:
    """Return the API operations behind each IAM action of the services that are read, as botocore describes them."""
    session: Any = botocore.session.get_session()
    found: dict[str, tuple[str, ...]] = {}
    for name in (
        "acm",
        "apigateway",
        "apigatewayv2",
        "athena",
        "autoscaling",
        "backup",
        "batch",
        "cloudcontrol",
        "cloudfront",
        "cloudtrail",
        "cloudwatch",
        "codebuild",
        "cognito-identity",
        "cognito-idp",
        "config",
        "dynamodb",
        "ec2",
        "ecr",
        "ecs",
        "efs",
        "eks",
        "elasticache",
        "elbv2",
        "events",
        "firehose",
        "glue",
        "guardduty",
        "iam",
        "kinesis",
        "kms",
        "lambda",
        "logs",
        "memorydb",
        "mq",
        "organizations",
        "rds",
        "redshift",
        "resource-explorer-2",
        "resource-groups",
        "resourcegroupstaggingapi",
        "route53",
        "s3",
        "scheduler",
        "secretsmanager",
        "servicediscovery",
        "ses",
        "sns",
        "sqs",
        "ssm",
        "stepfunctions",
        "wafv2",
    ):
        model = session.get_service_model(name)
        for operation in model.operation_names:
            action = action_of(model.signing_name, operation)
            found[action] = (*found.get(action, ()), operation)
    return found


def test_the_files_are_current() -> None:
    assert main(["--check"]) == 0, "run `python -m infra.build.customer_rights` and commit it"


def test_a_stale_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.build.customer_rights.ROOT", tmp_path)
    for name in ("aws", "gcp", "azure"):
        (tmp_path / "terraform" / "customer" / name).mkdir(parents=True)
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert main(["--check"]) == 0
    (tmp_path / "terraform" / "customer" / "azure" / "read_actions.json").write_text("{}")
    assert main(["--check"]) == 1


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


def test_the_policies_fit_and_hold_every_action_once() -> None:
    documents = json.loads(FILE.read_text("utf-8"))
    assert all(len(json.dumps(document, separators=(",", ":"))) <= MOST_CHARACTERS for document in documents)
    assert len(documents) <= MOST_POLICIES
    actions = [action for document in documents for action in document["Statement"][0]["Action"]]
    assert sorted(actions) == read_actions()


def test_too_many_policies_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.build.customer_rights.MOST_CHARACTERS", 300)
    with pytest.raises(ValueError, match="a role may have 10"):
        policies()


@pytest.fixture
def account(tmp_path: Path) -> Iterator[AwsAccount]:
    """DriftWise, signed in to an account that has the module and really refuses what nobody granted."""
    if reason := why_no_terraform():
        pytest.skip(reason)
    configuration, work = tmp_path / "configuration", tmp_path / "work"
    configuration.mkdir()
    work.mkdir()
    shutil.copytree(FILE.parent, configuration / "aws", ignore=shutil.ignore_patterns(".terraform*", "tests"))
    (configuration / "main.tf").write_text(MODULE, encoding="utf-8")
    tokens = MemoryIdentityTokens()
    role_arn = f"arn:aws:iam::{ACCOUNT}:role/driftwise-read"
    with moto_account() as endpoint:
        try:
            terraform_apply(configuration, endpoint, work)
        except ProviderUnavailable as error:
            pytest.skip(f"Terraform's AWS provider is not available: {str(error)[:200]}")
        found = sign_in(
            Login(
                ACCOUNT,
                role_arn=role_arn,
                external_id=EXTERNAL_ID,
                identity_tokens=tokens,
                endpoint=endpoint,
                attempts=1,
            )
        )
        assert tokens.asked == [EXTERNAL_ID], "the token was not made for this customer alone"
        httpx.post(f"{endpoint}/moto-api/reset-auth", content="0").raise_for_status()
        yield found


@pytest.mark.terraform
def test_the_role_of_the_module_reads_everything_and_changes_nothing(account: AwsAccount) -> None:
    scope = account.scope(REGION)
    listings = [listing for service in SERVICES for listing in service.listings]
    judged = [item for item in listings if item.permissions[0].partition(":")[0] not in NOT_JUDGED]
    found = [item for listing in judged for item in collect(listing, scope)]
    assert [item for item in found if isinstance(item, NotChecked | Unread)] == []
    assert len(judged) > 30
    writes: tuple[Callable[[], object], ...] = (
        lambda: scope.client("iam").create_user(UserName="intruder"),
        lambda: scope.client("s3").create_bucket(Bucket="intruder"),
        lambda: scope.client("ec2").create_vpc(CidrBlock="10.0.0.0/16"),
        lambda: scope.client("secretsmanager").get_secret_value(SecretId="any"),
    )
    for write in writes:
        with pytest.raises(ClientError) as refused:
            write()
        assert reason_of(refused.value) == "access_denied"
