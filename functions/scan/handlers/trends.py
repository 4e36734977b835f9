"""Calls on how drift went over time."""

from __future__ import annotations

from typing import Any

from shared.http.call import Call
from shared.http.reply import Reply
from shared.security.plans import HISTORY

from ..domain.trends import mean_seconds_to_fix, series, window_of
from ..queries import trends as queries
from ..schedule_models import CoverageDay, TrendDay, TrendQuery, TrendView
from ..wiring import ScanDeps


def show_trends(call: Call, deps: ScanDeps) -> Reply:
    """Show what was opened, fixed and open on each day, how long fixing took, and what scans could not check."""
    query = call.query(TrendQuery)
    kept = HISTORY[call.actor.plan]
    window = window_of(query.days, query.time_zone, now=deps.clock.now(), kept=kept)
    filters: dict[str, Any] = {
        "account_id": query.account_id,
        "kind": "unmanaged" if query.kind == "extra" else query.kind,
        "severity": query.severity,
    }
    starts = window.starts()
    with deps.db.unit(call.actor) as tx:
        before = queries.count_open_before(tx, since=starts[0], **filters)
        opened = queries.count_opened(tx, starts=starts, **filters)
        fixed = queries.count_fixed(tx, starts=starts, **filters)
        coverage = queries.sum_coverage(tx, starts=starts, **filters)
    dates = window.days()
    days = series(window, before=before, opened=opened, fixed=fixed)
    view = TrendView(
        first_day=window.first,
        last_day=window.last,
        days=[
            TrendDay(
                day=day,
                opened=found.opened,
                fixed=found.fixed,
                open=found.open,
                by_severity=found.by_severity,
                by_kind=found.by_kind,
                by_account=found.by_account,
            )
            for day, found in days.items()
        ],
        coverage=[
            CoverageDay(
                day=dates[row["number"] - 1],
                scans=row["scans"],
                compared=row["compared"],
                not_checked=row["not_checked"],
            )
            for row in coverage
        ],
        mean_seconds_to_fix=mean_seconds_to_fix(fixed).get("all"),
        mean_seconds_to_fix_by_severity=mean_seconds_to_fix(fixed, "severity"),
        mean_seconds_to_fix_by_kind=mean_seconds_to_fix(fixed, "kind"),
        mean_seconds_to_fix_by_account=mean_seconds_to_fix(fixed, "account_id"),
    )
    return Reply.ok(view)
