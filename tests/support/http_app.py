"""An `App` over stand-ins in memory: real routing, tokens, keys and problems; no socket and no database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, cast
from uuid import UUID

from flask import Request, Response
from werkzeug.test import EnvironBuilder

from shared.data.database import Database
from shared.data.rows import Row
from shared.http.app import App
from shared.http.deps import Deps
from shared.http.routes import Route
from shared.security.api_keys import hash_key, make_key
from shared.security.authentication import Authenticator, EventVerifier
from shared.security.peppers import Peppers
from shared.security.sessions import hash_session_secret
from shared.security.token_issuer import TokenIssuer
from shared.security.tokens import JwksCache
from shared.security.trusted_issuers import TrustedIssuers
from shared.settings import Settings
from shared.testing.clock import FakeClock, FixedEntropy
from shared.testing.key_manager import MemoryKeyManager
from shared.testing.queue import MemoryQueue
from shared.testing.secret_store import MemorySecretStore

PUBLIC_URL = "https://driftwise.example"
_HOUR = timedelta(hours=1)
EVENTS_SENDER = "events@driftwise.example"
ORG, OTHER_ORG = UUID(int=0xA), UUID(int=0xB)
SETTINGS = Settings(
    env="emulator",
    public_url=PUBLIC_URL,
    events_issuer="https://issuer.example",
    events_audience="https://worker.example",
    events_sender=EVENTS_SENDER,
)


@dataclass
class Directory:
    """People, keys and memberships: what the lookup functions of the database answer."""

    people: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    roles: dict[tuple[UUID, UUID], str] = field(default_factory=dict)
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    uses: list[dict[str, Any]] = field(default_factory=list)
    sessions: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    browsers: dict[bytes, UUID] = field(default_factory=dict)
    federated: dict[tuple[str, str], UUID] = field(default_factory=dict)
    enforcing: set[UUID] = field(default_factory=set)

    def lookup(self, sql: str, **values: Any) -> list[Row]:
        if "find_api_key" in sql:
            found = self.keys.get(values["public_id"])
            role = self.roles.get((found["org_id"], found["maker_id"])) if found else None
            return [{**found, "maker_role": role}] if found else []
        if "core.find_session" in sql:
            return self._principal(self.sessions.get(values["session_id"]), values["org_id"], values["user_id"])
        if "core.find_browser_session" in sql:
            session_id = self.browsers.get(values["secret_hash"])
            return self._principal(self.sessions.get(session_id) if session_id else None, values["org_id"])
        if "core.find_federated_principal" in sql:
            user_id = self.federated.get((values["issuer"], values["subject"]))
            return self._principal({"user_id": user_id} if user_id else None, values["org_id"])
        if "note_api_key_use" in sql:
            self.uses.append(values)
            return [{"is_noted": True}]
        return [{"up": 1}]

    def _principal(self, session: dict[str, Any] | None, org_id: UUID | None, user_id: UUID | None = None) -> list[Row]:
        if session is None or session.get("revoked_at") or (user_id or session["user_id"]) != session["user_id"]:
            return []
        person = self.people.get(session["user_id"])
        role = self.roles.get((org_id, session["user_id"])) if org_id else None
        if person is None:
            return []
        is_sso_required = role != "owner" and org_id in self.enforcing
        return [
            {**session, **person, "role": role, "plan": "team" if role else None, "is_sso_required": is_sso_required}
        ]

    def close(self) -> None:
        """Nothing to give back."""


@dataclass
class World:
    """Everything an `App` under test stands on."""

    clock: FakeClock = field(default_factory=FakeClock)
    entropy: FixedEntropy = field(default_factory=FixedEntropy)
    directory: Directory = field(default_factory=Directory)
    secrets: MemorySecretStore = field(default_factory=MemorySecretStore)
    vault: MemoryKeyManager = field(default_factory=MemoryKeyManager)
    settings: Settings = SETTINGS

    def __post_init__(self) -> None:
        self.secrets.add_version("api-key-pepper", bytes(range(32)))
        for key in ("token-signing", "events"):
            self.vault.add_signing_key(key)
        self.issuer = TokenIssuer(self.vault, "token-signing", self.settings.public_url, self.clock)
        self.events_issuer = TokenIssuer(self.vault, "events", self.settings.events_issuer, self.clock)
        self.peppers = Peppers(self.secrets, self.clock)

    def deps(self, settings: Settings) -> Deps:
        """Build the clients of the App."""
        db = cast("Database", self.directory)
        pushed = JwksCache("", self.clock, fetch=lambda _: json.dumps(self.events_issuer.jwks()).encode())
        return Deps(
            settings=settings,
            db=db,
            queue=MemoryQueue(),
            secrets=self.secrets,
            peppers=self.peppers,
            clock=self.clock,
            entropy=self.entropy,
            authenticator=self.authenticator(settings=settings),
            events=EventVerifier(pushed, settings, self.clock),
        )

    def authenticator(
        self, trusted: TrustedIssuers | None = None, *, settings: Settings | None = None
    ) -> Authenticator:
        """Make what finds out who calls; the settings say whom else to trust when nothing is given."""
        own = JwksCache("", self.clock, fetch=lambda _: json.dumps(self.issuer.jwks()).encode())
        return Authenticator(self.directory, self.peppers, own, settings or self.settings, self.clock, trusted)

    def app(self, routes: Sequence[Route[Any]]) -> App[Deps]:
        """Make an App of these routes."""
        return App("under-test", self.deps, routes, settings=self.settings)

    def person(
        self, role: str | None = None, *, is_platform_admin: bool = False, minutes_ago: float = 0, **claims: Any
    ) -> str:
        """Make a person, with a role in `ORG` or none, who signed in so long ago; returns a token."""
        user_id = self.entropy.uuid()
        self.directory.people[user_id] = {
            "email": "p@example.test",
            "name": "P",
            "is_platform_admin": is_platform_admin,
        }
        if role is not None:
            self.directory.roles[ORG, user_id] = role
        session_id = self.session(user_id)
        self.directory.sessions[session_id]["signed_in_at"] -= timedelta(minutes=minutes_ago)
        body = {"sub": str(user_id), "sid": str(session_id), **claims}
        return self.issuer.issue(body, audience=self.settings.public_url, kind="at+jwt", lifetime=_HOUR)

    def session(self, user_id: UUID, *, secret: str | None = None) -> UUID:
        """Sign a person in, in a browser when a secret is given; returns the session's id."""
        session_id, now = self.entropy.uuid(), self.clock.now()
        self.directory.sessions[session_id] = {
            "session_id": session_id,
            "user_id": user_id,
            "bound_org_id": None,
            "signed_in_at": now,
            "last_seen_at": now,
            "expires_at": now + timedelta(days=7),
        }
        if secret is not None:
            self.directory.browsers[hash_session_secret(secret)] = session_id
        return session_id

    def key(
        self,
        *scopes: str,
        maker_role: str = "owner",
        expires_at: datetime | None = None,
        org_id: UUID = ORG,
        cidrs: Sequence[str] = (),
    ) -> str:
        """Make an API key of `ORG`; returns it."""
        key, maker_id = make_key(self.entropy), self.entropy.uuid()
        self.directory.roles[org_id, maker_id] = maker_role
        version, pepper = self.peppers.newest()
        self.directory.keys[key.public_id] = {
            "org_id": org_id,
            "key_id": self.entropy.uuid(),
            "secret_hash": hash_key(key, pepper),
            "pepper_version": version,
            "scopes": list(scopes),
            "cidrs": list(cidrs),
            "last_used_at": None,
            "expires_at": expires_at,
            "revoked_at": None,
            "maker_id": maker_id,
            "plan": "team",
        }
        return key.reveal()

    def event_token(self, **claims: Any) -> str:
        """Return the token of the queue's pushes."""
        body = {"sub": "1", "email": EVENTS_SENDER, "email_verified": True, **claims}
        return self.events_issuer.issue(body, audience=self.settings.events_audience, kind="JWT", lifetime=_HOUR)


