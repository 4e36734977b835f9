"""Sources of many states: what is fetched, what is kept, and that one bad state spoils no other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from functions.scan import ingestion
from functions.scan.domain.sealing import Sealer
from functions.scan.errors import StateUnreachable
from functions.scan.handlers import fetching
from functions.scan.handlers.fetching import fetch_and_store
from functions.scan.queries import accounts, sources
from functions.scan.state_sources.port import Fetched, Found
from functions.scan.wiring import ScanDeps
from shared.data.database import Database
from shared.data.rows import Row
from shared.http.call import Call
from shared.ports.errors import ServiceAway
from shared.ports.secret_store import Secret
from shared.security.actor import Actor
from shared.testing.clock import FakeClock
from tests.support.database import ClonedDatabase, actor_in

STATES, MANY = 40, 300


def state(number: int, *, serial: int = 1) -> bytes:
    """Return a state with one resource of its own."""
    instance = {"attributes": {"id": f"vpc-{number}", "cidr_block": "10.0.0.0/16"}}
    resource = {"mode": "managed", "type": "aws_vpc", "name": "main", "provider": "p", "instances": [instance]}
    return json.dumps({"version": 4, "serial": serial, "lineage": f"l-{number}", "resources": [resource]}).encode()


@dataclass
class Bucket:
    """A place of states that remembers what was fetched."""

    states: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    listing_fails: bool = False
    says_versions: bool = True
    seconds_each: float = 0.0
    clock: FakeClock = field(default_factory=FakeClock)

    def put(self, name: str, content: bytes) -> None:
        count = int(self.states[name][0]) + 1 if name in self.states else 1
        self.states[name] = str(count), content

    def find(self, prefix: str) -> Iterator[Found]:
        for number, (name, (version, _)) in enumerate(sorted(self.states.items())):
            if self.listing_fails and number == len(self.states) // 2:
                raise StateUnreachable("AWS answered AccessDenied", permission="s3:ListBucket")
            if name.startswith(prefix):
                yield Found(name, version if self.says_versions else None)

    def fetch(self, name: str, known: str | None) -> Fetched | None:
        version, content = self.states[name]
        if name in self.broken:
            raise StateUnreachable("AWS answered AccessDenied", permission="s3:GetObject")
        if version == known:
            return None
        self.fetched.append(name)
        self.clock.advance(self.seconds_each)
        return Fetched(content, version)


@dataclass
class Scene:
    db: Database
    actor: Actor
    account: Row
    source_id: UUID
    bucket: Bucket
    seal: Sealer

    def fetch(self, **options: Any) -> bool:
        """Fetch as a scan does; forgets what was fetched before."""
        self.bucket.fetched.clear()
        deps = cast(
            "ScanDeps",
            SimpleNamespace(
                db=self.db, clock=self.bucket.clock, open_source=lambda *_: self.bucket, sealer=lambda _: self.seal
            ),
        )
        call = Call(actor=self.actor, path={}, query_values={}, headers={}, cookies={}, content=b"")
        return fetch_and_store(call, deps, self.source(), self.account, **options)

    def source(self) -> Row:
        with self.db.unit(self.actor) as tx:
            return sources.get_source(tx, self.source_id)

    def states(self) -> dict[str, Row]:
        with self.db.unit(self.actor) as tx:
            rows = sources.list_sources(tx, after_id=None, most=1000, skipped=0, parent_id=self.source_id)
        return {row["object_key"]: row for row in rows}

    def declared(self) -> set[str]:
        with self.db.unit(self.actor) as tx:
            return {row["key"] for row in sources.list_resources(tx, self.account["id"])}


@pytest.fixture
def scene(database: ClonedDatabase) -> Scene:
    actor = actor_in(database.make_org())
    db = database.build_database("scan")
    with db.unit(actor) as tx:
        account = accounts.insert_account(
            tx, id=UUID(int=7), provider="aws", name="a", external_account="123456789012", regions=["us-east-1"],
            auth_kind="role", role_arn="arn:aws:iam::123456789012:role/x", external_id="dw-x", credentials_encrypted=None,
        )  # fmt: skip
        source = sources.insert_source(
            tx,
            account_id=account["id"],
            kind="s3",
            name="s",
            bucket="b",
            object_prefix="live/",
            object_suffix=".tfstate",
        )
    bucket = Bucket()
    for number in range(STATES):
        bucket.put(f"live/{number:03}.tfstate", state(number))
    bucket.put("live/001.tfstate.tflock", b"{}")
    bucket.put("other/x.tfstate", state(9999))
    assert actor.org_id is not None
    return Scene(db, actor, account, source["id"], bucket, Sealer([(1, Secret(b"k" * 32))], actor.org_id))


def test_hundreds_of_states_are_taken_in_once_and_then_left_alone(scene: Scene) -> None:
    for number in range(STATES, MANY):
        scene.bucket.put(f"live/{number:03}.tfstate", state(number))
    assert scene.fetch()
    assert len(scene.bucket.fetched) == MANY
    assert scene.declared() == {f"vpc-{number}" for number in range(MANY)}
    shown = scene.source()
    assert (shown["state_count"], shown["resource_count"], shown["error_code"]) == (MANY, MANY, None)
    assert scene.fetch()
    assert scene.bucket.fetched == []
    scene.bucket.says_versions = False
    assert scene.fetch()
    assert scene.bucket.fetched == [], "a state that says `not modified` was fetched"
    scene.bucket.put("live/007.tfstate", state(70007, serial=2))
    assert scene.fetch()
    assert scene.bucket.fetched == ["live/007.tfstate"]
    assert scene.declared() == {f"vpc-{number}" for number in range(MANY) if number != 7} | {"vpc-70007"}


def test_bad_states_are_reported_and_the_others_are_exact(scene: Scene) -> None:
    scene.bucket.put("live/003.tfstate", b'{"version": 3, "modules": []}')
    scene.bucket.put("live/004.tfstate", b'{"serial": 1, "encrypted_data": "AAAA", "meta": {}}')
    scene.bucket.put("live/005.tfstate", b"not json")
    scene.bucket.broken.add("live/006.tfstate")
    assert not scene.fetch()
    assert scene.declared() == {f"vpc-{number}" for number in range(STATES) if number not in {3, 4, 5, 6}}
    states = scene.states()
    assert {name[5:8]: row["error_code"] for name, row in states.items() if row["error_code"]} == {
        "003": "state_version_unsupported", "004": "state_encrypted", "005": "state_unreadable", "006": "state_unreachable",
    }  # fmt: skip
    assert "s3:GetObject" in states["live/006.tfstate"]["error_detail"]
    assert scene.source()["error_code"] == "states_incomplete"
    assert f"4 of {STATES}" in scene.source()["error_detail"]
    scene.bucket.broken.clear()
    for number in (3, 4, 5):
        scene.bucket.put(f"live/{number:03}.tfstate", state(number))
    assert scene.fetch()
    assert sorted(scene.bucket.fetched) == [f"live/{number:03}.tfstate" for number in (3, 4, 5, 6)]
    assert scene.source()["error_code"] is None


def test_a_state_that_turns_bad_keeps_what_it_declared(scene: Scene) -> None:
    assert scene.fetch()
    scene.bucket.put("live/003.tfstate", b"not json")
    assert not scene.fetch()
    assert "vpc-3" in scene.declared()
    assert not scene.fetch()
    assert scene.bucket.fetched == ["live/003.tfstate"], "a bad state is tried again, and it alone"


def test_a_state_that_is_gone_goes_with_what_it_declared(scene: Scene) -> None:
    assert scene.fetch()
    del scene.bucket.states["live/003.tfstate"]
    assert scene.fetch()
    assert "vpc-3" not in scene.declared()
    assert scene.source()["state_count"] == STATES - 1


@pytest.mark.parametrize("happens", ["fails-half-way", "empty"])
def test_a_listing_that_fails_or_shows_nothing_takes_nothing_away(scene: Scene, happens: str) -> None:
    assert scene.fetch()
    if happens == "empty":
        scene.bucket.states.clear()
    scene.bucket.listing_fails = happens == "fails-half-way"
    assert not scene.fetch()
    assert scene.declared() == {f"vpc-{number}" for number in range(STATES)}
    assert scene.source()["error_code"] == "state_unreachable"


@pytest.mark.parametrize("limit", ["MOST_STATES", "MOST_LISTED"])
def test_more_than_a_source_may_have_is_refused_and_takes_nothing_away(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    assert scene.fetch()
    monkeypatch.setattr(fetching, limit, STATES - 1)
    assert not scene.fetch()
    assert scene.source()["error_code"] == "states_too_many"
    assert len(scene.declared()) == STATES


def test_other_rules_of_ours_take_every_state_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    assert scene.fetch()
    monkeypatch.setattr(ingestion, "mapping_hash", lambda: b"n" * 32)
    assert scene.fetch()
    assert len(scene.bucket.fetched) == STATES


def test_a_newer_digest_key_takes_every_state_again(scene: Scene) -> None:
    assert scene.fetch()
    assert scene.source()["digest_version"] == 1
    scene.seal = Sealer([(2, Secret(b"n" * 32)), *scene.seal.keys], scene.seal.org_id)
    assert scene.fetch()
    assert scene.source()["digest_version"] == 2, "the check of a rotation would wait for it for ever"
    assert len(scene.bucket.fetched) == STATES


def test_a_shard_whose_time_is_up_goes_on_where_it_stopped(scene: Scene) -> None:
    scene.bucket.seconds_each = 25.0
    taken = 0
    for _ in range(4):
        try:
            scene.fetch()
        except ServiceAway:
            assert scene.bucket.fetched, "no progress"
            taken += len(scene.bucket.fetched)
            continue
        break
    assert taken + len(scene.bucket.fetched) == STATES, "a state was fetched twice, or never"
    assert scene.declared() == {f"vpc-{number}" for number in range(STATES)}


def test_a_refresh_says_what_it_left(scene: Scene) -> None:
    scene.bucket.seconds_each = 25.0
    assert not scene.fetch(within_seconds=200.0)
    shown = scene.source()
    assert shown["error_code"] == "states_incomplete"
    assert "left for the next scan" in shown["error_detail"]


def test_states_that_were_found_are_no_sources_of_their_own(scene: Scene) -> None:
    assert scene.fetch()
    with scene.db.unit(scene.actor) as tx:
        assert sources.count_sources(tx) == 1
        assert [row["id"] for row in sources.list_sources(tx, after_id=None, most=50, skipped=0)] == [scene.source_id]
        assert [row["id"] for row in sources.list_sources_of_account(tx, scene.account["id"])] == [scene.source_id]
        sources.delete_source(tx, scene.source_id)
    assert scene.declared() == set()
