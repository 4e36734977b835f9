"""Objects of Kubernetes as rules see them, however they are spelled.

Terraform's types write `security_context` as a block, a manifest writes `securityContext` as an object; a rule asks for the one and
gets either. What is not known or not of its kind is left out, so that no rule takes it for safe or for bad.
Source: Kubernetes API reference 1.34; Terraform Kubernetes provider 2.38.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, TypeAlias

from .levels import Severity, rank
from .plan import Change, Plan
from .rule import Flag, Match, Rule, seen
from .switches import rule_of
from .values import Document, Path, blocks, get_at, is_object, items, truth

FAMILY: Final = "clusters"
MANIFESTS: Final = ("kubernetes_manifest", "kubectl_manifest")
PODS: Final = ("kubernetes_pod", "kubernetes_pod_v1")
WORKLOADS: Final = (
    *PODS, *MANIFESTS, "kubernetes_deployment", "kubernetes_deployment_v1", "kubernetes_stateful_set", "kubernetes_stateful_set_v1",
    "kubernetes_daemonset", "kubernetes_daemon_set_v1", "kubernetes_job", "kubernetes_job_v1", "kubernetes_cron_job", "kubernetes_cron_job_v1",
    "kubernetes_replication_controller", "kubernetes_replication_controller_v1",
)  # fmt: skip
_TEMPLATES = (
    "spec.template.spec", "spec.job_template.spec.template.spec", "manifest.spec.template.spec", "manifest.spec.jobTemplate.spec.template.spec",
)  # fmt: skip
_CONTAINERS = ("container", "containers", "init_container", "initContainers", "ephemeralContainers")

Placed: TypeAlias = tuple[Path, Document]
Facts: TypeAlias = Callable[[Change, Document], Iterator["Fact"]]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is so in an object.

    Attributes:
        what: names it; two of one name are counted, not told apart.
        where: the path that shows it.
        severity: when it is not the rule's own.
        of: the container that it is said of; empty when there is none or it has no name.
    """

    what: str
    where: Path
    severity: Severity | None = None
    of: str = ""


@cache
def _camel(name: str) -> str:
    head, *rest = name.split("_")
    capitals = {"ip": "IP", "ips": "IPs", "ipc": "IPC", "pid": "PID", "urls": "URLs", "tls": "TLS"}
    return head + "".join(capitals.get(word, word[:1].upper() + word[1:]) for word in rest)


def member(item: object, name: str) -> Any:
    """Return a member by Terraform's name, or by the API's."""
    if not is_object(item):
        return None
    return item[name] if name in item else item.get(_camel(name))


def inner(item: object, *names: str) -> Document:
    """Return the object under some names, an empty one when there is none; a block counts as its one object."""
    for name in names:
        item = member(item, name)
        if isinstance(item, list | tuple):
            item = item[0] if item else None
    return item if is_object(item) else {}


def words(item: object, name: str) -> list[str]:
    """Return the texts of a member, one or many."""
    return [found for found in items(member(item, name)) if isinstance(found, str)]


def flag(item: object, name: str) -> bool | None:
    """Return a flag; None when it is not told."""
    return truth(member(item, name))


def placed(where: Path, item: Document, *names: str) -> Iterator[Placed]:
    """Yield the objects of a list under the first of some names that is there, each with its path."""
    for name in names:
        spelled = name if name in item else _camel(name)
        found = item.get(spelled)
        for position, one in enumerate(found if isinstance(found, list | tuple) else (found,)):
            if is_object(one):
                yield (*where, spelled, position) if isinstance(found, list | tuple) else (*where, spelled), one


def pods(change: Change, document: Document) -> Iterator[Placed]:
    """Yield what an object says of its pods, each with its path."""
    for path in _TEMPLATES:
        yield from blocks(document, path)
    bare = (("spec",) if change.type in PODS else ()) + (("manifest.spec",) if change.type in MANIFESTS else ())
    for path in bare:
        yield from ((where, item) for where, item in blocks(document, path) if "template" not in item)


