"""The comparison of one account, or of a part of it: what the states declare against what the cloud runs.

Decides missing, unmanaged and changed. A hash join by (type, key); must not read, store or sort by severity.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .difference import changes
from .regional import Regionless, keys_anywhere, lacks_region, parents_of, without_region
from .resources import Declared, LiveResource, NotChecked, Parent, Unread
from .shapes import Canonical
from .shards import ALL
from .specs import TypeSpec

Kind: TypeAlias = Literal["missing", "unmanaged", "changed"]
Detector: TypeAlias = Literal["declared", "baseline", "inventory"]
Identity: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that differs.

    Attributes:
        kind: `missing` (declared, not there), `unmanaged` (there, not declared), `changed` (one attribute differs).
        type: Terraform type.
        key: match key.
        address: Terraform address; None for `unmanaged`.
        cloud_id: ARN or id; for `missing` the one the state remembers.
        region: region, `global`, or None when a missing resource's state names none.
        path: attribute path, only for `changed`.
        before: the state's value, only for `changed`.
        after: the live value, only for `changed`.
        is_sensitive: the values must not be shown.
        detector: who found it: `declared` (state against cloud), `baseline` (cloud against what it was when the state last
            changed; `path` is in the cloud's spelling then), `inventory` (an index of the cloud lists it, no reader does).
    """

    kind: Kind
    type: str
    key: str
    address: str | None
    cloud_id: str | None
    region: str | None
    path: str | None = None
    before: Canonical = None
    after: Canonical = None
    is_sensitive: bool = False
    detector: Detector = "declared"


@dataclass(frozen=True, slots=True)
class Sides:
    """Everything one comparison needs.

    Attributes:
        account: the scanned account; declared resources of other accounts are left out.
        regions: the scanned regions; declared resources of other regions are left out. `all` when they could not be looked up.
        declared: the instances of all states of the account, expanded (`parse_state` does that).
        live: what was read.
        unread: resources and attributes that could not be read.
        not_checked: listings that failed.
        judged: when only a part of the account is judged, what belongs to it; the rest of both sides is there because the
            verdict on that part depends on it. None for everything.
        taken_over: parents whose inline blocks are declared by resources that are not among `declared`.
        accounts: every name under which states know the scanned account and what lies in it; None for `account` alone.
            Empty when none could be learned, so that whatever is declared may lie in it.
    """

    account: str
    regions: frozenset[str]
    declared: Iterable[Declared]
    live: Iterable[LiveResource]
    unread: Iterable[Unread] = ()
    not_checked: Iterable[NotChecked] = ()
    judged: Container[Identity] | None = None
    taken_over: Iterable[Parent] = ()
    accounts: frozenset[str] | None = None


@dataclass(slots=True)
class Tally:
    """What a comparison covered, filled while it runs.

    Attributes:
        in_sync: declared resources found live without any change.
        compared: declared resources found live.
        not_checked: declared resources about which nothing can be said: a listing or a read failed, or it is open which they are.
        out_of_scope: declared resources of another account or region.
        uncovered: type -> count of declared resources that no spec covers.
        agreed: live resources that a state declares under this very identity, without any difference.
        differing: identities, of either side, under which something was found.
        ambiguous: type -> count of declared resources whose state does not tell the region, where several come into question.
    """

    in_sync: int = 0
    compared: int = 0
    not_checked: int = 0
    out_of_scope: int = 0
    uncovered: dict[str, int] = field(default_factory=dict)
    agreed: set[Identity] = field(default_factory=set)
    differing: set[Identity] = field(default_factory=set)
    ambiguous: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pair:
    """One resource as a state declares it and as the cloud has it, both under one type.

    Attributes:
        declared, live: the two sides.
        spec: the rules of their type.
        skipped: attributes that stand-alone resources take over, or that could not be read.
        hidden: sensitive attributes.
    """

    declared: Declared
    live: LiveResource
    spec: TypeSpec
    skipped: frozenset[str]
    hidden: frozenset[str]


def changes_of(pair: Pair) -> Iterator[Drift]:
    """Yield one drift for each attribute that differs."""
    found = changes(pair.spec, pair.declared.attributes, pair.live.attributes, skipped=pair.skipped, hidden=pair.hidden)
    for change in found:
        yield Drift(
            kind="changed",
            type=pair.live.type,
            key=pair.live.key,
            address=pair.declared.address,
            cloud_id=pair.live.cloud_id,
            region=pair.live.region,
            path=change.path,
            before=change.before,
            after=change.after,
            is_sensitive=change.path in pair.hidden,
        )


def compare(
    sides: Sides,
    specs: Mapping[str, TypeSpec],
    tally: Tally | None = None,
) -> Iterator[Drift]:
    """Yield every drift of one account or of the judged part of it, declared resources first, in the states' order.

    Args:
        sides: both sides and what is unknown about them.
        specs: the type table.
        tally: filled with what was covered, when given.
    """
    counts = Tally() if tally is None else tally
    declared = list(sides.declared)
    join = _Join(sides, declared, specs)
    for item in declared:
        if sides.judged is None or (item.type, item.key or "") in sides.judged:
            yield from join.judge_declared(item, counts)
    yield from join.judge_live()


def identities_of(live: LiveResource) -> tuple[Identity, ...]:
    """Return every name under which a state may declare a live resource, its own first."""
    return ((live.type, live.key), *live.aliases)


