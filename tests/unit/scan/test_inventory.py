"""What an index lists: every ARN once, under its Terraform type; nothing that AWS made; what could not be listed is said."""

from __future__ import annotations

from typing import Any

import pytest

from functions.scan.domain.inventory import GENERIC, Listed, listed
from functions.scan.domain.resources import NotChecked
from functions.scan.readers.aws.explorer import read_inventory
from functions.scan.types.aws.catalogue import BY_ARN_FORM
from tests.support.aws_replies import ACCOUNT, REGION, Replies

VIEW = f"arn:aws:resource-explorer-2:{REGION}:{ACCOUNT}:view/all/1"
JOB = f"arn:aws:glue:{REGION}:{ACCOUNT}:job/nightly"
NEW = f"arn:aws:brandnew:{REGION}:{ACCOUNT}:thing/x"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"


def account(**changes: Any) -> Replies:
    """Return an account with an aggregator index that lists three things, one of them also tagged."""
    found = [
        {
            "Arn": JOB,
            "OwningAccountId": ACCOUNT,
            "Region": REGION,
            "ResourceType": "glue:job",
            "CfnResourceType": "AWS::Glue::Job",
        },
        {"Arn": NEW, "OwningAccountId": ACCOUNT, "Region": REGION, "ResourceType": "brandnew:thing"},
        {"Arn": f"arn:aws:glue:eu-west-1:{ACCOUNT}:job/elsewhere", "OwningAccountId": ACCOUNT},
    ]
    answers: dict[str, Any] = {
        "resource-explorer-2:ListIndexes": {"Indexes": [{"Region": REGION, "Type": "AGGREGATOR", "Arn": "arn:x"}]},
        "resource-explorer-2:GetDefaultView": {"ViewArn": VIEW},
        "resource-explorer-2:GetView": {"View": {"ViewArn": VIEW, "Filters": {"FilterString": ""}}},
        "resource-explorer-2:ListResources": {"Resources": found, "ViewArn": VIEW},
        "resourcegroupstaggingapi:GetResources": {
            "ResourceTagMappingList": [
                {"ResourceARN": JOB, "Tags": [{"Key": "a", "Value": "b"}]}, {"ResourceARN": TOPIC, "Tags": []},
            ]
        },
    }  # fmt: skip
    return Replies(answers | {f"{name.replace('__', ':')}": value for name, value in changes.items()})


def read(replies: Replies, regions: tuple[str, ...] = (REGION,)) -> tuple[dict[str, str], list[NotChecked]]:
    found = list(read_inventory(replies.scope(), regions))
    things = [item for item in found if isinstance(item, Listed)]
    assert len({item.arn for item in things}) == len(things), "a thing was listed twice"
    return {item.arn: item.type for item in things}, [item for item in found if isinstance(item, NotChecked)]


def test_everything_is_listed_once_under_its_type() -> None:
    assert read(account()) == ({JOB: "aws_glue_job", NEW: "aws_brandnew_thing", TOPIC: "aws_sns_topic"}, [])


def test_all_pages_are_read() -> None:
    def page(wish: Any) -> Any:
        following = {} if wish.get("NextToken") else {"NextToken": "more"}
        name = "second" if wish.get("NextToken") else "first"
        return {
            "Resources": [{"Arn": f"arn:aws:glue:{REGION}:{ACCOUNT}:job/{name}", "OwningAccountId": ACCOUNT}],
            **following,
        }

    found, gaps = read(account(**{"resource-explorer-2__ListResources": page}))
    assert {arn.rsplit("/", 1)[-1] for arn in found if "glue" in arn} == {"first", "second", "nightly"}
    assert gaps == []


