"""Schedules over a real database: limits of plans, turns, missed runs, and the end of one that fails again and again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from uuid import UUID

import pytest

from shared.testing.clock import START
from tests.support.database import ClonedDatabase
from tests.support.scan_function import ScanFunction, ScanOrg

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def function(database: ClonedDatabase) -> ScanFunction:
    return ScanFunction(database)


@pytest.fixture
def org(function: ScanFunction) -> ScanOrg:
    return ScanOrg.make(function)


def moment(text: str | None) -> datetime:
    assert text is not None
    return datetime.fromisoformat(text).astimezone(UTC)


def scans_of(org: ScanOrg) -> int:
    return int(org.own("select count(*) from scan.scans where org_id = :org_id")[0][0])


def look(org: ScanOrg, schedule: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = org.done("GET", f"/schedules/{schedule['id']}")
    return found


def test_a_schedule_says_when_it_runs_and_is_listed(org: ScanOrg) -> None:
    made = org.make_schedule(cron="30 2 * * MON-FRI", time_zone="Europe/Berlin")
    assert moment(made["next_run_at"]) == datetime(2026, 1, 1, 1, 30, tzinfo=UTC)
    assert org.done("GET", "/schedules")["items"] == [made]
    assert "scan:schedule:created" in org.audits()
    assert org.call("GET", "/schedules", role="viewer").status_code == 200
    assert org.call("DELETE", f"/schedules/{made['id']}", role="member").status_code == 403
    org.done("DELETE", f"/schedules/{made['id']}", status=204)
    org.refused("GET", f"/schedules/{made['id']}", None, 404, "not_found")


@pytest.mark.parametrize(
    ("field", "value"), [("cron", "* * * *"), ("cron", "61 * * * *"), ("time_zone", "Mars/Olympus"), ("jitter_seconds", 3601), ("more", 1)]
)
def test_what_is_no_schedule_is_refused_with_its_field(org: ScanOrg, field: str, value: Any) -> None:
    wish = {"account_id": str(org.make_account()), "name": "n", "cron": "0 2 * * *", field: value}
    assert [item["field"] for item in org.refused("POST", "/schedules", wish, 422, "invalid")["errors"]] == [field]


def test_plans_limit_how_many_and_how_often(function: ScanFunction) -> None:
    org = ScanOrg.make(function, "free")
    wish = {"account_id": str(org.make_account()), "name": "n", "cron": "0 */12 * * *"}
    found = org.refused("POST", "/schedules", wish, 402, "interval_too_short")
    assert (found["required_plan"], found["used"], found["cap"]) == ("team", 12 * 3600, 24 * 3600)
    assert org.refused("POST", "/schedules", {**wish, "cron": "*/2 * * * *"}, 402, "interval_too_short")["required_plan"] is None
    made = org.make_schedule(UUID(wish["account_id"]))
    assert org.refused("POST", "/schedules", {**wish, "cron": "0 1 * * *"}, 402, "schedule_limit_reached")["required_plan"] == "team"
    org.refused("PUT", f"/schedules/{made['id']}", {"cron": "0 * * * *"}, 402, "interval_too_short")


def test_another_organisations_schedule_and_account_are_not_there(function: ScanFunction, org: ScanOrg) -> None:
    other = ScanOrg.make(function)
    made = other.make_schedule()
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/run")):
        org.refused(method, f"/schedules/{made['id']}{path}", {"name": "x"} if method == "PUT" else None, 404, "not_found")
    wish = {"account_id": made["account_id"], "name": "n", "cron": "0 2 * * *"}
    org.refused("POST", "/schedules", wish, 404, "not_found")


def test_a_schedule_that_is_due_starts_one_scan_however_many_runs_were_missed(org: ScanOrg, function: ScanFunction) -> None:
    made = org.make_schedule()
    assert function.tick("scan-schedules") == {"started": 0}
    function.clock.advance((10 * DAY + 3 * HOUR).total_seconds())
    assert function.tick("scan-schedules") == {"started": 1}
    assert function.tick("scan-schedules") == {"started": 0}
    assert scans_of(org) == 1
    found = look(org, made)
    assert (moment(found["next_run_at"]), found["last_outcome"]) == (START + 11 * DAY + 2 * HOUR, "running")
    assert moment(found["last_due_at"]) == START + 2 * HOUR
    scan = org.done("GET", f"/scans/{found['last_scan_id']}")
    assert scan["account_id"] == made["account_id"]
    assert scan["shards_total"] == len([m for m in function.queue.messages("scan-shards") if m.payload["scan_id"] == scan["id"]])


def test_two_ticks_at_once_start_one_scan(org: ScanOrg, function: ScanFunction) -> None:
    org.make_schedule()
    function.clock.advance(DAY.total_seconds())
    threads = [Thread(target=function.tick, args=("scan-schedules",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scans_of(org) == 1


def test_an_account_that_is_being_scanned_is_not_scanned_again(org: ScanOrg, function: ScanFunction) -> None:
    made = org.make_schedule()
    org.make_scan(UUID(made["account_id"]), "running")
    function.clock.advance((3 * HOUR).total_seconds())
    assert function.tick("scan-schedules") == {"started": 0}
    found = look(org, made)
    assert (found["last_outcome"], moment(found["next_run_at"])) == ("skipped", START + DAY + 2 * HOUR)


def test_a_schedule_waits_for_a_place_and_then_runs_once(function: ScanFunction) -> None:
    org = ScanOrg.make(function, "free")
    busy = org.make_scan(org.make_account(), "running")
    made = org.make_schedule()
    function.clock.advance((3 * HOUR).total_seconds())
    assert function.tick("scan-schedules") == {"started": 0}
    assert look(org, made)["last_outcome"] == "waiting"
    org.own("update scan.scans set status = 'done' where org_id = :org_id and id = :busy", busy=busy)
    assert function.tick("scan-schedules") == {"started": 1}
    assert function.tick("scan-schedules") == {"started": 0}


def test_after_a_lower_plan_the_oldest_schedules_go_on_and_not_more_often(org: ScanOrg, function: ScanFunction) -> None:
    first, second = org.make_schedule(cron="0 * * * *"), org.make_schedule(cron="0 * * * *")
    org.own("update core.orgs set plan = 'free' where id = :org_id")
    function.clock.advance((2 * HOUR).total_seconds())
    assert function.tick("scan-schedules") == {"started": 1}
    found = look(org, first)
    assert (found["last_outcome"], moment(found["next_run_at"])) == ("running", START + HOUR + DAY)
    assert look(org, second)["last_outcome"] == "over_plan"


@pytest.mark.parametrize("how", ["failed", "empty"])
def test_five_failures_in_a_row_switch_a_schedule_off_with_a_notice(org: ScanOrg, function: ScanFunction, how: str) -> None:
    made = org.make_schedule()
    for failures in range(1, 6):
        assert look(org, made)["disabled_at"] is None
        function.clock.advance(DAY.total_seconds())
        assert function.tick("scan-schedules") == {"started": 1}
        scan_id = look(org, made)["last_scan_id"]
        org.end_scan(scan_id, how)
        org.end_scan(scan_id, how)  # a message that comes twice is no second failure
        assert (look(org, made)["failures"], look(org, made)["last_outcome"]) == (failures, "failed")
    found = look(org, made)
    assert (found["next_run_at"], found["disabled_because"]) == (None, "failing")
    assert [event["schedule_id"] for event in org.events("scan:schedule:disabled")] == [made["id"]]
    assert org.audits().count("scan:schedule:disabled") == 1
    function.clock.advance(DAY.total_seconds())
    assert function.tick("scan-schedules") == {"started": 0}
    again = org.done("PUT", f"/schedules/{made['id']}", {"is_disabled": False})
    assert (again["failures"], again["disabled_because"]) == (0, None)
    assert moment(again["next_run_at"]) > function.clock.now()


def test_a_scan_that_goes_well_ends_a_row_of_failures(org: ScanOrg, function: ScanFunction) -> None:
    made = org.make_schedule()
    for how, failures in (("failed", 1), ("failed", 2), ("well", 0), ("failed", 1)):
        function.clock.advance(DAY.total_seconds())
        assert function.tick("scan-schedules") == {"started": 1}
        org.end_scan(look(org, made)["last_scan_id"], how)
        assert look(org, made)["failures"] == failures


def test_a_cancelled_scan_counts_neither_way(org: ScanOrg, function: ScanFunction) -> None:
    made = org.make_schedule()
    for how in ("failed", "cancelled"):
        function.clock.advance(DAY.total_seconds())
        function.tick("scan-schedules")
        scan_id = look(org, made)["last_scan_id"]
        org.end_scan(scan_id) if how == "failed" else org.done("POST", f"/scans/{scan_id}/cancel")
    assert (look(org, made)["failures"], look(org, made)["last_outcome"]) == (1, "cancelled")


def test_a_change_of_some_fields_leaves_the_others(org: ScanOrg, function: ScanFunction) -> None:
    made = org.make_schedule(time_zone="Europe/Berlin")
    renamed = org.done("PUT", f"/schedules/{made['id']}", {"name": "other"})
    assert renamed == {**made, "name": "other"}
    function.clock.advance(HOUR.total_seconds())
    moved = org.done("PUT", f"/schedules/{made['id']}", {"cron": "0 12 * * *"})
    assert moment(moved["next_run_at"]) == START + 11 * HOUR
    off = org.done("PUT", f"/schedules/{made['id']}", {"is_disabled": True})
    assert (off["next_run_at"], off["disabled_because"]) == (None, "person")
    kept = org.done("PUT", f"/schedules/{made['id']}", {"cron": "0 4 * * *"})
    assert (kept["next_run_at"], kept["cron"]) == (None, "0 4 * * *")


def test_a_run_by_hand_changes_nothing_of_the_timetable(org: ScanOrg) -> None:
    made = org.make_schedule()
    scan = org.done("POST", f"/schedules/{made['id']}/run", status=202)
    assert scan["account_id"] == made["account_id"]
    assert look(org, made) == made
    org.refused("POST", f"/schedules/{made['id']}/run", None, 409, "scan_in_progress")
    assert "scan:schedule:run" in org.audits()


def test_a_deleted_organisation_is_scanned_no_more(org: ScanOrg, function: ScanFunction) -> None:
    org.make_schedule()
    org.own("update core.orgs set deleted_at = now() where id = :org_id")
    function.clock.advance(DAY.total_seconds())
    assert function.tick("scan-schedules") == {"started": 0}


# --- What is kept ------------------------------------------------------------------------------------------------------


def test_what_a_plan_keeps_no_longer_is_deleted_and_nothing_else(function: ScanFunction) -> None:
    function.clock.advance((100 * DAY).total_seconds())
    now = function.clock.now()
    kept: dict[str, set[UUID]] = {}
    for plan, days in (("free", 1), ("team", 30), ("enterprise", 10_000)):
        org = ScanOrg.make(function, plan)
        account = org.make_account()
        scans = {age: org.make_scan(account, created_at=now - age * DAY) for age in (90, 80, 20, 2, 0)}
        org.make_drift(account, scans[80], first_seen_at=now - 80 * DAY)  # open, however old
        for age in (70, 10, 0):
            org.make_drift(account, scans[90], status="fixed", fixed_at=now - age * DAY, first_seen_at=now - 90 * DAY)
        function.tick("scan-purge")
        items = org.own("select extract(day from :now - fixed_at) from scan.drift_items where org_id = :org_id and status = 'fixed'", now=now)
        assert {int(row[0]) for row in items} == {age for age in (70, 10, 0) if age < days}
        assert org.own("select count(*) from scan.drift_items where org_id = :org_id and status = 'open'") == [[1]]
        left = {UUID(str(row[0])) for row in org.own("select id from scan.scans where org_id = :org_id")}
        kept[plan] = {age for age, scan_id in scans.items() if scan_id in left}  # type: ignore[misc]
    assert kept == {"free": {90, 80, 0}, "team": {90, 80, 20, 2, 0}, "enterprise": {90, 80, 20, 2, 0}}  # 90 and 80: items are kept


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
    scan = org.make_scan(one, finished_at=now, summary=json.dumps({"compared": 8, "not_checked": {"resources": 2, "types": []}}))
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
    chunks = iter(response.response)
    assert next(chunks) == b"retry: 1000\n\n"
    assert b"event: progress" in next(chunks)  # type: ignore[operator]
    org.own("update scan.scans set status = 'done', shards_done = 2 where org_id = :org_id")
    rest = list(chunks)
    assert b"event: end" in rest[-1]  # type: ignore[operator]
    response.close()
    last_id = rest[-1].split(b"\n")[0].removeprefix(b"id: ").decode()  # type: ignore[union-attr,arg-type]
    assert org.call("GET", f"/scans/{scan}/events", Last_Event_ID=last_id).status_code == 204
    assert function.clock.monotonic_seconds() < 10


def test_a_stream_of_somebody_who_left_ends(org: ScanOrg, function: ScanFunction) -> None:
    scan = org.make_scan(org.make_account(), "running", shards_total=2)
    response = org.call("GET", f"/scans/{scan}/events", role="viewer")
    chunks = iter(response.response)
    next(chunks)
    org.own("delete from core.members where org_id = :org_id and role = 'viewer'")
    began = function.clock.monotonic_seconds()
    assert b"event: end" not in b"".join(chunks)  # type: ignore[arg-type]
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
