"""Schedules over a real database: limits of plans, turns, missed runs, and the end of one that fails again and again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from uuid import UUID

import pytest

from shared.testing.clock import START
from tests.support.scan_function import ScanFunction, ScanOrg

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NOTHING, ONE = ({"started": number, "is_complete": True} for number in (0, 1))


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
    ("field", "value"),
    [("cron", "* * * *"), ("cron", "61 * * * *"), ("time_zone", "Mars/Olympus"), ("jitter_seconds", 3601), ("more", 1)],
)
def test_what_is_no_schedule_is_refused_with_its_field(org: ScanOrg, field: str, value: Any) -> None:
    wish = {"account_id": str(org.make_account()), "name": "n", "cron": "0 2 * * *", field: value}
    assert [item["field"] for item in org.refused("POST", "/schedules", wish, 422, "invalid")["errors"]] == [field]


def test_plans_limit_how_many_and_how_often(function: ScanFunction) -> None:
    org = ScanOrg.make(function, "free")
    wish = {"account_id": str(org.make_account()), "name": "n", "cron": "0 */12 * * *"}
    found = org.refused("POST", "/schedules", wish, 402, "interval_too_short")
    assert (found["required_plan"], found["used"], found["cap"]) == ("team", 12 * 3600, 24 * 3600)
    assert (
        org.refused("POST", "/schedules", {**wish, "cron": "*/2 * * * *"}, 402, "interval_too_short")["required_plan"]
        is None
    )
    made = org.make_schedule(UUID(wish["account_id"]))
    assert (
        org.refused("POST", "/schedules", {**wish, "cron": "0 1 * * *"}, 402, "schedule_limit_reached")["required_plan"]
        == "team"
    )
    org.refused("PUT", f"/schedules/{made['id']}", {"cron": "0 * * * *"}, 402, "interval_too_short")


def test_another_organisations_schedule_and_account_are_not_there(function: ScanFunction, org: ScanOrg) -> None:
    other = ScanOrg.make(function)
    made = other.make_schedule()
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/run")):
        org.refused(
            method, f"/schedules/{made['id']}{path}", {"name": "x"} if method == "PUT" else None, 404, "not_found"
        )
    wish = {"account_id": made["account_id"], "name": "n", "cron": "0 2 * * *"}
    org.refused("POST", "/schedules", wish, 404, "not_found")


def test_a_schedule_that_is_due_starts_one_scan_however_many_runs_were_missed(
    org: ScanOrg, function: ScanFunction
) -> None:
    made = org.make_schedule()
    assert function.tick("scan-schedules") == NOTHING
    function.clock.advance((10 * DAY + 3 * HOUR).total_seconds())
    assert function.tick("scan-schedules") == ONE
    assert function.tick("scan-schedules") == NOTHING
    assert scans_of(org) == 1
    found = look(org, made)
    assert (moment(found["next_run_at"]), found["last_outcome"]) == (START + 11 * DAY + 2 * HOUR, "running")
    assert moment(found["last_due_at"]) == START + 2 * HOUR
    scan = org.done("GET", f"/scans/{found['last_scan_id']}")
    assert scan["account_id"] == made["account_id"]
    assert scan["shards_total"] == len(
        [m for m in function.queue.messages("scan-shards") if m.payload["scan_id"] == scan["id"]]
    )


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
    assert function.tick("scan-schedules") == NOTHING
    found = look(org, made)
    assert (found["last_outcome"], moment(found["next_run_at"])) == ("skipped", START + DAY + 2 * HOUR)


def test_a_schedule_waits_for_a_place_and_then_runs_once(function: ScanFunction) -> None:
    org = ScanOrg.make(function, "free")
    busy = org.make_scan(org.make_account(), "running")
    made = org.make_schedule()
    function.clock.advance((3 * HOUR).total_seconds())
    assert function.tick("scan-schedules") == NOTHING
    assert look(org, made)["last_outcome"] == "waiting"
    org.own("update scan.scans set status = 'done' where org_id = :org_id and id = :busy", busy=busy)
    assert function.tick("scan-schedules") == ONE
    assert function.tick("scan-schedules") == NOTHING


def test_after_a_lower_plan_the_oldest_schedules_go_on_and_not_more_often(org: ScanOrg, function: ScanFunction) -> None:
    first, second = org.make_schedule(cron="0 * * * *"), org.make_schedule(cron="0 * * * *")
    org.own("update core.orgs set plan = 'free' where id = :org_id")
    function.clock.advance((2 * HOUR).total_seconds())
    assert function.tick("scan-schedules") == ONE
    found = look(org, first)
    assert (found["last_outcome"], moment(found["next_run_at"])) == ("running", START + HOUR + DAY)
    assert look(org, second)["last_outcome"] == "over_plan"


@pytest.mark.parametrize("how", ["failed", "empty"])
def test_five_failures_in_a_row_switch_a_schedule_off_with_a_notice(
    org: ScanOrg, function: ScanFunction, how: str
) -> None:
    made = org.make_schedule()
    for failures in range(1, 6):
        assert look(org, made)["disabled_at"] is None
        function.clock.advance(DAY.total_seconds())
        assert function.tick("scan-schedules") == ONE
        scan_id = look(org, made)["last_scan_id"]
        org.end_scan(scan_id, how)
        org.end_scan(scan_id, how)  # a message that comes twice is no second failure
        assert (look(org, made)["failures"], look(org, made)["last_outcome"]) == (failures, "failed")
    found = look(org, made)
    assert (found["next_run_at"], found["disabled_because"]) == (None, "failing")
    assert [event["schedule_id"] for event in org.events("scan:schedule:disabled")] == [made["id"]]
    assert org.audits().count("scan:schedule:disabled") == 1
    function.clock.advance(DAY.total_seconds())
    assert function.tick("scan-schedules") == NOTHING
    again = org.done("PUT", f"/schedules/{made['id']}", {"is_disabled": False})
    assert (again["failures"], again["disabled_because"]) == (0, None)
    assert moment(again["next_run_at"]) > function.clock.now()


def test_a_scan_that_outlasts_the_interval_still_counts_when_it_ends(org: ScanOrg, function: ScanFunction) -> None:
    made = org.make_schedule()
    function.clock.advance(DAY.total_seconds())
    assert function.tick("scan-schedules") == ONE
    scan_id = look(org, made)["last_scan_id"]
    function.clock.advance(DAY.total_seconds())
    assert function.tick("scan-schedules") == NOTHING
    assert (look(org, made)["last_scan_id"], look(org, made)["last_outcome"]) == (scan_id, "running")
    org.end_scan(scan_id)
    assert (look(org, made)["failures"], look(org, made)["last_outcome"]) == (1, "failed")


def test_a_scan_that_goes_well_ends_a_row_of_failures(org: ScanOrg, function: ScanFunction) -> None:
    made = org.make_schedule()
    for how, failures in (("failed", 1), ("failed", 2), ("well", 0), ("failed", 1)):
        function.clock.advance(DAY.total_seconds())
        assert function.tick("scan-schedules") == ONE
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
    assert function.tick("scan-schedules") == NOTHING


def test_an_expression_that_can_no_longer_be_read_ends_its_schedule_and_no_other(
    org: ScanOrg, function: ScanFunction
) -> None:
    broken, sound = org.make_schedule(), org.make_schedule()
    org.own("update scan.schedules set cron = '99 99 * * *' where org_id = :org_id and id = :id", id=broken["id"])
    function.clock.advance(DAY.total_seconds())
    assert function.tick("scan-schedules") == ONE
    assert look(org, broken)["disabled_because"] == "never"
    assert look(org, sound)["last_outcome"] == "running"
    assert [event["because"] for event in org.events("scan:schedule:disabled")] == ["never"]
