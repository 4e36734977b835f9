"""What leaves the cluster: objects without what the server adds, and of secrets no value.

A value of a secret is told as a keyed digest: that it changed can be seen, what it is cannot. The key stays in the cluster.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

from .kinds import Kind

_METADATA = ("name", "namespace", "labels", "annotations", "ownerReferences", "finalizers", "uid")
# Copies of a whole object, values of secrets included, and what controllers write at each turn.
_ANNOTATIONS = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/revision",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.daemonset.template.generation",
        "control-plane.alpha.kubernetes.io/leader",
        "autoscaling.alpha.kubernetes.io/conditions",
        "autoscaling.alpha.kubernetes.io/current-metrics",
    }
)
_SECRET = ("type", "immutable")
_MOST_MANAGERS = 20
_MOST_PATHS = 200
_MOST_TEXT = 128
_MOST_DEPTH = 40


def stripped(kind: Kind, data: Mapping[str, Any], digest_key: bytes) -> dict[str, Any]:
    """Return of an object what is reported.

    Args:
        kind: what it is; objects in lists do not say.
        data: as the API server tells it.
        digest_key: of digests; without one the values of secrets leave no trace at all.
    """
    head = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": _metadata(data.get("metadata") or {})}
    if kind.kind == "Secret" and not kind.group:
        return {**head, **{name: data[name] for name in _SECRET if name in data}, "data": _digests(data, digest_key)}
    rest = {name: item for name, item in data.items() if name not in {"apiVersion", "kind", "metadata", "status"}}
    return {**head, **rest}


def digest(key: bytes, place: str, value: str) -> str:
    """Return a keyed digest of one value; the same value in another place has another one."""
    if not key:
        return ""
    return "hmac-sha256:" + hmac.new(key, f"{place}\0{value}".encode(), hashlib.sha256).hexdigest()[:40]


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: metadata[name] for name in _METADATA if metadata.get(name)}
    annotations = found.get("annotations")
    if isinstance(annotations, Mapping):
        found["annotations"] = {name: item for name, item in annotations.items() if name not in _ANNOTATIONS}
    owners = found.get("ownerReferences")
    if isinstance(owners, list):
        found["ownerReferences"] = [
            {name: owner.get(name) for name in ("apiVersion", "kind", "name", "controller")} for owner in owners
        ]
    found["managedFields"] = managers(metadata)
    return {name: item for name, item in found.items() if item}


def managers(metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return who owns which fields of an object since when: names of managers and paths, never a value.

    Elements of lists are not told apart, as what tells them apart are values. What concerns the status is left out.
    Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
    """
    told = [item for item in metadata.get("managedFields") or [] if isinstance(item, Mapping) and item.get("manager")]
    newest = sorted(told, key=lambda item: str(item.get("time") or ""))[-_MOST_MANAGERS:]
    found: list[dict[str, Any]] = []
    for item in newest:
        paths = sorted(set(_paths(item.get("fieldsV1"), "", 0)))
        if item.get("subresource") == "status" or not paths:
            continue
        head = {
            name: str(item[name])[:_MOST_TEXT]
            for name in ("manager", "operation", "subresource", "time")
            if item.get(name)
        }
        is_cut = {"cut": True} if len(paths) > _MOST_PATHS else {}
        found.append({**head, "paths": paths[:_MOST_PATHS], **is_cut})
    return found


def _paths(fields: Any, above: str, depth: int) -> Iterator[str]:
    """Yield the paths of the leaves of `fieldsV1` as JSON pointers (RFC 6901), without what chooses among the elements of a list."""
    inside = {name: item for name, item in fields.items() if name != "."} if isinstance(fields, Mapping) else {}
    if not inside or depth > _MOST_DEPTH:
        if above:
            yield above
        return
    for name, item in inside.items():
        prefix, _, member = str(name).partition(":")
        if depth == 0 and member == "status":
            continue
        escaped = member.replace("~", "~0").replace("/", "~1")
        yield from _paths(item, f"{above}/{escaped}" if prefix == "f" else above, depth + 1)


def _digests(data: Mapping[str, Any], key: bytes) -> dict[str, str]:
    metadata = data.get("metadata") or {}
    place = f"{metadata.get('namespace')}/{metadata.get('name')}"
    held = data.get("data") or {}
    return {str(name): digest(key, f"{place}/{name}", str(value)) for name, value in held.items()}
