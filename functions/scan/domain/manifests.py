"""Objects of a cluster as they are written: the shape of a manifest, and what of a live object stands against one.

A manifest says some of an object; the rest is the API server's. So what was declared is compared, field by field, and nothing else.
Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy; Kubernetes API reference, "Quantity".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from .shapes import Canonical, text, whole_document

_QUANTITY = re.compile(
    r"([+-]?[0-9]{1,30}(?:\.[0-9]{0,30})?|[+-]?\.[0-9]{1,30})(?:([eE][+-]?[0-9]{1,2})|([numkMGTPE]|[KMGTPE]i)?)"
)
_UNITS: Mapping[str, Decimal] = {
    **{
        unit: Decimal(10) ** (3 * power)
        for power, unit in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), -3)
    },
    **{f"{unit}i": Decimal(2) ** (10 * power) for power, unit in enumerate("KMGTPE", 1)},
}
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
        "averageValue",
        "divisor",
    }
)
_SCALED = frozenset({"Deployment", "StatefulSet", "ReplicaSet"})


def quantity(value: object) -> Canonical:
    """A quantity: `0.5` is `500m`, `1Gi` is `1024Mi`; a text that is none stays as it is.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """
    found = text(value)
    match = _QUANTITY.fullmatch(found.strip()) if isinstance(found, str) else None
    if match is None:
        return found
    amount = Decimal(match[1] + (match[2] or "")) * _UNITS[match[3] or ""]
    return f"{amount.normalize():f}" if amount else "0"


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
    return _kept(before, _with_replicas(before, after), "")


def _with_replicas(before: Mapping[str, Canonical], after: dict[str, Canonical]) -> dict[str, Canonical]:
    """Take the declared number of replicas where an autoscaler decides it: the API fills it in, so that the reader left it out."""
    declared, live = before.get("spec"), after.get("spec")
    is_scaled = after.get("kind") in _SCALED and isinstance(live, dict) and "replicas" not in live
    if not is_scaled or not isinstance(declared, dict) or "replicas" not in declared or not isinstance(live, dict):
        return after
    return {**after, "spec": {**live, "replicas": declared["replicas"]}}


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
