"""One drift as facts for a narrative: judged by the rules for plans, and never milder than the comparison judged it. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.rules.drifted import change_of
from shared.rules.engine import judge_plan
from shared.rules.levels import highest, rank
from shared.rules.plan import Change, Plan
from shared.rules.rule import Evidence, Finding, Match, finding, seen, whole
from shared.rules.switches import rule_of

from .facts import Facts

_BASIS = ("kind", "type", "key", "address", "path", "before", "after", "is_sensitive", "severity", "rule")
_ABOUT_PLANS = frozenset({"unknown-value", "uncovered-type", "mass-change"})
_TITLES: Mapping[str, tuple[str, str, str]] = {
    "missing": (
        "What the state declares is gone from the cloud",
        "Terraform believes in a resource that is not there; the next apply makes it again, without what was in it.",
        "Find out who removed it. Apply to make it again, or take it out of the configuration.",
    ),
    "unmanaged": (
        "Something runs that no state declares",
        "Nobody reviews what is not in code, and a rebuild from code would not bring it back.",
        "Import it into Terraform, or remove it if nobody needs it.",
    ),
    "changed": (
        "What runs is not what the state declares",
        "The next apply undoes the change, or the code no longer says what runs.",
        "Decide which of the two is right: put the change into code, or apply to undo it.",
    ),
}


def basis_of(item: Mapping[str, Any]) -> bytes:
    """Return a digest of what a narrative is about, so that one about an older difference is not shown for a newer one."""
    told = [item[name] for name in _BASIS]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).digest()


def facts_of(item: Mapping[str, Any]) -> Facts:
    """Return the facts of one drift item."""
    change = change_of(
        kind=item["kind"],
        type_name=item["type"],
        key=item["key"],
        address=item["address"],
        path=item["path"],
        before=item["before"],
        after=item["after"],
        is_sensitive=item["is_sensitive"],
    )
    judged = [found for found in judge_plan(Plan((change,))).findings if found.flag not in _ABOUT_PLANS]
    ordered = tuple(sorted((_itself(change, item), *judged), key=lambda found: -rank(found.severity)))
    return Facts(level=highest(found.severity for found in ordered), findings=ordered, subject="drift")


def _itself(change: Change, item: Mapping[str, Any]) -> Finding:
    """Return the drift itself as a finding: its kind says what it means whatever else the rules see in it."""
    title, reason, remedy = _TITLES[item["kind"]]
    rule = rule_of(
        item["rule"], "drift", "drift-reverted", item["severity"], title, (), lambda _change, _plan: iter(())
    )
    evidence: Evidence = (
        seen(item["path"], _shown(item, "before"), _shown(item, "after")) if item["path"] else whole(change)
    )
    return finding(replace(rule, reason=reason, remedy=remedy), Match((evidence,)), change.address, change.type)


def _shown(item: Mapping[str, Any], side: str) -> Any:
    return "(sensitive)" if item["is_sensitive"] else item[side]
