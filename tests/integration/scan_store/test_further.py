"""What an index lists and what Cloud Control answers, against the states: told once, never for what is declared or read."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from functions.scan.domain import records
from functions.scan.domain.inventory import GENERIC
from functions.scan.domain.resources import LiveResource, NotChecked
from functions.scan.domain.shards import CLOUD_CONTROL, GLOBAL, INVENTORY
from functions.scan.further import read_further, store_further, wanted_of
from functions.scan.queries import accounts, drift, inventory, scans
from functions.scan.queries import gaps as gap_queries
from functions.scan.queries import live as live_queries
from functions.scan.queries import shards as shard_queries
from functions.scan.types.aws import SPECS
from tests.integration.scan_store.test_baselines import ACCOUNT, BUS, REGION, Estate
from tests.support.aws_replies import Replies
from tests.support.database import ClonedDatabase
from tests.unit.scan.test_inventory import VIEW

CANARY, OTHER = (f"arn:aws:synthetics:{REGION}:{ACCOUNT}:canary:{name}" for name in ("nightly", "forgotten"))


def resource(kind: str, **attributes: Any) -> dict[str, Any]:
    return {"mode": "managed", "type": kind, "name": "x", "provider": "p", "instances": [{"attributes": attributes}]}


@pytest.fixture
def estate(database: ClonedDatabase) -> Estate:
    found = Estate(database)
    declared = [
        resource("aws_synthetics_canary", id="nightly", name="nightly", arn=CANARY),
        resource("aws_unheard_of", id="x"),
    ]
    document = {"version": 4, "serial": 9, "lineage": "l", "terraform_version": "1.9.0", "resources": declared}
    found.take_in(json.dumps(document).encode())
    return found


def scan(estate: Estate, service: str, region: str, answers: dict[str, Any]) -> dict[str, Any]:
    """Read one shard of a new scan and compare; returns the summary."""
    with estate.db.unit(estate.actor) as tx:
        scan_id: UUID = scans.insert_scan(tx, account_id=estate.account, requested_by="", shards_total=1)["id"]
        (shard,) = shard_queries.insert_shards(tx, scan_id, [{"service": service, "region": region}])
        row = {**shard, "scan_id": scan_id}
        account = accounts.get_account(tx, estate.account)
        wanted = wanted_of(tx, account, region) if service == CLOUD_CONTROL else []
        found = read_further(row, Replies(answers).scope(), regions=[REGION], wanted=wanted, seal=estate.seal, marks={})
        store_further(tx, found, account_id=estate.account, scan_id=scan_id)
        gap_queries.replace_gaps(tx, scan_id=scan_id, shard_id=shard["id"], gaps=found.gaps)
        live = LiveResource("aws_cloudwatch_event_bus", BUS, REGION, {}, BUS, cloud_made=True)
        live_queries.upsert_live(
            tx, account_id=estate.account, scan_id=scan_id, resources=[records.live_row(live, SPECS, estate.seal)]
        )
    estate.compare(scan_id)
    with estate.db.unit(estate.actor) as tx:
        summary: dict[str, Any] = scans.get_scan(tx, scan_id)["summary"]
    return summary


def items(estate: Estate) -> set[tuple[str, str, str, str | None]]:
    with estate.db.unit(estate.actor) as tx:
        return {(row["kind"], row["detector"], row["type"], row["cloud_id"]) for row in drift.list_items(tx, most=99)}


def index(*arns: str) -> dict[str, Any]:
    return {
        "resource-explorer-2:ListIndexes": {"Indexes": [{"Region": REGION, "Type": "AGGREGATOR"}]},
        "resource-explorer-2:GetDefaultView": {"ViewArn": VIEW},
        "resource-explorer-2:GetView": {"View": {}},
        "resource-explorer-2:ListResources": {"Resources": [{"Arn": arn, "OwningAccountId": ACCOUNT} for arn in arns]},
        "resourcegroupstaggingapi:GetResources": {"ResourceTagMappingList": []},
    }


def model(**members: Any) -> dict[str, Any]:
    answer = {"ResourceDescription": {"Identifier": "nightly", "Properties": json.dumps(members)}}
    return {"cloudcontrol:GetResource": answer}


def test_what_only_an_index_lists_is_unmanaged_and_closed_when_it_is_gone(estate: Estate) -> None:
    scan(estate, INVENTORY, GLOBAL, index(CANARY, OTHER, BUS, f"arn:aws:sns:{REGION}:{ACCOUNT}:left-to-its-reader"))
    assert items(estate) == {("unmanaged", "inventory", "aws_synthetics_canary", OTHER)}, (
        "declared, read and left out are not told"
    )
    scan(estate, INVENTORY, GLOBAL, index(CANARY))
    assert items(estate) == set()


def test_what_an_index_told_stays_open_while_the_index_cannot_be_read(estate: Estate) -> None:
    scan(estate, INVENTORY, GLOBAL, index(OTHER))
    denied = index() | {"resource-explorer-2:ListResources": "AccessDeniedException"}
    summary = scan(estate, INVENTORY, GLOBAL, denied)
    assert summary["not_checked"]["types"] == [GENERIC]
    assert items(estate) == {("unmanaged", "inventory", "aws_synthetics_canary", OTHER)}


def test_a_declared_resource_without_a_mapping_is_there_changed_or_gone(estate: Estate) -> None:
    summary = scan(estate, CLOUD_CONTROL, REGION, model(Name="nightly", SuccessRetentionPeriod=1))
    assert (summary["uncovered"], summary["in_sync"], items(estate)) == ({"aws_unheard_of": 1}, 1, set())
    scan(estate, CLOUD_CONTROL, REGION, model(Name="nightly", SuccessRetentionPeriod=2))
    assert items(estate) == {("changed", "baseline", "aws_synthetics_canary", "nightly")}
    summary = scan(estate, CLOUD_CONTROL, REGION, {"cloudcontrol:GetResource": "ResourceNotFoundException"})
    assert items(estate) == {("missing", "declared", "aws_synthetics_canary", "nightly")}
    assert summary["in_sync"] == 0


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "UnsupportedActionException", "HandlerInternalFailureException"]
)
def test_what_cloud_control_cannot_read_is_not_covered_and_closes_nothing(estate: Estate, code: str) -> None:
    scan(estate, CLOUD_CONTROL, REGION, {"cloudcontrol:GetResource": "ResourceNotFoundException"})
    summary = scan(estate, CLOUD_CONTROL, REGION, {"cloudcontrol:GetResource": code})
    assert items(estate) == {("missing", "declared", "aws_synthetics_canary", "nightly")}
    assert summary["uncovered"] == {"aws_synthetics_canary": 1, "aws_unheard_of": 1}
    assert summary["unread"] == 1


def test_what_waits_for_states_begins_with_the_last_of_them(estate: Estate) -> None:
    with estate.db.unit(estate.actor) as tx:
        scan_id = scans.insert_scan(tx, account_id=estate.account, requested_by="", shards_total=3)["id"]
        names = ("state:1", "state:2", CLOUD_CONTROL)
        one, other, asked = shard_queries.insert_shards(
            tx, scan_id, [{"service": name, "region": GLOBAL} for name in names]
        )
        scans.begin_scan(tx, scan_id)
        shard_queries.end_shard(tx, one["id"], status="done", resources=0)
        assert inventory.list_waiting_shards(tx, scan_id, service=CLOUD_CONTROL) == []
        shard_queries.end_shard(tx, other["id"], status="done", resources=0)
        assert inventory.list_waiting_shards(tx, scan_id, service=CLOUD_CONTROL) == [asked["id"]]


def test_a_gap_of_one_region_keeps_the_others_honest(estate: Estate) -> None:
    gap = NotChecked((GENERIC,), "eu-west-1", "not_enabled")
    scan(estate, INVENTORY, GLOBAL, index(OTHER))
    with estate.db.unit(estate.actor) as tx:
        inventory.keep_open(tx, account_id=estate.account, regions=[gap.region])
    scan(estate, INVENTORY, GLOBAL, index())
    assert items(estate) == set()
