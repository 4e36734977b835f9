"""The webhook function, as one process runs it, over a real Postgres: its routes, its worker, a queue that can be looked at."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from itertools import count
from typing import Any, cast
from uuid import UUID

from flask import Response

from functions.webhook.outlets.calling import POLICY
from functions.webhook.outlets.mailing import build_mailer
from functions.webhook.routes import EVENT_ROUTES, ROUTES
from functions.webhook.wiring import SEALED_COLUMNS, SECRETS_KEY, SecretMemory, WebhookDeps
from shared.data.resealing import Resealer
from shared.http.app import App
from shared.ports.clock import SystemClock
from shared.ports.queue import Message
from shared.security.egress import EgressGuard, EgressPolicy, Resolver, SystemResolver
from shared.security.envelope import Envelope
from shared.security.signatures import make_secret
from shared.settings import Settings
from shared.testing.clock import FakeClock, FixedEntropy
from shared.testing.key_manager import MemoryKeyManager
from shared.testing.queue import MemoryQueue

from .database import ClonedDatabase
from .http_app import PUBLIC_URL, SETTINGS, World, call
from .webhook_senders import Sender, Sent

_numbers = count(1)


def wrapped(message: Message, attributes: Mapping[str, str], *, attempt: int = 1) -> dict[str, Any]:
    """Return a message as the queue pushes it."""
    return {
        "message": {
            "data": base64.b64encode(json.dumps(message.payload).encode()).decode(),
            "attributes": {**message.attributes, **attributes},
        },
        "deliveryAttempt": attempt,
    }


@dataclass
class WebhookFunction:
    """One process, and the people and senders who talk to it.

    Attributes:
        pool_size: database connections of the process.
        vault: holds the key of secrets and bodies, and no other.
        policy: what calls to channels may do; a test names its own server in it.
        resolver: looks their names up.
        settings: of the process.
    """

    database: ClonedDatabase
    pool_size: int = 5
    clock: FakeClock = field(default_factory=FakeClock)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    vault: MemoryKeyManager = field(default_factory=MemoryKeyManager)
    policy: EgressPolicy = POLICY
    resolver: Resolver = field(default_factory=SystemResolver)
    settings: Settings = SETTINGS

    def __post_init__(self) -> None:
        self.db = self.database.build_database("webhook", self.queue, pool_size=self.pool_size)
        entropy = FixedEntropy(f"process {next(_numbers)}")
        self.world = World(clock=self.clock, entropy=entropy, directory=cast("Any", self.db))
        self.vault.add_wrapping_key(SECRETS_KEY)
        self.deps = self.build_deps()
        settings = self.deps.settings
        self.app: App[WebhookDeps] = App("webhook", lambda _: self.deps, ROUTES, settings=settings)
        self.worker: App[WebhookDeps] = App("webhook", lambda _: self.deps, EVENT_ROUTES, settings=settings)

    def build_deps(self) -> WebhookDeps:
        """Build the clients of a process."""
        common = self.world.deps(self.settings)
        envelope = Envelope(self.vault, SECRETS_KEY, common.entropy)
        own = {item.name: getattr(common, item.name) for item in fields(common) if item.name != "queue"}
        opened, decoy = SecretMemory(envelope, self.clock), make_secret(common.entropy)
        resealer = Resealer(self.db, envelope, SEALED_COLUMNS, self.clock)
        return WebhookDeps(
            **own,
            queue=self.queue,
            envelope=envelope,
            resealer=resealer,
            opened=opened,
            decoy=decoy,
            egress=EgressGuard(self.policy, self.resolver, SystemClock()),
            mailer=build_mailer(self.settings, self.world.secrets),
        )

    @property
    def now(self) -> int:
        """Unix time of the process."""
        return int(self.clock.now().timestamp())

    def deliver(self, url: str, sent: Sent, **headers: str) -> Response:
        """Send what a provider sent to an address of ours."""
        path = url.removeprefix(PUBLIC_URL)
        return call(
            self.app, "POST", path, headers=sent.headers | headers, content=sent.body, content_type="application/json"
        )

    def push(
        self, message: Message, path: str = "webhook-deliveries", *, attempt: int = 1, **attributes: str
    ) -> Response:
        """Push a message to the worker, as the queue does."""
        body = wrapped(message, attributes, attempt=attempt)
        return call(self.worker, "POST", f"/_events/{path}", token=self.world.event_token(), json_body=body)

    def tick(self, schedule: str) -> Any:
        """Fire a schedule; returns the answer."""
        response = call(self.worker, "POST", f"/_events/{schedule}", token=self.world.event_token(), json_body={})
        assert response.status_code == 200, response.get_data(as_text=True)
        return json.loads(response.get_data())

    def waiting(self) -> list[Message]:
        """Return every message that asks for work on a delivery."""
        return self.queue.messages("webhook-deliveries")

    def work(self) -> None:
        """Push every message there has been to the worker; those that were handled before change nothing."""
        for message in self.waiting():
            assert self.push(message).status_code == 204

    def events(self, org_id: UUID) -> list[Mapping[str, Any]]:
        """Return what an organisation's events said of deliveries."""
        return [
            cast("Mapping[str, Any]", message.payload)
            for message in self.queue.messages("org-events")
            if message.attributes["org_id"] == str(org_id) and ":delivery:" in str(message.payload["event"])
        ]


