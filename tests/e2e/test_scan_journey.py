"""The main journey: a state goes in, the cloud is read, and exactly what somebody did comes out, in every form."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from local_emulator.demo_changes import CHANGES
from tests.support.running_suite import RunningSuite, problem
from tests.support.scanning import Estate, Finding, Org


@pytest.fixture(scope="module")
def estate(emulator: RunningSuite) -> Estate:
    found = Estate(emulator, "demo")
    found.build()
    return found


@pytest.fixture(scope="module")
def org(estate: Estate) -> Org:
    return Org.make(estate)


@pytest.fixture(scope="module")
def account(org: Org) -> str:
    return org.connect_with_state()


@pytest.fixture(scope="module")
def first_scan(org: Org, account: str) -> dict[str, Any]:
    return org.scan(account)


@pytest.fixture(scope="module")
def caused(estate: Estate, first_scan: dict[str, Any]) -> set[Finding]:
    """What people did behind Terraform's back, after the first scan."""
    client = cache(estate.client)
    return {finding for change in CHANGES for finding in change.expected(change.apply(client))}


@pytest.fixture(scope="module")
def scan(org: Org, account: str, caused: set[Finding]) -> dict[str, Any]:
    return org.scan(account)


def test_a_fresh_apply_shows_no_drift(org: Org, first_scan: dict[str, Any]) -> None:
    assert org.findings(first_scan["id"]) == set()
    summary = first_scan["summary"]
    assert summary["in_sync"] == summary["compared"] > 0
    assert summary["not_checked"] == {"resources": 0, "types": []}
    assert first_scan["shards_done"] == first_scan["shards_total"] > 0


def test_every_change_is_found_and_nothing_else(org: Org, scan: dict[str, Any], caused: set[Finding]) -> None:
    assert org.findings(scan["id"]) == caused
    assert scan["summary"]["drift"] == len(caused)


def test_the_summary_counts_what_the_list_shows(org: Org, scan: dict[str, Any]) -> None:
    items = org.drift(scan["id"])
    for kind, number in scan["summary"]["by_kind"].items():
        assert sum(item["kind"] == kind for item in items) == number
    for severity, number in scan["summary"]["by_severity"].items():
        assert sum(item["severity"] == severity for item in items) == number


def test_what_opens_the_door_is_critical_and_a_tag_is_not(org: Org, scan: dict[str, Any]) -> None:
    judged = {(item["address"] or item["key"], item["path"]): item["severity"] for item in org.drift(scan["id"])}
    assert judged["aws_security_group.bastion", "ingress"] == "critical"
    assert judged["aws_instance.bastion", "tags.Owner"] == "low"


@pytest.mark.parametrize("query", ["kind=missing", "kind=changed", "severity=critical", "type=aws_instance"])
def test_filters_show_exactly_their_part(org: Org, scan: dict[str, Any], query: str) -> None:
    name, _, value = query.partition("=")
    expected = {item["id"] for item in org.drift(scan["id"]) if item[name] == value}
    assert {item["id"] for item in org.drift(scan["id"], f"&{query}")} == expected != set()


def test_extra_is_another_word_for_unmanaged(org: Org, scan: dict[str, Any]) -> None:
    assert org.findings(scan["id"], "&kind=extra") == org.findings(scan["id"], "&kind=unmanaged") != set()


def test_open_drift_across_accounts_is_the_same_list(org: Org, account: str, scan: dict[str, Any]) -> None:
    expected = {item["id"] for item in org.drift(scan["id"])}
    page = org.send("GET", f"/drift?limit=200&account_id={account}")
    assert {item["id"] for item in page["items"]} == expected


def test_the_csv_has_a_line_for_each_finding(org: Org, scan: dict[str, Any], caused: set[Finding]) -> None:
    reply = org.call("GET", f"/scans/{scan['id']}/drift?format=csv")
    assert reply.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(reply.text)))
    assert len(rows) == len(caused)
    assert {(row["address"], row["path"]) for row in rows if row["kind"] == "changed"} == {
        (name, path) for kind, name, path in caused if kind == "changed"
    }


