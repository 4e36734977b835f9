"""An account of Google Cloud or Azure that one process of the scan function scans end to end, with the cloud in memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.scan.ingestion import read_state, store_state
from functions.scan.queries import sources
from functions.scan.wiring import ScanDeps
from shared.ports.queue import Message

from .database import actor_in
from .scan_function import ScanFunction, ScanOrg

TOPICS = ("scan-shards", "scan-comparisons", "scan-attributions")
_AUTH: Mapping[str, Mapping[str, Any]] = {
    "gcp": {"auth_kind": "workload_identity", "identity_provider": "p", "external_id": "dw-x"},
    "azure": {"auth_kind": "federated", "tenant_id": str(uuid4()), "client_id": str(uuid4()), "external_id": "dw-x"},
}


def state_of(resources: Iterable[tuple[str, Mapping[str, Any]]], *, serial: int = 1) -> bytes:
    """Write a state that holds these resources, each at an address of its own."""
    written = [
        {"mode": "managed", "type": kind, "name": f"r{number}", "instances": [{"attributes": dict(attributes)}]}
        for number, (kind, attributes) in enumerate(resources)
    ]
    document = {"version": 4, "serial": serial, "lineage": "1d1c9f3a-0000-4000-8000-000000000000", "resources": written}
    return json.dumps(document).encode()


@dataclass
class CloudScene:
    """An organisation with one account, and what it talks to.

    Attributes:
        org: the organisation.
        account: id of its account.
        source: id of its state source.
    """

    org: ScanOrg
    account: UUID
    source: UUID

    @classmethod
    def make(
        cls, function: ScanFunction, monkeypatch: pytest.MonkeyPatch, provider: str, external: str, cloud: object
    ) -> CloudScene:
        """Connect an account.

        Args:
            function: the process.
            monkeypatch: puts the cloud in the place of the real one.
            provider: `gcp` or `azure`.
            external: name of the account.
            cloud: what the reader calls.
        """
        seam = {"gcp": "google", "azure": "azure"}[provider]
        monkeypatch.setattr(ScanDeps, seam, lambda *_: cloud, raising=False)
        org = ScanOrg.make(function)
        columns = {"provider": provider, "name": "a", "external_account": external, **_AUTH[provider]}
        names = ", ".join(columns)
        values = ", ".join(
            f"cast(:{name} as uuid)" if name.endswith(("tenant_id", "client_id")) else f":{name}" for name in columns
        )
        (row,) = org.own(
            f"insert into scan.cloud_accounts (org_id, regions, {names}) values (:org_id, array['global'], {values}) returning id",
            **columns,
        )
        (source,) = org.own(
            "insert into scan.state_sources (org_id, account_id, kind, name) values (:org_id, :account, 'upload', 's') returning id",
            account=row[0],
        )
        return cls(org, UUID(str(row[0])), UUID(str(source[0])))

    @property
    def function(self) -> ScanFunction:
        """Return the process."""
        return self.org.function

    def declare(self, resources: Iterable[tuple[str, Mapping[str, Any]]], *, serial: int = 1) -> None:
        """Take a state in."""
        content = state_of(resources, serial=serial)
        with self.function.db.unit(actor_in(self.org.id)) as tx:
            source = sources.lock_source(tx, self.source)
            store_state(tx, source, content, read_state(content), self.function.deps.sealer(self.org.id))

    def start(self) -> str:
        """Start a scan; returns its id."""
        return str(self.org.done("POST", "/scans", {"account_id": str(self.account)}, 202)["id"])

    def run(self, scan: str, *, times: int = 1) -> dict[str, Any]:
        """Work off all messages of a scan, each of them so many times; returns the scan."""
        handled: set[int] = set()
        while waiting := [
            (topic, message)
            for topic in TOPICS
            for message in self.function.queue.messages(topic)
            if message.payload.get("scan_id") == scan and id(message) not in handled
        ]:
            for topic, message in waiting:
                handled.add(id(message))
                for _ in range(times):
                    self.push(topic, message)
        found: dict[str, Any] = self.org.done("GET", f"/scans/{scan}")
        return found

    def push(self, topic: str, message: Message) -> None:
        """Deliver a message as if for the first time."""
        again = Message(message.payload, {**message.attributes, "event_id": str(uuid4())})
        response = self.function.push(again, topic)
        assert response.status_code == 204, response.get_data(as_text=True)

    def scan(self, *, times: int = 1) -> dict[str, Any]:
        """Scan to the end, which must be a good one."""
        found = self.run(self.start(), times=times)
        assert found["status"] == "done", found
        assert found["shards_done"] == found["shards_total"], found
        return found

    def items(self) -> list[dict[str, Any]]:
        """Return everything that is open."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.org.done("GET", f"/drift?limit=200{cursor}")
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def drift(self) -> set[tuple[str, str, str]]:
        """Return everything that is open as (kind, type, path or key)."""
        return {(item["kind"], item["type"], item["path"] or item["key"]) for item in self.items()}

    def not_checked(self, scan: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return what a scan could not list."""
        found: list[dict[str, Any]] = self.org.done("GET", f"/scans/{scan['id']}/coverage")["not_checked"]
        return found
