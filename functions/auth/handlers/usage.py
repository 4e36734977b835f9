"""What an organisation's plan allows, and what is used of it."""

from __future__ import annotations

from datetime import timedelta

from shared.data.model_quota import Windows
from shared.http.call import Call
from shared.http.reply import Reply
from shared.security.plans import (
    COMPLIANCE_WINDOWS,
    FEATURES,
    HISTORY,
    LIMITS,
    MODEL_CALLS,
    SHORTEST_INTERVALS,
    has_feature,
    limit_of,
    next_model_plan,
)

from ..models.orgs import FeatureView, LimitView, UsageView
from ..queries import members, orgs
from ..wiring import AuthDeps


def show_usage(call: Call, deps: AuthDeps) -> Reply:
    """Show every limit of the organisation's plan with what is used of it, and which features it includes."""
    windows = Windows.at(deps.clock.now())
    elsewhere = orgs.count_usage(deps.db, call.org_id)
    with deps.db.unit(call.actor) as tx:
        plan: str = orgs.get_org(tx)["plan"]
        used = {**elsewhere, "seats": members.count_members(tx)}
        calls = orgs.count_model_calls(tx, hour=windows.hour, week=windows.week)
    limits = [_limit(name, plan, used[name]) for name in LIMITS]
    view = UsageView(
        plan=plan,
        limits=[*limits, _model_calls(plan, calls, windows)],
        features=[_feature(name, plan) for name in FEATURES],
        history_seconds=_seconds(HISTORY[plan]),
        shortest_interval_seconds=int(SHORTEST_INTERVALS[plan].total_seconds()),
    )
    return Reply.ok(view)


def _limit(name: str, plan: str, used: int) -> LimitView:
    limit = limit_of(name, plan)
    return LimitView(name=name, used=used, cap=limit.most, required_plan=limit.plan_for(used + 1))


def _model_calls(plan: str, calls: dict[str, int], windows: Windows) -> LimitView:
    gate = MODEL_CALLS[plan]
    if gate is None:
        used = calls.get("hour", 0)
        return LimitView(name="model_calls", used=used, cap=None, required_plan=None, window="hour", resets_at=windows.ends("hour"))  # fmt: skip
    cap, window = gate
    used = calls.get(window, 0)
    required = next_model_plan(plan) if used >= cap else None
    return LimitView(
        name="model_calls", used=used, cap=cap, required_plan=required, window=window, resets_at=windows.ends(window)
    )


def _feature(name: str, plan: str) -> FeatureView:
    window = COMPLIANCE_WINDOWS.get(plan) if name == "compliance" else None
    return FeatureView(
        name=name,
        is_included=has_feature(name, plan),
        required_plan=FEATURES[name],
        window_days=window.days if window else None,
    )


def _seconds(time: timedelta | None) -> int | None:
    return None if time is None else int(time.total_seconds())
