"""The auth function over a database of the test's own, as its own login, without a socket.

def test_something(auth: AuthFunction) -> None:
    org = auth.org(plan="team")
    owner = org.person("owner")
    owner.done("PATCH", org.path(f"/members/{other.id}"), {"role": "admin"})
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Request, Response
from werkzeug.test import EnvironBuilder

from functions.auth.domain_records import DomainRecords
from functions.auth.providers import Providers
from functions.auth.routes import EVENT_ROUTES, ROUTES
from functions.auth.wiring import EXPORT_KEY, SEALED_COLUMNS, SEALING_KEY, AuthDeps, build_billing
from shared.data.migrations import connect
from shared.data.resealing import Resealer
from shared.http.app import App
from shared.ports.clock import SystemEntropy
from shared.security.authentication import Authenticator, EventVerifier
from shared.security.egress import EgressGuard, EgressPolicy, SystemResolver
from shared.security.envelope import Envelope
from shared.security.peppers import Peppers
from shared.security.signing_keys import SigningKey
from shared.security.token_issuer import TokenIssuer
from shared.security.tokens import JwksCache
from shared.testing.clock import FakeClock
from shared.testing.key_manager import MemoryKeyManager
from shared.testing.object_store import MemoryObjectStore
from shared.testing.queue import MemoryQueue
from shared.testing.secret_rotation import MemorySecretRotator
from shared.testing.secret_store import MemorySecretStore
from tests.support.database import PEPPER, ClonedDatabase
from tests.support.waiting import wait_until

PUBLIC_URL = "https://driftwise.example"
EVENTS_ISSUER, EVENTS_AUDIENCE, EVENTS_SENDER = "https://issuer.example", "https://worker.example", "events@driftwise.example"  # fmt: skip


@dataclass
class AuthFunction:
    """One process of the function, and what a test looks at around it."""

    database: ClonedDatabase
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    clock: FakeClock = field(default_factory=lambda: FakeClock(datetime.now(UTC)))
    vault: MemoryKeyManager = field(default_factory=MemoryKeyManager)
    secrets: MemorySecretStore = field(default_factory=MemorySecretStore)

    def __post_init__(self) -> None:
        vault, secrets = self.vault, self.secrets
        vault.add_wrapping_key(SEALING_KEY)
        vault.add_signing_key("token-signing")
        vault.add_signing_key(EXPORT_KEY)
        vault.add_signing_key("events")
        secrets.add_version("api-key-pepper", PEPPER.reveal())
        settings = self.database.settings(
            "auth",
            public_url=PUBLIC_URL,
            events_issuer=EVENTS_ISSUER,
            events_audience=EVENTS_AUDIENCE,
            events_sender=EVENTS_SENDER,
        )
        self.issuer = TokenIssuer(vault, "token-signing", PUBLIC_URL, self.clock)
        self.events_issuer = TokenIssuer(vault, "events", EVENTS_ISSUER, self.clock)
        self.db = self.database.build_database("auth", self.queue, pool_size=10)
        peppers = Peppers(secrets, self.clock)
        own = JwksCache("", self.clock, fetch=lambda _: json.dumps(self.issuer.jwks()).encode())
        pushed = JwksCache("", self.clock, fetch=lambda _: json.dumps(self.events_issuer.jwks()).encode())
        envelope = Envelope(vault, SEALING_KEY, SystemEntropy())
        self.deps = AuthDeps(
            settings=settings,
            db=self.db,
            queue=self.queue,
            secrets=secrets,
            peppers=peppers,
            clock=self.clock,
            entropy=SystemEntropy(),
            authenticator=Authenticator(self.db, peppers, own, settings, self.clock),
            events=EventVerifier(pushed, settings, self.clock),
            issuer=self.issuer,
            providers=Providers([], self.clock),
            admin_domains=frozenset(),
            export_key=SigningKey(vault, EXPORT_KEY, self.clock),
            anchors=MemoryObjectStore(),
            envelope=envelope,
            resealer=Resealer(self.db, envelope, SEALED_COLUMNS, self.clock),
            egress=EgressGuard(EgressPolicy(), SystemResolver(), self.clock),
            domain_records=DomainRecords(),
            rotator=MemorySecretRotator(secrets, self.clock),
            billing=build_billing(settings, secrets, self.clock),
            disclosure=None,
        )
        self.app: App[AuthDeps] = App("auth", lambda _: self.deps, ROUTES, settings=settings)
        self.worker: App[AuthDeps] = App("auth", lambda _: self.deps, EVENT_ROUTES, settings=settings)

    def org(self, plan: str = "team", name: str = "Acme") -> Org:
        """Make an organisation with nobody in it."""
        return Org(self, self.database.make_org(name, plan))

    def person(self, email: str | None = None, *, is_platform_admin: bool = False) -> Person:
        """Make a person who belongs to nothing."""
        return Person(self, self.database.make_user(email, is_platform_admin=is_platform_admin))

    def tick(self, path: str) -> dict[str, Any]:
        """Send one tick of the scheduler; returns the answer."""
        body = {"sub": "1", "email": EVENTS_SENDER, "email_verified": True}
        token = self.events_issuer.issue(body, audience=EVENTS_AUDIENCE, kind="JWT", lifetime=timedelta(hours=1))
        answer = send(self.worker, "POST", path, token)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found: dict[str, Any] = json.loads(answer.get_data())
        return found

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the payloads of one event on `org-events`."""
        return [dict(item.payload) for item in self.queue.messages("org-events") if item.payload["event"] == name]

    def audits(self, org_id: UUID | None) -> list[dict[str, Any]]:
        """Return an organisation's audit entries, or the platform's, oldest first."""
        table, where = ("platform_audit_log", "true") if org_id is None else ("audit_log", "org_id = :org_id")
        rows = self.database.owner.run(
            f"select action, actor_id, target_id, facts from core.{table} where {where} order by seq", org_id=org_id
        )
        return [dict(zip(("action", "actor_id", "target_id", "facts"), row, strict=True)) for row in rows]

    def at_once(self, org_id: UUID | None, *calls: tuple[Person, str, str, Any]) -> list[Response]:
        """Let calls run against each other: all are authenticated and then wait for the same lock before one may go on.

        Args:
            org_id: the organisation whose row they wait for; every person's for None.
            calls: who sends what: person, method, path, body.
        """
        lock = "select id from core.orgs where id = :org_id for update" if org_id else "select id from core.users for update"  # fmt: skip
        tokens = [person.token() for person, *_ in calls]
        holder = connect(self.database.owner_url)
        try:
            holder.run("begin")
            holder.run(lock, org_id=org_id)
            with ThreadPoolExecutor(len(calls)) as pool:
                futures = [
                    pool.submit(send, self.app, method, path, token, body)
                    for (_, method, path, body), token in zip(calls, tokens, strict=True)
                ]
                wait_until(lambda: self._blocked() == len(calls), "all calls wait for the lock")
                holder.run("commit")
                return [future.result() for future in futures]
        finally:
            holder.close()

    def _blocked(self) -> int:
        ((found,),) = self.database.owner.run(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
        return int(found)


@dataclass
class Person:
    """Somebody with an account, signed in a minute ago."""

    auth: AuthFunction
    id: UUID

    @property
    def email(self) -> str:
        """The person's address."""
        ((found,),) = self.auth.database.owner.run("select email from core.users where id = :id", id=self.id)
        return str(found)

    def token(self, *, minutes_ago: float = 1, **session: Any) -> str:
        """Sign in; returns an access token."""
        now = self.auth.clock.now()
        columns = {"signed_in_at": now - timedelta(minutes=minutes_ago), **session}
        session_id = self.auth.database.make_session(self.id, now, **columns)
        body = {"sub": str(self.id), "sid": str(session_id)}
        return self.auth.issuer.issue(body, audience=PUBLIC_URL, kind="at+jwt", lifetime=timedelta(hours=1))

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str) -> Response:
        """Send one request."""
        return send(self.auth.app, method, path, token or self.token(), body, **headers)

    def done(self, method: str, path: str, body: Any = None, *, status: int = 200, **options: Any) -> Any:
        """Send one request that must succeed; returns what it answers."""
        answer = self.call(method, path, body, **options)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return json.loads(answer.get_data()) if answer.get_data() else None

    def refused(self, method: str, path: str, body: Any = None, *, status: int, code: str, **options: Any) -> dict[str, Any]:  # fmt: skip
        """Send one request that must be refused; returns the problem."""
        answer = self.call(method, path, body, **options)
        found: dict[str, Any] = json.loads(answer.get_data() or b"{}")
        assert (answer.status_code, found.get("code")) == (status, code), found
        return found


