"""A scan whose regions were looked up is cut in one go: what is stored and what is sent, in which order, and when nothing is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import pytest

from functions.scan import starting
from functions.scan.clouds import aws
from functions.scan.domain.shards import CLOUD_CONTROL
from functions.scan.readers.aws.base import Listing, Service

SCAN, SHARD, ACCOUNT, SOURCE = (UUID(int=number) for number in range(1, 5))


@dataclass
class Store:
    """What the statements do, in memory; `is_cut` when the scan is over or was cut already."""

    kinds: list[str] = field(default_factory=lambda: ["upload"])
    is_cut: bool = False
    done: list[str] = field(default_factory=list)
    shards: list[Mapping[str, str]] = field(default_factory=list)
    added: int = 0
    sent: list[str] = field(default_factory=list)

    def list_sources_of_account(self, _tx: object, _account: UUID) -> list[dict[str, Any]]:
        return [{"id": SOURCE, "kind": kind} for kind in self.kinds]

    def spread_scan(self, _tx: object, _scan: UUID, *, regions: Sequence[str], added: int) -> bool:
        self.done.append("spread")
        if self.is_cut:
            return False
        self.is_cut, self.added = True, added
        assert regions
        return True

    def insert_shards(self, _tx: object, _scan: UUID, shards: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
        self.done.append("insert")
        self.shards += shards
        return [{**shard, "id": f"{shard['service']} {shard['region']}"} for shard in shards]

    def end_shard(self, _tx: object, shard_id: UUID, *, status: str, resources: int) -> None:
        assert (shard_id, status, resources) == (SHARD, "done", 0)
        self.done.append("end")

    def emit(self, topic: str, payload: Mapping[str, str]) -> None:
        assert (topic, payload["scan_id"]) == ("scan-shards", str(SCAN))
        self.sent.append(payload["shard_id"])


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    found = Store()
    listing = Listing(("aws_vpc",), lambda _: iter(()), ("ec2:DescribeVpcs",))
    monkeypatch.setattr(starting, "queries", found)
    monkeypatch.setattr(starting, "shard_queries", found)
    monkeypatch.setattr(starting, "source_queries", found)
    monkeypatch.setattr(aws, "SERVICES", (Service("vpcs", (listing,)),))
    return found


def _spread(store: Store) -> None:
    shard = {"id": SHARD, "scan_id": SCAN}
    starting.spread(
        cast("Any", store), shard, account={"id": ACCOUNT, "provider": "aws"}, regions=["eu-west-1", "us-east-1"]
    )


def test_the_shards_are_counted_before_the_one_that_looked_the_regions_up_ends(store: Store) -> None:
    _spread(store)
    assert store.done == ["spread", "insert", "end"], "ended first, it would be the last one of its scan"
    assert store.added == len(store.shards) == len(store.sent) == 6
    assert [shard["region"] for shard in store.shards if shard["service"] == "vpcs"] == ["eu-west-1", "us-east-1"]


def test_a_second_delivery_adds_sends_and_ends_nothing(store: Store) -> None:
    _spread(store)
    before = (list(store.shards), list(store.sent))
    _spread(store)
    assert store.done == ["spread", "insert", "end", "spread"]
    assert (store.shards, store.sent) == before


def test_what_the_states_tell_waits_for_them(store: Store) -> None:
    store.kinds = ["s3", "upload"]
    _spread(store)
    assert f"state:{SOURCE} global" in store.sent
    assert [name for name in store.sent if name.startswith(CLOUD_CONTROL)] == []
    assert len([shard for shard in store.shards if shard["service"] == CLOUD_CONTROL]) == 3
