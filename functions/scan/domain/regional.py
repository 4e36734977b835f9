"""Names that are unique within a region only: the same name in another region is another resource.

Owns the one form in which such a name stands beside its region, on both sides of a comparison. Which names these are, each
type's spec says (`TypeSpec.repeats`). Must not know any cloud, database or file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from .resources import Declared, LiveResource, NotChecked, Parent, Unread
from .specs import TypeSpec

Finding: TypeAlias = LiveResource | Unread | NotChecked
_Specs = Mapping[str, TypeSpec]
_SEPARATOR = "|"


def with_region(name: str, region: str) -> str:
    """Return the match key of a name that is unique within a region only."""
    return f"{region}{_SEPARATOR}{name}"


def without_region(key: str, region: str | None) -> str:
    """Return the cloud's own name of what has this match key."""
    return key.removeprefix(f"{region}{_SEPARATOR}") if region else key


def is_repeated(kind: str, key: str | None, specs: _Specs) -> bool:
    """Say whether a name may come again in another region; a key that holds its region already does not."""
    spec = specs.get(kind)
    return spec is not None and key is not None and spec.repeats(key)


def lacks_region(item: Declared, specs: _Specs) -> bool:
    """Say whether a declared resource's key is such a name and says nothing of the region."""
    if item.key is None or not is_repeated(item.type, item.key, specs):
        return False
    return item.key == without_region(item.key, item.region)


def placed(finding: Finding, region: str, specs: _Specs) -> Finding:
    """Put the region into what a reader found in it; what could not be listed names no single thing.

    Args:
        finding: as the reader spells it, with the cloud's names.
        region: where it was read.
        specs: the type table.
    """
    if isinstance(finding, LiveResource):
        return placed_live(finding, specs)
    return placed_gap(finding, region, specs) if isinstance(finding, Unread) else finding


def placed_gap(gap: Unread, region: str, specs: _Specs) -> Unread:
    """Put the region into the key of what could not be read."""
    return replace(gap, key=with_region(gap.key, region)) if is_repeated(gap.type, gap.key, specs) else gap


def placed_live(found: LiveResource, specs: _Specs) -> LiveResource:
    """Put the region of a live resource into its key, its parent's, and its further names.

    The bare name stays as a further one, under which a state may declare it that does not tell the region.
    """
    bare = [name for name in ((found.type, found.key), *found.aliases) if is_repeated(*name, specs)]
    parent = _placed_parent(found.parent, found.region, specs)
    if not bare:
        return found if parent == found.parent else replace(found, parent=parent)
    names = [_placed_name(name, found.region, specs) for name in ((found.type, found.key), *found.aliases)]
    aliases = tuple(dict.fromkeys((*names[1:], *bare)))
    return replace(found, key=names[0][1], aliases=aliases, parent=parent)


def _placed_name(name: tuple[str, str], region: str, specs: _Specs) -> tuple[str, str]:
    kind, key = name
    return (kind, with_region(key, region)) if is_repeated(kind, key, specs) else name


def _placed_parent(parent: Parent | None, region: str, specs: _Specs) -> Parent | None:
    if parent is None or not is_repeated(parent.type, parent.key, specs):
        return parent
    return replace(parent, key=with_region(parent.key, region))


def placed_declared(item: Declared, specs: _Specs) -> Declared:
    """Put the region of a declared resource, where its state tells it, into its key and its parent's."""
    if item.region is None:
        return item
    is_own = is_repeated(item.type, item.key, specs)
    key = with_region(item.key, item.region) if is_own and item.key is not None else item.key
    parent = _placed_parent(item.parent, item.region, specs)
    return item if key == item.key and parent == item.parent else replace(item, key=key, parent=parent)


def parents_of(live: LiveResource) -> tuple[Parent, ...]:
    """Return the parent of a live resource, and under the name without a region if a state may declare it so."""
    if live.parent is None:
        return ()
    bare = without_region(live.parent.key, live.region)
    return (live.parent,) if bare == live.parent.key else (live.parent, replace(live.parent, key=bare))


def keys_anywhere(item: Declared, regions: Iterable[str], specs: _Specs) -> tuple[str, ...]:
    """Return every match key that a declared resource may have, as it may lie in any region when its state does not tell."""
    if item.key is None:
        return ()
    if not lacks_region(item, specs):
        return (item.key,)
    return (item.key, *(with_region(item.key, region) for region in regions if item.region in (None, region)))


class Regionless:
    """What states declare under a name that other regions may have as well, without telling the region."""

    def __init__(
        self,
        live: Iterable[LiveResource],
        declared: Iterable[Declared],
        regions: Collection[str],
        specs: _Specs,
    ) -> None:
        self._addresses: dict[tuple[str, str], set[str]] = {}
        for item in declared:
            if item.key is not None and not item.is_deposed and lacks_region(item, specs):
                self._addresses.setdefault((item.type, item.key), set()).add(item.address)
        self._has_one_region = len(regions) == 1
        self._live: dict[tuple[str, str], list[LiveResource]] = {}
        for resource in live if self._addresses else ():
            for identity in ((resource.type, resource.key), *resource.aliases):
                if identity in self._addresses:
                    self._live.setdefault(identity, []).append(resource)

    def candidates(self, item: Declared) -> list[LiveResource]:
        """Return all that the declared resource may be."""
        found = self._live.get((item.type, item.key or ""), [])
        return [live for live in found if item.region in (None, "", live.region)]

    def are_several(self, item: Declared) -> bool:
        """Say whether several regions have the name, or several resources are declared under it and so lie in several."""
        declared = self._addresses.get((item.type, item.key or ""), ())
        is_one_declared = len(declared) <= 1 or item.region is not None or self._has_one_region
        return len(self.candidates(item)) > 1 or not is_one_declared
