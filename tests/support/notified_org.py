"""An organisation that is told what happens: channels to servers of a test, events as functions emit them, drift as scans find it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from functions.webhook.outlets.calling import POLICY
from shared.ports.queue import Message
from shared.ports.secret_store import Secret
from shared.security.signatures import verify
from tests.support.tls_server import Authority, Behaviour, Seen, Server, answer
from tests.support.webhook_function import WebhookFunction, WebhookOrg

NAME = "hooks.example.com"
PATH = "/services/T00000000/B00000000/secret-part-of-the-url"


@dataclass
class Loopback:
    """A resolver that finds every name on this machine, but those that a test says otherwise of."""

    others: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def resolve(self, host: str, *, timeout_seconds: float) -> tuple[str, ...]:
        assert timeout_seconds > 0
        return self.others.get(host, ("127.0.0.1",))


@contextmanager
def receiver(authority: Authority, behave: Behaviour | None = None) -> Iterator[Server]:
    """Run a server that channels may be pointed at."""
    with Server(authority.context(NAME), behave or answer(b"ok")) as server:
        yield server


def reach(function: WebhookFunction, authority: Authority, *servers: Server, **limits: Any) -> Loopback:
    """Let a process call these servers, and nothing else on this machine; returns its resolver."""
    resolver = Loopback()
    function.resolver = resolver
    function.policy = replace(
        POLICY,
        ports=frozenset({443, *(server.port for server in servers)}),
        loopback=frozenset((server.address, server.port) for server in servers),
        authorities_pem=authority.pem,
        **limits,
    )
    function.deps = function.build_deps()
    return resolver


def url_of(server: Server, path: str = PATH) -> str:
    """Return the address of a server, as a customer gives it."""
    return f"https://{NAME}:{server.port}{path}"


@dataclass
class NotifiedOrg(WebhookOrg):
    """An organisation with channels."""

    def make_channel(self, server: Server | None = None, kind: str = "webhook", **wish: Any) -> dict[str, Any]:
        """Make a channel; returns the answer, secret included."""
        if server is not None:
            wish = {"url": url_of(server), **wish}
        body = {"kind": kind, "name": "ours", "events": ["*"], **wish}
        found: dict[str, Any] = self.done("POST", "/notification-channels", body, 201)
        return found

    def channel(self, channel: Mapping[str, Any]) -> dict[str, Any]:
        """Read a channel."""
        found: dict[str, Any] = self.done("GET", f"/notification-channels/{channel['id']}")
        return found

    def tell(self, event: str = "auth:member:joined", *, event_id: str | None = None, **payload: Any) -> Message:
        """Let the queue bring an event of the organisation; returns the message."""
        attributes = {"event_id": event_id or str(uuid4()), "org_id": str(self.id)}
        message = Message({"event": event, **payload}, attributes)
        assert self.function.push(message, "notification-events").status_code == 204
        return message

    def send(self) -> None:
        """Bring every message that asked for sending so far, as often as there are any."""
        done = 0
        while waiting := self.function.queue.messages("notification-sends")[done:]:
            for message in waiting:
                self.function.push(message, "notification-sends")
            done += len(waiting)

    def sweep(self) -> int:
        """Let the sweep ask for what is due, and send it; returns how many channels it asked for."""
        asked = int(self.function.tick("notification-sweep")["asked"])
        self.send()
        return asked

    def later(self, seconds: float) -> int:
        """Let time pass, then sweep."""
        self.function.clock.advance(seconds)
        return self.sweep()

    def outgoing(self, query: str = "") -> list[dict[str, Any]]:
        """List deliveries that go out, oldest first."""
        found = self.done("GET", f"/webhook-deliveries?direction=out{query}")["items"]
        return sorted(found, key=lambda item: (item["channel_id"], item["seq"]))

    def find_drift(self, items: Sequence[Mapping[str, Any]], *, account_id: UUID | None = None) -> tuple[UUID, UUID]:
        """Store what a scan found, as the scan does; returns the account and the scan."""
        owner = self.function.database.owner
        account_id, scan_id = account_id or self.make_account(), uuid4()
        now = self.function.clock.now()
        owner.run(
            "insert into scan.scans (org_id, id, account_id, status, finished_at) values (:org, :id, :account, 'done', :now)",
            org=self.id, id=scan_id, account=account_id, now=now,
        )  # fmt: skip
        for item in items:
            values = {
                "kind": "changed",
                "rule": "aws.s3.public",
                "severity": "high",
                "address": "aws_s3_bucket.b",
                **item,
            }
            owner.run(
                "insert into scan.drift_items (org_id, account_id, scan_id, kind, type, key, address, severity, rule, fingerprint,"
                " first_seen_at, last_seen_at) values (:org, :account, :scan, :kind, 'aws_s3_bucket', 'k', :address, :severity, :rule,"
                " :fingerprint, :now, :now)",
                org=self.id, account=account_id, scan=scan_id, fingerprint=uuid4().bytes * 2, now=now, **values,
            )  # fmt: skip
        return account_id, scan_id

    def make_account(self, name: str = "production") -> UUID:
        """Make a cloud account."""
        account_id = uuid4()
        self.function.database.owner.run(
            "insert into scan.cloud_accounts (org_id, id, provider, name, external_account, regions, auth_kind, role_arn)"
            " values (:org, :id, 'aws', :name, :number, '{eu-west-1}', 'role', 'arn:aws:iam::123456789012:role/x')",
            org=self.id, id=account_id, name=name, number=f"{account_id.int % 10**12:012d}",
        )  # fmt: skip
        return account_id


def body_of(seen: Seen) -> dict[str, Any]:
    """Return the JSON that a server got."""
    found: dict[str, Any] = json.loads(seen.content)
    return found


def signed_by(seen: Seen, function: WebhookFunction, *secrets: str) -> int:
    """Check the signature of a request with our own verifier; returns the place of the secret that fits."""
    headers = {name.lower(): value for name, value in seen.headers}
    return verify("standard", headers, seen.content, [Secret(each.encode()) for each in secrets], function.clock)
