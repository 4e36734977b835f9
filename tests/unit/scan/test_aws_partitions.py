"""Accounts of every partition are signed in to, and asked for global things, where that partition answers."""

from __future__ import annotations

from typing import Any, cast

import pytest

from functions.scan.readers.aws.session import AwsAccount, Login, home_region, partition_of


@pytest.mark.parametrize(
    ("login", "partition", "home"),
    [
        (Login("1", role_arn="arn:aws:iam::1:role/x", region="eu-west-1"), "aws", "us-east-1"),
        (Login("1", role_arn="arn:aws-cn:iam::1:role/x"), "aws-cn", "cn-north-1"),
        (Login("1", access_key_id="x", region="cn-northwest-1"), "aws-cn", "cn-north-1"),
        (Login("1", access_key_id="x", region="us-gov-east-1"), "aws-us-gov", "us-gov-west-1"),
        (Login("1", access_key_id="x", region="us-isob-east-1"), "aws-iso-b", "us-isob-east-1"),
        (Login("1", access_key_id="x", region="us-west-2"), "aws", "us-east-1"),
        (Login("1", access_key_id="x"), "aws", "us-east-1"),
    ],
)
def test_the_partition_is_known_before_anybody_is_signed_in(login: Login, partition: str, home: str) -> None:
    assert partition_of(login) == partition
    assert home_region(partition) == home


@pytest.mark.parametrize(
    ("partition", "home"), [("aws", "us-east-1"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")]
)
def test_global_things_are_asked_at_home_and_arns_carry_the_partition(partition: str, home: str) -> None:
    account = AwsAccount(Login("1"), cast("Any", None), f"arn:{partition}:sts::1:assumed-role/x/y")
    scope = account.scope("global")
    assert (scope.region, scope.partition) == (home, partition)
    assert scope.arn("iam", "role/x", region="") == f"arn:{partition}:iam::1:role/x"
    assert account.scope("eu-west-1").region == "eu-west-1"
