"""What shards and comparisons store when they come late, twice or after another scan has begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from functions.scan.domain.comparison import Drift
from functions.scan.domain.records import drift_row
from functions.scan.queries import accounts, drift, scans
from functions.scan.queries import gaps as gap_queries
from functions.scan.queries import live as live_queries
from functions.scan.queries import shards as shard_queries
from shared.data.database import Database
from shared.security.actor import Actor
from tests.support.database import ClonedDatabase, actor_in

GAP = {
    "types": ["aws_vpc"], "key": None, "attributes": [], "region": "us-east-1", "reason": "throttled", "permission": None, "detail": "",
}  # fmt: skip


@dataclass(frozen=True)
class Store:
    db: Database
    actor: Actor
    account: UUID

    def begin(self, *services: str) -> tuple[UUID, list[UUID]]:
        """Begin a scan in the place of the one before; returns its id and those of its shards."""
        with self.db.unit(self.actor) as tx:
            before = scans.latest_scan_id(tx, self.account)
            if before is not None:
                scans.set_ended(tx, before, status="cancelled")
            row = scans.insert_scan(tx, account_id=self.account, requested_by="", shards_total=len(services))
            shards = [{"service": name, "region": "us-east-1"} for name in services]
            return row["id"], [shard["id"] for shard in shard_queries.insert_shards(tx, row["id"], shards)]

    def see(self, scan_id: UUID, *keys: str) -> None:
        """Store live resources as a shard does."""
        rows = [
            {"type": "aws_vpc", "key": key, "region": "us-east-1", "cloud_id": key, "attributes": {}, "tags": {},
             "cloud_made": False, "parent": None, "aliases": []}
            for key in keys
        ]  # fmt: skip
        with self.db.unit(self.actor) as tx:
            live_queries.upsert_live(tx, account_id=self.account, scan_id=scan_id, resources=rows)

    def seen(self, scan_id: UUID) -> list[str]:
        with self.db.unit(self.actor) as tx:
            return [row["key"] for row in live_queries.page_live(tx, scan_id, type_name=None, after=None, most=100)]

    def compare(self, scan_id: UUID, found: Sequence[str], unknown: Sequence[str] = ()) -> int:
        """Store the outcome of a comparison; returns how many items it closed."""
        rows = [drift_row(Drift("unmanaged", "aws_vpc", key, None, key, "us-east-1")) for key in found]
        with self.db.unit(self.actor) as tx:
            drift.upsert_items(tx, account_id=self.account, scan_id=scan_id, items=rows)
            return drift.fix_gone(tx, account_id=self.account, unknown_types=list(unknown))

    def open_items(self) -> dict[str, UUID]:
        with self.db.unit(self.actor) as tx:
            return {row["key"]: row["id"] for row in drift.list_items(tx, most=100, status="open")}


@pytest.fixture
def store(database: ClonedDatabase) -> Store:
    actor = actor_in(database.make_org())
    db = database.build_database("scan")
    values: dict[str, Any] = {
        "id": UUID(int=7), "provider": "aws", "name": "a", "external_account": "123456789012", "regions": ["us-east-1"],
        "auth_kind": "role", "role_arn": "arn:aws:iam::123456789012:role/x", "external_id": "dw-x", "credentials_encrypted": None,
    }  # fmt: skip
    with db.unit(actor) as tx:
        account = accounts.insert_account(tx, **values)["id"]
    return Store(db, actor, account)


def test_a_late_shard_of_an_earlier_scan_takes_nothing_from_a_later_one(store: Store) -> None:
    earlier, _ = store.begin("ec2")
    store.see(earlier, "vpc-1", "vpc-2")
    later, _ = store.begin("ec2")
    store.see(later, "vpc-1")
    store.see(earlier, "vpc-1", "vpc-3")
    assert store.seen(later) == ["vpc-1"]
    assert store.seen(earlier) == ["vpc-2", "vpc-3"]


def test_a_scan_after_one_that_was_begun_while_the_clock_was_ahead_sees_what_is_there(
    store: Store, database: ClonedDatabase
) -> None:
    """Found by the fault campaign: ids tell the time, so the later scan had the smaller id, saw nothing and called all of it missing."""
    early, _ = store.begin("ec2")
    ahead = uuid_of(database, "select uuidv7(interval '2 minutes')")
    database.owner.run("delete from scan.shards")
    database.owner.run("update scan.scans set id = :ahead where id = :early", ahead=ahead, early=early)
    store.see(ahead, "vpc-1", "vpc-2")
    following = [store.begin("ec2")[0] for _ in range(3)]
    assert following == sorted(following)
    assert following[0] > ahead
    store.see(following[-1], "vpc-1")
    assert store.seen(following[-1]) == ["vpc-1"]


def test_a_scans_id_tells_the_time_where_no_clock_went_back(store: Store, database: ClonedDatabase) -> None:
    store.begin("ec2")
    before = uuid_of(database, "select uuidv7()")
    scan_id, _ = store.begin("ec2")
    assert before < scan_id < uuid_of(database, "select uuidv7(interval '10 milliseconds')")


def uuid_of(database: ClonedDatabase, statement: str) -> UUID:
    ((found,),) = database.owner.run(statement)
    return UUID(str(found))


def test_a_shard_ends_once_and_only_the_last_one_asks_for_the_comparison(store: Store) -> None:
    scan_id, (one, other) = store.begin("ec2", "s3")
    with store.db.unit(store.actor) as tx:
        assert scans.begin_scan(tx, scan_id) is not None
        assert shard_queries.end_shard(tx, one, status="done", resources=3) == shard_queries.ShardEnd(is_last=False)
        assert shard_queries.end_shard(tx, one, status="done", resources=3) is None
        assert shard_queries.begin_shard(tx, one) is None
        assert shard_queries.end_shard(tx, other, status="failed", resources=0) == shard_queries.ShardEnd(is_last=True)
        row = scans.get_scan(tx, scan_id)
        assert (row["status"], row["shards_done"], row["resources"]) == ("comparing", 2, 3)
        assert scans.begin_scan(tx, scan_id) is None


def test_shards_of_a_cancelled_scan_are_not_taken_up_and_count_for_nothing(store: Store) -> None:
    scan_id, (shard,) = store.begin("ec2")
    with store.db.unit(store.actor) as tx:
        assert scans.set_ended(tx, scan_id, status="cancelled")
        assert scans.begin_scan(tx, scan_id) is None
        assert shard_queries.end_shard(tx, shard, status="done", resources=1) == shard_queries.ShardEnd(is_last=False)
        assert not scans.set_ended(tx, scan_id, status="failed")
        assert scans.get_scan(tx, scan_id)["status"] == "cancelled"


def test_a_second_try_of_a_shard_replaces_what_the_first_could_not_read(store: Store) -> None:
    scan_id, (shard, other) = store.begin("ec2", "s3")
    with store.db.unit(store.actor) as tx:
        gap_queries.replace_gaps(tx, scan_id=scan_id, shard_id=other, gaps=[GAP])
        gap_queries.replace_gaps(tx, scan_id=scan_id, shard_id=shard, gaps=[GAP, GAP])
        gap_queries.replace_gaps(tx, scan_id=scan_id, shard_id=shard, gaps=[])
        assert len(gap_queries.list_gaps(tx, scan_id)) == 1


def test_a_stuck_shard_that_was_sent_again_is_not_sent_with_every_sweep(store: Store, database: ClonedDatabase) -> None:
    scan_id, (shard,) = store.begin("ec2")
    database.owner.run("update scan.scans set created_at = now() - interval '1 hour'")
    with store.db.unit(store.actor) as tx:
        assert [row["id"] for row in shard_queries.list_stuck_shards(tx, stuck_seconds=900)] == [shard]
        shard_queries.touch_shard(tx, shard)
        assert shard_queries.list_stuck_shards(tx, stuck_seconds=900) == []
        assert scans.get_scan(tx, scan_id)["status"] == "pending"


def test_scans_under_way_are_counted_for_the_organisation_and_the_account(store: Store) -> None:
    store.begin("ec2")
    with store.db.unit(store.actor) as tx:
        assert scans.count_active_scans(tx, store.account) == (1, 1)
        assert scans.count_active_scans(tx, UUID(int=1)) == (1, 0)


def test_a_second_comparison_of_one_scan_closes_what_it_does_not_find_again(store: Store) -> None:
    scan_id, _ = store.begin("ec2")
    assert store.compare(scan_id, ["vpc-1", "vpc-2"]) == 0
    before = store.open_items()
    assert store.compare(scan_id, ["vpc-1"]) == 1
    assert store.open_items() == {"vpc-1": before["vpc-1"]}


def test_what_could_not_be_checked_stays_open(store: Store) -> None:
    scan_id, _ = store.begin("ec2")
    store.compare(scan_id, ["vpc-1"])
    later, _ = store.begin("ec2")
    assert store.compare(later, [], unknown=["aws_vpc"]) == 0
    assert list(store.open_items()) == ["vpc-1"]
    assert store.compare(later, []) == 1
    assert store.open_items() == {}
