"""A comparison of whole accounts in memory, all at once: what comparisons in parts are held against.

Shares the value types and the difference of two attribute sets with `functions/scan`, and neither its order nor its join.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from functions.scan.domain.comparison import Drift, Identity
from functions.scan.domain.difference import changes
from functions.scan.domain.resources import Declared, LiveResource, NotChecked, Parent, Unread
from functions.scan.domain.sealing import Marks, Sealer, incomparable, mark_declared, mark_live, marks_of
from functions.scan.domain.specs import TypeSpec


@dataclass
class Account:
    """A whole account: both sides in the order of the database, and what is unknown."""

    account: str
    regions: frozenset[str]
    declared: list[Declared]
    live: list[LiveResource]
    unread: list[Unread]
    not_checked: list[NotChecked]


@dataclass
class Counts:
    """What a comparison covered."""

    in_sync: int = 0
    compared: int = 0
    not_checked: int = 0
    out_of_scope: int = 0
    unread: int = 0
    uncovered: dict[str, int] = field(default_factory=dict)


def compare_whole(found: Account, specs: Mapping[str, TypeSpec], seal: Sealer) -> tuple[list[Drift], Counts]:
    """Compare a whole account; returns every drift, and what was covered."""
    marks: Marks = marks_of(found.declared)
    found.live = [mark_live(item, specs.get(item.type), marks, seal) for item in found.live]
    by_identity = {(item.type, item.key): item for item in found.live}
    found.declared = [
        mark_declared(item, specs.get(item.type), by_identity.get((item.type, item.key or "")), marks, seal)
        for item in found.declared
    ]
    keyless = list(_keyless(found.declared, by_identity))
    found.unread = [*found.unread, *keyless]
    counts = Counts(unread=len(found.unread))
    join = _Join(found, found.declared, specs)
    drifts = [drift for item in found.declared for drift in join.judge_declared(item, counts)]
    return [*drifts, *join.unmatched()], counts


def _keyless(declared: Iterable[Declared], live: Mapping[Identity, LiveResource]) -> Iterator[Unread]:
    for item in declared:
        resource = live.get((item.type, item.key or ""))
        if resource is not None and (names := incomparable(item.attributes, resource.attributes)):
            yield Unread(resource.type, resource.key, names, None, "digest_key_gone")


class _Join:
    """The hash join of one comparison."""

    def __init__(self, sides: Account, declared: list[Declared], specs: Mapping[str, TypeSpec]) -> None:
        self._sides = sides
        self._specs = specs
        self._live = list(sides.live)
        self._by_identity: dict[Identity, LiveResource] = {}
        for resource in self._live:
            for identity in ((resource.type, resource.key), *resource.aliases):
                self._by_identity.setdefault(identity, resource)
        self._matched: set[Identity] = set()
        self._taken_over = {item.parent for item in declared if item.parent is not None}
        self._not_checked = list(sides.not_checked)
        self._unread: dict[Identity, set[str]] = {}
        for gap in sides.unread:
            known = self._unread.setdefault((gap.type, gap.key), set())
            known.update(gap.attributes or ("*",))

    def judge_declared(self, item: Declared, counts: Counts) -> Iterator[Drift]:
        spec = self._specs.get(item.type)
        if spec is None:
            counts.uncovered[item.type] = counts.uncovered.get(item.type, 0) + 1
            return
        live = self._by_identity.get((item.type, item.key)) if item.key else None
        if live is None and not self._is_in_scope(item):
            counts.out_of_scope += 1
            return
        unread = self._unread.get((item.type, item.key or ""), set())
        if item.key is None or "*" in unread or (live is None and self._is_unknown(item)):
            counts.not_checked += 1
            return
        if live is None:
            yield _missing(item, item.key)
            return
        self._matched.add((live.type, live.key))
        counts.compared += 1
        found = self._changed(spec, item, live, frozenset(unread))
        counts.in_sync += not found
        yield from found

    def unmatched(self) -> Iterator[Drift]:
        for live in self._live:
            is_reported = (live.type, live.key) not in self._matched and not live.cloud_made
            if is_reported and not self._is_covered_by_parent(live.parent):
                yield Drift("unmanaged", live.type, live.key, None, live.cloud_id, live.region)

    def _changed(self, spec: TypeSpec, item: Declared, live: LiveResource, unread: frozenset[str]) -> list[Drift]:
        if live.type != item.type:  # matched by an alias: the identity itself is all that both sides can tell
            return []
        skipped = unread | {name for name in spec.inline if Parent(item.type, live.key, name) in self._taken_over}
        hidden = item.sensitive | spec.sensitive
        return [
            Drift(
                kind="changed",
                type=live.type,
                key=live.key,
                address=item.address,
                cloud_id=live.cloud_id,
                region=live.region,
                path=change.path,
                before=change.before,
                after=change.after,
                is_sensitive=change.path in hidden,
            )
            for change in changes(spec, item.attributes, live.attributes, skipped=skipped, hidden=hidden)
        ]

    def _is_in_scope(self, item: Declared) -> bool:
        is_here = item.account in (None, "", "aws", self._sides.account)
        return is_here and (item.region in (None, "") or item.region in self._sides.regions)

    def _is_unknown(self, item: Declared) -> bool:
        return any(
            item.type in gap.types and (gap.region == "global" or item.region in (None, "", gap.region))
            for gap in self._not_checked
        )

    def _is_covered_by_parent(self, parent: Parent | None) -> bool:
        """Say whether an unmatched child shows up elsewhere: in its parent's attribute, or with its unmanaged parent.

        A parent that could not be read may hold it: nothing may be said about the child then.
        """
        if parent is None or parent in self._taken_over:
            return False
        unread = self._unread.get((parent.type, parent.key), set())
        if unread & {"*", parent.attribute}:
            return True
        owner = self._by_identity.get((parent.type, parent.key))
        if owner is None:
            return any(parent.type in gap.types for gap in self._not_checked)
        is_declared = (owner.type, owner.key) in self._matched
        spec = self._specs.get(parent.type)
        return not is_declared or (
            spec is not None and parent.attribute in spec.shapes and parent.attribute in owner.attributes
        )


def _missing(item: Declared, key: str) -> Drift:
    cloud_id = item.attributes.get("arn") or item.attributes.get("id")
    return Drift("missing", item.type, key, item.address, str(cloud_id) if cloud_id else key, item.region)
