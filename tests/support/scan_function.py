"""The scan function, as one process runs it, over a real Postgres: its routes, its worker, a queue that can be looked at. No cloud."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from itertools import count
from typing import Any, cast
from uuid import UUID, uuid4

from flask import Response

from functions.scan.cloud_access.opening import CloudOpener, Guards
from functions.scan.cloud_access.tokens import Tokens
from functions.scan.queries import gaps as gap_queries
from functions.scan.queries import scans
from functions.scan.readers.aws.session import SignIns
from functions.scan.readers.aws.trail import Pace
from functions.scan.routes import EVENT_ROUTES, ROUTES
from functions.scan.state_sources.opening import Opener
from functions.scan.streams import Places
from functions.scan.wiring import CREDENTIALS_KEY, SEALED_COLUMNS, ScanDeps
from shared.data.resealing import Resealer
from shared.http.app import App
from shared.ports.queue import Message
from shared.security.envelope import Envelope
from shared.security.secret_versions import SecretVersions
from shared.testing.clock import FakeClock, FixedEntropy
from shared.testing.key_manager import MemoryKeyManager
from shared.testing.queue import MemoryQueue

from .database import ClonedDatabase, actor_in
from .http_app import PUBLIC_URL, SETTINGS, World, call
from .state_hosts import Internet, OwnTokens
from .webhook_function import wrapped

_numbers = count(1)


@dataclass
class ScanFunction:
    """One process, and whom it talks to."""

    database: ClonedDatabase
    clock: FakeClock = field(default_factory=FakeClock)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    vault: MemoryKeyManager = field(default_factory=MemoryKeyManager)

    def __post_init__(self) -> None:
        self.db = self.database.build_database("scan", self.queue)
        entropy = FixedEntropy(f"scan process {next(_numbers)}")
        self.world = World(clock=self.clock, entropy=entropy, directory=cast("Any", self.db))
        self.world.secrets.add_version("value-digest-key", bytes(range(32)))
        self.vault.add_wrapping_key(CREDENTIALS_KEY)
        common = self.world.deps(SETTINGS)
        own = {item.name: getattr(common, item.name) for item in fields(common) if item.name != "queue"}
        envelope = Envelope(self.vault, CREDENTIALS_KEY, common.entropy)
        guard = Internet(self.clock).guard()
        self.deps = ScanDeps(
            **own,
            queue=self.queue,
            envelope=envelope,
            resealer=Resealer(self.db, envelope, SEALED_COLUMNS, self.clock),
            digest_keys=SecretVersions("value-digest-key", common.secrets, common.clock),
            sign_ins=SignIns(common.clock),
            clouds=CloudOpener(Guards(guard, guard, guard), self.clock, OwnTokens(), Tokens(self.clock)),
            pace=Pace(common.clock),
            identity_tokens=OwnTokens(),
            egress=guard,
            opener=Opener(guard, self.clock, OwnTokens(), "", 1),
            places=Places(common.clock),
        )
        self.app: App[ScanDeps] = App("scan", lambda _: self.deps, ROUTES, settings=SETTINGS)
        self.worker: App[ScanDeps] = App("scan", lambda _: self.deps, EVENT_ROUTES, settings=SETTINGS)

    def push(self, message: Message, path: str, **attributes: str) -> Response:
        """Push a message to the worker, as the queue does."""
        body = wrapped(message, attributes)
        return call(self.worker, "POST", f"/_events/{path}", token=self.world.event_token(), json_body=body)

    def tick(self, schedule: str) -> Any:
        """Fire a schedule of the suite; returns the answer."""
        response = call(self.worker, "POST", f"/_events/{schedule}", token=self.world.event_token(), json_body={})
        assert response.status_code == 200, response.get_data(as_text=True)
        return json.loads(response.get_data())


@dataclass
class ScanOrg:
    """An organisation with an admin and cloud accounts, and the process it talks to."""

    function: ScanFunction
    id: UUID
    admin: UUID

    @classmethod
    def make(cls, function: ScanFunction, plan: str = "team") -> ScanOrg:
        """Make an organisation."""
        org_id = function.database.make_org(plan=plan)
        return cls(function, org_id, function.database.make_member(org_id, "admin"))

    def token(self, role: str = "admin") -> str:
        """Return a token of the admin, or of a new member with another role."""
        user_id = self.admin if role == "admin" else self.function.database.make_member(self.id, role)
        session_id = self.function.database.make_session(user_id, self.function.clock.now())
        body = {"sub": str(user_id), "sid": str(session_id)}
        return self.function.world.issuer.issue(body, audience=PUBLIC_URL, kind="at+jwt", lifetime=timedelta(hours=1))

    def call(self, method: str, path: str, body: Any = None, *, role: str = "admin", **headers: str) -> Response:
        """Send one request, with the path below the organisation."""
        path, _, query = path.partition("?")
        whole = f"/api/v2/orgs/{self.id}{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        full = f"{whole}?{query}" if query else whole
        return call(self.function.app, method, full, token=self.token(role), json_body=body, headers=named)

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

    def own(self, statement: str, **values: Any) -> list[Any]:
        """Run a statement as the database's owner; `:org_id` is this organisation."""
        rows: list[Any] = self.function.database.owner.run(statement, org_id=self.id, **values) or []
        return rows

    def make_account(self) -> UUID:
        """Connect an account; nobody ever signs in to it."""
        number = f"{next(_numbers):012d}"
        rows = self.own(
            "insert into scan.cloud_accounts (org_id, id, provider, name, external_account, regions, auth_kind, role_arn) "
            "values (:org_id, :id, 'aws', 'a', :number, array['eu-west-1'], 'role', :arn) returning id",
            id=uuid4(), number=number, arn=f"arn:aws:iam::{number}:role/x",
        )  # fmt: skip
        return UUID(str(rows[0][0]))

    def make_schedule(self, account: UUID | None = None, **wish: Any) -> dict[str, Any]:
        """Make a schedule; returns the answer."""
        body = {
            "account_id": str(account or self.make_account()),
            "name": "nightly",
            "cron": "0 2 * * *",
            "jitter_seconds": 0,
        }
        found: dict[str, Any] = self.done("POST", "/schedules", body | wish, 201)
        return found

    def make_drift(self, account: UUID, scan_id: UUID, **columns: Any) -> None:
        """Store one drift item."""
        values = {
            "account_id": account, "scan_id": scan_id, "kind": "unmanaged", "type": "aws_vpc", "key": str(uuid4()), "severity": "low",
            "rule": "r", "fingerprint": uuid4().bytes * 2, "cloud_id": "vpc-1",
        } | columns  # fmt: skip
        names = ", ".join(values)
        self.own(
            f"insert into scan.drift_items (org_id, {names}) values (:org_id, {', '.join(f':{name}' for name in values)})",
            **values,
        )

    def make_scan(self, account: UUID, status: str = "done", **columns: Any) -> UUID:
        """Store a scan that is over, or under way."""
        values = {"account_id": account, "status": status} | columns
        names = ", ".join(values)
        rows = self.own(
            f"insert into scan.scans (org_id, {names}) values (:org_id, {', '.join(f':{name}' for name in values)}) returning id",
            **values,
        )
        return UUID(str(rows[0][0]))

    def end_scan(self, scan_id: str, how: str = "failed") -> None:
        """Let a scan come to its end: `failed` as its comparison was given up, or `empty` as nothing could be read."""
        with self.function.db.unit(actor_in(self.id)) as tx:
            scans.set_comparing(tx, UUID(scan_id))
            if how == "empty":
                (shard,) = tx.rows(
                    "select id from scan.shards where org_id = :org_id and scan_id = :scan_id limit 1", scan_id=scan_id
                )
                gap = {"types": ["aws_vpc"], "key": None, "attributes": [], "region": "eu-west-1", "reason": "access_denied",
                       "permission": None, "detail": ""}  # fmt: skip
                gap_queries.replace_gaps(tx, scan_id=UUID(scan_id), shard_id=shard["id"], gaps=[gap])
        message = Message({"scan_id": scan_id}, {"event_id": str(uuid4()), "org_id": str(self.id)})
        if how == "failed":
            source = "projects/p/subscriptions/scan-comparisons"
            response = self.function.push(message, "dead-letters", CloudPubSubDeadLetterSourceSubscription=source)
        else:
            response = self.function.push(message, "scan-comparisons")
        assert response.status_code == 204, response.get_data(as_text=True)

    def events(self, name: str) -> list[Mapping[str, Any]]:
        """Return this organisation's events of one name."""
        return [
            cast("Mapping[str, Any]", message.payload)
            for message in self.function.queue.messages("org-events")
            if message.attributes["org_id"] == str(self.id) and message.payload["event"] == name
        ]

    def audits(self) -> list[str]:
        """Return the actions in the audit log."""
        return [row[0] for row in self.own("select action from core.audit_log where org_id = :org_id order by seq")]
