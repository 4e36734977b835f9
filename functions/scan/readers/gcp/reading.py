"""Everything below one parent: names first, then resources, then policies; three listings of one snapshot.

Owns the order and what a failure of each means. Later steps hang on here: asset feeds call `resources_of` and `grants` with the
assets they are sent, attribution asks Cloud Audit Logs by `LiveResource.cloud_id`.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from ...domain.resources import NotChecked
from ...types.gcp import TYPES, specs
from ...types.gcp.assets import NAMED, Names
from ...types.gcp.iam import MEMBER
from .inventory import Content, Failed, Inventory
from .resources import Existing, Finding, asset_of, grants, resources_of

GENERIC = "google_resource"  # stands for whatever no mapping covers
_ALL = "global"
_DOUBTFUL = tuple(item for item in TYPES if not item.is_certain)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a reading came: whatever comes before it was yielded.

    Attributes:
        content: the listing to go on with.
        token: of its next page; empty for its first one.
        read_time: of the snapshot.
        seen: Terraform types of which anything was seen, of those that the inventory may not list at all.
    """

    content: Content
    token: str
    read_time: str
    seen: tuple[str, ...] = ()


def read_all(inventory: Inventory) -> Iterator[Finding | Existing]:
    """Yield what there is; a listing that fails makes its types not checked and leaves the other one alone."""
    return (item for item in read_on(inventory) if not isinstance(item, Mark))


def read_on(inventory: Inventory, mark: Mark | None = None) -> Iterator[Finding | Existing | Mark]:
    """Yield the same, with a mark after each page from which another reading can go on.

    Without the names behind numbers nothing can be told apart, so nothing is checked then.

    Args:
        inventory: of the snapshot of the mark.
        mark: where an earlier reading ended; None for a new one.
    """
    names, seen = Names(), set(mark.seen if mark else ())
    try:
        _learn(inventory, names)
    except Failed as failure:
        yield _not_checked(unknown_types(), failure)
        return
    if mark is None or mark.content == "RESOURCE":
        try:
            for page in inventory.pages("RESOURCE", begin=mark.token if mark else ""):
                for raw in page.assets:
                    seen |= _certain_by(raw, names)
                    yield from _resources(raw, names, page.read_time)
                if page.following:
                    yield Mark("RESOURCE", page.following, page.read_time, tuple(sorted(seen)))
            yield from _doubtful(seen)
        except Failed as failure:
            yield _not_checked(_resource_types(), failure)
        yield Mark("IAM_POLICY", "", inventory.read_time)
    yield from _policies(inventory, names, mark.token if mark and mark.content == "IAM_POLICY" else "")


def _policies(inventory: Inventory, names: Names, begin: str) -> Iterator[Finding | Mark]:
    try:
        for page in inventory.pages("IAM_POLICY", begin=begin):
            for raw in page.assets:
                yield from _grants(raw, names, page.read_time)
            if page.following:
                yield Mark("IAM_POLICY", page.following, page.read_time)
    except Failed as failure:
        yield _not_checked(_grant_types(), failure)


def unknown_types() -> tuple[str, ...]:
    """Return the types about which nothing is known when nothing can be read."""
    return (*_resource_types(), *_grant_types())


def _certain_by(raw: object, names: Names) -> frozenset[str]:
    """Return the types that the inventory does list, as it listed this asset."""
    kind = str(raw.get("assetType")) if isinstance(raw, Mapping) else ""
    doubtful = [item for item in _DOUBTFUL if kind in item.assets]
    asset = asset_of(raw, names) if doubtful else None
    return frozenset(item.type for item in doubtful if asset is not None and item.when(asset))


def _doubtful(seen: Container[str]) -> Iterator[NotChecked]:
    """Say of types that the inventory may not list at all, and of which it listed none, that nothing is known."""
    found = tuple(kind.type for kind in _DOUBTFUL if kind.type not in seen)
    if found:
        yield NotChecked(
            found, _ALL, "unavailable", None, "the inventory lists none of them here, and may not list them at all"
        )


def _learn(inventory: Inventory, names: Names) -> None:
    for page in inventory.pages("RESOURCE", NAMED):
        for raw in page.assets:
            asset = asset_of(raw, names)
            if asset is not None:
                names.learn(asset.kind, asset.data)


def _resources(raw: object, names: Names, read_time: str) -> Iterator[Finding | Existing]:
    asset = asset_of(raw, names)
    if asset is None or not isinstance(raw, Mapping):
        yield NotChecked(_resource_types(), _ALL, "malformed", None, "the inventory lists something without a name")
        return
    yield from resources_of(raw, asset, read_time)


def _grants(raw: object, names: Names, read_time: str) -> Iterator[Finding]:
    asset = asset_of(raw, names)
    if asset is None or not isinstance(raw, Mapping):
        yield NotChecked(_grant_types(), _ALL, "malformed", None, "the inventory lists a policy without a resource")
        return
    yield from grants(raw, asset, read_time)


def _resource_types() -> tuple[str, ...]:
    return (*(name for name in specs() if "_iam_" not in name or name.endswith("_custom_role")), GENERIC)


def _grant_types() -> tuple[str, ...]:
    return tuple(name for name in specs() if name.endswith(MEMBER))


def _not_checked(types: tuple[str, ...], failure: Failed) -> NotChecked:
    return NotChecked(types, _ALL, failure.reason, failure.permission, failure.detail)
