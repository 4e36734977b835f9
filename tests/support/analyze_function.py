"""The analyze function, as one process runs it, over a real Postgres: its routes, its worker, a queue that can be looked at."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from itertools import count
from typing import Any, cast
from uuid import UUID

from flask import Response

from functions.analyze.code_hosts.connecting import CodeHosts
from functions.analyze.code_hosts.exchange import POLICY as CODE_HOST_POLICY
from functions.analyze.code_hosts.terraform_cloud import DOWNLOADS
from functions.analyze.language_models.asking import POLICY
from functions.analyze.language_models.choosing import Models
from functions.analyze.routes import EVENT_ROUTES, ROUTES
from functions.analyze.wiring import BODIES_KEY, CREDENTIALS_KEY, SEALED_COLUMNS, AnalyzeDeps
from shared.data.resealing import Resealer
from shared.http.app import App
from shared.ports.clock import SystemClock
from shared.ports.queue import Message
from shared.security.egress import EgressGuard, SystemResolver, for_process
from shared.security.envelope import Envelope
from shared.settings import Settings
from shared.testing.clock import FakeClock, FixedEntropy
from shared.testing.key_manager import MemoryKeyManager
from shared.testing.queue import MemoryQueue

from .database import ClonedDatabase
from .http_app import PUBLIC_URL, SETTINGS, World, call

_numbers = count(1)


@dataclass
class AnalyzeFunction:
    """One process, and who talks to it.

    Attributes:
        vault: holds the keys of language models' credentials and of deliveries' bodies, which may be there already.
    """

    database: ClonedDatabase
    clock: FakeClock = field(default_factory=FakeClock)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    vault: MemoryKeyManager = field(default_factory=MemoryKeyManager)
    settings: Settings = SETTINGS

    def __post_init__(self) -> None:
        self.db = self.database.build_database("analyze", self.queue)
        entropy = FixedEntropy(f"process {next(_numbers)}")
        self.world = World(clock=self.clock, entropy=entropy, directory=cast("Any", self.db))
        for key in {CREDENTIALS_KEY, BODIES_KEY} - self.vault.wrapping_keys():
            self.vault.add_wrapping_key(key)
        self.deps = self.build_deps()
        settings = self.deps.settings
        self.app: App[AnalyzeDeps] = App("analyze", lambda _: self.deps, ROUTES, settings=settings)
        self.worker: App[AnalyzeDeps] = App("analyze", lambda _: self.deps, EVENT_ROUTES, settings=settings)

    def build_deps(self) -> AnalyzeDeps:
        """Build the clients of a process."""
        common = self.world.deps(self.settings)
        envelope = Envelope(self.vault, CREDENTIALS_KEY, common.entropy)
        egress = EgressGuard(for_process(POLICY, self.settings), SystemResolver(), SystemClock())
        own = {item.name: getattr(common, item.name) for item in fields(common) if item.name != "queue"}
        return AnalyzeDeps(
            **own,
            queue=self.queue,
            envelope=envelope,
            bodies=Envelope(self.vault, BODIES_KEY, common.entropy),
            resealer=Resealer(self.db, envelope, SEALED_COLUMNS, self.clock),
            egress=egress,
            models=Models(egress, common.clock, common.entropy),
            code_hosts=CodeHosts(
                EgressGuard(for_process(CODE_HOST_POLICY, self.settings), SystemResolver(), SystemClock()),
                EgressGuard(for_process(DOWNLOADS, self.settings), SystemResolver(), SystemClock()),
                common.clock,
                common.entropy,
            ),
        )

    def push(self, message: Message, subscription: str, *, attempt: int = 1) -> Response:
        """Push a message to the worker, as the queue does."""
        wrapped = {
            "message": {
                "data": base64.b64encode(json.dumps(message.payload).encode()).decode(),
                "attributes": dict(message.attributes),
            },
            "deliveryAttempt": attempt,
        }
        token = self.world.event_token()
        return call(self.worker, "POST", f"/_events/{subscription}", token=token, json_body=wrapped)

    def tick(self, schedule: str) -> Any:
        """Fire a schedule; returns the answer."""
        response = call(self.worker, "POST", f"/_events/{schedule}", token=self.world.event_token(), json_body={})
        assert response.status_code == 200, response.get_data(as_text=True)
        return json.loads(response.get_data())


@dataclass
class AnalyzeOrg:
    """An organisation with a member, and the process it talks to."""

    function: AnalyzeFunction
    id: UUID

    @classmethod
    def make(cls, function: AnalyzeFunction, plan: str = "team") -> AnalyzeOrg:
        """Make an organisation."""
        org_id = function.database.make_org()
        function.database.owner.run("update core.orgs set plan = :plan where id = :id", plan=plan, id=org_id)
        return cls(function, org_id)

    def token(self, role: str = "member") -> str:
        """Return a token of a new person with a role."""
        user_id = self.function.database.make_member(self.id, role)
        session_id = self.function.database.make_session(user_id, self.function.clock.now())
        body = {"sub": str(user_id), "sid": str(session_id)}
        return self.function.world.issuer.issue(body, audience=PUBLIC_URL, kind="at+jwt", lifetime=timedelta(hours=1))

    def call(
        self, method: str, path: str, body: Any = None, *, role: str = "member", content: bytes = b"", **headers: str
    ) -> Response:
        """Send one request, with the path below the organisation."""
        whole = f"/api/v2/orgs/{self.id}{path}"
        more: dict[str, Any] = {"content": content} if content else {"json_body": body}
        return call(self.function.app, method, whole, token=self.token(role), headers=headers, **more)

    def done(self, method: str, path: str, body: Any = None, status: int = 200, **more: Any) -> Any:
        """Send one request that must be answered with a status; returns the JSON answer."""
        response = self.call(method, path, body, **more)
        assert response.status_code == status, response.get_data(as_text=True)
        return json.loads(response.get_data()) if response.get_data() else None

    def refused(self, method: str, path: str, body: Any, status: int, code: str, **more: Any) -> dict[str, Any]:
        """Send one request that must be refused; returns the problem."""
        response = self.call(method, path, body, **more)
        found: dict[str, Any] = json.loads(response.get_data())
        assert (response.status_code, found["code"]) == (status, code), found
        return found

    def analyze(self, plan: Mapping[str, Any] | str, **more: Any) -> dict[str, Any]:
        """Have a plan judged; returns the answer."""
        found: dict[str, Any] = self.done("POST", "/analyze", {"plan_json": plan, **more})
        return found

    def audits(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the audit log, as the database's owner sees it."""
        rows = self.function.database.owner.run(
            "select action, cast(facts as text) from core.audit_log where org_id = :org_id order by seq", org_id=self.id
        )
        return [(row[0], json.loads(row[1])) for row in rows]
