"""A comparison in parts comes to what a comparison of the whole account in memory comes to, whatever it has looked at before."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from functions.scan import streaming
from functions.scan.domain import records, shapes
from functions.scan.domain.resources import Declared, LiveResource, NotChecked, Parent, Unread
from functions.scan.domain.sealing import Sealer
from functions.scan.domain.specs import TypeSpec, by, index
from functions.scan.handlers import comparing
from functions.scan.queries import accounts, drift, scans, sources
from functions.scan.queries import comparing as queries
from functions.scan.queries import gaps as gap_queries
from functions.scan.queries import live as live_queries
from functions.scan.queries import shards as shard_queries
from functions.scan.rules_hash import hash_of, rules_hash
from functions.scan.types import tables
from shared.data.database import Database
from shared.http.call import Call, Event
from shared.ports.secret_store import Secret
from shared.security.actor import Actor
from shared.testing.clock import FakeClock
from shared.testing.queue import MemoryQueue
from tests.support.database import ClonedDatabase, DatabaseServer, actor_in
from tests.support.plain_comparison import Account, compare_whole

ACCOUNT, REGION = "123456789012", "us-east-1"
SPECS = index(
    (
        TypeSpec("aws_thing", {"name": shapes.text, "secret": shapes.text, "tags": shapes.tags}, sensitive=frozenset({"secret"})),
        TypeSpec("aws_table", {"name": shapes.text, "route": shapes.set_of(shapes.text)}, inline={"route": ("aws_route",)}),
        TypeSpec("aws_route", {"to": shapes.text}, key=by("table", "to")),
    )
)  # fmt: skip


@dataclass
class World:
    """One account: what two states declare, what was read of it, and what could not be."""

    states: tuple[list[Declared], list[Declared]] = field(default_factory=lambda: ([], []))
    live: dict[tuple[str, str], LiveResource] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)
    not_checked: list[NotChecked] = field(default_factory=list)


@dataclass
class Store:
    """An account in the database, its states and its scans."""

    database: ClonedDatabase
    db: Database
    actor: Actor
    account: UUID
    sources: list[UUID]
    seal: Sealer
    queue: MemoryQueue
    clock: FakeClock = field(default_factory=FakeClock)

    def declare(self, world: World) -> None:
        for source_id, declared in zip(self.sources, world.states, strict=True):
            with self.db.unit(self.actor) as tx:
                sources.replace_resources(tx, source_id, records.declared_rows(declared, SPECS, self.seal))

    def read(self, world: World) -> UUID:
        """Store what a scan saw, ready to be compared; returns the scan's id."""
        with self.db.unit(self.actor) as tx:
            scan_id: UUID = scans.insert_scan(tx, account_id=self.account, requested_by="", shards_total=1)["id"]
            shard = shard_queries.insert_shards(tx, scan_id, [{"service": "s", "region": REGION}])[0]["id"]
            rows = [records.live_row(item, SPECS, self.seal) for item in world.live.values()]
            live_queries.upsert_live(tx, account_id=self.account, scan_id=scan_id, resources=rows)
            gaps = [records.gap_row(gap, REGION) for gap in world.unread]
            gaps += [records.gap_row(gap, REGION) for gap in world.not_checked]
            gap_queries.replace_gaps(tx, scan_id=scan_id, shard_id=shard, gaps=gaps)
            scans.set_comparing(tx, scan_id)
        return scan_id

    def step(self, scan_id: UUID, *, part: int = 3, rules: bytes = bytes(32)) -> dict[str, Any] | None:
        """Do one part, as a worker does; returns the summary once it is over."""
        with self.db.unit(self.actor) as tx:
            scan = queries.take_scan(tx, scan_id)
            assert scan is not None
            account = accounts.get_account(tx, self.account)
            scope = streaming.Scope.of(tx, scan, account, SPECS, self.seal)
            return comparing.step(tx, scan, account, replace(scope, rules=rules), now=self.clock.now(), part=part)

    def compare(self, scan_id: UUID, **options: Any) -> dict[str, Any]:
        while (summary := self.step(scan_id, **options)) is None:
            pass
        return summary

    def items(self, scan_id: UUID | None = None) -> set[tuple[object, ...]]:
        """Return the open drift items, of all scans or those that one has found."""
        with self.db.unit(self.actor) as tx:
            return {_name(row) for row in drift.list_items(tx, most=10_000, status="open", scan_id=scan_id)}

    def expected(self, scan_id: UUID) -> tuple[set[tuple[object, ...]], dict[str, Any]]:
        """Return what a comparison of everything that is stored, in memory, comes to."""
        declared = self._rows(
            "select address, type, key, attributes, sensitive, parent, account, region, is_deposed from scan.state_resources "
            "where org_id = :org_id order by source_id, address, part"
        )
        live = self._rows(
            "select type, key, region, cloud_id, attributes, tags, cloud_made, parent, aliases from scan.live_resources "
            'where org_id = :org_id and scan_id = :scan_id order by type collate "C", key collate "C"', scan_id=scan_id
        )  # fmt: skip
        with self.db.unit(self.actor) as tx:
            not_checked, unread = records.gaps_of(gap_queries.list_gaps(tx, scan_id))
        whole = Account(
            ACCOUNT, frozenset({REGION}), [records.declared_of(row) for row in declared],
            [records.live_of(row) for row in live], unread, not_checked,
        )  # fmt: skip
        found, counts = compare_whole(whole, SPECS, self.seal)
        named = {_name(row) for row in map(records.drift_row, found)}
        counted = {
            "drift": len(named), "live_resources": len(live), "compared": counts.compared, "in_sync": counts.in_sync,
            "out_of_scope": counts.out_of_scope, "uncovered": counts.uncovered, "unread": counts.unread,
            "unchecked": counts.not_checked,
        }  # fmt: skip
        return named, counted

    def judged(self, scan_id: UUID, *, rules: bytes = bytes(32)) -> list[tuple[str, str]]:
        """Return what a comparison would look at."""
        with self.db.unit(self.actor) as tx:
            place = queries.Place(self.account, scan_id)
            found = queries.list_unsettled(
                tx, place, queries.FIRST, queries.LAST, covered=sorted(SPECS), rules_hash=rules
            )
        return list(found.pairs)

    def _rows(self, sql: str, **values: object) -> list[dict[str, Any]]:
        found = self.database.owner.run(sql, org_id=self.actor.org_id, **values)
        names = [column["name"] for column in self.database.owner.columns or ()]
        return [dict(zip(names, row, strict=True)) for row in found or ()]


