"""Journeys of scans through a running suite: organisations of a test's own, an AWS account that was really applied, faults.

Owns no expectations beyond "the call went well"; the tests say what must come out.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import boto3
import grpc
import httpx
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from functions.scan.domain.shards import CLOUD_CONTROL, INVENTORY
from functions.scan.further import further_types
from functions.scan.readers.aws import SERVICES
from local_emulator.aws import ACCOUNT, REGION, empty_and_replay
from local_emulator.moto_server import PLACEHOLDER
from local_emulator.names import PROJECT
from local_emulator.records import DataDirectory

from .running_suite import RunningSuite
from .waiting import wait_until

FIXTURES = Path(__file__).parents[1] / "fixtures" / "aws"
SCAN_SECONDS = 180.0
OVER = frozenset({"done", "failed", "cancelled"})
STATIC_KEY = {"kind": "static_key", "access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "x" * 40}

EVERY_TYPE = {name for service in SERVICES for listing in service.listings for name in listing.types} | {
    name for service in (INVENTORY, CLOUD_CONTROL) for name in further_types(service)
}

Finding = tuple[str, str, str]


@dataclass
class Estate:
    """The emulator's AWS account, filled from a fixture."""

    suite: RunningSuite
    group: str

    @cached_property
    def described(self) -> dict[str, Any]:
        """What `emulator.json` says."""
        found: dict[str, Any] = json.loads((self.suite.logs.parent / "emulator.json").read_bytes())
        return found

    @property
    def endpoint(self) -> str:
        """URL of the account."""
        return str(self.described["aws_endpoint"])

    def build(self) -> None:
        """Empty the account and put the fixture in."""
        empty_and_replay(self.endpoint, FIXTURES / self.group / "requests.jsonl.gz")

    def state(self, **members: object) -> bytes:
        """Return the fixture's state file; `members` replace those of the document."""
        text = (FIXTURES / self.group / "state.json").read_text(encoding="utf-8")
        document = json.loads(text.replace(PLACEHOLDER, self.endpoint.removeprefix("http://")))
        return json.dumps({**document, **members}).encode()

    def client(self, service: str) -> Any:
        """Return a boto3 client of the account, as somebody at a console has it."""
        session: Any = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
        return session.client(service, endpoint_url=self.endpoint)

    @contextmanager
    def fault(self, service: str, operation: str, mode: str, **options: Any) -> Iterator[None]:
        """Switch a fault on for the length of a block, whose end ends every fault."""
        self.switch(service, operation, mode, **options)
        try:
            yield
        finally:
            self.end_faults()

    def switch(self, service: str, operation: str, mode: str, **options: Any) -> None:
        """Switch a fault on, until `end_faults`."""
        fault = {"service": service, "operation": operation, "mode": mode, **options}
        httpx.post(f"{self.endpoint}/moto-api/faults", json=fault).raise_for_status()

    def end_faults(self) -> None:
        """Switch every fault off and let waiting requests go."""
        httpx.delete(f"{self.endpoint}/moto-api/faults").raise_for_status()

    def wait_for_hit(self) -> None:
        """Wait until a request met a fault."""
        url = f"{self.endpoint}/moto-api/faults"
        wait_until(lambda: any(item["hits"] for item in httpx.get(url).json()["faults"]), "a request met the fault")

    # The other back ends

    def google_fault(self, service: str, mode: str, seconds: float = 0) -> None:
        """Make one of the Google services fail."""
        fault = {"service": service, "mode": mode, "seconds": seconds}
        httpx.post(f"{self.described['google']['http']}/_faults", json=fault).raise_for_status()

    def publish(self, topic: str, payload: object, **attributes: str) -> None:
        """Publish one message with Google's client."""
        with grpc.insecure_channel(self.described["google"]["grpc"]) as channel:
            client = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
            message = types.PubsubMessage(data=json.dumps(payload).encode(), attributes=attributes)
            client.publish(topic=f"projects/{PROJECT}/topics/{topic}", messages=[message])

    @contextmanager
    def losing(self, subscription: str) -> Iterator[Callable[[int], None]]:
        """Take a subscription off its function; yields what throws away so many of its messages."""
        name = f"projects/{PROJECT}/subscriptions/{subscription}"
        with grpc.insecure_channel(self.described["google"]["grpc"]) as channel:
            client = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
            pushed = client.get_subscription(subscription=name).push_config
            client.modify_push_config(subscription=name, push_config=types.PushConfig())

            def lose(number: int) -> None:
                lost: set[str] = set()

                def is_lost() -> bool:
                    reply = client.pull(subscription=name, max_messages=100, timeout=10)
                    found = [item.ack_id for item in reply.received_messages]
                    if found:
                        client.acknowledge(subscription=name, ack_ids=found)
                    lost.update(item.message.message_id for item in reply.received_messages)
                    return len(lost) >= number

                wait_until(is_lost, f"{number} messages were published to {subscription}")

            try:
                yield lose
            finally:
                client.modify_push_config(subscription=name, push_config=pushed)

    def process_id(self, name: str) -> int:
        """Return the id of a process of the suite (the leader of its group)."""
        running = DataDirectory(self.suite.logs.parent).read_running()
        assert running is not None
        return next(child.pid for child in running.children if child.name == name)

    def kill(self, name: str) -> None:
        """End a process of the suite with all its workers, without a chance to clean up."""
        os.killpg(self.process_id(name), signal.SIGKILL)


