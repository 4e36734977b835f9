"""A whole report to the resources it stands for; what cannot be understood is unread, what was not listed is not checked.

Owns the order: releases and autoscalers first, since other objects are theirs. Must not call anybody; objects come page by page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from ...domain.resources import LiveResource, NotChecked, Parent, Unread
from ...domain.traced import Traced
from ...types.kubernetes import GENERIC, by_kind, generic_key, specs, types_of
from ...types.kubernetes.helm import KIND as RELEASES
from ...types.kubernetes.helm import held_by, release_of
from ...types.kubernetes.managers import unowned
from ...types.kubernetes.manifests import MANIFEST, without_values
from ...types.kubernetes.mapping import Mapped, attributes_of, member, object_key
from ...types.kubernetes.versions import current, moved

Finding: TypeAlias = LiveResource | Unread | NotChecked
Object: TypeAlias = Mapping[str, Any]
Objects: TypeAlias = Callable[[Sequence[str] | None], Iterator[Object]]

SOURCE: Final = "Kubernetes API"
PLACE: Final = "global"
AUTOSCALERS: Final = "HorizontalPodAutoscaler.autoscaling"
STATEFUL_SETS: Final = "StatefulSet.apps"
CLAIMS: Final = "PersistentVolumeClaim"
_SYSTEM: Final = "kube-system"
_OTHER_VERSION: Final = "the object is told as {version}, which no rule puts into the version that is compared"
_NOT_READ: Final = "the operator is not set up to read {kinds}"
_MOST_DETAIL: Final = 500
_ACCESS: Final = frozenset({"Role.rbac.authorization.k8s.io", "RoleBinding.rbac.authorization.k8s.io"})


@dataclass(frozen=True, slots=True)
class Listed:
    """Which kinds a report tells of.

    Attributes:
        kinds: listed from the first to the last page.
        failures: kind, reason, permission, detail of each that could not be listed.
    """

    kinds: frozenset[str]
    failures: tuple[NotListed, ...] = ()


@dataclass(frozen=True, slots=True)
class NotListed:
    """A kind that the operator could not list."""

    kind: str
    reason: str
    permission: str | None = None
    detail: str = ""


@dataclass(slots=True)
class _Owners:
    """Who else than a person decides about objects."""

    releases: dict[tuple[str, str], Parent] = field(default_factory=dict[tuple[str, str], Parent])
    scaled: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    claims: set[str] = field(default_factory=set[str])


def read_report(listed: Listed, objects: Objects, declared: Iterable[str]) -> Iterator[Finding]:
    """Yield what a report tells.

    Args:
        listed: which kinds it tells of.
        objects: yields its objects, as they were reported, of some kinds or of all.
        declared: keys of what states declare of kinds that no type stands for; of those that were not listed nothing is known.
    """
    told = listed.kinds - {item.kind for item in listed.failures}
    known = frozenset(moved(kind) for kind in told)
    failures = {moved(item.kind): item for item in listed.failures if moved(item.kind) not in known}
    yield from _not_checked(failures, known)
    for key in declared:
        kind = key.partition(" ")[0]
        if kind not in known:
            yield _unread(
                key, failures.get(kind) or NotListed(kind, "not_enabled", detail=_NOT_READ.format(kinds=kind))
            )
    owners = _owners(objects, known)
    for item in objects(None):
        kind = _kind_of(item)
        is_told_twice = moved(kind) != kind and moved(kind) in told  # the API serves it under both groups
        if (
            kind in told and not is_told_twice
        ):  # of a kind that was not listed to its end, what was seen says nothing of the rest
            yield _resource(moved(kind), unowned(item), owners)


def not_reported(reason: str, detail: str) -> NotChecked:
    """Say that nothing is known of a cluster."""
    return NotChecked(tuple(sorted(specs())), PLACE, reason, None, detail)


def _not_checked(failures: Mapping[str, NotListed], known: frozenset[str]) -> Iterator[NotChecked]:
    mapped = {*by_kind(), RELEASES}
    for item in failures.values():
        if moved(item.kind) in mapped:
            yield NotChecked(types_of([moved(item.kind)]), PLACE, item.reason, item.permission, item.detail)
    silent = sorted(mapped - known - failures.keys())
    if silent:
        detail = _NOT_READ.format(kinds=", ".join(silent))[:_MOST_DETAIL]
        yield NotChecked(types_of(silent), PLACE, "not_enabled", None, detail)


def _unread(key: str, failure: NotListed) -> Unread:
    return Unread(GENERIC, key, (), failure.permission, failure.reason, failure.detail)


def _owners(objects: Objects, known: frozenset[str]) -> _Owners:
    owners = _Owners()
    for item in objects([kind for kind in (RELEASES, AUTOSCALERS, STATEFUL_SETS) if kind in known]):
        name, namespace = _name_of(item)
        if _kind_of(item) == STATEFUL_SETS:
            owners.claims |= _claims_of(item, name, namespace)
            continue
        if _kind_of(item) == RELEASES:
            held = held_by(item, name, namespace)
            owners.releases |= {(moved(kind), key): parent for (kind, key), parent in held.items()}
            continue
        target = member(item, "spec", "scaleTargetRef")
        group, _, _ = str(member(target, "apiVersion") or "").rpartition("/")
        kind = str(member(target, "kind") or "")
        owners.scaled.add(
            (moved(f"{kind}.{group}" if group else kind), object_key(str(member(target, "name")), namespace))
        )
    return owners


def _claims_of(data: Object, name: str, namespace: str) -> set[str]:
    """Return the keys of the claims that a stateful set makes, each without the number at its end; they name no owner.

    Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-storage
    """
    templates = member(data, "spec", "volumeClaimTemplates")
    items = templates if isinstance(templates, list) else []
    return {object_key(f"{member(item, 'metadata', 'name')}-{name}", namespace) for item in items}


def _of_number(key: str) -> tuple[str, str]:
    """Take the number off the end of a key; one that has none is no claim of a stateful set."""
    head, _, number = key.rpartition("-")
    return (head, number) if number.isdecimal() else ("", key)


def _resource(kind: str, data: Object, owners: _Owners) -> Finding:
    name, namespace = _name_of(data)
    key = object_key(name, namespace)
    if kind == RELEASES:
        return release_of(data, name, namespace)
    mapped = by_kind().get(kind)
    if mapped is None:
        return LiveResource(
            GENERIC,
            generic_key(kind, key),
            PLACE,
            {MANIFEST: _document(data)},
            f"{kind} {key}",
            cloud_made=_is_owned(data) or namespace == _SYSTEM,
            parent=owners.releases.get((kind, key)),
            tags=_labels(data),
        )
    in_version = current(data)
    if in_version is None:
        detail = _OTHER_VERSION.format(version=data.get("apiVersion"))
        return Unread(mapped.kind.type, key, reason="malformed", detail=detail)
    try:
        return _mapped(mapped, in_version, key, owners)
    except (TypeError, ValueError, AttributeError, KeyError):
        detail = "the operator tells the object in a form that the API does not document"
        return Unread(mapped.kind.type, key, reason="malformed", detail=detail)


def _mapped(item: Mapped, data: Object, key: str, owners: _Owners) -> LiveResource:
    traced = Traced(data, SOURCE)
    attributes = attributes_of(item, traced)
    if (
        item.kind.kind == "Secret"
    ):  # its names are compared; that a value changed, the second detector sees by its digest
        attributes = attributes_of(item, data)
        traced = Traced(data, SOURCE)
    document = _document(data)
    if (item.kind.kind, key) in owners.scaled:
        attributes.pop("spec.replicas", None)
        document = _without_replicas(document)
    for one in item.fields:  # a value that its shape cannot take is told here, and not in the middle of the comparison
        if one.name in attributes:
            one.shape(attributes[one.name])
    return LiveResource(
        item.kind.type,
        key,
        PLACE,
        {**attributes, MANIFEST: document},
        f"{item.kind.kind} {key}",
        cloud_made=_is_made(item, data) or (item.kind.kind == CLAIMS and _of_number(key)[0] in owners.claims),
        parent=owners.releases.get((item.kind.kind, key)),
        tags=_labels(data),
        document=traced,
    )


def _is_made(item: Mapped, data: Object) -> bool:
    """Say whether nobody is expected to declare an object: it belongs to another one, or the cluster came with it.

    Who may do what in the system's own namespace is shown all the same: a binding there opens the whole cluster.
    """
    is_system = member(data, "metadata", "namespace") == _SYSTEM and item.kind.kind not in _ACCESS
    return _is_owned(data) or is_system or item.kind.made(data)


def _is_owned(data: Object) -> bool:
    """Say whether a controller made an object for another one.

    Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
    """
    owners = member(data, "metadata", "ownerReferences")
    return isinstance(owners, list) and any(
        isinstance(one, Mapping) and one.get("controller") is True for one in owners
    )


def _document(data: Object) -> dict[str, Any]:
    found = {name: item for name, item in dict(data).items() if name != "status"}
    return without_values(found) if found.get("kind") == "Secret" else found


def _without_replicas(document: dict[str, Any]) -> dict[str, Any]:
    spec = document.get("spec")
    rest = {name: item for name, item in spec.items() if name != "replicas"} if isinstance(spec, Mapping) else spec
    return {**document, "spec": rest}


def _kind_of(data: Object) -> str:
    group, _, _ = str(data.get("apiVersion") or "").rpartition("/")
    return f"{data.get('kind')}.{group}" if group else str(data.get("kind"))


def _name_of(data: Object) -> tuple[str, str]:
    metadata = data.get("metadata")
    names: Mapping[str, Any] = metadata if isinstance(metadata, Mapping) else {}
    return str(names.get("name") or ""), str(names.get("namespace") or "")


def _labels(data: Object) -> dict[str, str]:
    found = member(data, "metadata", "labels")
    return {str(name): str(item) for name, item in found.items()} if isinstance(found, Mapping) else {}
