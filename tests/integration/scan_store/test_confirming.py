"""What a scan finds new is read once more: a cloud that answered wrongly once is not believed, and what stays is reported."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from functions.scan.clouds import aws
from functions.scan.domain.resources import LiveResource
from functions.scan.domain.shards import forgotten, rereads, types_read
from functions.scan.queries import scans
from functions.scan.queries import shards as shard_queries
from functions.scan.readers.aws import SERVICES
from functions.scan.readers.aws.base import Finding, Listing, Scope, Service
from functions.scan.readers.aws.session import AwsAccount, SignIns
from shared.ports.queue import Message
from tests.support.database import ClonedDatabase, DatabaseServer, actor_in
from tests.support.scan_function import ScanFunction, ScanOrg

REGION = "eu-west-1"


def _vpc(key: str, **attributes: object) -> LiveResource:
    return LiveResource("aws_vpc", key, REGION, {"enable_dns_support": True, **attributes}, key)


@dataclass
class Cloud:
    """An account that answers each listing with the next of its answers; the last one stays.

    Attributes:
        answers: what is listed, by call; a text is an error of the reader.
        calls: how often it was asked.
    """

    answers: list[list[LiveResource] | str] = field(default_factory=list)
    calls: int = 0

    def read(self, _scope: Scope) -> Iterator[Finding]:
        answer = self.answers[min(self.calls, len(self.answers) - 1)]
        self.calls += 1
        if isinstance(answer, str):
            raise KeyError(answer)
        yield from answer


class _SignedIn(SignIns):
    def __init__(self) -> None:
        pass

    def get(self, key: object, make: Callable[[], AwsAccount]) -> AwsAccount:  # noqa: ARG002  # the shape of the real one
        return cast("AwsAccount", self)

    def scope(self, region: str) -> Scope:
        return Scope("000000000000", region, "aws", lambda service: pytest.fail(f"nobody calls {service}"))


@dataclass
class Scene:
    """An organisation with a state of two VPCs, and a cloud."""

    cloud: Cloud
    quiet: Cloud
    org: ScanOrg
    account: UUID

    def start(self) -> UUID:
        """Begin a scan of two shards; returns its id."""
        with self.org.function.db.unit(actor_in(self.org.id)) as tx:
            row = scans.insert_scan(tx, account_id=self.account, requested_by="", shards_total=2)
            shards = [{"service": name, "region": REGION} for name in ("vpcs", "queues")]
            for shard in shard_queries.insert_shards(tx, row["id"], shards):
                tx.emit("scan-shards", {"shard_id": str(shard["id"]), "scan_id": str(row["id"])})
        return UUID(str(row["id"]))

    def run(self, scan: UUID, *, times: int = 1) -> None:
        """Work off all messages of a scan, each of them so many times."""
        handled: set[int] = set()
        while True:
            waiting = [
                (topic, message)
                for topic in ("scan-shards", "scan-comparisons")
                for message in self.org.function.queue.messages(topic)
                if message.payload["scan_id"] == str(scan) and id(message) not in handled
            ]
            if not waiting:
                return
            for topic, message in waiting:
                handled.add(id(message))
                for _ in range(times):
                    self.push(topic, message)

    def push(self, topic: str, message: Message) -> None:
        again = Message(message.payload, {**message.attributes, "event_id": str(uuid4())})
        response = self.org.function.push(again, topic)
        assert response.status_code == 204, response.get_data(as_text=True)

    def scan(self, *, times: int = 1) -> dict[str, Any]:
        """Scan to the end; returns the scan."""
        scan = self.start()
        self.run(scan, times=times)
        found: dict[str, Any] = self.org.done("GET", f"/scans/{scan}")
        assert found["status"] == "done", found
        assert found["shards_done"] == found["shards_total"] == 2
        return found

    def drift(self) -> set[tuple[str, str]]:
        return {(item["kind"], item["key"]) for item in self.org.done("GET", "/drift?limit=200")["items"]}


@pytest.fixture(scope="module")
def shared(database_server: DatabaseServer) -> Iterator[ClonedDatabase]:
    with database_server.clone() as found:
        yield found


@pytest.fixture
def scene(shared: ClonedDatabase, monkeypatch: pytest.MonkeyPatch) -> Scene:
    cloud, quiet = Cloud([[_vpc("vpc-1"), _vpc("vpc-2")]]), Cloud([[]])
    services = (
        Service("vpcs", (Listing(("aws_vpc",), cloud.read, ("ec2:DescribeVpcs",)),)),
        Service("queues", (Listing(("aws_sqs_queue",), quiet.read, ("sqs:ListQueues",)),)),
    )
    monkeypatch.setattr(aws, "SERVICES", services)
    function = ScanFunction(shared)
    function.deps = replace(function.deps, sign_ins=_SignedIn())
    org = ScanOrg.make(function)
    account = org.make_account()
    (source,) = org.own(
        "insert into scan.state_sources (org_id, account_id, kind, name) values (:org_id, :account, 'upload', 's') returning id",
        account=account,
    )
    for key in ("vpc-1", "vpc-2"):
        org.own(
            "insert into scan.state_resources (org_id, source_id, account_id, address, type, key, attributes) values "
            "(:org_id, :source, :account, :address, 'aws_vpc', :key, cast(:attributes as jsonb))",
            source=source[0], account=account, address=f"aws_vpc.{key}", key=key, attributes=json.dumps({"id": key, "enable_dns_support": True}),
        )  # fmt: skip
    return Scene(cloud, quiet, org, account)


def test_a_scan_without_anything_new_reads_once(scene: Scene) -> None:
    scene.scan()
    assert (scene.cloud.calls, scene.quiet.calls) == (1, 1)
    assert scene.drift() == set()


def test_what_was_wrong_once_is_not_reported(scene: Scene) -> None:
    right = scene.cloud.answers[0]
    assert isinstance(right, list)
    scene.scan()
    for wrong in ([right[0]], [right[0], _vpc("vpc-2", enable_dns_support=False)], [*right, _vpc("vpc-ghost")]):
        scene.cloud.calls, scene.cloud.answers = 0, [wrong, right]
        found = scene.scan()
        assert scene.drift() == set()
        assert found["resources"] == 2
        assert scene.cloud.calls == 2


def test_what_stays_is_reported_and_only_its_shards_are_read_again(scene: Scene) -> None:
    scene.scan()
    scene.cloud.answers = [[_vpc("vpc-1", enable_dns_support=False), _vpc("vpc-new")]]
    scene.cloud.calls = scene.quiet.calls = 0
    found = scene.scan()
    assert scene.drift() == {("changed", "vpc-1"), ("missing", "vpc-2"), ("unmanaged", "vpc-new")}
    assert (scene.cloud.calls, scene.quiet.calls) == (2, 1)
    assert found["resources"] == 2
    scene.cloud.calls = 0
    scene.scan()  # all of it is open already
    assert scene.cloud.calls == 1
    assert len(scene.drift()) == 3


def test_the_first_scan_takes_what_is_unmanaged_as_listed_and_confirms_the_rest(scene: Scene) -> None:
    right = scene.cloud.answers[0]
    assert isinstance(right, list)
    scene.cloud.answers = [[*right, _vpc("vpc-new")]]
    scene.scan()
    assert (scene.cloud.calls, scene.drift()) == (1, {("unmanaged", "vpc-new")})


def test_what_cannot_be_read_the_second_time_is_not_checked_and_not_reported(scene: Scene) -> None:
    scene.scan()
    scene.cloud.calls, scene.cloud.answers = 0, [[_vpc("vpc-1"), _vpc("vpc-new")], "no answer"]
    found = scene.scan()
    assert scene.drift() == set()
    assert found["summary"]["not_checked"]["types"] == ["aws_vpc"]


def test_messages_that_come_twice_do_no_harm(scene: Scene) -> None:
    scene.scan(times=2)
    right = scene.cloud.answers[0]
    assert isinstance(right, list)
    scene.cloud.calls, scene.cloud.answers = 0, [[right[0]]]
    found = scene.scan(times=3)
    assert scene.drift() == {("missing", "vpc-2")}
    assert found["resources"] == 1
    again = scene.org.done("POST", f"/scans/{found['id']}/drift", status=202)
    scene.run(UUID(again["id"]))
    assert scene.org.done("GET", f"/scans/{found['id']}")["status"] == "done"
    assert scene.drift() == {("missing", "vpc-2")}


def test_a_shard_that_reads_again_forgets_what_it_saw_and_nothing_that_another_saw() -> None:
    everywhere: set[str] = set()
    read_by_region: set[str] = set()
    for service in SERVICES:
        for listing in service.listings:
            if not listing.is_global:
                read_by_region.update(listing.types)
        for types, place in forgotten(service, "global"):
            everywhere.update(types if place is None else ())
            assert place in (None, "global")
        assert {name for types, _ in forgotten(service, "global") for name in types} == set(
            types_read(service, "global")
        )
        assert forgotten(service, REGION) == [(types_read(service, REGION), REGION)]
    assert everywhere & read_by_region == set(), "a global shard would forget what a shard of a region saw"


def test_what_the_global_shard_reads_of_a_regional_type_is_marked_as_global() -> None:
    def client(_service: str) -> Any:
        class Waf:
            def __getattr__(self, operation: str) -> Callable[..., Any]:
                item = {"ARN": "arn:x", "ResourceArn": "arn:x", "Name": "x", "Id": "1"}
                names = ("WebACLs", "RuleGroups", "IPSets", "RegexPatternSets", "LoggingConfigurations")
                got = ("WebACL", "RuleGroup", "IPSet", "RegexPatternSet")
                reply = {name: [item] for name in names} if operation.startswith("list_") else dict.fromkeys(got, item)
                return lambda **_arguments: reply

        return Waf()

    scope = Scope("000000000000", REGION, "aws", client)
    seen: set[tuple[str, bool, str | None]] = set()
    both: set[str] = set()
    for service in SERVICES:
        regional = {name for listing in service.listings if not listing.is_global for name in listing.types}
        for listing in service.listings:
            if listing.is_global and regional & set(listing.types):
                both.update(listing.types)
                found = [item for item in listing.read(scope) if isinstance(item, LiveResource)]
                assert found, f"{listing.types}: nothing was read"
                seen.update((item.type, listing.is_global, item.region) for item in found)
    assert seen == {(name, True, "global") for name in both}


def test_the_shards_of_a_finding_are_those_that_read_its_type() -> None:
    (shard,) = rereads([("aws_vpc", "eu-west-1")], SERVICES, ["eu-west-1", "us-east-1"])
    assert shard[1] == "eu-west-1"
    assert rereads([("aws_iam_role", "global")], SERVICES, ["eu-west-1"]) == [("iam", "global")]
    assert len(rereads([("aws_sqs_queue", None)], SERVICES, ["eu-west-1", "us-east-1"])) == 2
    assert rereads([("aws_nothing", None)], SERVICES, ["eu-west-1"]) == []
    (iam,) = (service for service in SERVICES if service.name == "iam")
    assert "aws_iam_role" in types_read(iam, "global")
    assert types_read(iam, "eu-west-1") == []
