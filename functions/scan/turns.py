"""What the end of a scan means to the schedule that started it: counted once, and the end of a schedule that fails again and again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.data.unit_of_work import UnitOfWork
from shared.telemetry.log import logger

from .domain.schedules import MOST_FAILURES, is_failure
from .queries import schedules as queries

_log = logger("scan")


def settle(tx: UnitOfWork, scan_id: UUID, status: str, summary: Mapping[str, Any], *, now: datetime) -> None:
    """Note how a scan ended at the schedule that waits for it; nothing when none does.

    A cancelled scan counts neither way. After five failures in a row the schedule is switched off, and the organisation hears of it.

    Args:
        tx: the transaction that ends the scan.
        scan_id: which scan.
        status: how it ended: `done`, `failed` or `cancelled`.
        summary: of a scan that is done.
        now: time of the end.
    """
    row = queries.lock_running(tx, scan_id)
    if row is None:
        return
    has_failed = is_failure(status, summary)
    failures = row["failures"] + 1 if has_failed else 0
    if status == "cancelled":
        failures = row["failures"]
    outcome = "failed" if has_failed else status
    queries.set_ended(tx, row["id"], outcome=outcome, failures=failures)
    if failures >= MOST_FAILURES and row["disabled_at"] is None:
        switch_off(tx, row, "failing", now=now)


def switch_off(tx: UnitOfWork, row: Mapping[str, Any], because: str, *, now: datetime) -> None:
    """Switch a schedule off and tell the organisation.

    Args:
        tx: holds the row.
        row: the schedule's.
        because: `failing`, or `never` for one that no moment will fit any more.
        now: time of the decision.
    """
    queries.disable_schedule(tx, row["id"], because=because, now=now)
    tx.audit("scan:schedule:disabled", "schedule", row["id"], name=row["name"], because=because)
    tx.emit(
        "org-events",
        {
            "event": "scan:schedule:disabled",
            "schedule_id": str(row["id"]),
            "account_id": str(row["account_id"]),
            "name": row["name"],
            "because": because,
        },
    )
    _log.warning("schedule disabled", schedule_id=str(row["id"]), because=because)
