"""Judges the recorded plans of AWS against what was expected of them before they were made."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from functions.analyze.domain.plan import read_plan
from shared.rules.engine import Verdict, judge_plan
from shared.rules.levels import rank

from .record_plans import FOLDER

EXPECTED: Mapping[str, Any] = json.loads((FOLDER / "expected.json").read_text("utf-8"))
# What is said about the plan or a type as a whole counts where it is expected only: a small plan is hardly ever all covered.
_WHOLE = frozenset({"mass-change", "uncovered-type"})


def problems(name: str, content: bytes | Mapping[str, Any]) -> Iterator[str]:
    """Yield what is missing from the findings of a case, what is too mild, and what nobody expected.

    Args:
        name: the case.
        content: its plan.
    """
    expected, verdict = EXPECTED[name], judge_plan(read_plan(content))
    found = _worst(verdict)
    for address, flags in expected["findings"].items():
        for flag, severity in flags.items():
            said = found.get(address, {}).get(flag)
            if said is None:
                yield f"{address}: {flag} is missing"
            elif rank(said) < rank(severity):
                yield f"{address}: {flag} is {said}, expected at least {severity}"
    for address, said_flags in found.items():
        for flag, said in said_flags.items():
            is_expected = flag in expected["findings"].get(address, {})
            is_mild = said == "low" and address not in expected["silent"]
            if not is_expected and not is_mild and flag not in _WHOLE:
                yield f"{address}: {flag} {said} was not expected"
    if verdict.level != expected["level"]:
        yield f"level is {verdict.level}, expected {expected['level']}"


def outline(verdict: Verdict) -> dict[str, dict[str, str]]:
    """Return address -> flag -> severity, for comparing two plans of one case."""
    return {address: dict(sorted(flags.items())) for address, flags in sorted(_worst(verdict).items())}


def _worst(verdict: Verdict) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for item in reversed(verdict.findings):  # worst last
        found[item.address][item.flag] = item.severity
    return found
