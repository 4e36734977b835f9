"""Scans whose work is interrupted, repeated, reordered or lost on the way: the result is the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache

import pytest

from local_emulator.demo_changes import CHANGES
from tests.support.running_suite import RunningSuite, problem
from tests.support.scanning import EVERY_TYPE, Estate, Finding, Org
from tests.support.waiting import wait_until

_DEAD_LETTER = "CloudPubSubDeadLetterSourceSubscription"
_SHARDS = "select id, scan_id from scan.shards where org_id = :org_id and scan_id = cast(:scan_id as uuid) order by id"


@pytest.fixture(scope="module")
def estate(emulator: RunningSuite) -> Estate:
    found = Estate(emulator, "demo")
    found.build()
    for change in CHANGES:
        change.apply(cache(found.client))
    return found


@pytest.fixture(scope="module")
def truth(estate: Estate) -> set[Finding]:
    """What an undisturbed scan finds."""
    org = Org.make(estate)
    return org.findings(org.scan(org.connect_with_state())["id"])


@pytest.fixture
def org(estate: Estate, truth: set[Finding]) -> Iterator[Org]:
    yield Org.make(estate)
    estate.end_faults()


def _messages(org: Org, scan_id: str) -> list[dict[str, str]]:
    return [{"shard_id": str(shard), "scan_id": str(scan)} for shard, scan in org.arrange(_SHARDS, scan_id=scan_id)]


def test_a_worker_killed_in_the_middle_of_a_scan_changes_nothing(org: Org, truth: set[Finding]) -> None:
    account = org.connect_with_state()
    org.estate.switch("ec2", "DescribeSecurityGroups", "hang")
    scan_id = org.start_scan(account)["id"]
    org.estate.wait_for_hit()
    wait_until(lambda: org.send("GET", f"/scans/{scan_id}")["shards_done"] > 0, "some shards were done")
    killed = org.estate.process_id("scan_worker")
    org.estate.kill("scan_worker")
    org.estate.end_faults()
    scan = org.finish(scan_id)
    assert scan["status"] == "done"
    assert org.findings(scan_id) == truth
    assert org.unknown_types(scan_id) == set()
    assert scan["shards_done"] == scan["shards_total"]
    assert org.estate.process_id("scan_worker") != killed
    with pytest.raises(ProcessLookupError):
        os.kill(killed, 0)


def test_shard_messages_that_come_twice_and_in_another_order_change_nothing(org: Org, truth: set[Finding]) -> None:
    account = org.connect_with_state()
    scan_id = org.start_scan(account)["id"]
    messages = _messages(org, scan_id)
    for message in [*reversed(messages), *messages]:
        org.estate.publish("scan-shards", message, org_id=str(org.id), event_id=message["shard_id"])
    scan = org.finish(scan_id)
    assert scan["shards_done"] == scan["shards_total"] == len(messages)
    assert org.findings(scan_id) == truth
    before = org.send("GET", f"/scans/{scan_id}")
    for message in messages:  # and once more when all is over
        org.estate.publish("scan-shards", message, org_id=str(org.id), event_id=message["shard_id"])
    org.estate.publish("scan-comparisons", {"scan_id": scan_id}, org_id=str(org.id), event_id=scan_id)
    assert org.findings(org.scan(account)["id"]) == truth
    assert org.send("GET", f"/scans/{scan_id}") == before


def test_messages_that_make_no_sense_are_dropped_and_hold_nothing_up(org: Org, truth: set[Finding]) -> None:
    nobody = "00000000-0000-0000-0000-000000000001"
    for payload in ({}, {"shard_id": "x", "scan_id": "y"}, {"shard_id": nobody, "scan_id": nobody}):
        org.estate.publish("scan-shards", payload, org_id=str(org.id), event_id=nobody)
        org.estate.publish("scan-comparisons", payload, org_id=str(org.id), event_id=nobody)
    assert org.findings(org.scan(org.connect_with_state())["id"]) == truth


def test_another_organisations_message_does_not_touch_a_scan(org: Org, truth: set[Finding]) -> None:
    account = org.connect_with_state()
    scan_id = org.start_scan(account)["id"]
    stranger = Org.make(org.estate)
    for message in _messages(org, scan_id):
        org.estate.publish(
            "dead-letters", message, org_id=str(stranger.id), event_id="forged", **{_DEAD_LETTER: "scan-shards"}
        )
    scan = org.finish(scan_id)
    assert org.unknown_types(scan_id) == set()
    assert (scan["status"], org.findings(scan_id)) == ("done", truth)


def test_a_shard_that_was_given_up_is_not_checked_and_the_rest_is_exact(org: Org, truth: set[Finding]) -> None:
    account = org.connect_with_state()
    org.estate.switch("dynamodb", "ListTables", "hang")
    scan_id = org.start_scan(account)["id"]
    org.estate.wait_for_hit()
    found = org.arrange(
        "select id from scan.shards where org_id = :org_id and scan_id = cast(:scan_id as uuid) and service = 'dynamodb'",
        scan_id=scan_id,
    )
    message = {"shard_id": str(found[0][0]), "scan_id": scan_id}
    org.estate.publish(
        "dead-letters", message, org_id=str(org.id), event_id="given-up", **{_DEAD_LETTER: "scan-shards"}
    )
    scan = org.finish(scan_id)
    org.estate.end_faults()
    tables = {"aws_dynamodb_table"}
    assert scan["status"] == "done"
    assert org.unknown_types(scan_id) == tables
    gaps = org.coverage(scan_id)["not_checked"]
    assert [(gap["reason"], gap["permission"]) for gap in gaps] == [("unavailable", None)]
    assert org.findings(scan_id) == {item for item in truth if not item[1].startswith("aws_dynamodb_table")}
    assert org.findings(org.scan(account)["id"]) == truth


def test_a_comparison_that_was_given_up_fails_its_scan_and_frees_the_account(org: Org) -> None:
    account = org.connect_with_state()
    org.estate.switch("dynamodb", "ListTables", "hang")
    scan_id = org.start_scan(account)["id"]
    org.estate.publish(
        "dead-letters", {"scan_id": scan_id}, org_id=str(org.id), event_id="lost", **{_DEAD_LETTER: "scan-comparisons"}
    )
    scan = org.finish(scan_id)
    org.estate.end_faults()
    assert (scan["status"], scan["error_code"]) == ("failed", "comparison_failed")
    assert org.drift(scan_id) == []
    org.scan(account)


def test_a_sweep_sends_what_was_lost_once_more(org: Org, truth: set[Finding]) -> None:
    account = org.connect_with_state()
    with org.estate.losing("scan-shards") as lose:
        scan = org.start_scan(account)
        lose(scan["shards_total"])
    assert org.send("GET", f"/scans/{scan['id']}")["shards_done"] == 0
    assert org.estate.suite.tick("scan-sweep")["swept"] == 0, "nothing is stuck yet"
    org.arrange(
        "update scan.scans set created_at = now() - interval '1 hour' where org_id = :org_id and id = cast(:scan_id as uuid)",
        scan_id=scan["id"],
    )
    org.estate.suite.tick("scan-sweep")
    found = org.finish(scan["id"])
    assert (found["status"], org.findings(scan["id"])) == ("done", truth)


def test_a_sweep_asks_for_a_comparison_that_was_lost(org: Org, truth: set[Finding]) -> None:
    account = org.connect_with_state()
    with org.estate.losing("scan-comparisons") as lose:
        scan = org.start_scan(account)
        lose(1)
    assert org.send("GET", f"/scans/{scan['id']}")["status"] == "comparing"
    for aged in (
        "update scan.shards set finished_at = now() - interval '1 hour' where org_id = :org_id and scan_id = cast(:scan_id as uuid)",
        "update scan.scans set created_at = now() - interval '1 hour' where org_id = :org_id and id = cast(:scan_id as uuid)",
    ):
        org.arrange(aged, scan_id=scan["id"])
    org.estate.suite.tick("scan-sweep")
    found = org.finish(scan["id"])
    assert (found["status"], org.findings(scan["id"])) == ("done", truth)


def test_a_sweep_gives_up_what_was_tried_too_often(org: Org) -> None:
    account = org.connect_with_state()
    with org.estate.losing("scan-shards") as lose:
        scan = org.start_scan(account)
        lose(scan["shards_total"])
    org.arrange(
        "update scan.shards set attempts = 8, started_at = now() - interval '1 hour' "
        "where org_id = :org_id and scan_id = cast(:scan_id as uuid)",
        scan_id=scan["id"],
    )
    org.estate.suite.tick("scan-sweep")
    found = org.finish(scan["id"])
    assert found["status"] == "done"
    assert org.findings(scan["id"]) == set()
    assert org.unknown_types(scan["id"]) == EVERY_TYPE


@pytest.mark.parametrize("service", ["kms", "secret_manager", "pubsub"])
def test_a_service_that_is_away_for_a_while_delays_a_scan_and_no_more(
    org: Org, truth: set[Finding], service: str
) -> None:
    """For longer than any one call has patience, so that messages are delivered again, or left to the relay."""
    account = org.connect_with_state()
    if service == "kms":
        org.estate.kill("scan_worker")  # it is signed in already, and would need no keys for some minutes
    org.estate.google_fault(service, "unavailable", seconds=8)
    try:
        scan = org.finish(org.start_scan(account)["id"])
    finally:
        org.estate.google_fault(service, "none")
    assert (scan["status"], org.findings(scan["id"])) == ("done", truth)
    assert org.unknown_types(scan["id"]) == set()


# --- Scans at once ----------------------------------------------------------------------------------------------------


def test_a_cancelled_scan_changes_no_drift_and_frees_the_account(org: Org, truth: set[Finding]) -> None:
    account = org.connect_with_state()
    before = {item["id"] for item in org.drift(org.scan(account)["id"])}
    org.estate.switch("ec2", "DescribeSecurityGroups", "hang")
    scan_id = org.start_scan(account)["id"]
    org.estate.wait_for_hit()
    cancelled = org.send("POST", f"/scans/{scan_id}/cancel")
    assert cancelled["status"] == "cancelled"
    assert cancelled["finished_at"] is not None
    problem(org.call("POST", f"/scans/{scan_id}/cancel"), 409, "scan_ended")
    problem(org.call("POST", f"/scans/{scan_id}/drift"), 409, "scan_not_comparable")
    org.estate.end_faults()
    assert org.drift(scan_id) == []
    assert {item["id"] for item in org.send("GET", f"/drift?limit=200&account_id={account}")["items"]} == before
    assert org.findings(org.scan(account)["id"]) == truth
    assert org.send("GET", f"/scans/{scan_id}")["status"] == "cancelled"


@pytest.mark.parametrize("plan", ["free", "enterprise"])
def test_an_account_is_scanned_once_at_a_time(org: Org, plan: str) -> None:
    org.set_plan(plan)
    account = org.connect_with_state()
    org.estate.switch("dynamodb", "ListTables", "hang")
    first = org.start_scan(account)
    problem(org.call("POST", "/scans", json={"account_id": account}), 409, "scan_in_progress")
    org.estate.end_faults()
    org.finish(first["id"])
    org.scan(account)


def test_a_request_that_is_repeated_with_its_key_starts_one_scan(org: Org) -> None:
    account = org.connect_with_state()
    headers = {"Idempotency-Key": "deploy-42"}
    replies = [org.call("POST", "/scans", json={"account_id": account}, headers=headers) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [202, 202]
    assert replies[0].json()["id"] == replies[1].json()["id"]
    org.finish(replies[0].json()["id"])


def test_the_free_plan_scans_one_account_at_a_time(org: Org) -> None:
    account, other = org.connect_with_state(), org.connect(external_account="210987654321")
    org.set_plan("free")
    org.estate.switch("dynamodb", "ListTables", "hang")
    first = org.start_scan(account)
    told = problem(org.call("POST", "/scans", json={"account_id": other}), 402)
    assert (told["required_plan"], told["used"], told["cap"]) == ("team", 1, 1)
    org.estate.end_faults()
    org.finish(first["id"])
    org.finish(org.start_scan(other)["id"])
