"""What verifying an AWS account tries beside its listings, and when it tells of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from functions.scan.handlers.verifying import _try_further
from functions.scan.readers.aws.session import AwsAccount
from tests.support.aws_replies import Answer, Replies

CALLS: dict[str, Answer] = {
    "resourcegroupstaggingapi:GetResources": {"ResourceTagMappingList": []},
    "resource-explorer-2:ListIndexes": {"Indexes": []},
    "cloudtrail:LookupEvents": {"Events": []},
}


def _account(answers: dict[str, Answer]) -> AwsAccount:
    replies = Replies(answers)
    return cast("AwsAccount", SimpleNamespace(scope=lambda _region: replies.scope()))


def test_where_all_is_allowed_nothing_is_told() -> None:
    assert list(_try_further(_account(CALLS))) == []


@pytest.mark.parametrize(
    ("call", "permission", "types"),
    [
        ("resourcegroupstaggingapi:GetResources", "tag:GetResources", True),
        ("resource-explorer-2:ListIndexes", "resource-explorer-2:ListIndexes", True),
        ("cloudtrail:LookupEvents", "cloudtrail:LookupEvents", False),
    ],
)
def test_a_right_that_is_missing_is_named(call: str, permission: str, types: bool) -> None:  # noqa: FBT001
    (gap,) = _try_further(_account(CALLS | {call: "AccessDeniedException"}))
    assert (gap.reason, gap.permission, bool(gap.types)) == ("access_denied", permission, types)


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure", "UnknownOperationException"])
def test_a_service_that_does_not_answer_well_is_no_missing_right(code: str) -> None:
    answers: dict[str, Any] = dict.fromkeys(CALLS, code)
    assert list(_try_further(_account(answers))) == []