CALLS = ("ListIndexes", "GetDefaultView", "GetView", "ListResources")
FAILURES = {
    "AccessDeniedException": "access_denied",
    "ThrottlingException": "throttled",
    "InternalServerException": "unavailable",
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", FAILURES)
def test_an_index_that_does_not_answer_is_not_checked_and_the_tagging_api_still_tells(call: str, code: str) -> None:
    found, (gap,) = read(account(**{f"resource-explorer-2__{call}": code}))
    assert (gap.types, gap.region, gap.reason) == ((GENERIC,), "global", FAILURES[code])
    assert gap.permission == (f"resource-explorer-2:{call}" if code.startswith("AccessDenied") else None)
    assert {JOB, TOPIC} <= set(found)


@pytest.mark.parametrize("code", FAILURES)
def test_a_tagging_api_that_does_not_answer_is_not_checked_and_the_index_still_tells(code: str) -> None:
    found, (gap,) = read(account(resourcegroupstaggingapi__GetResources=code))
    assert (gap.types, gap.region, gap.reason) == ((GENERIC,), REGION, FAILURES[code])
    assert gap.permission == ("tag:GetResources" if code.startswith("AccessDenied") else None)
    assert set(found) == {JOB, NEW}


@pytest.mark.parametrize(
    "changes",
    [
        {"resource-explorer-2__ListIndexes": {"Indexes": [{"Type": "AGGREGATOR"}]}},
        {"resource-explorer-2__GetView": {"View": "x"}},
        {"resource-explorer-2__ListResources": {"Resources": [{"OwningAccountId": ACCOUNT}]}},
        {"resource-explorer-2__ListResources": {"ViewArn": VIEW}},
        {"resourcegroupstaggingapi__GetResources": {"ResourceTagMappingList": ["x"]}},
    ],
)
def test_a_reply_that_nobody_documents_is_not_checked_and_the_other_index_still_tells(changes: dict[str, Any]) -> None:
    found, (gap,) = read(account(**changes))
    assert (gap.types, gap.region, gap.reason) == ((GENERIC,), "global", "malformed")
    assert JOB in found


def test_half_a_list_is_none() -> None:
    def page(wish: Any) -> Any:
        if wish.get("NextToken"):
            return "InternalServerException"
        return {"Resources": [{"Arn": NEW, "OwningAccountId": ACCOUNT}], "NextToken": "more"}

    found, (gap,) = read(account(**{"resource-explorer-2__ListResources": page}))
    assert NEW not in found
    assert gap.reason == "unavailable"


def test_an_index_that_is_not_there_is_said_by_region() -> None:
    found, (gap,) = read(account(**{"resource-explorer-2__ListIndexes": {"Indexes": []}}))
    assert (gap.region, gap.reason, gap.permission) == (REGION, "not_enabled", None)
    assert set(found) == {JOB, TOPIC}


def test_a_view_that_leaves_things_out_is_said() -> None:
    view = {"View": {"Filters": {"FilterString": "service:glue"}}}
    found, (gap,) = read(account(**{"resource-explorer-2__GetView": view}))
    assert gap.reason == "not_enabled"
    assert JOB in found


def test_without_an_aggregator_every_region_is_asked() -> None:
    both = {"Indexes": [{"Region": REGION, "Type": "LOCAL"}, {"Region": "eu-west-1", "Type": "LOCAL"}]}
    replies = account(**{"resource-explorer-2__ListIndexes": both})
    found, gaps = read(replies, (REGION, "eu-west-1"))
    assert {region for name, region, _ in replies.asked if name == "ListResources"} == {REGION, "eu-west-1"}
    assert f"arn:aws:glue:eu-west-1:{ACCOUNT}:job/elsewhere" in found
    assert gaps == []


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/primary", f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x/AWSServiceRoleForX",
        f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/s3", f"arn:aws:rds:{REGION}:{ACCOUNT}:pg:default.mysql8.0",
        "arn:aws:ram::aws:permission/x", f"arn:aws:glue:{REGION}:999999999999:job/of-others", "not-an-arn",
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/eni-1", f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/x/1",
    ],
)  # fmt: skip
def test_what_nobody_could_manage_is_hidden(arn: str) -> None:
    assert listed(arn, ACCOUNT, by_form=BY_ARN_FORM) is None


@pytest.mark.parametrize(
    ("arn", "kind"),
    [
        (f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/mine", "aws_athena_workgroup"),
        (f"arn:aws:rds:{REGION}:{ACCOUNT}:pg:mine", "aws_db_parameter_group"), ("arn:aws:s3:::bucket", "aws_s3_bucket"),
        (f"arn:aws-cn:sqs:cn-north-1:{ACCOUNT}:q", "aws_sqs_queue"), (f"arn:aws-us-gov:iam::{ACCOUNT}:role/app/x", "aws_iam_role"),
        (f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:x", "aws_sfn_state_machine"),
    ],
)  # fmt: skip
def test_what_somebody_made_is_listed_in_every_partition(arn: str, kind: str) -> None:
    found = listed(arn, ACCOUNT, by_form=BY_ARN_FORM)
    assert found is not None
    assert found.type == kind


def test_what_a_service_made_for_itself_is_hidden_by_its_tags() -> None:
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:snapshot/snap-1"
    assert listed(arn, ACCOUNT, by_form=BY_ARN_FORM, tags={"aws:backup:source-resource": "x"}) is None
    assert listed(arn, ACCOUNT, by_form=BY_ARN_FORM, tags={"backup": "x"}) is not None