@dataclass
class Org:
    """An organisation of the test's own."""

    auth: AuthFunction
    id: UUID

    def path(self, rest: str = "") -> str:
        """Return a path below the organisation."""
        return f"/api/v2/orgs/{self.id}{rest}"

    def person(self, role: str, email: str | None = None) -> Person:
        """Make a person with a role in it."""
        return Person(self.auth, self.auth.database.make_member(self.id, role, email=email))

    def roles(self) -> dict[UUID, str]:
        """Return who belongs to it, with which role."""
        rows = self.auth.database.owner.run(
            "select user_id, role from core.members where org_id = :org_id", org_id=self.id
        )
        return {UUID(str(row[0])): row[1] for row in rows}

    def key(self, maker: Person, *scopes: str) -> str:
        """Make an API key; returns it."""
        return self.auth.database.make_api_key(self.id, maker.id, scopes or ("read",))[1].reveal()

    def audits(self) -> list[dict[str, Any]]:
        """Return its audit entries, oldest first."""
        return self.auth.audits(self.id)


def send(app: App[Any], method: str, path: str, token: str, body: Any = None, **headers: str) -> Response:
    """Send one request through an App."""
    path, _, query = path.partition("?")
    content = b"" if body is None else json.dumps(body).encode()
    sent = {"Authorization": f"Bearer {token}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    builder = EnvironBuilder(path=path, method=method, headers=sent, query_string=query, input_stream=BytesIO(content))
    environ = builder.get_environ() | {"CONTENT_LENGTH": str(len(content)), "CONTENT_TYPE": "application/json"}
    return app.handle(Request(environ))


def outcome(answer: Response) -> tuple[int, str]:
    """Return status and problem code of an answer; the code is empty for success."""
    content = answer.get_data()
    found = json.loads(content) if content else {}
    return answer.status_code, str(found.get("code", "")) if isinstance(found, dict) else ""
