"""Which regions a scan reads: looked up in the account, never guessed, and nothing is concluded where they are not known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import pytest
from pydantic import ValidationError

from functions.scan.account_models import ChangeAccount, CreateAccount, CreateAwsAccount
from functions.scan.domain.attribution import Question, regions_of
from functions.scan.domain.comparison import Sides, Tally, compare
from functions.scan.domain.inventory import GENERIC
from functions.scan.domain.partitions import home_region, partition_of_arn, partition_of_region
from functions.scan.domain.resources import Declared, NotChecked
from functions.scan.domain.shards import ALL, GLOBAL, REGIONS, is_resolved
from functions.scan.further import ASKED_TYPES, READ_TYPES, further_types
from functions.scan.handlers import verifying
from functions.scan.models import GapView, StartScan
from functions.scan.readers.aws import FURTHER_PERMISSIONS
from functions.scan.readers.aws.base import Gap, Scope
from functions.scan.readers.aws.regions import MOST_REGIONS, read_regions
from functions.scan.readers.aws.session import AwsAccount, Login
from functions.scan.starting import as_scanned
from functions.scan.types.aws import SPECS
from tests.support.aws_replies import Replies

ROLE, HUB = "arn:aws:iam::123456789012:role/read", "arn:aws:iam::210987654321:role/hub"


def _region(name: str, status: str = "opt-in-not-required") -> dict[str, str]:
    return {"RegionName": name, "OptInStatus": status, "Endpoint": f"ec2.{name}.amazonaws.com"}


def _answered(answer: Any) -> tuple[str, ...] | Gap:
    return read_regions(Replies({"ec2:DescribeRegions": answer}).scope())


def test_the_regions_that_an_account_may_use_are_asked_for_in_one_call() -> None:
    replies = Replies({"ec2:DescribeRegions": {"Regions": [_region("us-east-1"), _region("af-south-1", "opted-in")]}})
    assert read_regions(replies.scope()) == ("af-south-1", "us-east-1")
    assert replies.asked == [("DescribeRegions", "us-east-1", {"AllRegions": False})]


def test_a_region_that_nobody_opted_in_to_is_not_read() -> None:
    assert _answered({"Regions": [_region("us-east-1"), _region("ap-east-1", "not-opted-in")]}) == ("us-east-1",)


def test_a_reply_without_a_status_lists_what_is_enabled() -> None:
    assert _answered({"Regions": [{"RegionName": "eusc-de-east-1"}]}) == ("eusc-de-east-1",)


@pytest.mark.parametrize(
    ("code", "reason", "permission"),
    [
        ("UnauthorizedOperation", "access_denied", "ec2:DescribeRegions"),
        ("AuthFailure", "access_denied", "ec2:DescribeRegions"),
        ("RequestLimitExceeded", "throttled", None),
        ("InternalError", "unavailable", None),
    ],
)
def test_what_keeps_the_regions_from_us_is_named(code: str, reason: str, permission: str | None) -> None:
    found = _answered(code)
    assert isinstance(found, Gap)
    assert (found.reason, found.permission) == (reason, permission)
    assert code in found.detail


@pytest.mark.parametrize(
    "regions",
    [
        [],
        [{"OptInStatus": "opted-in"}],
        [_region("us-east-1"), _region("nowhere")],
        [_region("global")],
        [_region("ap-east-1", "not-opted-in")],
        [_region(f"us-east-{number}") for number in range(1, 100)]
        + [_region(f"us-west-{number}") for number in range(1, MOST_REGIONS)],
    ],
)
def test_what_is_no_list_of_regions_is_not_taken_for_one(regions: list[dict[str, str]]) -> None:
    found = _answered({"Regions": regions})
    assert isinstance(found, Gap)
    assert found.reason == "malformed"


def test_the_right_to_ask_is_among_those_that_customers_grant() -> None:
    assert "ec2:DescribeRegions" in FURTHER_PERMISSIONS


def test_without_regions_every_type_is_unknown() -> None:
    unknown = further_types(REGIONS)
    assert {*READ_TYPES, *ASKED_TYPES, GENERIC} == set(unknown)
    assert len(unknown) == len(set(unknown))


def _compared(regions: list[str], *gaps: NotChecked) -> tuple[list[str], Tally]:
    declared = [Declared("aws_vpc.a", "aws_vpc", "vpc-1", {}, account="1", region="ap-south-1")]
    sides = Sides(account="1", regions=frozenset(regions), declared=declared, live=[], unread=[], not_checked=gaps)
    tally = Tally()
    return [item.kind for item in compare(sides, SPECS, tally)], tally


def test_what_a_state_declares_is_not_checked_and_never_missing_while_the_regions_are_unknown() -> None:
    gap = NotChecked(further_types(REGIONS), GLOBAL, "throttled")
    found, tally = _compared([ALL], gap)
    assert found == []
    assert (tally.not_checked, tally.out_of_scope) == (1, 0)


def test_of_regions_that_are_not_enabled_nothing_is_missing_either() -> None:
    found, tally = _compared(["eu-west-1", "us-east-1"])
    assert found == []
    assert tally.out_of_scope == 1
    assert _compared(["ap-south-1"])[0] == ["missing"], "an enabled one is read, and what is not there is missing"


def test_a_scan_keeps_its_regions_whatever_becomes_of_its_account() -> None:
    account = {"id": UUID(int=1), "regions": ["all"]}
    assert as_scanned(account, {"regions": ["eu-west-1"]})["regions"] == ["eu-west-1"]
    assert not is_resolved(as_scanned(account, {"regions": None})["regions"])
    assert as_scanned({**account, "regions": ["us-east-1"]}, {"regions": None})["regions"] == ["us-east-1"]
    assert account["regions"] == ["all"]


def test_the_maker_of_a_drift_is_looked_for_at_home_while_no_regions_are_known() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    question = Question(
        kind="missing", type="aws_vpc", key="k", cloud_id=None, region=None, path=None, seen_at=at, since=None
    )
    assert regions_of(question, [ALL], "aws-eusc") == ("eusc-de-east-1",)
    assert regions_of(question, ["eu-west-1", "us-east-1"], "aws") == ("eu-west-1", "us-east-1")


@pytest.mark.parametrize(
    ("regions", "answer", "read", "gaps"),
    [
        (["eu-west-1", "us-west-2"], None, "eu-west-1", []),
        (["all"], ("ap-south-1", "us-east-1"), "us-east-1", []),
        (["all"], Gap("access_denied", "ec2:DescribeRegions", "no"), "us-east-1", ["ec2:DescribeRegions"]),
    ],
)
def test_verifying_tries_to_look_the_regions_up_where_a_scan_has_to(
    monkeypatch: pytest.MonkeyPatch, regions: list[str], answer: Any, read: str, gaps: list[str]
) -> None:
    tried: list[str] = []

    def listings(_account: AwsAccount, region: str) -> Iterator[GapView]:
        tried.append(region)
        yield from ()

    def look_up(scope: Scope) -> Any:
        assert answer is not None, "named regions are not looked up"
        assert scope.region == "us-east-1"
        return answer

    monkeypatch.setattr(verifying, "_try_listings", listings)
    monkeypatch.setattr(verifying, "read_regions", look_up)
    account = AwsAccount(Login("1"), cast("Any", None), "arn:aws:sts::1:assumed-role/x/y")
    assert [gap.permission for gap in verifying._try_everything(account, regions)] == gaps
    assert tried == [read]


# What may be said


def _account(regions: list[str], **auth: Any) -> CreateAwsAccount:
    wish = {"provider": "aws", "name": "a", "external_account": "123456789012", "regions": regions}
    found = CreateAccount.model_validate(wish | {"auth": {"kind": "role", "role_arn": ROLE, **auth}}).root
    assert isinstance(found, CreateAwsAccount)
    return found


def test_all_is_said_alone() -> None:
    assert _account(["all"]).regions == ["all"]
    assert ChangeAccount.model_validate({"regions": ["all"]}).regions == ["all"]
    for regions in (["all", "eu-west-1"], ["all", "all"], ["ALL"], []):
        with pytest.raises(ValidationError):
            _account(regions)
    with pytest.raises(ValidationError, match="stands alone"):
        ChangeAccount.model_validate({"regions": ["eu-west-1", "all"]})


def test_regions_of_every_partition_may_be_named() -> None:
    names = ["cn-north-1", "eusc-de-east-1", "us-gov-west-1", "us-iso-east-1", "us-isob-east-1"]
    assert _account(names).regions == names
    assert [home_region(partition_of_region(name)) for name in names] == names


def test_a_hub_is_another_role_of_the_same_partition() -> None:
    found = _account(["all"], through=HUB).auth
    assert found.kind == "role"
    assert found.through == HUB
    with pytest.raises(ValidationError, match="another role"):
        _account(["all"], through=ROLE)
    with pytest.raises(ValidationError, match="partition"):
        _account(["all"], through=HUB.replace("arn:aws:", "arn:aws-cn:"))
    with pytest.raises(ValidationError):
        _account(["all"], through="arn:aws:iam::210987654321:user/hub")
    assert partition_of_arn("no ARN") is None


def test_a_scan_is_started_of_one_account_or_of_several_never_of_both() -> None:
    one, other = str(UUID(int=1)), str(UUID(int=2))
    assert StartScan.model_validate({"account_id": one}).account_ids is None
    assert len(StartScan.model_validate({"account_ids": [one, other]}).account_ids or ()) == 2
    wishes: list[dict[str, Any]] = [
        {},
        {"account_id": one, "account_ids": [other]},
        {"account_ids": []},
        {"account_ids": [one, one]},
    ]
    for wish in wishes:
        with pytest.raises(ValidationError):
            StartScan.model_validate(wish)
    with pytest.raises(ValidationError):
        StartScan.model_validate({"account_ids": [str(UUID(int=number)) for number in range(51)]})