def call(
    app: App[Any],
    method: str,
    path: str,
    *,
    token: str | None = None,
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
    json_body: Any = None,
    content_type: str | None = None,
    is_chunked: bool = False,
) -> Response:
    """Send one request through an App, without a socket."""
    sent = dict(headers or {})
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    if json_body is not None:
        content, content_type = json.dumps(json_body).encode(), content_type or "application/json"
    builder = EnvironBuilder(path=path, method=method, headers=sent, input_stream=BytesIO(content))
    environ = builder.get_environ()
    if content_type is not None:
        environ["CONTENT_TYPE"] = content_type
    if is_chunked:
        environ["wsgi.input_terminated"] = True
        environ.pop("CONTENT_LENGTH", None)
    else:
        environ["CONTENT_LENGTH"] = str(len(content))
    return app.handle(Request(environ))


def problem(response: Response, status: int, code: str) -> dict[str, Any]:
    """Check that a response is this problem, and return its members."""
    found = json.loads(response.get_data())
    assert (response.status_code, found.get("code")) == (status, code), found
    assert response.content_type == "application/problem+json"
    assert found["status"] == status
    assert found["type"] == f"urn:driftwise:problem:{code}"
    assert found["title"]
    assert found["request_id"] == response.headers["X-Request-Id"]
    return cast("dict[str, Any]", found)
