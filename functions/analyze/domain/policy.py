"""An organisation's policy: which severity counts for which findings. Pure.

A policy never drops a finding and never changes their order: what it accepts stays visible, as accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.rules.globs import matches
from shared.rules.levels import Level, Severity, highest
from shared.rules.rule import Finding

MOST_RULES = 200


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One override.

    Attributes:
        id: unique within the policy.
        flag_pattern: glob over the finding's flag, or over the id of the rule that made it.
        resource_pattern: glob over the address or the type; None for every finding, also for those about the plan as a whole.
        severity: what counts from then on; `none` accepts the finding.
        reason: why, for whoever reads the analysis.
    """

    id: str
    flag_pattern: str
    resource_pattern: str | None
    severity: Level
    reason: str

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> PolicyRule:
        """Read a rule as it is stored."""
        return cls(
            stored["id"],
            stored["flag_pattern"],
            stored.get("resource_pattern"),
            stored["severity"],
            stored["reason"],
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules in the order in which they are asked, and the version of the whole.

    Attributes:
        version: 0 while there has been none.
    """

    version: int = 0
    rules: tuple[PolicyRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding with the severity that counts.

    Attributes:
        finding: as the rules made it.
        severity: what counts; `none` when it is accepted.
        override: the policy's rule that spoke first about it; None when none does.
    """

    finding: Finding
    severity: Level
    override: PolicyRule | None = None

    @property
    def severity_before(self) -> Severity:
        """What the rules said, before the policy."""
        return self.finding.severity

    @property
    def is_accepted(self) -> bool:
        """The policy takes it as it is: it is shown and does not count."""
        return self.severity == "none"


def apply(policy: Policy, findings: Iterable[Finding]) -> list[Judged]:
    """Judge findings by a policy; the first rule that matches wins. One for each finding, in the same order."""
    candidates: dict[tuple[str, str], list[PolicyRule]] = {}
    judged: list[Judged] = []
    for finding in findings:
        names = finding.flag, finding.rule
        if names not in candidates:
            candidates[names] = [rule for rule in policy.rules if _is_about(rule, names)]
        rule = next((rule for rule in candidates[names] if _is_at(rule, finding)), None)
        judged.append(Judged(finding, finding.severity if rule is None else rule.severity, rule))
    return judged


def level_of(judged: Iterable[Judged]) -> Level:
    """Return the worst severity that counts."""
    return highest(item.severity for item in judged)


def _is_about(rule: PolicyRule, names: Sequence[str]) -> bool:
    return any(matches(rule.flag_pattern, name) for name in names)


def _is_at(rule: PolicyRule, finding: Finding) -> bool:
    pattern = rule.resource_pattern
    return pattern is None or any(matches(pattern, name) for name in (finding.address, finding.type))