@dataclass
class Org:
    """One organisation, driven by its owner."""

    estate: Estate
    id: UUID

    @classmethod
    def make(cls, estate: Estate, plan: str = "enterprise") -> Org:
        """Make an organisation on a plan."""
        suite = estate.suite
        reply = suite.call("POST", "/api/v2/orgs", suite.tokens["owner"], json={"name": "Scanned"})
        assert reply.status_code == 201, reply.text
        org = cls(estate, UUID(reply.json()["id"]))
        org.set_plan(plan)
        return org

    def set_plan(self, plan: str) -> None:
        """Put the organisation on a plan."""
        self.arrange("update core.orgs set plan = :plan where id = :org_id", plan=plan)

    def arrange(self, statement: str, **values: object) -> list[Any]:
        """Run a statement as the database's owner; `:org_id` is this organisation."""
        connection = self.estate.suite.owner()
        try:
            rows: list[Any] = connection.run(statement, org_id=self.id, **values)
        finally:
            connection.close()
        return rows

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request as the owner."""
        suite = self.estate.suite
        return suite.call(method, suite.org(path, self.id), suite.tokens["owner"], **options)

    def send(self, method: str, path: str, **options: Any) -> Any:
        """Send one request that must go well; returns the JSON answer."""
        reply = self.call(method, path, **options)
        assert reply.is_success, f"{method} {path}: {reply.status_code} {reply.text[:500]}"
        return reply.json() if reply.content else None

    def connect(self, auth: dict[str, str] | None = None, **members: object) -> str:
        """Connect the account; returns its id."""
        wish = {"provider": "aws", "name": "Production", "external_account": ACCOUNT, "regions": [REGION]}
        return str(self.send("POST", "/cloud-accounts", json={**wish, "auth": auth or STATIC_KEY, **members})["id"])

    def add_source(self, account_id: str, kind: str = "upload", **members: object) -> str:
        """Add a state source; returns its id."""
        wish = {"account_id": account_id, "kind": kind, "name": "production", **members}
        return str(self.send("POST", "/state-sources", json=wish)["id"])

    def upload(self, source_id: str, content: bytes, query: str = "") -> httpx.Response:
        """Upload a state."""
        return self.call("PUT", f"/state-sources/{source_id}/state{query}", content=content)

    def connect_with_state(self) -> str:
        """Connect the account and upload the fixture's state; returns the account's id."""
        account_id = self.connect()
        reply = self.upload(self.add_source(account_id), self.estate.state())
        assert reply.status_code == 200, reply.text
        return account_id

    def start_scan(self, account_id: str) -> dict[str, Any]:
        """Start a scan."""
        found: dict[str, Any] = self.send("POST", "/scans", json={"account_id": account_id})
        return found

    def finish(self, scan_id: str, *, timeout_seconds: float = SCAN_SECONDS) -> dict[str, Any]:
        """Wait until a scan is over."""
        found: dict[str, Any] = {}

        def is_over() -> bool:
            found.update(self.send("GET", f"/scans/{scan_id}"))
            return found["status"] in OVER

        wait_until(is_over, f"scan {scan_id} came to an end", timeout_seconds=timeout_seconds)
        return found

    def scan(self, account_id: str) -> dict[str, Any]:
        """Scan the account to the end, which must be a good one."""
        found = self.finish(self.start_scan(account_id)["id"])
        assert found["status"] == "done", found
        return found

    def drift(self, scan_id: str, query: str = "") -> list[dict[str, Any]]:
        """List all drift of a scan, page by page."""
        items: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.send("GET", f"/scans/{scan_id}/drift?limit=7{query}{cursor}")
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            cursor = f"&cursor={page['next_cursor']}"

    def findings(self, scan_id: str, query: str = "") -> set[Finding]:
        """Return all drift of a scan as (kind, address or key, path)."""
        found = [
            (item["kind"], item["address"] or item["key"], item["path"] or "") for item in self.drift(scan_id, query)
        ]
        assert len(found) == len(set(found)), "a finding came twice"
        return set(found)

    def coverage(self, scan_id: str) -> dict[str, Any]:
        """Show what a scan could read."""
        found: dict[str, Any] = self.send("GET", f"/scans/{scan_id}/coverage")
        return found

    def unknown_types(self, scan_id: str) -> set[str]:
        """Return the types that a scan did not check."""
        return {name for gap in self.coverage(scan_id)["not_checked"] for name in gap["types"]}
