"""Everything below one parent: names first, then resources, then policies; three listings of one snapshot.

Owns the order and what a failure of each means. Later steps hang on here: asset feeds call `resources_of` and `grants` with the
assets they are sent, attribution asks Cloud Audit Logs by `LiveResource.cloud_id`.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from ...domain.resources import NotChecked
from ...types.gcp import TYPES, specs
from ...types.gcp.assets import NAMED, Names
from ...types.gcp.iam import MEMBER
from .inventory import Failed, Inventory
from .resources import Existing, Finding, asset_of, grants, resources_of

GENERIC = "google_resource"  # stands for whatever no mapping covers
_ALL = "global"


def read_all(inventory: Inventory) -> Iterator[Finding | Existing]:
    """Yield what there is; a listing that fails makes its types not checked and leaves the other one alone."""
    names, kinds = Names(), set[str]()
    try:
        _learn(inventory, names)
        for page in inventory.pages("RESOURCE"):
            for raw in page.assets:
                kinds.add(str(raw.get("assetType")) if isinstance(raw, Mapping) else "")
                yield from _resources(raw, names, page.read_time)
        yield from _doubtful(kinds)
    except Failed as failure:
        yield _not_checked(_resource_types(), failure)
    try:
        for page in inventory.pages("IAM_POLICY"):
            for raw in page.assets:
                yield from _grants(raw, names, page.read_time)
    except Failed as failure:
        yield _not_checked(_grant_types(), failure)


def _doubtful(kinds: Container[str]) -> Iterator[NotChecked]:
    """Say of types that the inventory may not list at all, and of which it listed none, that nothing is known."""
    found = tuple(kind.type for kind in TYPES if not kind.is_certain and not any(one in kinds for one in kind.assets))
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