def _name(row: Any) -> tuple[object, ...]:
    names = ("kind", "type", "key", "address", "path", "region", "cloud_id", "severity", "rule", "is_sensitive")
    values = (json.dumps(row[name], sort_keys=True, default=str) for name in ("before", "after"))
    return (*(row[name] for name in names), *values)


def _counted(summary: dict[str, Any]) -> dict[str, Any]:
    names = ("drift", "live_resources", "compared", "in_sync", "out_of_scope", "uncovered", "unread")
    return {name: summary[name] for name in names} | {"unchecked": summary["not_checked"]["resources"]}


def _store(database: ClonedDatabase) -> Store:
    actor = actor_in(database.make_org())
    queue = MemoryQueue()
    db = database.build_database("scan", queue)
    with db.unit(actor) as tx:
        account = accounts.insert_account(
            tx, id=UUID(int=7), provider="aws", name="a", external_account=ACCOUNT, regions=[REGION], auth_kind="role",
            role_arn=f"arn:aws:iam::{ACCOUNT}:role/x", external_id="dw-x", credentials_encrypted=None,
        )["id"]  # fmt: skip
        made = [
            sources.insert_source(
                tx, account_id=account, kind="upload", name=name, bucket=None, object_key=None, bucket_region=None
            )["id"]
            for name in ("one", "two")
        ]
    assert actor.org_id is not None
    return Store(database, db, actor, account, made, Sealer([(1, Secret(bytes(32)))], actor.org_id), queue)


@pytest.fixture
def store(database: ClonedDatabase) -> Store:
    return _store(database)


@pytest.fixture(scope="module")
def shared_store(database_server: DatabaseServer) -> Any:
    with database_server.clone() as database:
        yield _store(database)


# --- Worlds -----------------------------------------------------------------------------------------------------------

