"""How bad a drift is, and which rule says so.

A drift is judged by the same rules as a planned change (`shared.rules`): one that somebody made already. Beside them stands a
floor by kind and place, as a drift shows one attribute at a time and nobody has reviewed it; the worse of the two counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from shared.rules.drifted import change_of
from shared.rules.levels import Severity, rank, worst
from shared.rules.plan import Plan
from shared.rules.rule import EXPOSURES, Finding
from shared.rules.types import DOORS, IDENTITY, NETWORK_RULES, PROTECTIONS, STATEFUL

from .baseline import without_indices
from .comparison import Drift
from .volatile import words

_TAGS = frozenset({"tags"})
_LABELS = frozenset({"labels", "resource_labels", "user_labels", "annotations"})
_MACHINES = ("google_compute_instance", "google_compute_instance_template", "google_compute_region_instance_template")
_NO_VERDICT = frozenset({"unknown-value", "uncovered-type"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """A severity and the rule that set it: a flag of `shared.rules`, or the id of a floor."""

    severity: Severity
    rule: str


@dataclass(frozen=True, slots=True)
class Floor:
    """The least that is said about a drift.

    Attributes:
        id: stable name, shown with the item.
        severity: what it says.
        applies: whether it speaks about a drift.
    """

    id: str
    severity: Severity
    applies: Callable[[Drift], bool]


def judge(drift: Drift) -> Verdict:
    """Return the severity of a drift and the rule that set it."""
    drift = replace(drift, path=_terraform_spelling(drift.path)) if drift.detector == "baseline" else drift
    floor = next(item for item in _FLOORS if item.applies(drift))
    if floor.id == "tags-changed":
        return Verdict(floor.severity, floor.id)
    from shared.rules.engine import judge_change  # only a comparison needs the rules, and most requests are none

    change = change_of(
        kind=drift.kind,
        type_name=drift.type,
        key=drift.key,
        address=drift.address,
        path=drift.path,
        before=drift.before,
        after=drift.after,
        is_sensitive=drift.is_sensitive,
    )
    found = [item for item in judge_change(change, Plan((change,))) if item.flag not in _NO_VERDICT]
    best = max(found, key=lambda item: rank(_severity(item)), default=None)
    if best is not None and rank(_severity(best)) > rank(floor.severity):
        return Verdict(_severity(best), best.flag)
    is_exposed = best is not None and best.flag in EXPOSURES and _severity(best) == floor.severity
    return Verdict(floor.severity, best.flag if best is not None and is_exposed else floor.id)


def _severity(found: Finding) -> Severity:
    """Return a finding's severity; what is opened behind everybody's back is high at least."""
    is_new = found.flag in EXPOSURES and found.severity != "low"
    return worst((found.severity,), "high") if is_new else found.severity


def _terraform_spelling(path: str | None) -> str:
    """Return a path of a cloud's reply as Terraform would spell it, for rules that know attributes by name."""
    return ".".join("_".join(words(step)) for step in without_indices(path or "").split("."))


def _top(path: str | None) -> str:
    return (path or "").split(".", 1)[0].split("[", 1)[0]


def _is_identity(drift: Drift) -> bool:
    return any(fnmatchcase(drift.type, pattern) for pattern in IDENTITY)


def _is_label(drift: Drift) -> bool:
    """Say whether only a name tag changed. Google calls them labels; its tags tell which firewall rules are for a machine."""
    names = _LABELS if drift.type.startswith("google_") else _TAGS
    return drift.kind == "changed" and _top(drift.path) in names


def _is_public_image(drift: Drift) -> bool:
    """Say whether a machine image is shared with everybody and no state says so."""
    return drift.kind == "unmanaged" and drift.type == "aws_ami_launch_permission" and drift.key.endswith("|all")


def _is_other_code(drift: Drift) -> bool:
    """Say whether a container runs an image of another repository: not another version of the same thing."""
    is_image = drift.type.startswith("kubernetes_") and (drift.path or "").endswith(".image")
    pair = (drift.before, drift.after)
    return is_image and all(isinstance(item, str) for item in pair) and len({_repository(item) for item in pair}) > 1


def _repository(image: object) -> str:
    from shared.rules.families.cluster_pods import repository

    return repository(str(image))


def _is_pod_security(drift: Drift) -> bool:
    """Say whether what the pods of a namespace may do was changed: a label's name has dots, which no rule's path can tell."""
    return drift.kind == "changed" and ".labels.pod-security.kubernetes.io/" in (drift.path or "")


_FLOORS: tuple[Floor, ...] = (
    Floor("tags-changed", "low", _is_label),
    Floor("stateful-resource-missing", "critical", lambda drift: drift.kind == "missing" and drift.type in STATEFUL),
    Floor("identity-unmanaged", "high", lambda drift: drift.kind == "unmanaged" and _is_identity(drift)),
    Floor("network-rule-unmanaged", "high", lambda drift: drift.kind == "unmanaged" and drift.type in NETWORK_RULES),
    Floor("image-public", "critical", _is_public_image),
    Floor("door-unmanaged", "high", lambda drift: drift.kind == "unmanaged" and drift.type in DOORS),
    Floor("resource-missing", "high", lambda drift: drift.kind == "missing"),
    Floor("network-rule-changed", "high", lambda drift: drift.kind == "changed" and drift.type in NETWORK_RULES),
    Floor(
        "network-tags-changed",
        "high",
        lambda drift: drift.kind == "changed" and drift.type in _MACHINES and _top(drift.path) == "tags",
    ),
    Floor("identity-changed", "high", lambda drift: drift.kind == "changed" and _is_identity(drift)),
    Floor("protection-changed", "high", lambda drift: drift.kind == "changed" and _top(drift.path) in PROTECTIONS),
    Floor(
        "cluster-endpoint-changed",
        "high",
        lambda drift: drift.type == "aws_eks_cluster" and _top(drift.path) == "vpc_config",
    ),
    Floor("image-repository-changed", "high", _is_other_code),
    Floor("pod-security-changed", "high", _is_pod_security),
    Floor("baseline-change", "medium", lambda drift: drift.detector == "baseline"),
    Floor("resource-unmanaged", "medium", lambda drift: drift.kind == "unmanaged"),
    Floor("attribute-changed", "medium", lambda _drift: True),
)
