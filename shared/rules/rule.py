"""What a rule is, and what it says. A rule is data and one small pure function."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from .levels import Severity
from .plan import Change, Plan
from .values import Path, dotted, shown

Flag: TypeAlias = Literal[
    "resource-deletion", "stateful-resource-destruction", "forced-replacement", "protection-disabled", "public-ingress",
    "public-access", "iam-wildcard", "iam-privilege-escalation", "cross-account-trust", "encryption-disabled", "key-destruction",
    "dns-change", "certificate-change", "network-reachability", "capacity-reduction", "audit-disabled", "mass-change",
    "unknown-value", "drift-reverted", "uncovered-type", "custom-rule", "access-removed", "delivery-chain-change",
]  # fmt: skip
FLAGS: tuple[Flag, ...] = get_args(Flag)
CUSTOM: Flag = "custom-rule"  # what a customer's own rule raises; no built-in rule does
EXPOSURES: frozenset[Flag] = frozenset({"public-ingress", "public-access"})  # noted also when a change only keeps them


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a rule saw, in a form that may be shown.

    Attributes:
        path: attribute path, e.g. `ingress[0].cidr_blocks`; empty for the resource as a whole.
        before: value now.
        after: value wanted.
    """

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Match:
    """One thing that a rule's function found.

    Attributes:
        evidence: at least one.
        severity: when it is not the rule's own.
        note: what is particular to this one, one sentence.
        is_unknown: the rule could not tell; becomes part of the `unknown-value` finding.
    """

    evidence: tuple[Evidence, ...]
    severity: Severity | None = None
    note: str = ""
    is_unknown: bool = False


Judge: TypeAlias = Callable[[Change, Plan], Iterable[Match]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: stable name, never reused.
        family: what it is about; one module each.
        flag: the flag it raises.
        severity: what it says unless a match says otherwise.
        title: what happened, a few words.
        reason: why that is bad.
        remedy: what to do.
        references: ids in public catalogues (Checkov, CWE, CIS) or addresses of vendors' pages.
        types: resource types, also as globs; `*` alone is every type (and covers none).
        paths: attributes it looks at; unknown values there are reported.
        judge: the function.
        also_unchanged: judges a resource also when nothing happens to it, because of what happens around it.
    """

    id: str
    family: str
    flag: Flag
    severity: Severity
    title: str
    reason: str
    remedy: str
    types: tuple[str, ...]
    judge: Judge
    paths: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    also_unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What is said about one resource, or about the plan as a whole (then `address` is empty).

    Attributes:
        id: the same for the same finding on the same resource in every plan.
        rule: id of the rule.
    """

    id: str
    rule: str
    flag: Flag
    severity: Severity
    address: str
    type: str
    title: str
    reason: str
    remedy: str
    references: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    note: str = ""


def finding(rule: Rule, match: Match, address: str, kind: str) -> Finding:
    """Write down what a rule found."""
    identity = "\n".join((rule.id, address, *sorted(item.path for item in match.evidence)))
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return Finding(
        id=f"{rule.id}:{digest}",
        rule=rule.id,
        flag=rule.flag,
        severity=match.severity or rule.severity,
        address=address,
        type=kind,
        title=rule.title,
        reason=rule.reason,
        remedy=rule.remedy,
        references=rule.references,
        evidence=match.evidence,
        note=match.note,
    )


def seen(path: Path | str, before: object, after: object) -> Evidence:
    """Return evidence, cut to what may be shown."""
    return Evidence(path if isinstance(path, str) else dotted(path), shown(before), shown(after))


def whole(change: Change) -> Evidence:
    """Return evidence that is the resource itself: it is there, or it is not."""
    return Evidence("", None if change.before is None else "exists", None if change.after is None else "exists")