_words = st.sampled_from(["a", "b", ""])
_keys = st.sampled_from(["A", "a", "a|x", "b", "b|x", "z"])  # capitals: orders of languages put them elsewhere
_types = st.sampled_from(["aws_thing", "aws_table", "aws_route"])
_identities = st.tuples(_types, _keys)
_parents = st.none() | st.builds(Parent, st.just("aws_table"), _keys, st.just("route"))
_attributes = st.fixed_dictionaries(
    {},
    optional={
        "name": _words, "secret": _words, "to": _words, "route": st.lists(_words, max_size=2),
        "tags": st.dictionaries(st.sampled_from(["t", "u"]), _words, max_size=2),
    },
)  # fmt: skip
_declared = st.builds(
    Declared,
    address=st.sampled_from([f"x.{number}" for number in range(9)]),
    type=st.one_of(_types, st.just("random_pet")),
    key=st.none() | _keys,
    attributes=_attributes,
    sensitive=st.sampled_from([frozenset[str](), frozenset({"name"}), frozenset({"tags"})]),
    parent=_parents,
    account=st.sampled_from([None, ACCOUNT, "210987654321"]),
    region=st.sampled_from([None, REGION, "eu-west-1"]),
)
_live = st.builds(
    LiveResource,
    type=_types,
    key=_keys,
    region=st.just(REGION),
    attributes=_attributes,
    cloud_id=st.just("id"),
    cloud_made=st.booleans(),
    parent=_parents,
    aliases=st.lists(_identities, max_size=2, unique=True).map(tuple),
)


@st.composite
def _worlds(draw: st.DrawFn) -> World:
    """Draw an account; most of what it declares is there as it should be, so that there is something to agree about."""
    states = draw(st.tuples(st.lists(_declared, max_size=6), st.lists(_declared, max_size=3)))
    live = {(item.type, item.key): item for item in draw(st.lists(_live, max_size=5))}
    for item in (*states[0], *states[1]):
        if item.key is not None and item.type in SPECS and draw(st.integers(0, 3)):
            found = LiveResource(item.type, item.key, REGION, item.attributes, "id", parent=item.parent)
            live.setdefault((item.type, item.key), found)
    unread = draw(st.lists(st.builds(Unread, _types, _keys, st.sampled_from([(), ("name",), ("route",)])), max_size=2))
    not_checked = draw(
        st.lists(
            st.builds(NotChecked, _types.map(lambda name: (name,)), st.just(REGION), st.just("throttled")), max_size=1
        )
    )
    return World(states, live, unread, not_checked)


@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(_worlds(), _worlds(), st.integers(1, 5), st.booleans())
def test_in_parts_and_at_once_are_the_same_at_first_again_and_after_changes(
    shared_store: Store, first: World, second: World, part: int, keeps_states: bool
) -> None:
    """The second world replaces much of the first, so that some of what was agreed about is stale; the third time none is."""
    streaming.CHUNK = 2
    mixed = World(first.states if keeps_states else second.states, {**first.live, **second.live}, second.unread)
    for world in (first, first, mixed, second, mixed):
        shared_store.declare(world)
        scan_id = shared_store.read(world)
        expected, counted = shared_store.expected(scan_id)
        summary = shared_store.compare(scan_id, part=part)
        assert _counted(summary) == counted
        assert shared_store.items(scan_id) == expected
        unknown = {name for gap in world.not_checked for name in gap.types} | {gap.type for gap in world.unread}
        unknown |= {"aws_route"} if "aws_table" in unknown else set()
        assert {item[1] for item in shared_store.items() - expected} <= unknown, "what is gone was not closed"


# --- Unchanged --------------------------------------------------------------------------------------------------------


def _estate(count: int = 8) -> World:
    """Make an account of things that are as their state says, but for two that changed, one missing and one unmanaged."""
    declared = [Declared(f"aws_thing.t{n}", "aws_thing", f"t-{n}", {"name": "a", "secret": "s"}) for n in range(count)]
    live = {
        ("aws_thing", item.key or ""): LiveResource("aws_thing", item.key or "", REGION, item.attributes, "id")
        for item in declared[1:]
    }
    for key in ("t-2", "t-5"):
        live["aws_thing", key] = replace(live["aws_thing", key], attributes={"name": "b", "secret": "s"})
    live["aws_thing", "u"] = LiveResource("aws_thing", "u", REGION, {"name": "a"}, "id")
    return World((declared, []), live)


LOOKED_AT = [("aws_thing", key) for key in ("t-0", "t-2", "t-5", "u")]


@pytest.fixture
def settled(store: Store) -> tuple[Store, World, dict[str, Any]]:
    """An account that was compared once."""
    world = _estate()
    store.declare(world)
    return store, world, store.compare(store.read(world))


Settled = tuple[Store, World, dict[str, Any]]


