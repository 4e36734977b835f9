"""What people say of drift: ignored by rule, ignored until some day, acknowledged, given to somebody; and when that ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from functions.scan.domain.comparison import Drift
from functions.scan.domain.records import drift_row
from functions.scan.queries import drift
from tests.support.database import actor_in
from tests.support.scan_function import ScanFunction, ScanOrg

DAY = timedelta(days=1)


def items(org: ScanOrg, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = org.done("GET", f"/drift{query}")["items"]
    return found


@pytest.fixture
def account(org: ScanOrg) -> UUID:
    """Connect an account with drift on two resources."""
    made = org.make_account()
    scan = org.make_scan(made)
    org.make_drift(made, scan, type="aws_vpc", cloud_id="vpc-1", key="vpc-1")
    org.make_drift(made, scan, type="aws_security_group", cloud_id="sg-1", key="sg-1", severity="critical")
    return made


@pytest.mark.usefixtures("account")
def test_a_rule_hides_what_is_known_and_shows_it_again_when_it_is_gone(org: ScanOrg) -> None:
    rule = org.done("POST", "/ignore-rules", {"cloud_id": "vpc-*", "reason": "made by the landing zone"}, 201)
    assert [item["cloud_id"] for item in items(org)] == ["sg-1"]
    assert [(item["cloud_id"], item["ignore_rule_id"]) for item in items(org, "?ignored=only")] == [
        ("vpc-1", rule["id"])
    ]
    assert len(items(org, "?ignored=show")) == 2
    assert "vpc-1" not in org.call("GET", "/drift?format=csv").get_data(as_text=True)
    assert org.done("GET", "/ignore-rules")["items"] == [rule]
    assert [event["ignore_rule_id"] for event in org.events("scan:ignore_rule:created")] == [rule["id"]]
    org.done("DELETE", f"/ignore-rules/{rule['id']}", status=204)
    assert len(items(org)) == 2
    assert [action for action in org.audits() if "ignore_rule" in action] == [
        "scan:ignore_rule:created",
        "scan:ignore_rule:deleted",
    ]


@pytest.mark.usefixtures("account")
def test_a_rule_hides_nothing_worse_than_it_says(org: ScanOrg) -> None:
    org.done("POST", "/ignore-rules", {"type": "aws_*", "reason": "r"}, 201)
    assert [item["severity"] for item in items(org)] == ["critical"]
    org.done("POST", "/ignore-rules", {"type": "aws_security_*", "most_severity": "critical", "reason": "r"}, 201)
    assert items(org) == []


@pytest.mark.usefixtures("account")
def test_a_rule_ends_by_itself(org: ScanOrg, function: ScanFunction) -> None:
    ends_at = (function.clock.now() + DAY).isoformat()
    org.done("POST", "/ignore-rules", {"type": "aws_vpc", "reason": "r", "expires_at": ends_at}, 201)
    assert len(items(org)) == 1
    function.clock.advance(DAY.total_seconds() + 1)
    assert len(items(org)) == 2
    past = (function.clock.now() - DAY).isoformat()
    org.refused("POST", "/ignore-rules", {"type": "x", "reason": "r", "expires_at": past}, 422, "invalid")


def test_members_read_rules_and_admins_make_them(org: ScanOrg, function: ScanFunction) -> None:
    rule = org.done("POST", "/ignore-rules", {"type": "aws_vpc", "reason": "r"}, 201)
    assert org.call("GET", f"/ignore-rules/{rule['id']}", role="member").status_code == 200
    assert org.call("POST", "/ignore-rules", {"type": "aws_vpc", "reason": "r"}, role="member").status_code == 403
    other = ScanOrg.make(function)
    other.refused("DELETE", f"/ignore-rules/{rule['id']}", None, 404, "not_found")


@pytest.mark.usefixtures("account")
def test_an_item_is_acknowledged_given_to_somebody_and_ignored_until_some_day(
    org: ScanOrg, function: ScanFunction
) -> None:
    item = items(org, "?type=aws_vpc")[0]
    path = f"/drift/{item['id']}"
    found = org.done("PATCH", path, {"is_acknowledged": True, "assignee": " network ", "reason": "known"})
    assert (found["assignee"], found["note"], found["acknowledged_by"]) == ("network", "known", f"human:{org.admin}")
    assert [one["id"] for one in items(org, "?assignee=network&is_acknowledged=true")] == [item["id"]]
    assert [one["type"] for one in items(org, "?is_acknowledged=false")] == ["aws_security_group"]
    until = (function.clock.now() + DAY).isoformat()
    org.done("PATCH", path, {"ignored_until": until, "reason": "a window of maintenance"})
    assert [one["type"] for one in items(org)] == ["aws_security_group"]
    function.clock.advance(DAY.total_seconds() + 1)
    assert len(items(org)) == 2
    cleared = org.done("PATCH", path, {"is_acknowledged": False, "assignee": None, "ignored_until": None})
    assert (cleared["acknowledged_at"], cleared["assignee"], cleared["ignored_until"]) == (None, None, None)
    assert org.audits().count("scan:drift:changed") == 3
    far = (function.clock.now() + 400 * DAY).isoformat()
    org.refused("PATCH", path, {"ignored_until": far, "reason": "r"}, 422, "invalid")
    ScanOrg.make(function).refused("PATCH", path, {"is_acknowledged": True}, 404, "not_found")
    assert org.call("PATCH", path, {"is_acknowledged": True}, role="viewer").status_code == 403


def compare(org: ScanOrg, account: UUID, after: str) -> None:
    """Store the outcome of a comparison that saw one change."""
    change = Drift(
        "changed", "aws_vpc", "vpc-9", "aws_vpc.x", "vpc-9", "eu-west-1", "instance_tenancy", "default", after
    )
    scan_id = org.make_scan(account)
    with org.function.db.unit(actor_in(org.id)) as tx:
        drift.upsert_items(tx, account_id=account, scan_id=scan_id, items=[drift_row(change)])


def test_who_accepted_one_change_did_not_accept_the_next(org: ScanOrg, function: ScanFunction) -> None:
    account = org.make_account()
    compare(org, account, "dedicated")
    (item,) = items(org)
    until = (function.clock.now() + 30 * DAY).isoformat()
    org.done(
        "PATCH",
        f"/drift/{item['id']}",
        {"is_acknowledged": True, "assignee": "web", "ignored_until": until, "reason": "r"},
    )
    compare(org, account, "dedicated")
    assert items(org) == []  # still what it was
    compare(org, account, "host")
    (again,) = items(org)
    assert (again["id"], again["acknowledged_at"], again["ignored_until"]) == (item["id"], None, None)
    assert again["assignee"] == "web"
