"""Scans of an account that answers badly: what could not be read is said, and never taken for missing or put right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from functions.scan.readers.aws import SERVICES
from local_emulator.demo_changes import CHANGES
from tests.support.running_suite import RunningSuite
from tests.support.scanning import EVERY_TYPE, Estate, Finding, Org

LISTINGS = [listing for service in SERVICES for listing in service.listings]

# signing name, operation, the permission that people must grant
OPERATIONS = [
    ("ec2", "DescribeVpcs", "ec2:DescribeVpcs"),
    ("ec2", "DescribeSecurityGroups", "ec2:DescribeSecurityGroups"),
    ("iam", "GetAccountAuthorizationDetails", "iam:GetAccountAuthorizationDetails"),
    ("dynamodb", "ListTables", "dynamodb:ListTables"),
    ("s3", "ListBuckets", "s3:ListAllMyBuckets"),
    ("lambda", "ListFunctions", "lambda:ListFunctions"),
    ("route53", "ListHostedZones", "route53:ListHostedZones"),
    ("monitoring", "DescribeAlarms", "cloudwatch:DescribeAlarms"),
    ("sqs", "ListQueues", "sqs:ListQueues"),
]
FEW = [
    item for item in OPERATIONS if item[1] in {"DescribeSecurityGroups", "ListTables", "ListBuckets", "ListFunctions"}
]


@dataclass(frozen=True)
class Truth:
    """What a scan that can read everything finds: finding to type."""

    types: dict[Finding, str]

    def without(self, unknown: set[str]) -> set[Finding]:
        return {finding for finding, kind in self.types.items() if kind not in unknown}


@pytest.fixture(scope="module")
def estate(emulator: RunningSuite) -> Estate:
    """An account in which much has been changed behind Terraform's back."""
    found = Estate(emulator, "demo")
    found.build()
    for change in CHANGES:
        change.apply(cache(found.client))
    return found


@pytest.fixture(scope="module")
def truth(estate: Estate) -> Truth:
    org = Org.make(estate)
    items = org.drift(org.scan(org.connect_with_state())["id"])
    assert {item["kind"] for item in items} == {"missing", "unmanaged", "changed"}
    return Truth({(item["kind"], item["address"] or item["key"], item["path"] or ""): item["type"] for item in items})


@pytest.fixture
def org(estate: Estate, truth: Truth) -> Iterator[Org]:
    yield Org.make(estate)
    estate.end_faults()


def _reads(permission: str) -> set[str]:
    """Return the types that cannot be listed without a permission."""
    return {name for listing in LISTINGS if permission in listing.permissions for name in listing.types}


def _scan_with_fault(org: Org, service: str, operation: str, mode: str) -> dict[str, Any]:
    account = org.connect_with_state()
    with org.estate.fault(service, operation, mode):
        return org.scan(account)


def _check_only_these_are_unknown(org: Org, scan: dict[str, Any], truth: Truth, types: set[str]) -> None:
    assert org.unknown_types(scan["id"]) == types
    found = org.findings(scan["id"])
    expected = truth.without(types)
    assert found - expected == set(), "reported although it is not so, or cannot be known"
    assert expected - found == set(), "not found although it could be read"


@pytest.mark.parametrize(("service", "operation", "permission"), OPERATIONS, ids=[item[1] for item in OPERATIONS])
def test_a_denied_list_call_hides_its_own_types_only_and_names_its_permission(
    org: Org, truth: Truth, service: str, operation: str, permission: str
) -> None:
    scan = _scan_with_fault(org, service, operation, "deny")
    _check_only_these_are_unknown(org, scan, truth, _reads(permission))
    gaps = org.coverage(scan["id"])["not_checked"]
    assert {(gap["reason"], gap["permission"]) for gap in gaps} == {("access_denied", permission)}
    assert scan["summary"]["not_checked"]["types"] == sorted(_reads(permission))


