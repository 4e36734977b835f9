"""Which recorded call explains a drift, and what a record of CloudTrail says about who made it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.scan.domain.attribution import Question, choose, is_settled, names_of, regions_of
from functions.scan.domain.trail import TrailEvent, parse_event
from functions.scan.domain.trail_calls import is_call_for, source_of
from functions.scan.domain.trail_touches import touches
from functions.scan.types.aws import SPECS
from tests.support.cloud_trail import ADMIN_SESSION, ALICE, event

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def _question(key: str = "sg-1", kind: str = "changed", **members: Any) -> Question:
    base: dict[str, Any] = {
        "kind": kind, "type": "aws_security_group", "key": key, "cloud_id": f"arn:aws:ec2:us-east-1:123456789012:security-group/{key}",
        "region": "us-east-1", "path": "ingress" if kind == "changed" else None, "seen_at": NOW, "since": NOW - timedelta(days=1),
    }  # fmt: skip
    return Question(**{**base, **members})


def _parsed(name: str, source: str = "ec2", minutes_ago: float = 10, **members: Any) -> TrailEvent:
    at = NOW - minutes_ago * MINUTE
    given: dict[str, Any] = {"resources": ["sg-1"], **members}
    made = event(name, source, at, **given)
    found = parse_event({**made, "EventTime": at})
    assert found is not None
    return found


def test_the_newest_call_that_touches_the_attribute_wins() -> None:
    events = [
        _parsed("AuthorizeSecurityGroupIngress", minutes_ago=30),
        _parsed("RevokeSecurityGroupIngress", minutes_ago=20),
        _parsed("AuthorizeSecurityGroupEgress", minutes_ago=10),
        _parsed("CreateTags", minutes_ago=5),
    ]
    answer = choose(_question(), events)
    assert answer is not None
    assert (answer.event.name, answer.confidence) == ("RevokeSecurityGroupIngress", "exact")


@pytest.mark.parametrize(
    "event_",
    [
        _parsed("AuthorizeSecurityGroupIngress", errorCode="Client.DryRunOperation"),
        _parsed("DescribeSecurityGroups", readOnly=True),
        _parsed("AuthorizeSecurityGroupEgress"),
        _parsed("AuthorizeSecurityGroupIngress", source="rds"),
        _parsed("AuthorizeSecurityGroupIngress", resources=["sg-2"], request={"groupId": "sg-2"}),
        _parsed("AuthorizeSecurityGroupIngress", minutes_ago=-5),
        _parsed("DeleteSecurityGroup"),
        _parsed("CreateSecurityGroup"),
    ],
    ids=lambda found: f"{found.source}:{found.name}:{found.error_code}",
)
def test_a_call_that_failed_reads_or_is_about_something_else_explains_nothing(event_: TrailEvent) -> None:
    assert choose(_question(), [event_]) is None


def test_a_call_that_names_the_attribute_is_exact_and_another_change_is_likely() -> None:
    question = _question(
        "arn:aws:rds:us-east-1:123456789012:db:orders", type="aws_db_instance", path="backup_retention_period",
        cloud_id="arn:aws:rds:us-east-1:123456789012:db:orders",
    )  # fmt: skip
    named = {"dBInstanceIdentifier": "orders", "backupRetentionPeriod": 0}
    exact = _parsed("ModifyDBInstance", "rds", 30, resources=(), request=named)
    other = _parsed(
        "ModifyDBInstance", "rds", 10, resources=(), request={"dBInstanceIdentifier": "orders", "multiAZ": True}
    )
    found = choose(question, [exact, other])
    assert found is not None
    assert (found.event, found.confidence) == (exact, "exact")
    likely = choose(question, [other])
    assert likely is not None
    assert likely.confidence == "likely"


def test_a_call_from_before_the_last_scan_is_only_possible() -> None:
    old = _parsed("AuthorizeSecurityGroupIngress", minutes_ago=3 * 24 * 60)
    found = choose(_question(), [old])
    assert found is not None
    assert found.confidence == "possible"
    first_scan = choose(_question(since=None), [old])
    assert first_scan is not None
    assert first_scan.confidence == "exact"


def test_a_link_is_explained_by_the_call_that_names_both_ends() -> None:
    key = "app|arn:aws:iam::aws:policy/AdministratorAccess"
    question = _question(key, "unmanaged", type="aws_iam_role_policy_attachment", cloud_id=None, region="global")
    wanted = {"roleName": "app", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    right = _parsed("AttachRolePolicy", "iam", 30, resources=["app"], request=wanted)
    other = _parsed(
        "AttachRolePolicy",
        "iam",
        10,
        resources=["app"],
        request={**wanted, "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
    )
    found = choose(question, [right, other])
    assert found is not None
    assert (found.event, found.confidence) == (right, "exact")


def test_it_is_looked_for_again_until_calls_had_time_to_arrive() -> None:
    answer = choose(_question(), [_parsed("AuthorizeSecurityGroupIngress")])
    assert is_settled(_question(), answer, NOW)
    assert not is_settled(_question(), None, NOW)
    assert not is_settled(_question(since=None), answer, NOW)
    assert is_settled(_question(), None, NOW + timedelta(minutes=20))


@pytest.mark.parametrize(
    ("type_name", "key", "cloud_id", "name"),
    [
        ("aws_vpc", "vpc-1", "arn:aws:ec2:us-east-1:1:vpc/vpc-1", "vpc-1"),
        (
            "aws_cloudwatch_log_group",
            "arn:aws:logs:us-east-1:1:log-group:/aws/lambda/mailer",
            None,
            "/aws/lambda/mailer",
        ),
        ("aws_iam_role_policy", "mailer:logs", "mailer:logs", "mailer"),
        ("aws_sqs_queue", "sqs.us-east-1.amazonaws.com/1/orders", "arn:aws:sqs:us-east-1:1:orders", "orders"),
        ("aws_route53_record", "Z1|lanternhall.example|MX|", None, "Z1"),
    ],
)
def test_a_resource_is_looked_up_by_the_names_that_cloudtrail_knows(
    type_name: str, key: str, cloud_id: str | None, name: str
) -> None:
    found = names_of(_question(key, type=type_name, cloud_id=cloud_id))
    assert name in found
    assert len(found) <= 3


def test_calls_are_recorded_where_the_resource_is_and_of_global_services_at_home() -> None:
    role = _question("app", type="aws_iam_role", region="global")
    assert regions_of(role, ["eu-west-1"], "aws") == ("us-east-1",)
    assert regions_of(role, ["cn-north-1"], "aws-cn") == ("cn-north-1",)
    assert regions_of(_question(region="eu-west-1"), ["us-east-1"], "aws") == ("eu-west-1",)
    assert regions_of(_question(region=None, cloud_id="sg-1"), ["a", "b"], "aws") == ("a", "b")


@pytest.mark.parametrize(
    ("members", "channel"),
    [
        ({"userAgent": "Mozilla/5.0 (Macintosh)"}, "console"),
        ({"userAgent": "AWS Internal", "sessionCredentialFromConsole": "true"}, "console"),
        ({"userAgent": "console.amazonaws.com"}, "console"),
        ({"userAgent": "APN/1.0 HashiCorp/1.0 Terraform/1.11.4 (+https://www.terraform.io) aws-sdk-go-v2/1.36"}, "terraform"),
        ({"userAgent": "APN/1.0 OpenTofu/1.9.0"}, "terraform"),
        ({"userAgent": "[aws-cli/2.13.5]"}, "cli"),
        ({"userAgent": "Boto3/1.44.5"}, "api"),
        ({"userAgent": "autoscaling.amazonaws.com", "sourceIPAddress": "autoscaling.amazonaws.com"}, "service"),
    ],
)  # fmt: skip
def test_what_a_call_came_through_is_told(members: Mapping[str, Any], channel: str) -> None:
    assert _parsed("CreateTags", **members).channel == channel


def test_actors_are_named_whatever_their_kind() -> None:
    user = _parsed("CreateTags", identity=ALICE).actor
    assert (user.name, user.user_name, user.session_name) == ("arn:aws:iam::123456789012:user/Alice", "Alice", None)
    session = _parsed("CreateTags", identity=ADMIN_SESSION).actor
    assert (session.user_name, session.session_name, session.issuer_arn) == (
        "Admin",
        "bob@example.com",
        "arn:aws:iam::123456789012:role/Admin",
    )
    service = _parsed("CreateTags", identity={"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}).actor
    assert service.name == "autoscaling.amazonaws.com"
    root = _parsed("CreateTags", identity={"type": "Root", "arn": "arn:aws:iam::123456789012:root"}).actor
    assert root.name == "arn:aws:iam::123456789012:root"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
MEMBERS = st.sampled_from(
    [
        "userIdentity",
        "eventSource",
        "eventName",
        "requestParameters",
        "responseElements",
        "sourceIPAddress",
        "userAgent",
        "readOnly",
        "errorCode",
    ]
)


@given(st.dictionaries(MEMBERS, JSON, max_size=4))
def test_a_record_of_any_shape_is_read_or_left_out(members: dict[str, Any]) -> None:
    made = event("CreateTags", "ec2", NOW, **members)
    found = parse_event({**made, "EventTime": NOW})
    assert found is None or isinstance(found.names, frozenset)


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "[" * 100_000, None])
def test_a_record_that_is_none_is_left_out(text: str | None) -> None:
    assert parse_event({"EventTime": NOW, "CloudTrailEvent": text}) is None


def test_every_mapped_type_has_calls_that_make_and_delete_it() -> None:
    session: Any = botocore.session.get_session()
    names = {
        "monitoring": "cloudwatch",
        "elasticloadbalancing": "elbv2",
        "es": "opensearch",
        "elasticfilesystem": "efs",
        "states": "stepfunctions",
        "amazonmq": "mq",
    }
    more = {"apigateway": ("apigatewayv2",), "ses": ("sesv2",)}  # two APIs with one event source
    without: list[str] = []
    for type_name in SPECS:
        source = source_of(type_name).split(".", 1)[0]
        models = (names.get(source, source), *more.get(source, ()))
        operations = [name for model in models for name in session.get_service_model(model).operation_names]
        operations.append(
            "PutBucketObjectLockConfiguration"
        )  # recorded under this name. Source: S3 User Guide, "CloudTrail events"
        without += [
            f"{kind} {type_name}"
            for kind in ("unmanaged", "missing")
            if not any(is_call_for(type_name, kind, name) for name in operations)
        ]
    assert set(without) <= {"missing aws_kms_key_policy"}


def test_a_call_that_only_links_does_not_make_what_it_links() -> None:
    assert not is_call_for("aws_ebs_volume", "missing", "DetachVolume")
    assert is_call_for("aws_volume_attachment", "missing", "DetachVolume")
    assert not is_call_for("aws_security_group", "missing", "RevokeSecurityGroupIngress")
    assert is_call_for("aws_lambda_function", "unmanaged", "CreateFunction20150331")


def test_what_a_call_touches_is_known_or_open() -> None:
    assert touches("PutBucketVersioning", "versioning_configuration", {}) is True
    assert touches("PutBucketVersioning", "policy", {}) is False
    assert touches("ModifyDBInstance", "multi_az", {"multiAZ": True}) is True
    assert touches("ModifyDBInstance", "port", {"multiAZ": True}) is None
