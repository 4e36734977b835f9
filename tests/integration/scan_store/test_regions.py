"""Scans of all regions: looked up once however often the message comes, counted exactly, and nothing concluded where it failed.

Also: several accounts in one call, and accounts behind a hub.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from threading import Thread
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from functions.scan import starting
from functions.scan.clouds import aws
from functions.scan.domain.inventory import GENERIC
from functions.scan.domain.records import declared_rows
from functions.scan.domain.resources import LiveResource
from functions.scan.domain.shards import INVENTORY
from functions.scan.further import ASKED_TYPES, READ_TYPES, FurtherShard
from functions.scan.ingestion import read_state
from functions.scan.queries import accounts, scans, sources
from functions.scan.readers.aws.base import Finding, Gap, Listing, Scope, Service
from functions.scan.readers.aws.session import AwsAccount, SignIns
from functions.scan.types.aws import SPECS
from shared.ports.queue import Message
from tests.support.database import actor_in
from tests.support.scan_function import ScanFunction, ScanOrg

HOME, FAR, OFF = "us-east-1", "ap-south-1", "af-south-1"
DENIED = Gap("access_denied", "ec2:DescribeRegions", "DescribeRegions answered UnauthorizedOperation")
THROTTLED = Gap("throttled", None, "DescribeRegions answered RequestLimitExceeded")
RECORDER = "aws_config_configuration_recorder"
HUB = "arn:aws:iam::210987654321:role/hub"


@dataclass
class Cloud:
    """An account with one VPC in each of its regions, and perhaps with a recorder called `default`.

    Attributes:
        recorders: region -> the role of its recorder.
        regions: what it says about its regions.
        vpcs: region -> ids.
        read: regions that were read, in order.
        lookups: how often the regions were asked for.
    """

    regions: tuple[str, ...] | Gap = (HOME, FAR)
    vpcs: dict[str, list[str]] = field(default_factory=lambda: {HOME: ["vpc-home"], FAR: ["vpc-far"]})
    read: list[str] = field(default_factory=list)
    lookups: int = 0
    recorders: dict[str, str] = field(default_factory=dict)

    def look_up(self, scope: Scope) -> tuple[str, ...] | Gap:
        assert scope.region == HOME, "the regions are asked for at home"
        self.lookups += 1
        return self.regions

    def list_vpcs(self, scope: Scope) -> Iterator[Finding]:
        self.read.append(scope.region)
        for key in self.vpcs.get(scope.region, []):
            yield LiveResource("aws_vpc", key, scope.region, {"enable_dns_support": True}, key)

    def list_recorders(self, scope: Scope) -> Iterator[Finding]:
        if scope.region in self.recorders:
            attributes = {"role_arn": self.recorders[scope.region]}
            yield LiveResource(RECORDER, "default", scope.region, attributes, "default")


class _SignedIn(SignIns):
    def __init__(self) -> None:
        pass

    def get(self, key: object, make: Any) -> AwsAccount:  # noqa: ARG002  # the shape of the real one
        return cast("AwsAccount", self)

    def scope(self, region: str) -> Scope:
        place = HOME if region == "global" else region
        return Scope("000000000000", place, "aws", lambda service: pytest.fail(f"nobody calls {service}"))


@dataclass
class Scene:
    """An organisation whose account is read everywhere; its state declares a VPC in each region, and one in a region that is off."""

    cloud: Cloud
    org: ScanOrg
    account: UUID

    def start(self) -> UUID:
        return UUID(self.org.done("POST", "/scans", {"account_id": str(self.account)}, 202)["id"])

    def waiting(self, scan: UUID, topic: str = "scan-shards") -> list[Message]:
        return [item for item in self.org.function.queue.messages(topic) if item.payload["scan_id"] == str(scan)]

    def push(self, message: Message, topic: str = "scan-shards") -> None:
        again = Message(message.payload, {**message.attributes, "event_id": str(uuid4())})
        response = self.org.function.push(again, topic)
        assert response.status_code == 204, response.get_data(as_text=True)

    def run(self, scan: UUID, *, times: int = 1) -> dict[str, Any]:
        """Work off all messages of a scan, each of them so many times; returns the scan."""
        handled: set[int] = set()
        while waiting := [
            (topic, message)
            for topic in ("scan-shards", "scan-comparisons")
            for message in self.waiting(scan, topic)
            if id(message) not in handled
        ]:
            for topic, message in waiting:
                handled.add(id(message))
                for _ in range(times):
                    self.push(message, topic)
        return self.look(scan)

    def look(self, scan: UUID) -> dict[str, Any]:
        found: dict[str, Any] = self.org.done("GET", f"/scans/{scan}")
        return found

    def shards(self, scan: UUID) -> list[tuple[str, str]]:
        rows = self.org.own(
            "select service, region from scan.shards where org_id = :org_id and scan_id = :scan", scan=scan
        )
        return sorted((row[0], row[1]) for row in rows)

    def drift(self) -> set[tuple[str, str]]:
        return {(item["kind"], item["key"]) for item in self.org.done("GET", "/drift?limit=200")["items"]}


@pytest.fixture
def scene(function: ScanFunction, monkeypatch: pytest.MonkeyPatch) -> Scene:
    cloud = Cloud()
    listings = (
        Listing(("aws_vpc",), cloud.list_vpcs, ("ec2:DescribeVpcs",)),
        Listing((RECORDER,), cloud.list_recorders, ("config:DescribeConfigurationRecorders",)),
    )
    monkeypatch.setattr(aws, "SERVICES", (Service("vpcs", listings),))
    monkeypatch.setattr(aws, "read_regions", cloud.look_up)
    monkeypatch.setattr(aws, "read_further", lambda *_, **__: FurtherShard())
    function.deps = replace(function.deps, sign_ins=_SignedIn())
    org = ScanOrg.make(function)
    account = org.make_account()
    org.own("update scan.cloud_accounts set regions = array['all'] where org_id = :org_id and id = :id", id=account)
    (source,) = org.own(
        "insert into scan.state_sources (org_id, account_id, kind, name) values (:org_id, :account, 'upload', 's') returning id",
        account=account,
    )
    for key, region in (("vpc-home", HOME), ("vpc-far", FAR), ("vpc-off", OFF)):
        org.own(
            "insert into scan.state_resources (org_id, source_id, account_id, address, type, key, region, attributes) values "
            "(:org_id, :source, :account, :address, 'aws_vpc', :key, :region, cast(:attributes as jsonb))",
            source=source[0], account=account, address=f"aws_vpc.{key}", key=key, region=region,
            attributes=json.dumps({"id": key, "enable_dns_support": True}),
        )  # fmt: skip
    return Scene(cloud, org, account)


def test_starting_reads_no_cloud_and_makes_one_shard(scene: Scene) -> None:
    scan = scene.start()
    found = scene.look(scan)
    assert (found["shards_total"], found["shards_done"], found["regions"]) == (1, 0, None)
    assert scene.shards(scan) == [("regions", "global")]
    assert (len(scene.waiting(scan)), scene.cloud.lookups) == (1, 0)


@pytest.mark.parametrize("times", [1, 3])
def test_every_enabled_region_is_read_once_and_counted_exactly(scene: Scene, times: int) -> None:
    scan = scene.start()
    found = scene.run(scan, times=times)
    assert (found["status"], found["regions"]) == ("done", [HOME, FAR])
    assert sorted(scene.cloud.read) == sorted([HOME, FAR])
    assert scene.cloud.lookups == 1, "a message that comes again asks nothing again"
    asked = [("cloud-control", place) for place in ("global", HOME, FAR)]
    expected = sorted([("regions", "global"), (INVENTORY, "global"), ("vpcs", HOME), ("vpcs", FAR), *asked])
    assert scene.shards(scan) == expected
    assert found["shards_total"] == found["shards_done"] == len(expected)
    assert scene.drift() == set(), "what lies in a region that is off is out of scope"
    assert found["summary"]["out_of_scope"] == 1


def test_two_deliveries_at_once_cut_the_scan_once(scene: Scene) -> None:
    scan = scene.start()
    (message,) = scene.waiting(scan)
    threads = [Thread(target=scene.push, args=(message,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = scene.look(scan)
    assert found["shards_total"] == len(scene.shards(scan)) == 7
    assert found["shards_done"] == 1
    assert scene.run(scan)["status"] == "done"


def test_a_region_that_is_switched_on_later_is_read_by_the_next_scan(scene: Scene) -> None:
    scene.run(scene.start())
    scene.cloud.regions = (HOME, FAR, OFF)
    found = scene.run(scene.start())
    assert found["regions"] == [HOME, FAR, OFF]
    assert scene.drift() == {("missing", "vpc-off")}


@pytest.mark.parametrize("gap", [DENIED, THROTTLED])
@pytest.mark.parametrize("times", [1, 2])
def test_where_the_regions_are_not_told_nothing_is_checked_missing_or_fixed(scene: Scene, gap: Gap, times: int) -> None:
    scene.cloud.vpcs[FAR] = []
    scene.run(scene.start())
    assert scene.drift() == {("missing", "vpc-far")}
    scene.cloud.regions, scene.cloud.vpcs = gap, {}
    scan = scene.start()
    found = scene.run(scan, times=times)
    assert (found["status"], found["regions"], found["shards_total"], found["shards_done"]) == ("done", None, 1, 1)
    assert scene.drift() == {("missing", "vpc-far")}, "nothing new is missing, and nothing counts as fixed"
    assert found["summary"]["not_checked"]["resources"] == 3
    assert found["summary"]["out_of_scope"] == 0
    (told,) = scene.org.done("GET", f"/scans/{scan}/coverage")["not_checked"]
    assert set(told["types"]) == {*READ_TYPES, *ASKED_TYPES, GENERIC}
    assert (told["region"], told["reason"], told["permission"]) == ("global", gap.reason, gap.permission)


def test_a_lookup_that_the_queue_gives_up_leaves_everything_unchecked(scene: Scene) -> None:
    scan = scene.start()
    (message,) = scene.waiting(scan)
    source = "projects/p/subscriptions/scan-shards"
    again = Message(message.payload, {**message.attributes, "event_id": str(uuid4())})
    for _ in range(2):
        scene.org.function.push(again, "dead-letters", CloudPubSubDeadLetterSourceSubscription=source)
    for waiting in scene.waiting(scan, "scan-comparisons"):
        scene.push(waiting, "scan-comparisons")
    found = scene.look(scan)
    assert (found["status"], found["shards_done"], found["summary"]["not_checked"]["resources"]) == ("done", 1, 3)
    assert scene.drift() == set()


def test_a_cancelled_scan_is_not_cut(scene: Scene) -> None:
    scan = scene.start()
    scene.org.done("POST", f"/scans/{scan}/cancel")
    for message in scene.waiting(scan):
        scene.push(message)
    assert scene.shards(scan) == [("regions", "global")]
    shard = {"id": UUID(str(scene.waiting(scan)[0].payload["shard_id"])), "scan_id": scan}
    with scene.org.function.db.unit(actor_in(scene.org.id)) as tx:  # the worker was past its first look
        starting.spread(tx, shard, account=accounts.get_account(tx, scene.account), regions=[HOME])
    found = scene.look(scan)
    assert (found["status"], found["shards_total"], found["regions"]) == ("cancelled", 1, None)
    assert scene.shards(scan) == [("regions", "global")]


def test_a_scan_keeps_its_regions_when_its_account_is_changed(scene: Scene) -> None:
    scan = scene.start()
    (message,) = scene.waiting(scan)
    scene.push(message)
    scene.org.done("PATCH", f"/cloud-accounts/{scene.account}", {"regions": [OFF]})
    found = scene.run(scan)
    assert found["regions"] == [HOME, FAR]
    assert sorted(scene.cloud.read) == sorted([HOME, FAR])
    assert scene.drift() == set()
    with scene.org.function.db.unit(actor_in(scene.org.id)) as tx:
        assert scans.latest_regions(tx, scene.account) == [HOME, FAR]


def test_regions_that_are_named_are_kept_with_the_scan(scene: Scene) -> None:
    scene.org.done("PATCH", f"/cloud-accounts/{scene.account}", {"regions": [FAR]})
    found = scene.run(scene.start())
    assert (found["regions"], scene.cloud.read, scene.cloud.lookups) == ([FAR], [FAR], 0)


def test_all_is_refused_beside_names(scene: Scene) -> None:
    body = {"regions": ["all", HOME]}
    scene.org.refused("PATCH", f"/cloud-accounts/{scene.account}", body, 422, "invalid")
    assert scene.org.done("GET", f"/cloud-accounts/{scene.account}")["regions"] == ["all"]


# The same name in several regions


def _declare_recorders(scene: Scene, **regions: str | None) -> None:
    """Take in a state with a recorder called `default` per name; each has a provider of its own, and perhaps tells its region."""
    resources = [
        {
            "mode": "managed", "type": RECORDER, "name": name, "provider": f"provider.aws.{name}",
            "instances": [{"attributes": {"id": "default", "name": "default", "role_arn": "r", **({"region": region} if region else {})}}],
        }
        for name, region in regions.items()
    ]  # fmt: skip
    document = {"version": 4, "serial": 1, "lineage": "l", "terraform_version": "1.9.0", "resources": resources}
    state = read_state(json.dumps(document).encode())
    (source,) = scene.org.own(
        "insert into scan.state_sources (org_id, account_id, kind, name) values (:org_id, :account, 'upload', 'r') returning id",
        account=scene.account,
    )
    function = scene.org.function
    with function.db.unit(actor_in(scene.org.id)) as tx:
        sources.replace_resources(
            tx, source[0], declared_rows(state.declared, SPECS, function.deps.sealer(scene.org.id))
        )


def test_of_two_things_with_one_name_the_one_that_changed_is_found(scene: Scene) -> None:
    _declare_recorders(scene, here=HOME, there=FAR, off=OFF)
    scene.cloud.recorders = {HOME: "r", FAR: "r"}
    assert scene.run(scene.start())["status"] == "done"
    assert scene.drift() == set(), "each is as declared, and nothing is known of a region that is off"
    scene.cloud.recorders[FAR] = "other"
    scene.run(scene.start(), times=2)
    (item,) = scene.org.done("GET", "/drift")["items"]
    assert (item["kind"], item["address"], item["region"], item["path"]) == (
        "changed",
        f"{RECORDER}.there",
        FAR,
        "role_arn",
    )
    del scene.cloud.recorders[HOME]
    scene.run(scene.start())
    assert scene.drift() == {("changed", f"{FAR}|default"), ("missing", f"{HOME}|default")}
    scene.cloud.recorders = {HOME: "r", FAR: "r"}
    scene.run(scene.start())
    assert scene.org.done("GET", "/drift?status=open")["items"] == []


def test_a_state_without_a_region_is_compared_with_the_only_one_and_never_with_one_of_several(scene: Scene) -> None:
    _declare_recorders(scene, x=None)
    scene.cloud.recorders = {FAR: "other"}
    scene.run(scene.start())
    assert scene.drift() == {("changed", f"{FAR}|default")}
    scene.cloud.recorders = {FAR: "other", HOME: "r"}
    found = scene.run(scene.start())
    assert found["summary"]["not_checked"]["resources"] == 1
    assert found["summary"]["fixed"] == 0, "what is not known any more is not fixed"
    assert scene.drift() == {("changed", f"{FAR}|default")}
    scene.cloud.recorders = {HOME: "r"}
    found = scene.run(scene.start())
    assert (found["summary"]["fixed"], found["summary"]["not_checked"]["resources"]) == (1, 0)


def test_several_of_a_name_show_nothing_from_the_first_scan_on(scene: Scene) -> None:
    _declare_recorders(scene, x=None)
    scene.cloud.recorders = {FAR: "other", HOME: "another"}
    found = scene.run(scene.start())
    assert (scene.drift(), found["summary"]["not_checked"]["resources"]) == (set(), 1)


# Several accounts


def test_several_accounts_are_scanned_by_one_call(scene: Scene) -> None:
    others = [scene.org.make_account(), scene.account]
    wish = {"account_ids": [str(item) for item in others]}
    found = scene.org.done("POST", "/scans", wish, 202)["items"]
    assert [item["account_id"] for item in found] == wish["account_ids"]
    assert [item["status"] for item in found] == ["pending", "pending"]


def test_of_several_accounts_all_are_scanned_or_none(scene: Scene) -> None:
    busy, free = scene.account, scene.org.make_account()
    scene.start()
    wish = {"account_ids": [str(free), str(busy)]}
    problem = scene.org.refused("POST", "/scans", wish, 409, "scan_in_progress")
    assert problem["account_id"] == str(busy)
    assert len(scene.org.done("GET", "/scans")["items"]) == 1
    scene.org.refused("POST", "/scans", {"account_ids": [str(free), str(uuid4())]}, 404, "not_found")
    assert len(scene.org.done("GET", "/scans")["items"]) == 1


def test_several_accounts_count_against_the_plan_together(function: ScanFunction) -> None:
    org = ScanOrg.make(function, "free")
    wish = {"account_ids": [str(org.make_account()) for _ in range(2)]}
    org.refused("POST", "/scans", wish, 402, "scan_limit_reached")
    assert org.done("GET", "/scans")["items"] == []


# Behind a hub


def _connect(org: ScanOrg, number: int, **auth: str) -> dict[str, Any]:
    account = f"{number:012d}"
    role = {"kind": "role", "role_arn": f"arn:aws:iam::{account}:role/read", **auth}
    body = {"provider": "aws", "name": "n", "external_account": account, "regions": ["all"], "auth": role}
    found: dict[str, Any] = org.done("POST", "/cloud-accounts", body, 201)
    return found


def test_accounts_behind_one_hub_have_one_external_id_of_the_organisation(function: ScanFunction) -> None:
    org, stranger = ScanOrg.make(function), ScanOrg.make(function)
    one, other = _connect(org, 910001, through=HUB), _connect(org, 910002, through=HUB)
    assert (one["through"], one["regions"]) == (HUB, ["all"])
    assert one["external_id"] == other["external_id"]
    apart = [_connect(org, 910003), _connect(org, 910004, through=f"{HUB}-2"), _connect(stranger, 910005, through=HUB)]
    ids = {item["external_id"] for item in (one, *apart)}
    assert len(ids) == 4, "no other way in, and nobody else, has it"
    with function.db.unit(actor_in(stranger.id)) as tx:
        assert accounts.find_external_id_of_hub(tx, f"{HUB}-2") is None
