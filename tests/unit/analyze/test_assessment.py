"""The whole judgement: rulebook and open drift together."""

from __future__ import annotations

from uuid import UUID

from functions.analyze.domain.assessment import assess
from functions.analyze.domain.open_drift import REVERTED, DriftItem
from functions.analyze.domain.plan_noise import Suppression
from functions.analyze.domain.policy import Policy, PolicyRule
from functions.analyze.domain.rulebook import Rulebook
from shared.rules.levels import Level
from shared.rules.plan import Change, Plan

ADDRESS = "aws_sqs_queue.jobs"
PLAN = Plan((Change(ADDRESS, "aws_sqs_queue", ("update",), {"delay_seconds": 1}, {"delay_seconds": 2}),))
DRIFT = DriftItem("1", "changed", "aws_sqs_queue", ADDRESS, None, "delay_seconds", 2, 1, False, "high")
EVERYTHING = (Suppression(UUID(int=1), "*", None, None, "all of it"),)


def policy(severity: Level) -> Policy:
    return Policy(3, (PolicyRule("a", "drift-reverted", None, severity, "we say so"),))


def test_an_update_that_undoes_drift_which_counts_as_bad_is_not_hidden() -> None:
    assert assess(PLAN, Rulebook(policy=policy("critical"), suppressions=EVERYTHING), []).judgement.noise.hidden
    found = assess(PLAN, Rulebook(policy=policy("critical"), suppressions=EVERYTHING), [DRIFT])
    assert [(item.finding.rule, item.severity) for item in found.findings] == [(REVERTED.id, "critical")]
    assert not found.judgement.noise.hidden
    assert found.level == "critical"


def test_a_hidden_update_keeps_its_findings() -> None:
    found = assess(PLAN, Rulebook(suppressions=EVERYTHING), [DRIFT])
    assert found.judgement.noise.hidden == {(ADDRESS, "")}
    assert [(item.finding.rule, item.severity) for item in found.findings] == [(REVERTED.id, "medium")]


def test_policy_and_switched_off_rules_hold_for_drift_too() -> None:
    found = assess(PLAN, Rulebook(policy=policy("none")), [DRIFT])
    assert (found.level, [item.is_accepted for item in found.findings], found.policy_version) == ("none", [True], 3)
    assert assess(PLAN, Rulebook(disabled=frozenset({REVERTED.id})), [DRIFT]).findings == ()