def is_in_scope(item: Declared, accounts: frozenset[str], regions: Container[str]) -> bool:
    """Say whether a declared resource lies in the scanned account and regions, as far as its state tells.

    Args:
        item: the resource.
        accounts: names of the account; empty when they are not known.
        regions: the scanned regions.
    """
    is_here = not accounts or item.account in (None, "", "aws") or item.account in accounts
    return is_here and (item.region in (None, "") or item.region in regions or ALL in regions)


class _Join:
    """The hash join of one comparison."""

    def __init__(self, sides: Sides, declared: list[Declared], specs: Mapping[str, TypeSpec]) -> None:
        self._sides = sides
        self._specs = specs
        self._accounts = frozenset({sides.account}) if sides.accounts is None else sides.accounts
        self._live = list(sides.live)
        self._by_identity: dict[Identity, LiveResource] = {}
        for resource in sorted(self._live, key=lambda item: (item.type, item.key)):  # of two that claim it, the first
            for identity in identities_of(resource):
                self._by_identity.setdefault(identity, resource)
        self._regionless = Regionless(self._live, declared, sides.regions, specs)
        self._taken_over = {item.parent for item in declared if item.parent is not None} | set(sides.taken_over)
        self._not_checked = list(sides.not_checked)
        self._unread: dict[Identity, set[str]] = {}
        for gap in sides.unread:
            known = self._unread.setdefault((gap.type, gap.key), set())
            known.update(gap.attributes or ("*",))
        matches = (live for item in declared for live in self._matches(item))
        self._matched = {(live.type, live.key) for live in matches}

    def judge_declared(self, item: Declared, counts: Tally) -> Iterator[Drift]:
        if item.is_deposed:
            return
        spec = self._specs.get(item.type)
        if spec is None:
            counts.uncovered[item.type] = counts.uncovered.get(item.type, 0) + 1
            return
        live = self._find(item)
        if live is None and not is_in_scope(item, self._accounts, self._sides.regions):
            counts.out_of_scope += 1
            return
        if self._is_ambiguous(item):
            counts.not_checked += 1
            counts.ambiguous[item.type] = counts.ambiguous.get(item.type, 0) + 1
            return
        unread = self._unread_of(item)
        if item.key is None or "*" in unread or (live is None and self._is_unknown(item)):
            counts.not_checked += 1
            return
        if live is None:
            yield _missing(item, item.key)
            return
        counts.compared += 1
        found = self._of_pair(spec, item, live, frozenset(unread))
        if found:
            counts.differing.add((item.type, item.key))
        else:
            counts.in_sync += 1
            if (item.type, item.key) == (live.type, live.key):
                counts.agreed.add((item.type, item.key))
        yield from found

    def judge_live(self) -> Iterator[Drift]:
        for live in self._live:
            identity = (live.type, live.key)
            if self._sides.judged is not None and identity not in self._sides.judged:
                continue
            is_declared = identity in self._matched
            if not is_declared and not live.cloud_made and not self._is_covered_by_parent(live):
                yield Drift("unmanaged", live.type, live.key, None, live.cloud_id, live.region)

    def _find(self, item: Declared) -> LiveResource | None:
        if item.key is None:
            return None
        if not lacks_region(item, self._specs):
            return self._by_identity.get((item.type, item.key))
        found = self._regionless.candidates(item)
        return found[0] if len(found) == 1 else None

    def _is_ambiguous(self, item: Declared) -> bool:
        """Say whether it is open which resource is meant, or whether others come into question that could not be listed."""
        if not lacks_region(item, self._specs):
            return False
        found = self._regionless.candidates(item)
        return bool(found) and (self._regionless.are_several(item) or self._is_unknown(item))

    def _unread_of(self, item: Declared) -> set[str]:
        names = keys_anywhere(item, self._sides.regions, self._specs)
        return {name for key in names for name in self._unread.get((item.type, key), ())}

    def _matches(self, item: Declared) -> Iterable[LiveResource]:
        """Return what a declared resource is compared with, or all that it may be; nothing when nothing can be said."""
        if item.type not in self._specs or item.key is None:
            return ()
        if self._is_ambiguous(item):
            return self._regionless.candidates(item)
        live = None if "*" in self._unread_of(item) else self._find(item)
        return () if live is None else (live,)

    def _of_pair(self, spec: TypeSpec, item: Declared, live: LiveResource, unread: frozenset[str]) -> list[Drift]:
        if live.type != item.type:  # matched by an alias: the identity itself is all that both sides can tell
            return []
        keys = {live.key, without_region(live.key, live.region)}
        blocks = {name for name in spec.inline for key in keys if Parent(item.type, key, name) in self._taken_over}
        skipped = unread | blocks
        pair = Pair(item, live, spec, frozenset(skipped), item.sensitive | spec.sensitive)
        return list(changes_of(pair))

    def _is_unknown(self, item: Declared) -> bool:
        return any(
            item.type in gap.types and (gap.region == "global" or item.region in (None, "", gap.region))
            for gap in self._not_checked
        )

    def _is_covered_by_parent(self, live: LiveResource) -> bool:
        """Say whether an unmatched child shows up elsewhere: in its parent's attribute, or with its unmanaged parent.

        A parent that could not be read may hold it: nothing may be said about the child then.
        """
        parent = live.parent
        if parent is None or any(name in self._taken_over for name in parents_of(live)):
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
