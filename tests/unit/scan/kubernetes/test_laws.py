"""The two laws, for every mapped type, on fixtures written to the vendors' documentation.

Zero drift: what was applied shows nothing. One change: every value of the live object that is another one shows, at the resource
that declares it, but for those that say nothing of what was declared, which show nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from functions.scan.types.kubernetes import MANIFEST_TYPES, TYPES, helm
from tests.support.kubernetes_objects import Fixture, changed, drift, fixture, fixtures, leaves

NAMES_IT = {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"), ("metadata", "uid")}


def said(item: Fixture) -> Iterator[tuple[tuple[str | int, ...], bool]]:
    """Yield every value of a live object, and whether it is compared."""
    for path in leaves(item.live):
        if path in NAMES_IT or path[-1] == "creationTimestamp":
            continue
        dotted = ".".join(map(str, path))
        yield path, not any(dotted == one or dotted.startswith(f"{one}.") for one in item.not_compared)


@pytest.mark.parametrize("item", fixtures(), ids=lambda item: item.type)
def test_what_was_applied_shows_no_drift(item: Fixture) -> None:
    assert drift([(item.type, item.state)], [item.live]) == []


@pytest.mark.parametrize("item", fixtures(), ids=lambda item: item.type)
def test_every_change_shows_and_nothing_else_does(item: Fixture) -> None:
    wrong: list[str] = []
    for path, is_compared in said(item):
        value: Any = item.live
        for step in path:
            value = value[step]
        if value in ({}, [], None):
            continue
        found = drift([(item.type, item.state)], [changed(item.live, path)])
        kinds = {(one.kind, one.address) for one in found}
        wanted = {("changed", f"{item.type}.r0")} if is_compared else set()
        if kinds != wanted:
            wrong.append(f"{'.'.join(map(str, path))}: {[(one.kind, one.path) for one in found]}")
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("item", fixtures(), ids=lambda item: item.type)
def test_what_is_gone_is_missing_and_what_nobody_declares_is_unmanaged(item: Fixture) -> None:
    gone = drift([(item.type, item.state)], [])
    assert [one.kind for one in gone] == ["missing"]
    assert [one.kind for one in drift([], [item.live])] == ["unmanaged"]


@pytest.mark.parametrize("item", fixtures(), ids=lambda item: item.type)
def test_a_kind_that_could_not_be_listed_says_nothing(item: Fixture) -> None:
    assert drift([(item.type, item.state)], [], kinds=()) == []


def test_every_type_has_a_fixture_and_every_fixture_its_pages() -> None:
    shown = {item.type for item in fixtures()}
    for kind in TYPES:
        assert shown & {kind.type, *kind.names}, f"write a fixture of {kind.type}"
    assert {*MANIFEST_TYPES, helm.TYPE} <= shown
    assert all(any(page.startswith("https://registry.terraform.io/") for page in item.sources) for item in fixtures())


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.type)
def test_both_names_of_a_type_are_the_same_resource(kind: Any) -> None:
    item = next(one for one in fixtures() if one.type in {kind.type, *kind.names})
    for name in (kind.type, *kind.names):
        assert drift([(name, item.state)], [item.live]) == []


def test_an_order_that_means_nothing_is_not_seen_and_one_that_does_is() -> None:
    role = fixture("kubernetes_role_v1")
    turned = copy.deepcopy(dict(role.live))
    turned["rules"][0]["verbs"].reverse()
    assert drift([(role.type, role.state)], [turned]) == []
    job = fixture("kubernetes_cron_job_v1")
    turned = copy.deepcopy(dict(job.live))
    turned["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"].reverse()
    assert [one.kind for one in drift([(job.type, job.state)], [turned])] != []
