"""Laws over every mapped Google type: nothing drifts after an apply, and one change is found, alone."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from functions.scan.domain.comparison import Drift, Tally
from functions.scan.domain.resources import LiveResource
from functions.scan.domain.shapes import Canonical
from functions.scan.domain.traced import covered_by
from functions.scan.readers.gcp.resources import asset_of, resources_of
from functions.scan.types.gcp import TYPES, specs
from functions.scan.types.gcp.assets import Names
from tests.support.google_assets import READ_AT, Example, declared, documented, drift, examples

# What changing makes it another resource, or none at all.
_IDENTITY = {"missing", "unmanaged"}


def names() -> Names:
    found = Names()
    for one in (*examples(), *documented()):
        found.learn(one.asset["assetType"], one.asset["resource"]["data"])
    return found


NAMES = names()


def read(asset: dict[str, Any]) -> list[object]:
    known = asset_of(asset, NAMES)
    assert known is not None
    return list(resources_of(asset, known, READ_AT))


def of_type(found: list[Drift], example: Example) -> list[Drift]:
    return [one for one in found if one.type == example.type]


def by_type() -> list[Any]:
    return [pytest.param(one, id=f"{one.type} {one.variant}".strip()) for one in (*examples(), *documented())]


def specs_of_resources() -> set[str]:
    return {one.type for one in examples()}


def leaves(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from leaves(item, (*path, position))
    else:
        yield path


def changed(asset: dict[str, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
    """Change one leaf of an asset's data; what is beside the way to it is shared."""
    found = {**asset, "resource": {**asset["resource"], "data": dict(asset["resource"]["data"])}}
    held: Any = found["resource"]["data"]
    for name in path[:-1]:
        held[name] = copy.copy(held[name])
        held = held[name]
    value = held[path[-1]]
    held[path[-1]] = (
        None  # an object in which nothing is may say something by being there
        if value == {}
        else (not value)
        if isinstance(value, bool)
        else value + 1
        if isinstance(value, int | float)
        else f"{value}x"
    )
    return found


def root(path: str | None) -> str:
    return re.split(r"[.\[]", path or "")[0]


def test_there_is_an_example_of_every_mapped_type() -> None:
    assert {one.type for one in examples()} == {kind.type for kind in TYPES}
    assert len(TYPES) >= 60


@pytest.mark.parametrize("example", by_type())
def test_after_an_apply_nothing_drifts(example: Example) -> None:
    tally = Tally()
    found = drift(declared((example.type, example.state)), read(dict(example.asset)), tally)
    assert of_type(found, example) == []
    assert tally.compared == tally.in_sync == 1, "the state's resource was not matched with the asset"


@pytest.mark.parametrize("kind", sorted(specs_of_resources()))
def test_every_attribute_that_is_compared_has_a_value_in_an_example(kind: str) -> None:
    """The law of one change says nothing about the others."""
    valued: set[str] = set()
    for one in (*examples(), *documented()):
        if one.type == kind:
            valued.update(name for name, value in canonical(one).items() if value not in (None, False, 0))
    assert set(specs()[kind].shapes) - valued <= UNVALUED.get(kind, set())


# Attributes that no example gives a value.
UNVALUED = {
    "google_container_cluster": {"enable_kubernetes_alpha"}
}  # a cluster with all else lives for 30 days at most


# Attributes that a change of another one switches off; they may be told with it.
FOLLOWING = {
    "google_compute_backend_service": {"consistent_hash"},
    "google_compute_region_backend_service": {"consistent_hash"},
    "google_compute_subnetwork": {"log_config.metadata_fields"},
}


@pytest.mark.parametrize("example", by_type())
def test_one_change_is_found_alone(example: Example) -> None:
    state = declared((example.type, example.state))
    seen: set[str] = set()
    for path in leaves(example.asset["resource"]["data"]):
        found = of_type(drift(state, read(changed(dict(example.asset), path))), example)
        if {one.kind for one in found} & _IDENTITY:
            continue
        found = [one for one in found if len(found) == 1 or one.path not in FOLLOWING.get(example.type, set())]
        assert len(found) <= 1, f"{path} shows up as {[one.path for one in found]}"
        seen.update(root(one.path) for one in found)
    valued = {name for name, value in canonical(example).items() if value not in (None, False, 0)}
    assert seen >= valued, f"a change of {sorted(valued - seen)} goes unseen"


def canonical(example: Example) -> dict[str, Canonical]:
    shapes = specs()[example.type].shapes
    for one in read(dict(example.asset)):
        if isinstance(one, LiveResource) and one.type == example.type:
            return {name: shapes[name](value) for name, value in one.attributes.items()}
    raise AssertionError("not read")


def test_what_is_compared_is_known_to_the_second_detector() -> None:
    """The document remembers what was read of it, and no more."""
    network = next(one for one in examples() if one.type == "google_compute_network")
    (live,) = [one for one in read(dict(network.asset)) if isinstance(one, LiveResource)]
    assert live.document is not None
    covered = covered_by(live.document)
    assert {"mtu", "autoCreateSubnetworks", "routingConfig.routingMode"} <= covered
    assert "subnetworks" not in covered
