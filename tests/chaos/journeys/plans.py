"""Plans: a pipeline that asks for judgements, each of one plan, and wants the same verdict on the same plan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from ..violations import Violation
from .journey import OrgOfJourney, Scene
from .ledger import Ledger

_PLANS = Path(__file__).parents[2] / "fixtures" / "plans" / "aws"
_CASES = ("ingress", "identity")
_ROWS = "select branch, answer from analysis.analyses where org_id = :org_id"


class Plans:
    """A pipeline. Each run has a branch of its own, by which its analysis is known."""

    name = "plans"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._runs = Ledger()
        self._cases: dict[str, str] = {}  # branch to case
        self._seen: list[Violation] = []
        self._numbers = count(1)

    def prepare(self) -> None:
        """Judge each plan once, undisturbed: that is the truth."""
        self.org: OrgOfJourney = self._scene.make_org()
        self._plans = {case: json.loads((_PLANS / case / "plan.json").read_bytes()) for case in _CASES}
        self._truth = {case: _verdict(self._analyze(case, f"{self.org.marker}-{case}")) for case in _CASES}

    def turn(self) -> None:
        """Have a plan judged; the answer must say what it always says."""
        number = next(self._numbers)
        case, branch = _CASES[number % len(_CASES)], f"{self.org.marker}-{number}"
        answer = self._analyze(case, branch)
        if _verdict(answer) != self._truth[case]:
            self._seen.append(Violation("plans: changed", f"the answer on {branch} is not what {case} was told before"))

    def check(self) -> Iterator[Violation]:
        """Compare: each analysis is there once, with the verdict that was told."""
        yield from self._seen
        rows: list[tuple[str, Any]] = [(str(branch), answer) for branch, answer in self.org.arrange(_ROWS)]
        yield from self._runs.compare(self.name, "analysis", (branch for branch, _ in rows))
        for branch, answer in rows:
            case = self._cases.get(branch)
            if case is not None and _verdict(answer) != self._truth[case]:
                yield Violation("plans: changed", f"the analysis of {branch} is not what {case} was told")

    def _analyze(self, case: str, branch: str) -> dict[str, Any]:
        self._cases[branch] = case
        body = {"plan_json": self._plans[case], "ci": {"branch": branch}}
        with self._runs.making(branch):
            return self.org.insist("POST", "/analyze", json=body, expect=frozenset({200}))


def _verdict(answer: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    """Return the level, and each finding with its severity."""
    return answer["risk_level"], sorted((item["id"], item["severity"]) for item in answer["findings"])
