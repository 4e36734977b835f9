"""The fix that people are shown for each kind of drift, over the API."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.scan_function import ScanOrg


@pytest.fixture
def drift(org: ScanOrg) -> Any:
    account = org.make_account()
    scan = org.make_scan(account)

    def make(kind: str, key: str, **columns: Any) -> UUID:
        item = uuid4()
        org.make_drift(account, scan, id=item, kind=kind, key=key, cloud_id=key, **columns)
        return item

    def live(type_name: str, key: str, attributes: dict[str, Any], tags: dict[str, str]) -> None:
        org.own(
            "insert into scan.live_resources (org_id, account_id, scan_id, type, key, region, cloud_id, attributes, tags) values "
            "(:org_id, :account, :scan, :type, :key, 'us-east-1', :key, cast(:attributes as jsonb), cast(:tags as jsonb))",
            account=account, scan=scan, type=type_name, key=key, attributes=json.dumps(attributes), tags=json.dumps(tags),
        )  # fmt: skip

    make.live = live  # type: ignore[attr-defined]  # the two belong together
    return make


def test_an_unmanaged_resource_gets_an_import_block_and_its_configuration(org: ScanOrg, drift: Any) -> None:
    drift.live("aws_vpc", "vpc-1", {"cidr_block": "10.0.0.0/16", "enable_dns_support": True, "main_route_table_id": "rtb-1"},
               {"Name": "Production", "aws:cloudformation:stack-name": "x"})  # fmt: skip
    found = org.done("GET", f"/drift/{drift('unmanaged', 'vpc-1')}/fix")
    assert (found["kind"], found["reverting"]) == ("import", None)
    shown = found["importing"]
    assert shown["import_block"] == 'import {\n  to = aws_vpc.production\n  id = "vpc-1"\n}'
    assert 'resource "aws_vpc" "production"' in shown["configuration"]
    assert '"10.0.0.0/16"' in shown["configuration"]
    for absent in ("main_route_table_id", "aws:cloudformation"):
        assert absent not in shown["configuration"]


def test_what_is_no_longer_stored_is_imported_without_configuration(org: ScanOrg, drift: Any) -> None:
    shown = org.done("GET", f"/drift/{drift('unmanaged', 'vpc-1')}/fix")["importing"]
    assert shown["configuration"] is None
    assert "scan again" in shown["notes"][0]


def test_a_change_shows_what_an_apply_would_set_back_of_the_whole_resource(org: ScanOrg, drift: Any) -> None:
    address = 'module.net.aws_vpc.main["a"]'
    item = drift("changed", "vpc-1", address=address, path="enable_dns_support", before="true", after="false")
    drift("changed", "vpc-1", address=address, path="tags.Team", before=json.dumps("a"), after=json.dumps("b"))
    drift("changed", "vpc-2", address="aws_vpc.other", path="tags.Team")
    shown = org.done("GET", f"/drift/{item}/fix")["reverting"]
    assert (shown["address"], shown["action"]) == (address, "update")
    assert [(each["path"], each["live"], each["state"], each["replaces"]) for each in shown["changes"]] == [
        ("enable_dns_support", False, True, None),
        ("tags.Team", "b", "a", None),
    ]
    assert shown["command"] == f"terraform plan -target='{address}'"
    assert "preview" in shown["notes"][0]


def test_a_missing_resource_shows_that_an_apply_makes_it_anew(org: ScanOrg, drift: Any) -> None:
    shown = org.done("GET", f"/drift/{drift('missing', 'vpc-1', address='aws_vpc.main')}/fix")["reverting"]
    assert (shown["action"], shown["changes"]) == ("create", [])
    assert "empty" in shown["notes"][1]


def test_what_is_fixed_or_elsewhere_has_no_fix(org: ScanOrg, drift: Any) -> None:
    org.refused("GET", f"/drift/{drift('missing', 'vpc-1', address='a.b', status='fixed')}/fix", None, 404, "not_found")
    item = drift("missing", "vpc-2", address="a.b")
    ScanOrg.make(org.function).refused("GET", f"/drift/{item}/fix", None, 404, "not_found")
