"""A comparison in parts: an account of any size in the memory of one part.

Owns the order: which identities are looked at, and what is read besides them because the verdict depends on it. Decides nothing
itself (`domain/comparison.py` does) and keeps nothing between two parts but what stands in the database; see ADR-0030.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

from .clouds import cloud_of
from .domain import records
from .domain.comparison import Identity, Sides, Tally, compare, identities_of, is_in_scope
from .domain.regional import keys_anywhere, parents_of, without_region
from .domain.resources import Declared, LiveResource, NotChecked, Parent, Unread
from .domain.sealing import Sealer, incomparable, mark_declared, mark_live, marks_of
from .domain.shards import GLOBAL, is_resolved
from .domain.specs import TypeSpec
from .queries import comparing as queries
from .queries import live as live_queries
from .rules_hash import rules_hash

PART = 10_000
CHUNK = 1_000
_NO_REGIONS = "which regions are enabled in the account is not known"
_KEY_GONE = "the state was taken in under a digest key that is gone; fetch or upload it again"


@dataclass(frozen=True, slots=True)
class Scope:
    """What one comparison is about.

    Attributes:
        place: the scan and its account, as the database knows them.
        account: the cloud's own name of the account.
        regions: the scanned regions.
        specs: the type table.
        seal: hides sensitive values.
        not_checked: listings that failed.
        accounts: every name under which states know the account and what lies in it; empty when none could be learned.
        rules: names the rules; a pair is not looked at again under the same ones.
    """

    place: queries.Place
    account: str
    regions: frozenset[str]
    specs: Mapping[str, TypeSpec]
    seal: Sealer
    not_checked: Sequence[NotChecked]
    accounts: frozenset[str]
    rules: bytes = field(default_factory=rules_hash)

    @classmethod
    def of(cls, tx: UnitOfWork, scan: Row, account: Row, specs: Mapping[str, TypeSpec], seal: Sealer) -> Scope:
        """Read what a comparison is about.

        Args:
            tx: the unit of work.
            scan: its row.
            account: the row of its account, with the regions of the scan.
            specs: the type table.
            seal: hides sensitive values.
        """
        not_checked, _ = records.gaps_of(queries.list_not_checked(tx, scan["id"]))
        if not is_resolved(account["regions"]):  # nobody knows where was read: nothing may be called missing
            not_checked = [*not_checked, NotChecked(tuple(sorted(specs)), GLOBAL, "unavailable", None, _NO_REGIONS)]
        place = queries.Place(scan["account_id"], scan["id"])
        accounts = cloud_of(account).names(tx, scan, account) or frozenset()
        regions = frozenset(account["regions"])
        return cls(place, account["external_account"], regions, specs, seal, not_checked, accounts)


@dataclass(slots=True)
class Found:
    """What a part of a comparison came to.

    Attributes:
        items: drift items as rows, each once.
        tally: what was covered.
        keyless: type -> count of resources that cannot be compared in full, as a key is gone.
    """

    items: list[dict[str, object]] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    keyless: dict[str, int] = field(default_factory=dict)


def compare_part(
    tx: UnitOfWork, scope: Scope, after: Identity, *, part: int = PART
) -> tuple[Identity, Iterator[Found]]:
    """Compare the next part of an account.

    Args:
        tx: the unit of work; everything is read in it.
        scope: what is compared.
        after: where the part before ended.
        part: about how many resources of a side.

    Returns:
        Where the part ends (`queries.LAST` for the last one), and its outcome piece by piece.
    """
    queries.read_in_order(tx)
    until = queries.end_of_part(tx, scope.place, after, part)
    return until, _pieces(tx, scope, after, until)


def _pieces(tx: UnitOfWork, scope: Scope, after: Identity, until: Identity) -> Iterator[Found]:
    left = queries.list_unsettled(tx, scope.place, after, until, covered=sorted(scope.specs), rules_hash=scope.rules)
    yield Found(tally=Tally(in_sync=left.settled, compared=left.settled))
    has_unread, identities = queries.has_unread(tx, scope.place.scan_id), list(left.pairs)
    for start in range(0, len(identities), CHUNK):
        judged = identities[start : start + CHUNK]
        found, agreed = _compare(tx, scope, judged, is_dense=left.is_most, has_unread=has_unread)
        named = {identity: left.pairs[identity] for identity in judged if identity in agreed}
        queries.set_agreed(tx, scope.place.account_id, {identity: name for identity, name in named.items() if name})
        yield found


def count_apart(tx: UnitOfWork, scope: Scope) -> Tally:
    """Count the declared resources that have no place in the order: those without a key, and of types that no rule covers."""
    tally = Tally()
    for row in queries.count_apart(tx, scope.place.account_id, covered=sorted(scope.specs)):
        resources = int(row["resources"])
        if row["type"] not in scope.specs:
            tally.uncovered[row["type"]] = tally.uncovered.get(row["type"], 0) + resources
        elif is_in_scope(
            Declared("", row["type"], None, {}, account=row["account"], region=row["region"]),
            scope.accounts,
            scope.regions,
        ):
            tally.not_checked += resources
        else:
            tally.out_of_scope += resources
    return tally


@dataclass(slots=True)
class _Neighbourhood:
    """Identities to be judged, with everything that their verdicts depend on.

    These are: who answers to their names; all names of those, and who else claims them; what is declared under any of these
    names; the parents of the live ones, with the same; what could not be read of any of them.
    """

    judged: frozenset[Identity]
    declared: list[Declared] = field(default_factory=list)
    live: dict[Identity, LiveResource] = field(default_factory=dict)
    taken_over: list[Parent] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    def add_live(self, rows: Iterable[Row]) -> None:
        """Take up live resources."""
        self.live.update(((row["type"], row["key"]), records.live_of(row)) for row in rows)

    def add_declared(self, rows: Iterable[Row], specs: Container[str]) -> None:
        """Take up what states declare of the types that rules cover."""
        self.declared.extend(records.declared_of(row) for row in rows if row["type"] in specs)


def _read(
    tx: UnitOfWork, scope: Scope, judged: Sequence[Identity], *, is_dense: bool, has_unread: bool
) -> _Neighbourhood:
    """Read what a verdict depends on; where nearly everything is judged, by ranges, which is far faster than name by name."""
    place, first, last = scope.place, judged[0], judged[-1]
    around = _Neighbourhood(frozenset(judged))
    around.add_live(
        queries.list_live_between(tx, place, first, last) if is_dense else queries.list_live(tx, place, judged)
    )
    parents = {(parent.type, parent.key) for live in around.live.values() for parent in parents_of(live)}
    around.add_live(queries.list_live(tx, place, parents - around.judged))
    names = {name for live in around.live.values() for name in identities_of(live)} | parents | around.judged
    further = names
    if is_dense:
        around.add_declared(queries.list_declared_between(tx, place, first, last), scope.specs)
        further = {name for name in names if not first <= name <= last}
    around.add_declared(queries.list_declared(tx, place, further), scope.specs)
    around.add_live(queries.list_live(tx, place, names - around.judged - parents - around.live.keys()))
    owners = {name for name in names if name[0] in scope.specs and scope.specs[name[0]].inline}
    around.taken_over = [Parent(*row["parent"]) for row in queries.list_taken_over(tx, place, owners)]
    if has_unread:
        regions, specs = scope.regions, scope.specs
        anywhere = {(item.type, key) for item in around.declared for key in keys_anywhere(item, regions, specs)}
        _, around.unread = records.gaps_of(queries.list_unread(tx, place, names | anywhere))
    return around


def _compare(
    tx: UnitOfWork, scope: Scope, judged: Sequence[Identity], *, is_dense: bool, has_unread: bool
) -> tuple[Found, set[Identity]]:
    """Judge identities; returns the outcome, and those between whose two sides there is no difference at all."""
    around = _read(tx, scope, judged, is_dense=is_dense, has_unread=has_unread)
    rewritten = _hide(tx, scope, around)
    keyless = _keyless(around)
    found = Found()
    sides = Sides(
        account=scope.account,
        regions=scope.regions,
        declared=around.declared,
        live=around.live.values(),
        unread=[*around.unread, *keyless],
        not_checked=scope.not_checked,
        judged=around.judged,
        taken_over=around.taken_over,
        accounts=scope.accounts,
    )
    rows = (records.drift_row(drift) for drift in compare(sides, scope.specs, found.tally))
    found.items = list({row["fingerprint"]: row for row in rows}.values())  # two states may declare the very same thing
    for gap in keyless:
        if (gap.type, gap.key) in around.judged:
            found.keyless[gap.type] = found.keyless.get(gap.type, 0) + 1
    told = {(gap.type, gap.key) for gap in (*around.unread, *keyless)}
    return found, found.tally.agreed - found.tally.differing - told - rewritten - _taken_over_elsewhere(around)


def _taken_over_elsewhere(around: _Neighbourhood) -> set[Identity]:
    """Name the live resources whose blocks are declared without their region: `list_unsettled` does not see those."""
    parents = {(parent.type, parent.key) for parent in around.taken_over}
    bare = {name: without_region(live.key, live.region) for name, live in around.live.items()}
    return {name for name, key in bare.items() if key != name[1] and (name[0], key) in parents}


def _hide(tx: UnitOfWork, scope: Scope, around: _Neighbourhood) -> set[Identity]:
    """Hide on both sides what any state hides; what a state that came after the shards hides is hidden in its row as well.

    Returns:
        The live resources whose rows were written anew.
    """
    marks, specs, seal = marks_of(around.declared), scope.specs, scope.seal
    late: list[LiveResource] = []
    for identity, before in list(around.live.items()):
        hidden = mark_live(before, specs.get(before.type), marks, seal)
        around.live[identity] = hidden
        if hidden != before and identity in around.judged:
            late.append(hidden)
    if late:
        rows = [records.live_row(item, specs, seal, marks=marks) for item in late]
        live_queries.upsert_live(tx, account_id=scope.place.account_id, scan_id=scope.place.scan_id, resources=rows)
    named = _by_name(around)
    around.declared = [
        mark_declared(item, specs.get(item.type), named.get((item.type, item.key or "")), marks, seal)
        for item in around.declared
    ]
    return {(item.type, item.key) for item in late}


def _keyless(around: _Neighbourhood) -> list[Unread]:
    """Name what cannot be compared, as a version of the digest key that hides it is gone."""
    found, named = list[Unread](), _by_name(around)
    for item in around.declared:
        resource = named.get((item.type, item.key or ""))
        if resource is not None and (names := incomparable(item.attributes, resource.attributes)):
            found.append(Unread(resource.type, resource.key, names, None, "digest_key_gone", _KEY_GONE))
    return found


def _by_name(around: _Neighbourhood) -> dict[Identity, LiveResource]:
    """Return the live resources by their names, with the region and without; of two that share one, the first."""
    bare = {(live.type, without_region(live.key, live.region)): live for live in around.live.values()}
    return {**bare, **around.live}
