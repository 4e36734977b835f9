"""Verdicts on plans of the fixtures, and on one plan whose every name is an attack."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from functions.analyze.domain.assessment import assess
from functions.analyze.domain.assessment import facts_of as facts_about
from functions.analyze.domain.facts import Facts
from functions.analyze.domain.plan import read_plan
from functions.analyze.domain.rulebook import Rulebook
from shared.rules.rule import Evidence, Finding

_PLANS = Path(__file__).parents[1] / "fixtures" / "plans"


@cache
def facts_of(name: str) -> Facts:
    """Return the verdict on a plan of the fixtures, e.g. `google`."""
    plan = read_plan((_PLANS / f"{name}.json").read_bytes())
    return facts_about(assess(plan, Rulebook(), ()))


def finding(number: int = 1, **more: object) -> Finding:
    """Return a finding on a security group."""
    values: dict[str, object] = {
        "id": f"ingress:{number:012x}",
        "rule": "ingress",
        "flag": "public-ingress",
        "severity": "critical",
        "address": f"aws_security_group.web{number}",
        "type": "aws_security_group",
        "title": "A port is opened to public networks",
        "reason": "Anybody on the internet can connect.",
        "remedy": "Name the networks that need it.",
        "references": (),
        "evidence": (Evidence("ingress[0].cidr_blocks", ["10.0.0.0/8"], ["0.0.0.0/0"]), Evidence("ingress[0].to_port", 22, 22)),
        **more,
    }  # fmt: skip
    return Finding(**values)  # type: ignore[arg-type]  # the names are those of the class


def facts(*findings: Finding, **more: object) -> Facts:
    """Return the facts of some findings."""
    found = findings or (finding(),)
    return Facts(level=more.pop("level", found[0].severity), findings=found, **more)  # type: ignore[arg-type]