def containers(where: Path, pod: Document) -> Iterator[Placed]:
    """Yield the containers of a pod, each with its path."""
    yield from placed(where, pod, *_CONTAINERS)


def kind_of(document: Document) -> str | None:
    """Return the kind of what a manifest says, None when it is not told."""
    kind = member(inner(document, "manifest"), "kind")
    return kind if isinstance(kind, str) else None


def body(change: Change, document: Document, kind: str) -> Iterator[Placed]:
    """Yield where an object of a kind is told: as attributes, as a manifest, or both; nothing of another kind's manifest."""
    if change.type not in MANIFESTS:
        yield (), document
    told = member(document, "manifest")
    if is_object(told) and kind_of(document) in ({kind} if change.type in MANIFESTS else {kind, None}):
        yield ("manifest",), told


def becoming(
    name: str, flagged: Flag, severity: Severity, title: str, types: Sequence[str], facts: Facts, *,
    on_create: Severity | None, paths: Sequence[str] = (), refs: Sequence[str] = (), reason: str = "", remedy: str = "",
) -> Rule:  # fmt: skip
    """Make a rule that speaks when something is so that was not so before.

    Args:
        name: id of the rule.
        flagged: its flag.
        severity: unless a fact has one of its own.
        title: what happened.
        types: resource types.
        facts: what is so in one side of a change.
        on_create: the most that is said of something new; None: as of a change.
        paths: attributes it looks at; unknown values there are reported.
        refs: references.
        reason: in the place of the flag's.
        remedy: in the place of the flag's.
    """

    def judge(change: Change, _plan: Plan) -> Iterator[Match]:
        if change.after is None:
            return
        known = Counter(fact.what for fact in _facts(facts, change, change.before))
        for fact in _facts(facts, change, change.after):
            if known[fact.what] > 0:
                known[fact.what] -= 1
                continue
            evidence = seen(fact.where, get_at(change.before, fact.where), get_at(change.after, fact.where))
            yield Match((evidence,), _bounded(fact.severity or severity, on_create if change.before is None else None))

    return _worded(
        rule_of(name, FAMILY, flagged, severity, title, tuple(types), judge, paths=tuple(paths), refs=tuple(refs)),
        reason,
        remedy,
    )


def losing(
    name: str, flagged: Flag, severity: Severity, title: str, types: Sequence[str], facts: Facts, *,
    refs: Sequence[str] = (), reason: str = "", remedy: str = "",
) -> Rule:  # fmt: skip
    """Make a rule that speaks when something good is no longer so, of what goes on to be there. See `becoming`."""

    def judge(change: Change, _plan: Plan) -> Iterator[Match]:
        if change.before is None or change.after is None:
            return
        left = Counter(fact.what for fact in _facts(facts, change, change.after))
        for fact in _facts(facts, change, change.before):
            if left[fact.what] > 0:
                left[fact.what] -= 1
            elif not fact.of or fact.of in _names(change):
                yield Match((seen(fact.where, get_at(change.before, fact.where), get_at(change.after, fact.where)),))

    return _worded(
        rule_of(name, FAMILY, flagged, severity, title, tuple(types), judge, refs=tuple(refs)), reason, remedy
    )


def _facts(facts: Facts, change: Change, side: Mapping[str, Any] | None) -> list[Fact]:
    return [] if side is None else list(facts(change, side))


def _names(change: Change) -> set[object]:
    """Return the names of the containers that are there afterwards; a single attribute tells none."""
    after = change.after or {}
    return {
        item.get("name")
        for where, pod in pods(change, after)
        for _, item in containers(where, pod)
        if isinstance(item.get("name"), str)
    }


def _bounded(severity: Severity, most: Severity | None) -> Severity:
    return severity if most is None or rank(severity) <= rank(most) else most


def _worded(rule: Rule, reason: str, remedy: str) -> Rule:
    return replace(rule, reason=reason or rule.reason, remedy=remedy or rule.remedy)