def test_the_sarif_log_has_a_result_for_each_finding(org: Org, scan: dict[str, Any], caused: set[Finding]) -> None:
    reply = org.call("GET", f"/scans/{scan['id']}/drift?format=sarif")
    run = json.loads(reply.text)["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(run["results"]) == len(caused)
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])


def test_the_markdown_report_names_every_finding(org: Org, scan: dict[str, Any], caused: set[Finding]) -> None:
    report = org.call("GET", f"/scans/{scan['id']}/drift?format=markdown").text
    assert f"{len(caused)} findings" in report
    for kind, name, _path in caused:
        assert kind == "unmanaged" or name in report


def test_resources_are_listed_page_by_page_and_once(org: Org, scan: dict[str, Any]) -> None:
    seen: list[tuple[str, str]] = []
    cursor = ""
    while True:
        page = org.send("GET", f"/scans/{scan['id']}/resources?limit=50{cursor}")
        seen += [(item["type"], item["key"]) for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == scan["summary"]["live_resources"]


def test_a_scan_of_an_unchanged_cloud_keeps_every_finding_as_it_was(
    org: Org, account: str, scan: dict[str, Any]
) -> None:
    before = {item["id"]: item["first_seen_at"] for item in org.drift(scan["id"])}
    again = org.scan(account)
    assert {item["id"]: item["first_seen_at"] for item in org.drift(again["id"])} == before
    assert again["summary"]["fixed"] == 0


def test_what_is_put_right_is_fixed_and_the_rest_stays(
    estate: Estate, org: Org, account: str, scan: dict[str, Any]
) -> None:
    before = org.findings(org.scan(account)["id"])
    estate.client("logs").put_retention_policy(logGroupName="/shop/app", retentionInDays=365)
    after = org.scan(account)
    fixed = ("changed", "aws_cloudwatch_log_group.shop", "retention_in_days")
    assert org.findings(after["id"]) == before - {fixed}
    assert after["summary"]["fixed"] == 1
    page = org.send("GET", "/drift?status=fixed&limit=200")
    assert [(item["kind"], item["address"], item["path"]) for item in page["items"]] == [fixed]


def test_a_new_state_is_compared_without_reading_the_cloud_again(org: Org, account: str, scan: dict[str, Any]) -> None:
    latest = org.scan(account)
    before = org.findings(latest["id"])
    source = org.send("GET", "/state-sources")["items"][0]
    document = json.loads(org.estate.state())
    document["serial"] += 1
    document["resources"] = [item for item in document["resources"] if item["type"] != "aws_ecr_repository"]
    assert org.upload(source["id"], json.dumps(document).encode()).status_code == 200
    org.send("POST", f"/scans/{latest['id']}/drift")
    assert org.finish(latest["id"])["status"] == "done"
    appeared = org.findings(latest["id"]) - before
    assert {kind for kind, _, _ in appeared} == {"unmanaged"}
    assert not any(name.startswith("aws_ecr_repository") for _, name, _ in org.findings(latest["id"]))


def test_two_sources_with_the_same_state_report_each_thing_once(estate: Estate, caused: set[Finding]) -> None:
    org = Org.make(estate)
    account = org.connect_with_state()
    assert org.upload(org.add_source(account, name="the same again"), estate.state()).status_code == 200
    found = org.findings(org.scan(account)["id"])
    assert {item for item in found if item[0] == "unmanaged"} == {item for item in caused if item[0] == "unmanaged"}


def test_an_account_of_another_number_is_refused_and_says_so(estate: Estate) -> None:
    org = Org.make(estate)
    account = org.connect(external_account="999999999999")
    verified = org.send("POST", f"/cloud-accounts/{account}/verify")
    assert verified["is_complete"] is False
    assert verified["missing_permissions"] == []
    assert "another AWS account" in verified["gaps"][0]["detail"]


def test_a_stranger_sees_nothing_of_a_scan(org: Org, scan: dict[str, Any], estate: Estate) -> None:
    stranger = Org.make(estate)
    for path in ("", "/drift", "/coverage", "/resources"):
        problem(stranger.call("GET", f"/scans/{scan['id']}{path}"), 404, "not_found")


@pytest.fixture(autouse=True)
def no_fault_left(estate: Estate) -> Iterator[None]:
    yield
    estate.end_faults()
