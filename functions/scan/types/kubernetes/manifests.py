"""Objects that a state declares as they are written: `kubernetes_manifest` and `kubectl_manifest`.

A manifest says some of an object; the rest is the API server's. So what was declared is compared, field by field, and nothing else.
Owns how a state's manifest is found, and what of the live object stands against it. Must not do I/O.
Source: Terraform Kubernetes provider 2.38, `kubernetes_manifest`; alekc/kubectl 2.1 and gavinbunney/kubectl 1.19, `kubectl_manifest`;
https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import yaml

from ...domain.resources import Attributes
from ...domain.shapes import Canonical, whole_document
from .forms import quantity

MANIFEST: Final = "manifest"
_MOST_YAML_BYTES = 2 * 1024 * 1024  # an object in the cluster has at most 1.5 MiB
_HIDDEN_VALUE = "(sensitive value)"  # what the provider writes in the place of what it hides
_SERVER_SIDE = frozenset({"status"})
_METADATA = frozenset({"name", "namespace", "labels", "annotations"})
# Members by which the API tells the elements of its lists apart (`x-kubernetes-list-map-keys` and patch merge keys).
_LIST_KEYS = ("name", "containerPort", "mountPath", "devicePath", "topologyKey", "ip", "port", "key", "type")
_QUANTITIES = frozenset(
    {
        "limits",
        "requests",
        "hard",
        "capacity",
        "max",
        "min",
        "default",
        "defaultRequest",
        "maxLimitRequestRatio",
        "sizeLimit",
    }
)


def manifest(value: object) -> Canonical:
    """A whole object, as declared or as it is in the cluster."""
    found = whole_document(value)
    return found if isinstance(found, dict) else None


def declared_only(before: Canonical, after: Canonical) -> Canonical:
    """Keep of the live object what the declared one says something of.

    An element more in a list is kept: a container that was added shows. Another version of the API may name the same field
    otherwise, so that nothing is said of objects told in two versions.
    """
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    if before.get("apiVersion") != after.get("apiVersion"):
        return before
    return _kept(before, after, "")


def manifest_of(attributes: Attributes) -> tuple[str, Mapping[str, Any]] | None:
    """Find the manifest in a state's resource, and the name of the attribute it stands in; None when there is none.

    Args:
        attributes: of a `kubernetes_manifest` or `kubectl_manifest`.
    """
    for name in ("manifest", "yaml_body_parsed", "yaml_body"):
        found = _parsed(attributes.get(name))
        if found is not None:
            return name, found
    return None


def comparable(document: Mapping[str, Any], ignored: Iterable[str] = ()) -> dict[str, Any]:
    """Return what of a declared manifest can be compared: without what the server sets, hidden values and what is ignored.

    Args:
        document: the manifest.
        ignored: dotted paths that the configuration leaves to others.
    """
    found = {name: item for name, item in document.items() if name not in _SERVER_SIDE}
    metadata = found.get("metadata")
    if isinstance(metadata, Mapping):
        found["metadata"] = {name: item for name, item in metadata.items() if name in _METADATA}
    if found.get("kind") == "Secret":
        found = without_values(found)
    pruned = _pruned(found, "", tuple(ignored))
    return pruned if isinstance(pruned, dict) else {}


def without_values(secret: Mapping[str, Any]) -> dict[str, Any]:
    """Return a secret with the names of its data and nothing of the values."""
    names = {name for member in ("data", "stringData") for name in (secret.get(member) or {})}
    rest = {name: item for name, item in secret.items() if name not in {"data", "stringData"}}
    return {**rest, "data": sorted(str(name) for name in names)} if names else rest


def ignored_paths(attributes: Attributes) -> list[str]:
    """Return the paths that a configuration leaves to others: `ignore_fields` and `computed_fields`."""
    found: list[str] = []
    for name in ("ignore_fields", "computed_fields"):
        value = attributes.get(name)
        found += [str(item) for item in value] if isinstance(value, list) else []
    return found


def _parsed(value: object) -> Mapping[str, Any] | None:
    if isinstance(value, Mapping):
        inner = value.get("value") if {"type", "value"} == set(value) else value  # Terraform writes the type beside it
        return inner if isinstance(inner, Mapping) else None
    if isinstance(value, str) and value and len(value.encode()) <= _MOST_YAML_BYTES:
        try:
            found = yaml.load(value, _WithoutAliases)  # noqa: S506  # a safe loader that takes no aliases
        except (yaml.YAMLError, RecursionError, ValueError):
            return None
        return found if isinstance(found, Mapping) else None
    return None


class _WithoutAliases(yaml.SafeLoader):
    """Reads YAML without aliases: a few of them can stand for more than fits in memory."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)


def _pruned(value: Any, path: str, ignored: Sequence[str]) -> Any:
    """Drop what is null, hidden or ignored."""
    if isinstance(value, Mapping):
        found: dict[str, Any] = {}
        for name, item in value.items():
            inner = f"{path}.{name}" if path else str(name)
            if item is None or item == _HIDDEN_VALUE or inner in ignored:
                continue
            found[str(name)] = _pruned(item, inner, ignored)
        return found
    if isinstance(value, list | tuple):
        return [_pruned(item, f"{path}.{position}", ignored) for position, item in enumerate(value)]
    return value


def _kept(before: Canonical, after: Canonical, name: str, *, is_quantity: bool = False) -> Canonical:
    if isinstance(before, dict) and isinstance(after, dict):
        inside = is_quantity or name in _QUANTITIES
        found = {
            item: _kept(value, after[item], item, is_quantity=inside) if item in after else _absent(value)
            for item, value in before.items()
        }
        return {item: value for item, value in found.items() if value is not None or before[item] is None}
    if isinstance(before, list) and isinstance(after, list):
        return _kept_list(before, after)
    if before in ("", None, [], {}) and after in ("", None, [], {}):
        return before
    is_amount = is_quantity or name in _QUANTITIES
    if is_amount and not isinstance(before, dict | list) and quantity(before) == quantity(after):
        return before
    return after


def _absent(before: Canonical) -> Canonical:
    """Return what stands for a field that the live object lacks: an empty one, or a flag that is off, is the same as none."""
    return before if before in ("", None, False, [], {}) or before == 0 else None


def _kept_list(before: list[Canonical], after: list[Canonical]) -> Canonical:
    key = _list_key(before, after)
    if key is None:
        if len(before) != len(after):
            return after
        return [_kept(old, new, "") for old, new in zip(before, after, strict=True)]
    live = {_member(item, key): item for item in after}
    known = {_member(item, key) for item in before}
    found = [_kept(item, live[_member(item, key)], "") for item in before if _member(item, key) in live]
    return found + [item for item in after if _member(item, key) not in known]


def _list_key(before: list[Canonical], after: list[Canonical]) -> str | None:
    items = [*before, *after]
    if not before or not all(isinstance(item, dict) for item in items):
        return None
    for key in _LIST_KEYS:
        if all(_member(item, key) is not None for item in items):
            distinct = all(len({_member(item, key) for item in side}) == len(side) for side in (before, after))
            if distinct:
                return key
    return None


def _member(item: Canonical, key: str) -> str | None:
    found = item.get(key) if isinstance(item, dict) else None
    return None if found is None or isinstance(found, dict | list) else str(found)
