"""What is kept of scans and drift, how it went over time, how it leaves, and how a scan is followed live."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import cast
from uuid import UUID

from tests.support.scan_function import ScanFunction, ScanOrg

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


# --- What is kept ------------------------------------------------------------------------------------------------------


def test_what_a_plan_keeps_no_longer_is_deleted_and_nothing_else(function: ScanFunction) -> None:
    function.clock.advance((100 * DAY).total_seconds())
    now = function.clock.now()
    kept: dict[str, set[int]] = {}
    for plan, days in (("free", 1), ("team", 30), ("enterprise", 10_000)):
        org = ScanOrg.make(function, plan)
        account = org.make_account()
        scans = {age: org.make_scan(account, created_at=now - age * DAY) for age in (90, 80, 20, 2, 0)}
        org.make_drift(account, scans[80], first_seen_at=now - 80 * DAY)  # open, however old
        for age in (70, 10, 0):
            org.make_drift(account, scans[90], status="fixed", fixed_at=now - age * DAY, first_seen_at=now - 90 * DAY)
        function.tick("scan-purge")
        items = org.own(
            "select extract(day from :now - fixed_at) from scan.drift_items where org_id = :org_id and status = 'fixed'",
            now=now,
        )
        assert {int(row[0]) for row in items} == {age for age in (70, 10, 0) if age < days}
        assert org.own("select count(*) from scan.drift_items where org_id = :org_id and status = 'open'") == [[1]]
        left = {UUID(str(row[0])) for row in org.own("select id from scan.scans where org_id = :org_id")}
        kept[plan] = {age for age, scan_id in scans.items() if scan_id in left}
    assert kept == {
        "free": {90, 80, 0},
        "team": {90, 80, 20, 2, 0},
        "enterprise": {90, 80, 20, 2, 0},
    }  # 90 and 80: items are kept


def test_the_last_scan_of_an_account_stays_with_what_it_saw(function: ScanFunction) -> None:
    function.clock.advance((100 * DAY).total_seconds())
    org = ScanOrg.make(function, "free")
    account = org.make_account()
    old = org.make_scan(account, created_at=function.clock.now() - 50 * DAY)
    last = org.make_scan(account, created_at=function.clock.now() - 40 * DAY)
    assert function.tick("scan-purge") == {"deleted": 1, "is_complete": True}
    assert org.own("select id from scan.scans where org_id = :org_id") == [[last]]
    assert old != last


# --- Trends ------------------------------------------------------------------------------------------------------------


def test_trends_count_what_came_what_went_and_what_is_open(org: ScanOrg, function: ScanFunction) -> None:
    function.clock.advance((10 * DAY + 12 * HOUR).total_seconds())
    now = function.clock.now()
    one, other = org.make_account(), org.make_account()
    scan = org.make_scan(
        one, finished_at=now, summary=json.dumps({"compared": 8, "not_checked": {"resources": 2, "types": []}})
    )
    org.make_drift(one, scan, first_seen_at=now - 5 * DAY)
    org.make_drift(one, scan, first_seen_at=now - 5 * DAY, status="fixed", fixed_at=now - DAY, severity="high")
    org.make_drift(other, scan, first_seen_at=now, kind="missing")
    found = org.done("GET", "/trends?days=3")
    assert [(day["opened"], day["fixed"], day["open"]) for day in found["days"]] == [(0, 0, 2), (0, 1, 1), (1, 0, 2)]
    assert found["days"][0]["by_severity"] == {"high": 1, "low": 1}
    assert found["days"][2]["by_account"] == {str(one): 1, str(other): 1}
    assert found["mean_seconds_to_fix_by_severity"] == {"high": 4 * 24 * 3600}
    assert found["coverage"] == [{"day": "2026-01-11", "scans": 1, "compared": 8, "not_checked": 2}]
    assert [day["open"] for day in org.done("GET", f"/trends?days=3&account_id={other}")["days"]] == [0, 0, 1]
    assert org.done("GET", "/trends?days=1&time_zone=Pacific/Kiritimati")["first_day"] == "2026-01-12"
    assert org.done("GET", "/trends?days=1&severity=critical")["mean_seconds_to_fix"] is None
    org.refused("GET", "/trends?days=0", None, 422, "invalid")
    assert ScanOrg.make(function).done("GET", "/trends?days=1")["days"][0]["open"] == 0


# --- Exports and progress ----------------------------------------------------------------------------------------------


def test_drift_leaves_as_a_file_in_every_form(org: ScanOrg) -> None:
    account = org.make_account()
    scan = org.make_scan(account)
    org.make_drift(account, scan, cloud_id="=cmd()", severity="critical")
    for form, content_type in {
        "csv": "text/csv", "html": "text/html", "markdown": "text/markdown", "sarif": "application/sarif+json",
    }.items():  # fmt: skip
        for path in ("/drift", f"/scans/{scan}/drift"):
            response = org.call("GET", f"{path}?format={form}")
            assert response.status_code == 200, response.get_data(as_text=True)
            assert response.headers["Content-Type"] == f"{content_type}; charset=utf-8"
            assert response.headers["Content-Disposition"].startswith("attachment;")
            assert "critical" in response.get_data(as_text=True)
    policy = org.call("GET", "/drift?format=html").headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "script" not in policy


def test_the_progress_of_a_scan_is_streamed_until_its_end(org: ScanOrg, function: ScanFunction) -> None:
    scan = org.make_scan(org.make_account(), "running", shards_total=2)
    response = org.call("GET", f"/scans/{scan}/events")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    chunks = cast("Iterator[bytes]", iter(response.response))
    assert next(chunks) == b"retry: 1000\n\n"
    assert b"event: progress" in next(chunks)
    org.own("update scan.scans set status = 'done', shards_done = 2 where org_id = :org_id")
    rest = list(chunks)
    assert b"event: end" in rest[-1]
    response.close()
    last_id = rest[-1].split(b"\n")[0].removeprefix(b"id: ").decode()
    assert org.call("GET", f"/scans/{scan}/events", Last_Event_ID=last_id).status_code == 204
    assert function.clock.monotonic_seconds() < 10


def test_a_stream_of_somebody_who_left_ends(org: ScanOrg, function: ScanFunction) -> None:
    scan = org.make_scan(org.make_account(), "running", shards_total=2)
    response = org.call("GET", f"/scans/{scan}/events", role="viewer")
    chunks = cast("Iterator[bytes]", iter(response.response))
    next(chunks)
    org.own("delete from core.members where org_id = :org_id and role = 'viewer'")
    began = function.clock.monotonic_seconds()
    assert b"event: end" not in b"".join(chunks)
    assert function.clock.monotonic_seconds() - began <= 5
    response.close()


def test_a_process_holds_few_streams_and_says_so(org: ScanOrg) -> None:
    scan = org.make_scan(org.make_account(), "running")
    held = [org.call("GET", f"/scans/{scan}/events") for _ in range(2)]
    refused = org.call("GET", f"/scans/{scan}/events")
    assert (refused.status_code, json.loads(refused.get_data())["code"]) == (503, "streams_busy")
    assert refused.headers["Retry-After"]
    for response in held:
        response.close()
    org.call("GET", f"/scans/{scan}/events").close()