def test_only_what_is_not_in_sync_is_looked_at_again(settled: Settled) -> None:
    store, world, summary = settled
    scan_id = store.read(world)
    assert store.judged(scan_id) == LOOKED_AT
    before = store.items()
    assert store.compare(scan_id) == summary
    assert store.items() == before


def test_a_state_that_is_taken_in_again_unchanged_costs_no_second_look(settled: Settled) -> None:
    store, world, _ = settled
    store.declare(world)
    assert store.judged(store.read(world)) == LOOKED_AT


def test_a_change_on_either_side_is_looked_at(settled: Settled) -> None:
    store, world, _ = settled
    world.live["aws_thing", "t-3"] = replace(
        world.live["aws_thing", "t-3"], attributes={"name": "a", "secret": "other"}
    )
    world.states[0][6] = replace(world.states[0][6], attributes={"name": "c", "secret": "s"})
    store.declare(world)
    scan_id = store.read(world)
    assert store.judged(scan_id) == sorted([*LOOKED_AT, ("aws_thing", "t-3"), ("aws_thing", "t-6")])
    store.compare(scan_id)
    changed = {(item[2], item[4]) for item in store.items() if item[0] == "changed"}
    assert changed == {("t-2", "name"), ("t-5", "name"), ("t-3", "secret"), ("t-6", "name")}


def test_what_becomes_sensitive_without_any_other_change_is_hidden(settled: Settled) -> None:
    store, world, _ = settled
    world.states[0][3] = replace(world.states[0][3], sensitive=frozenset({"name"}))
    store.declare(world)
    scan_id = store.read(world)
    assert ("aws_thing", "t-3") in store.judged(scan_id)
    store.compare(scan_id)
    stored = store.database.owner.run("select attributes ->> 'name' from scan.live_resources where key = 't-3'")
    assert "$sealed" in str(stored)


def test_other_rules_look_at_everything(settled: Settled) -> None:
    store, world, _ = settled
    scan_id = store.read(world)
    assert len(store.judged(scan_id, rules=b"x" * 32)) == 9


@pytest.mark.parametrize("name", ["domain/shapes.py", "types/aws/s3.py", "domain/new.py"])
def test_the_rules_have_another_name_when_any_of_their_files_changes(name: str) -> None:
    files = {"domain/shapes.py": b"a", "types/aws/s3.py": b"b"}
    assert hash_of(files) == hash_of(dict(reversed(files.items())))
    assert hash_of(files | {name: b"changed"}) != hash_of(files)
    assert len(rules_hash()) == 32


def test_what_could_not_be_read_in_part_is_not_taken_for_agreed(store: Store) -> None:
    world = _estate()
    world.unread.append(Unread("aws_thing", "t-5", ("name",)))
    store.declare(world)
    store.compare(store.read(world))
    assert "t-5" not in {item[2] for item in store.items()}
    world.unread.clear()
    store.compare(store.read(world))
    assert "t-5" in {item[2] for item in store.items()}


def test_a_table_is_looked_at_again_when_its_routes_are_no_longer_declared_elsewhere(store: Store) -> None:
    parent = Parent("aws_table", "tb", "route")
    table = Declared("aws_table.tb", "aws_table", "tb", {"name": "a", "route": []})
    route = Declared("aws_route.r", "aws_route", "tb|x", {"to": "x"}, parent=parent)
    live = [
        LiveResource("aws_table", "tb", REGION, {"name": "a", "route": ["x"]}, "id"),
        LiveResource("aws_route", "tb|x", REGION, {"to": "x"}, "id", parent=parent),
    ]
    world = World(([table], [route]), {(item.type, item.key): item for item in live})
    store.declare(world)
    assert store.compare(store.read(world))["drift"] == 0
    scan_id = store.read(world)
    assert store.judged(scan_id) == []
    store.declare(World(([table], []), world.live))
    store.compare(scan_id)
    assert {(item[2], item[4]) for item in store.items()} == {("tb", "route")}


# --- Parts ------------------------------------------------------------------------------------------------------------


def test_a_worker_that_is_killed_loses_one_part_and_shows_nothing_before_the_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = _estate()
    store.declare(world)
    scan_id = store.read(world)
    assert store.step(scan_id) is None
    with monkeypatch.context() as patch:
        patch.setattr(queries, "save", _die)
        with pytest.raises(_Killed):
            store.step(scan_id)
    assert store.items() == set(), "people see half of a comparison"
    kept = store.database.owner.run("select comparison -> 'after' ->> 1 from scan.scans where id = :id", id=scan_id)
    assert kept == [["t-3"]]
    expected, counted = store.expected(scan_id)
    assert _counted(store.compare(scan_id)) == counted
    assert store.items() == expected
    assert store.database.owner.run("select count(*) from scan.findings") == [[0]]


