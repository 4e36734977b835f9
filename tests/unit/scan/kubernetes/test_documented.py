"""The laws again, on objects written to the vendors' pages by somebody who had not seen the mapping.

What an API server answers with, all defaults filled in, and what a provider wrote about it into a state show no drift; another
value on either side shows, unless it says nothing of the other side.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from functions.scan.types.kubernetes import MANIFEST_TYPES, TYPES, helm
from tests.support.kubernetes_documented import (
    Documented,
    Path_,
    Unset,
    declared,
    documented,
    drift,
    filled,
    is_below,
    manifest_in,
    paths,
    value_at,
    with_value,
    without,
)
from tests.support.kubernetes_objects import other

NAMES = {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")}
COMPUTED = frozenset({"generation", "resource_version", "uid"})
# What holds as well when nothing is said.
DEFAULTS = (
    ("automountServiceAccountToken", True), ("enableServiceLinks", True), ("schedulerName", "default-scheduler"),
    ("shareProcessNamespace", False), ("suspend", False), ("partition", 0), ("stabilizationWindowSeconds", 0),
    ("apiGroup", "rbac.authorization.k8s.io"), ("namespace", "default"), ("type", "Opaque"), ("type", ""),
    ("reclaimPolicy", "Delete"), ("volumeBindingMode", "Immediate"), ("allowVolumeExpansion", False),
    ("preemptionPolicy", "PreemptLowerPriority"),
)  # fmt: skip
# An autoscaler may decide them: that they are left out of what is compared says nothing.
SCALED = {("kubernetes_manifest", ("spec", "replicas"))}


def by_name(item: Documented) -> str:
    return f"{item.type}, {item.variant}"


every_object = pytest.mark.parametrize("item", documented(), ids=by_name)


def is_compared(item: Documented, path: Path_) -> bool:
    """Say whether a value of the live object says something of what was declared."""
    if path[:2] in {("metadata", "uid"), ("metadata", "managedFields")} or is_below(path, item.silent):
        return False
    if item.type == helm.TYPE:
        return path[1] != "valuesDigest"
    manifest = manifest_in(item)
    return manifest is None or not item.is_defaulted or value_at(manifest, path) is not None


@pytest.mark.parametrize("unset", ["zero", "null"])
@every_object
def test_what_was_applied_shows_no_drift(item: Documented, unset: Unset) -> None:
    state = declared(item.type, filled(item.type, item.state, unset), item.sensitive)
    assert [one.key for one in state] != [None]
    assert [(one.path, one.before, one.after) for one in drift(state, item.live)] == []


@every_object
def test_every_change_in_the_cluster_shows_and_nothing_else_does(item: Documented) -> None:
    state = declared(item.type, filled(item.type, item.state, "zero"), item.sensitive)
    wrong: list[str] = []
    for path in paths(item.live):
        if path in NAMES:
            continue
        found = drift(state, with_value(item.live, path, other(value_at(item.live, path))))
        kinds = {one.kind for one in found}
        if kinds != ({"changed"} if is_compared(item, path) else set()):
            wrong.append(f"{'.'.join(map(str, path))}: {[(one.kind, one.path) for one in found]}")
    assert not wrong, "\n" + "\n".join(wrong)


@every_object
def test_what_is_taken_away_in_the_cluster_shows(item: Documented) -> None:
    state = declared(item.type, filled(item.type, item.state, "zero"), item.sensitive)
    wrong: list[str] = []
    for path in paths(item.live):
        value = value_at(item.live, path)
        is_default = any((path[-1], value) == one for one in DEFAULTS)
        is_told_above = (
            isinstance(value, str) and "full" in item.variant
        )  # to a text that is no default, none is another one
        if path in NAMES or is_default or is_told_above or not is_compared(item, path) or (item.type, path) in SCALED:
            continue
        if {one.kind for one in drift(state, without(item.live, path))} != {"changed"}:
            wrong.append(".".join(map(str, path)))
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("item", [one for one in documented() if "full" not in one.variant], ids=by_name)
def test_what_is_added_in_the_cluster_shows(item: Documented) -> None:
    """Whatever may be said of a kind, said of an object of which it was not."""
    full = next((one for one in documented() if one.type == item.type and "full" in one.variant), item)
    if item.type in MANIFEST_TYPES or item.type == helm.TYPE:
        return  # a manifest says nothing of what it does not name
    state = declared(item.type, filled(item.type, item.state, "zero"), item.sensitive)
    wrong: list[str] = []
    for path in members(full.live):
        value = value_at(full.live, path)
        is_there = value_at(item.live, path) is not None or not isinstance(value_at(item.live, path[:-1]), dict)
        says = any(is_compared(full, one) and is_compared(item, one) for one in paths(value, path))
        if is_there or not says or any((path[-1], value) == one for one in DEFAULTS):
            continue
        if {one.kind for one in drift(state, with_value(item.live, path, value))} != {"changed"}:
            wrong.append(".".join(map(str, path)))
    assert not wrong, "\n" + "\n".join(wrong)


def members(document: Any, above: Path_ = ()) -> Iterator[Path_]:
    """Yield the path of every member of every object, of lists only within their first element."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield (*above, name)
            yield from members(value, (*above, name))
    elif isinstance(document, list) and document:
        yield from members(document[0], (*above, 0))


@every_object
def test_every_change_of_what_is_declared_shows(item: Documented) -> None:
    wrong: list[str] = []
    for path in paths(item.state):
        is_computed = path == ("id",) or (path[-1] in COMPUTED and "metadata" in path)
        if is_computed or item.type in MANIFEST_TYPES or is_below(path, item.silent_state):
            continue
        value: Any = other(value_at(item.state, path))
        state = filled(item.type, with_value(item.state, path, value), "zero")
        if not drift(declared(item.type, state, item.sensitive), item.live):
            wrong.append(".".join(map(str, path)))
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_type_is_there_in_full_and_with_the_least() -> None:
    variants: dict[str, list[str]] = {}
    for item in documented():
        variants.setdefault(item.type, []).append(item.variant)
    kinds = {kind.type for kind in TYPES} | set(MANIFEST_TYPES) | {helm.TYPE}
    assert kinds <= set(variants)
    for kind, found in variants.items():
        assert any("full" in one for one in found), kind
        assert any("minimal" in one for one in found), kind


@every_object
def test_every_object_has_its_pages(item: Documented) -> None:
    api, provider = item.pages
    assert api.startswith(("https://kubernetes.io/", "https://helm.sh/"))
    assert provider.startswith("https://registry.terraform.io/providers/")
