"""Who made the drift of an account: CloudTrail asked after a scan, by boto3 over HTTP, into the items of a real database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from functions.scan.handlers import attributing
from functions.scan.readers.aws.session import AwsAccount, Login, SignIns, sign_in
from functions.scan.readers.aws.trail import Pace
from shared.ports.queue import Message
from shared.ports.secret_store import Secret
from shared.testing.clock import FakeClock
from tests.support.cloud_trail import ADMIN_SESSION, CloudTrail, event
from tests.support.database import ClonedDatabase, DatabaseServer
from tests.support.scan_function import ScanFunction, ScanOrg

MINUTE = timedelta(minutes=1)


def _members(usual: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {**usual, **given}


class _SignedIn(SignIns):
    """Signs in to one account, whatever its row says."""

    def __init__(self, account: AwsAccount) -> None:
        self._account = account

    def get(self, key: object, make: Callable[[], AwsAccount]) -> AwsAccount:  # noqa: ARG002  # the shape of the real one
        return self._account


@dataclass
class Scene:
    """An account with drift, its event history, and a process that looks up who made it."""

    trail: CloudTrail
    org: ScanOrg
    account: UUID
    scan: UUID
    began: datetime

    def drift(self, key: str, kind: str = "changed", **columns: Any) -> UUID:
        """Store one item that the scan found just now; returns its id."""
        item = uuid4()
        columns = {
            "type": "aws_vpc",
            "cloud_id": f"arn:aws:ec2:us-east-1:123456789012:vpc/{key}",
            "region": "us-east-1",
        } | columns
        if kind == "changed":
            columns = {"path": "enable_dns_support", "address": f"aws_vpc.{key}"} | columns
        self.org.make_drift(self.account, self.scan, id=item, kind=kind, key=key, **columns)
        return item

    def look_up(self, *, after_scan: bool = True) -> None:
        """Push the message that the end of a scan sends."""
        payload = {"account_id": str(self.account)} | ({"scan_id": str(self.scan)} if after_scan else {})
        message = Message(payload, {"event_id": str(uuid4()), "org_id": str(self.org.id)})
        response = self.org.function.push(message, "scan-attributions")
        assert response.status_code == 204, response.get_data(as_text=True)

    def items(self, query: str = "") -> dict[str, dict[str, Any]]:
        """Return who made each item, by its key, as the API tells."""
        found = self.org.done("GET", f"/drift?limit=200{query}")["items"]
        return {item["key"]: item["attribution"] for item in found}

    def due(self) -> list[str]:
        rows = self.org.own(
            "select key from scan.drift_items where org_id = :org_id and attribution_due_at is not null order by key"
        )
        return [row[0] for row in rows]

    def modified(self, key: str, minutes_ago: float = 30, name: str = "ModifyVpcAttribute", **members: Any) -> None:
        """Record a call that changed a VPC."""
        request = {"vpcId": key, "enableDnsSupport": {"value": False}}
        at = self.began - minutes_ago * MINUTE
        self.trail.events.append(event(name, "ec2", at, **_members({"resources": [key], "request": request}, members)))


@pytest.fixture(scope="module")
def shared(database_server: DatabaseServer) -> Iterator[ClonedDatabase]:
    """One database for all tests, as each has an organisation of its own."""
    with database_server.clone() as found:
        yield found


@pytest.fixture
def scene(shared: ClonedDatabase) -> Iterator[Scene]:
    trail = CloudTrail()
    began = datetime.now(UTC)
    with trail.serve() as url:
        function = ScanFunction(shared, clock=FakeClock(began))
        account = sign_in(
            Login(
                "123456789012",
                access_key_id="AKIAIOSFODNN7EXAMPLE",
                secret_access_key=Secret(b"x" * 40),
                endpoint=url,
                attempts=1,
            )
        )
        function.deps = replace(function.deps, sign_ins=_SignedIn(account), pace=Pace(function.clock))
        org = ScanOrg.make(function)
        account_id = org.make_account()
        org.make_scan(account_id, started_at=began - timedelta(hours=2), finished_at=began - timedelta(hours=1))
        scan = org.make_scan(account_id, started_at=began, finished_at=began + MINUTE)
        yield Scene(trail, org, account_id, scan, began)
        org.own("update scan.drift_items set attribution_due_at = null where org_id = :org_id")


def test_who_changed_it_when_and_how_is_told(scene: Scene) -> None:
    scene.drift("vpc-1")
    scene.modified("vpc-1", identity=ADMIN_SESSION, sessionCredentialFromConsole="true", userAgent="AWS Internal")
    scene.look_up()
    found = scene.items()["vpc-1"]
    assert found | {"at": "", "request_id": "", "event_id": ""} == {
        "status": "found", "confidence": "exact", "actor": "arn:aws:sts::123456789012:assumed-role/Admin/bob@example.com",
        "actor_type": "AssumedRole", "user_name": "Admin", "session_name": "bob@example.com", "issuer_arn": "arn:aws:iam::123456789012:role/Admin",
        "invoked_by": None, "at": "", "call": "ec2.amazonaws.com:ModifyVpcAttribute", "channel": "console", "source_address": "203.0.113.64",
        "user_agent": "AWS Internal", "region": "us-east-1", "request_id": "", "event_id": "", "reason": None, "permission": None,
    }  # fmt: skip
    assert found["request_id"]
    assert abs(datetime.fromisoformat(found["at"]) - (scene.began - 30 * MINUTE)) < MINUTE
    assert scene.due() == []
    for actor in ("bob@example.com", "Admin", found["actor"]):
        assert set(scene.items(f"&actor={actor}")) == {"vpc-1"}
    assert scene.items("&actor=Alice") == {}


def test_a_delete_explains_what_is_missing_and_a_create_what_is_unmanaged(scene: Scene) -> None:
    scene.drift("vpc-gone", "missing")
    scene.drift("vpc-new", "unmanaged")
    scene.modified("vpc-gone", 20, "DeleteVpc")
    scene.modified("vpc-gone", 10, "CreateTags")
    scene.modified(
        "vpc-new", 20, "CreateVpc", request={"cidrBlock": "10.0.0.0/16"}, response={"vpc": {"vpcId": "vpc-new"}}
    )
    scene.modified("vpc-new", 10)
    scene.look_up()
    found = scene.items()
    assert found["vpc-gone"]["call"] == "ec2.amazonaws.com:DeleteVpc"
    assert found["vpc-new"]["call"] == "ec2.amazonaws.com:CreateVpc"


def test_failed_and_reading_calls_made_nothing(scene: Scene) -> None:
    scene.drift("vpc-1")
    scene.modified("vpc-1", 5, errorCode="Client.UnauthorizedOperation")
    scene.modified("vpc-1", 6, "DescribeVpcAttribute", readOnly=True)
    scene.org.function.clock.advance(3600)
    scene.look_up()
    assert scene.items()["vpc-1"] | {"status": "unknown", "reason": "no_event"} == scene.items()["vpc-1"]


def test_a_call_that_is_not_delivered_yet_is_looked_for_again(scene: Scene) -> None:
    scene.drift("vpc-1")
    scene.look_up()
    assert scene.items()["vpc-1"]["status"] == "pending"
    assert scene.due() == ["vpc-1"]
    assert scene.org.function.tick("attribution-sweep") == {"swept": 0}  # nothing is due for a while
    scene.modified("vpc-1")
    scene.org.own("update scan.drift_items set attribution_due_at = now() where org_id = :org_id")
    assert scene.org.function.tick("attribution-sweep") == {"swept": 1}
    (message,) = scene.org.function.queue.messages("scan-attributions")
    assert scene.org.function.push(message, "scan-attributions").status_code == 204
    assert scene.items()["vpc-1"]["confidence"] == "exact"
    assert scene.due() == []


def test_an_older_call_is_only_possible(scene: Scene) -> None:
    scene.drift("vpc-1")
    scene.modified("vpc-1", 60 * 24)
    scene.look_up()
    assert scene.items()["vpc-1"]["confidence"] == "possible"
    assert scene.due() == ["vpc-1"]


def test_a_missing_right_is_named_and_asked_for_once_per_region(scene: Scene) -> None:
    for number in range(4):
        scene.drift(f"vpc-{number:02d}")
    scene.trail.denied = True
    scene.look_up()
    assert len(scene.trail.asked) == 1
    assert {(item["status"], item["reason"], item["permission"]) for item in scene.items().values()} == {
        ("unknown", "access_denied", "cloudtrail:LookupEvents")
    }
    scene.trail.denied = False
    scene.modified("vpc-03")
    scene.look_up(after_scan=False)
    assert scene.items()["vpc-03"]["status"] == "unknown"
    scene.look_up()  # the next scan asks again, as the right may have been granted
    assert scene.items()["vpc-03"]["status"] == "found"


def test_throttling_slows_and_loses_nothing(scene: Scene) -> None:
    scene.drift("vpc-1")
    scene.modified("vpc-1")
    scene.trail.failures = ["ThrottlingException"]
    scene.look_up()
    assert scene.items()["vpc-1"]["status"] == "pending"
    assert scene.org.function.tick("attribution-sweep") == {"swept": 0}  # AWS gets its rest
    scene.look_up()
    assert len(scene.trail.asked) == 1
    scene.org.own(
        "update scan.cloud_accounts set attribution_leased_until = now() - interval '1 second' where org_id = :org_id"
    )
    assert scene.org.function.tick("attribution-sweep") == {"swept": 1}
    scene.look_up(after_scan=False)
    assert scene.items()["vpc-1"]["status"] == "found"


def test_look_ups_keep_to_the_pace_of_aws(scene: Scene) -> None:
    for number in range(4):
        scene.drift(f"vpc-{number}")
    before = scene.org.function.clock.monotonic_seconds()
    scene.look_up()
    passed = scene.org.function.clock.monotonic_seconds() - before
    assert passed >= (len(scene.trail.asked) - 1) / 2


def test_a_repeated_message_asks_nothing_again(scene: Scene) -> None:
    scene.drift("vpc-1")
    scene.modified("vpc-1")
    scene.look_up()
    before, asked = scene.items(), len(scene.trail.asked)
    scene.look_up()
    assert (scene.items(), len(scene.trail.asked)) == (before, asked)


def test_a_long_list_is_worked_off_in_several_turns_the_worst_first(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attributing, "_WORK_SECONDS", 15.0)
    for number in range(60):
        scene.drift(f"vpc-{number:02d}", severity="high" if number == 59 else "low")
    scene.modified("vpc-59")
    scene.look_up()
    assert scene.items("&severity=high")["vpc-59"]["status"] == "found"
    asked = len(scene.trail.asked)
    assert asked < 90  # 15 s at two requests a second, and the rest of a batch
    messages = scene.org.function.queue.messages("scan-attributions")
    assert messages
    assert "scan_id" not in messages[-1].payload
    assert scene.org.function.push(messages[-1], "scan-attributions").status_code == 204
    assert len(scene.trail.asked) > asked


def test_what_is_beyond_the_bound_of_a_scan_is_said_to_be(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributing, "_MOST_ITEMS_PER_SCAN", 1)
    scene.drift("vpc-1", severity="low")
    scene.drift("vpc-2", severity="critical")
    scene.look_up()
    assert (scene.items()["vpc-1"]["status"], scene.items()["vpc-1"]["reason"]) == ("unknown", "limit_reached")
    assert scene.items()["vpc-2"]["reason"] == "no_event"


def test_items_of_global_services_are_looked_up_at_home_and_others_where_they_are(scene: Scene) -> None:
    scene.drift("app", "missing", type="aws_iam_role", region="global", cloud_id="arn:aws:iam::123456789012:role/app")
    scene.drift("vpc-1", region="eu-west-1")
    scene.drift("vpc-2", "missing", region=None, cloud_id="vpc-2")
    scene.trail.events.append(
        event("DeleteRole", "iam", scene.began - 9 * MINUTE, resources=["app"], request={"roleName": "app"})
    )
    scene.modified("vpc-1", region="eu-west-1")
    scene.modified("vpc-2", name="DeleteVpc", region="eu-west-1")
    scene.look_up()
    found = scene.items()
    assert {found[key]["status"] for key in ("app", "vpc-1", "vpc-2")} == {"found"}
    assert {region for region, _ in scene.trail.asked} == {"us-east-1", "eu-west-1"}


def test_a_value_that_changed_once_more_is_looked_up_anew(scene: Scene) -> None:
    scene.drift("vpc-1", after=json.dumps(False))
    scene.modified("vpc-1")
    scene.look_up()
    assert scene.due() == []
    columns = (
        "kind, type, key, address, cloud_id, region, path, is_sensitive, severity, rule, encode(fingerprint, 'hex')"
    )
    (row,) = scene.org.own(f"select {columns} from scan.drift_items where org_id = :org_id")
    names = [name.strip() for name in columns.split(",")[:-2]]
    item: Mapping[str, object] = dict(zip(names, row[:-1], strict=True)) | {
        "fingerprint": row[-1],
        "after": "x",
        "ignore_rule_id": None,
    }
    _upsert(scene, {**item, "after": False})
    assert scene.due() == []
    _upsert(scene, item)
    assert scene.due() == ["vpc-1"]


def _upsert(scene: Scene, item: Mapping[str, object]) -> None:
    from functions.scan.queries import drift
    from tests.support.database import actor_in

    with scene.org.function.db.unit(actor_in(scene.org.id)) as tx:
        drift.upsert_items(tx, account_id=scene.account, scan_id=scene.scan, items=[cast("dict[str, object]", item)])