class _Killed(BaseException):
    """A process that is gone."""


def _die(*_arguments: object) -> None:
    raise _Killed


def test_a_second_worker_leaves_a_scan_alone_that_somebody_is_at(store: Store) -> None:
    world = _estate()
    store.declare(world)
    scan_id = store.read(world)
    with store.db.unit(store.actor) as one, store.db.unit(store.actor) as other:
        assert queries.take_scan(one, scan_id) is not None
        assert queries.take_scan(other, scan_id) is None


def test_a_cancelled_comparison_changes_nothing(store: Store) -> None:
    world = _estate()
    store.declare(world)
    scan_id = store.read(world)
    store.step(scan_id)
    with store.db.unit(store.actor) as tx:
        assert scans.set_ended(tx, scan_id, status="cancelled")
    assert _deliver(store, scan_id) == 204
    assert store.items() == set()


def test_a_state_that_comes_in_between_two_parts_is_compared_in_whole(store: Store) -> None:
    world = _estate()
    store.declare(world)
    scan_id = store.read(world)
    store.step(scan_id)
    world.states[0][1] = replace(world.states[0][1], attributes={"name": "new"})
    store.declare(world)
    store.database.owner.run("update scan.state_sources set content_hash = sha256('new')")
    expected, counted = store.expected(scan_id)
    assert _counted(store.compare(scan_id)) == counted
    assert store.items() == expected
    assert "t-1" in {item[2] for item in expected}


def test_messages_that_come_twice_late_or_after_the_end_do_no_harm(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "aws", lambda: SPECS)
    monkeypatch.setattr(streaming, "PART", 2)
    world = _estate()
    store.declare(world)
    earlier = store.read(world)
    expected, _ = store.expected(earlier)
    for _ in range(2):
        assert _deliver(store, earlier) == 204
    assert store.items() == expected
    first_seen = store.database.owner.run("select id, first_seen_at from scan.drift_items order by id")
    later = store.read(world)
    for scan_id in (earlier, later, earlier, later):
        assert _deliver(store, scan_id) == 204
    assert store.items(later) == store.items() == expected
    assert store.database.owner.run("select id, first_seen_at from scan.drift_items order by id") == first_seen


def test_a_comparison_that_takes_longer_than_a_turn_goes_on_in_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "aws", lambda: SPECS)
    monkeypatch.setattr(comparing, "_TURN", timedelta(0))
    monkeypatch.setattr(streaming, "PART", 4)
    world = _estate()
    store.declare(world)
    scan_id = store.read(world)
    turns = 0
    while store.database.owner.run("select status from scan.scans where id = :id", id=scan_id) == [["comparing"]]:
        before = _messages(store)
        assert _deliver(store, scan_id) == 204
        turns += 1
        is_over = store.database.owner.run("select status from scan.scans where id = :id", id=scan_id) == [["done"]]
        assert is_over or _messages(store) == before + 1, "nobody would take the scan up again"
    assert turns > 1
    assert store.items() == store.expected(scan_id)[0]


def _deliver(store: Store, scan_id: UUID) -> int:
    deps = cast("Any", SimpleNamespace(db=store.db, clock=store.clock, sealer=lambda _org_id: store.seal))
    event = Event("e", {"scan_id": str(scan_id)})
    call = Call(actor=store.actor, path={}, query_values={}, headers={}, cookies={}, content=b"", event=event)
    return comparing.work_comparison(call, deps).status


def _messages(store: Store) -> int:
    return len(store.queue.messages("scan-comparisons"))


def test_the_order_of_keys_is_that_of_bytes_and_very_long_keys_are_matched(store: Store) -> None:
    keys = ["Z", "a", "é", "\U0001f600", "k" * 3000, "k" * 2999 + "l", "a" * 1200]
    declared = [Declared(f"aws_thing.x{n}", "aws_thing", key, {"name": "a"}) for n, key in enumerate(keys)]
    live = {("aws_thing", key): LiveResource("aws_thing", key, REGION, {"name": "a"}, "id") for key in keys}
    world = World((declared, []), live)
    store.declare(world)
    summary = store.compare(store.read(world), part=1)
    assert (summary["in_sync"], summary["drift"]) == (7, 0)