@pytest.mark.parametrize(
    ("mode", "reason"), [("throttle", "throttled"), ("unavailable", "unavailable"), ("malformed", "malformed")]
)
@pytest.mark.parametrize(("service", "operation", "permission"), FEW, ids=[item[1] for item in FEW])
def test_a_list_call_that_fails_for_good_hides_its_own_types_only(
    org: Org, truth: Truth, service: str, operation: str, permission: str, mode: str, reason: str
) -> None:
    scan = _scan_with_fault(org, service, operation, mode)
    _check_only_these_are_unknown(org, scan, truth, _reads(permission))
    gaps = org.coverage(scan["id"])["not_checked"]
    told = "unavailable" if (service, mode) == ("s3", "malformed") else reason  # the client takes it for S3's own 500
    assert {(gap["reason"], gap["permission"]) for gap in gaps} == {(told, None)}


def test_throttling_that_passes_slows_a_scan_down_and_hides_nothing(org: Org, truth: Truth) -> None:
    account = org.connect_with_state()
    with org.estate.fault("ec2", "DescribeSecurityGroups", "throttle", times=2):
        scan = org.scan(account)
    _check_only_these_are_unknown(org, scan, truth, set())


def test_one_setting_that_may_not_be_read_leaves_the_rest_of_its_resource_compared(org: Org, truth: Truth) -> None:
    scan = _scan_with_fault(org, "s3", "GetPublicAccessBlock", "deny")
    coverage = org.coverage(scan["id"])
    assert coverage["not_checked"] == []
    assert {gap["permission"] for gap in coverage["unread"]} == {"s3:GetBucketPublicAccessBlock"}
    expected = {item for item in truth.types if item[1] != "aws_s3_bucket_public_access_block.tickets"}
    assert org.findings(scan["id"]) == expected


def test_with_no_access_at_all_nothing_is_reported_and_nothing_is_called_fixed(org: Org, truth: Truth) -> None:
    account = org.connect_with_state()
    before = {item["id"]: item["first_seen_at"] for item in org.drift(org.scan(account)["id"])}
    assert len(before) == len(truth.types)
    org.estate.kill("scan_worker")  # it is signed in already and would not ask again for some minutes
    with org.estate.fault("sts", "GetCallerIdentity", "deny"):
        blind = org.scan(account)
    assert org.unknown_types(blind["id"]) == EVERY_TYPE
    gaps = org.coverage(blind["id"])["not_checked"]
    assert {(gap["reason"], gap["permission"]) for gap in gaps} == {("access_denied", "sts:GetCallerIdentity")}
    assert blind["summary"]["drift"] == blind["summary"]["fixed"] == blind["summary"]["compared"] == 0
    still_open = org.send("GET", f"/drift?limit=200&account_id={account}")["items"]
    assert {item["id"]: item["first_seen_at"] for item in still_open} == before
    seeing = org.scan(account)
    assert {item["id"]: item["first_seen_at"] for item in org.drift(seeing["id"])} == before


def test_verify_names_each_missing_permission(org: Org) -> None:
    account = org.connect()
    assert org.send("POST", f"/cloud-accounts/{account}/verify") == {
        "is_complete": True,
        "identity": org.estate.client("sts").get_caller_identity()["Arn"],
        "missing_permissions": [],
        "gaps": [],
        "reported_at": None,
    }
    denied = {
        ("ec2", "DescribeSecurityGroups"): "ec2:DescribeSecurityGroups",
        ("iam", "ListInstanceProfiles"): "iam:ListInstanceProfiles",
        ("s3", "GetBucketPolicy"): "s3:GetBucketPolicy",
        ("s3", "GetBucketAcl"): "s3:GetBucketAcl",
        ("kms", "GetKeyRotationStatus"): "kms:GetKeyRotationStatus",
    }
    for service, operation in denied:
        org.estate.switch(service, operation, "deny")
    verified = org.send("POST", f"/cloud-accounts/{account}/verify")
    assert verified["is_complete"] is False
    assert verified["missing_permissions"] == sorted(denied.values())
    assert all(gap["types"] and gap["permission"] for gap in verified["gaps"])


def test_verify_without_any_access_names_the_permission_to_sign_in(org: Org) -> None:
    account = org.connect()
    with org.estate.fault("sts", "*", "deny"):
        verified = org.send("POST", f"/cloud-accounts/{account}/verify")
    assert (verified["is_complete"], verified["identity"]) == (False, "")
    assert verified["missing_permissions"] == ["sts:GetCallerIdentity"]