@dataclass
class WebhookOrg:
    """An organisation with an admin, and the process it talks to."""

    function: WebhookFunction
    id: UUID
    admin: UUID

    @classmethod
    def make(cls, function: WebhookFunction) -> WebhookOrg:
        """Make an organisation."""
        org_id = function.database.make_org()
        return cls(function, org_id, function.database.make_member(org_id, "admin"))

    def token(self, role: str = "admin") -> str:
        """Return a token of the admin, or of a new member with another role."""
        user_id = self.admin if role == "admin" else self.function.database.make_member(self.id, role)
        session_id = self.function.database.make_session(user_id, self.function.clock.now())
        body = {"sub": str(user_id), "sid": str(session_id)}
        return self.function.world.issuer.issue(body, audience=PUBLIC_URL, kind="at+jwt", lifetime=timedelta(hours=1))

    def call(self, method: str, path: str, body: Any = None, *, role: str = "admin", **headers: str) -> Response:
        """Send one request, with the path below the organisation."""
        whole = f"/api/v2/orgs/{self.id}{path}"
        return call(self.function.app, method, whole, token=self.token(role), json_body=body, headers=headers)

    def done(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """Send one request that must be answered with a status; returns the JSON answer."""
        response = self.call(method, path, body)
        assert response.status_code == status, response.get_data(as_text=True)
        return json.loads(response.get_data()) if response.get_data() else None

    def refused(self, method: str, path: str, body: Any, status: int, code: str) -> dict[str, Any]:
        """Send one request that must be refused; returns the problem."""
        response = self.call(method, path, body)
        found: dict[str, Any] = json.loads(response.get_data())
        assert (response.status_code, found["code"]) == (status, code), found
        return found

    def make_config(self, provider: str = "github", **wish: Any) -> dict[str, Any]:
        """Make a config; returns the answer, secret included."""
        found: dict[str, Any] = self.done(
            "POST", "/webhook-configs", {"provider": provider, "name": "ours", **wish}, 201
        )
        return found

    def rotate(self, config: Mapping[str, Any], **wish: Any) -> dict[str, Any]:
        """Rotate a config's secret; returns the answer, secret included."""
        found: dict[str, Any] = self.done("POST", f"/webhook-configs/{config['id']}/rotate", wish, 201)
        return found

    def deliveries(self, query: str = "") -> Sequence[dict[str, Any]]:
        """List deliveries."""
        found: Sequence[dict[str, Any]] = self.done("GET", f"/webhook-deliveries{query}")["items"]
        return found

    def audits(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the audit log, as the database's owner sees it."""
        rows = self.function.database.owner.run(
            "select action, cast(facts as text) from core.audit_log where org_id = :org_id order by seq", org_id=self.id
        )
        return [(row[0], json.loads(row[1])) for row in rows]


def sender_of(config: Mapping[str, Any], secret: str | None = None) -> Sender:
    """Return the sender that a config is for."""
    return Sender(config["provider"], secret or config["secret"])
