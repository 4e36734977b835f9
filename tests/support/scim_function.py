"""The SCIM function as one process runs it over a real Postgres, an organisation with a directory, and its people at the door."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, cast
from uuid import UUID

from flask import Response

from functions.scim.routes import ROUTES
from shared.http.app import App
from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.permissions import may
from shared.http.reply import Reply
from shared.http.routes import Route
from shared.ports.clock import SystemEntropy
from shared.security.api_keys import ApiKey
from shared.security.authentication import Authenticator, EventVerifier
from shared.security.peppers import Peppers
from shared.security.scim_tokens import ScimTokens
from shared.security.token_issuer import TokenIssuer
from shared.security.tokens import JwksCache
from shared.testing.clock import FakeClock
from shared.testing.key_manager import MemoryKeyManager
from shared.testing.queue import MemoryQueue
from shared.testing.secret_store import MemorySecretStore

from .database import PEPPER, ClonedDatabase
from .http_app import PUBLIC_URL, call

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
SCIM = "application/scim+json"
_numbers = count(1)


def _show_actor(call: Call, _deps: Deps) -> Reply:
    """Stand in for a call of another function."""
    return Reply.ok({"role": call.actor.role.name.lower() if call.actor.role else None})


@dataclass
class ScimFunction:
    """One process, and beside it a door of another function that people and keys come through."""

    database: ClonedDatabase
    pool_size: int = 5
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    secrets: MemorySecretStore = field(default_factory=MemorySecretStore)
    vault: MemoryKeyManager = field(default_factory=MemoryKeyManager)

    def __post_init__(self) -> None:
        self.clock = FakeClock(self.database.owner.run("select now()")[0][0])
        self.vault.add_signing_key("token-signing")
        self.secrets.add_version("api-key-pepper", PEPPER.reveal())
        self.issuer = TokenIssuer(self.vault, "token-signing", PUBLIC_URL, self.clock)
        self.deps = self._deps("scim")
        settings = self.deps.settings
        self.app: App[Deps] = App("scim", lambda _: self.deps, ROUTES, settings=settings)
        door = Route("GET", "/api/v2/orgs/{org_id}/door", _show_actor, may("org:read"))
        other = self._deps("keys")
        self.door: App[Deps] = App("keys", lambda _: other, [door], settings=other.settings)

    def _deps(self, function: str) -> Deps:
        settings = self.database.settings(function, public_url=PUBLIC_URL, pool_size=self.pool_size)
        db = self.database.build_database(function, self.queue, pool_size=self.pool_size)
        peppers = Peppers(self.secrets, self.clock)
        keys = JwksCache("", self.clock, fetch=lambda _: json.dumps(self.issuer.jwks()).encode())
        tokens = ScimTokens(db, peppers, self.clock) if function == "scim" else None
        return Deps(
            settings=settings, db=db, queue=self.queue, secrets=self.secrets, peppers=peppers, clock=self.clock,
            entropy=SystemEntropy(), authenticator=Authenticator(db, peppers, keys, settings, self.clock, scim_tokens=tokens),
            events=EventVerifier(keys, settings, self.clock),
        )  # fmt: skip

    def access_token(self, user_id: UUID, session_id: UUID) -> str:
        """Return what a session calls with."""
        claims = {"sub": str(user_id), "sid": str(session_id)}
        return self.issuer.issue(claims, audience=PUBLIC_URL, kind="at+jwt", lifetime=timedelta(hours=1))

    def audits(self, org_id: UUID, action: str = "%") -> list[tuple[str, dict[str, Any]]]:
        """Return what an organisation's audit log says."""
        rows = self.database.owner.run(
            "select action, cast(facts as text) from core.audit_log where org_id = :org_id and action like :action order by seq",
            org_id=org_id,
            action=action,
        )
        return [(row[0], json.loads(row[1])) for row in rows]


@dataclass
class ScimOrg:
    """An organisation with an owner, a proven domain and a token of its directory."""

    function: ScimFunction
    id: UUID
    owner_id: UUID
    owner_token: str
    domain: str = ""
    token: str = ""

    @classmethod
    def make(cls, function: ScimFunction, *, plan: str = "enterprise", name: str = "acme") -> ScimOrg:
        """Make one; each has a domain of its own, so that many fit into one database."""
        database, domain = function.database, f"{name}-{next(_numbers)}.example"
        org_id = database.make_org(name, plan)
        owner_id = database.make_member(org_id, "owner", email=f"owner@{domain}")
        session_id = database.make_session(owner_id, function.clock.now())
        database.owner.run(
            "insert into core.sso_domains (org_id, domain, challenge, verified_at) values (:org_id, :domain, :challenge, now())",
            org_id=org_id, domain=domain, challenge="c" * 16,
        )  # fmt: skip
        org = cls(function, org_id, owner_id, function.access_token(owner_id, session_id), domain)
        if plan == "enterprise":
            made = org.admin("POST", "/scim-tokens", {"name": "directory"})
            assert made.status_code == 201, made.get_data(as_text=True)
            org.token = told(made)["raw_token"]
        return org

    def admin(self, method: str, path: str, body: Any = None) -> Response:
        """Call as the owner, below the organisation's root."""
        return call(self.function.app, method, f"/api/v2/orgs/{self.id}{path}", token=self.owner_token, json_body=body)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
        content: bytes = b"",
        content_type: str = SCIM,
    ) -> Response:
        """Call as the directory, below the organisation's SCIM root."""
        return call(
            self.function.app, method, f"/scim/v2/{self.id}{path}", token=token or self.token, json_body=body, headers=headers,
            content=content, content_type=content_type if body is not None or content else None,
        )  # fmt: skip

    def ask(self, method: str, path: str, body: Any = None, status: int = 200, **more: Any) -> dict[str, Any]:
        """Call as the directory, and return what a good answer says."""
        response = self.send(method, path, body, **more)
        assert response.status_code == status, (response.status_code, response.get_data(as_text=True))
        assert status == 204 or response.mimetype == SCIM
        return told(response) if status != 204 else {}

    def refused(
        self, method: str, path: str, body: Any = None, *, status: int, scim_type: str | None = None, **more: Any
    ) -> str:
        """Call as the directory, check that the refusal is in SCIM's form, and return its detail."""
        response = self.send(method, path, body, **more)
        found = told(response)
        assert (response.status_code, found.get("scimType")) == (status, scim_type), found
        assert response.mimetype == SCIM
        assert found["schemas"] == [ERROR]
        assert found["status"] == str(status)
        return str(found["detail"])

    def make_user(self, name: str = "ada", *, domain: str = "", **more: Any) -> dict[str, Any]:
        """Provision a person."""
        email = f"{name}@{domain or self.domain}"
        body = {
            "schemas": [USER], "userName": email, "displayName": name.title(), "active": True,
            "name": {"givenName": name.title(), "familyName": "Example"},
            "emails": [{"value": email, "type": "work", "primary": True}], **more,
        }  # fmt: skip
        return self.ask("POST", "/Users", body, 201)

    def make_group(self, name: str = "Engineers", *members: str) -> dict[str, Any]:
        """Provision a group."""
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": item} for item in members]}
        return self.ask("POST", "/Groups", body, 201)

    def patch(self, path: str, *operations: Mapping[str, Any], status: int = 200, **more: Any) -> dict[str, Any]:
        """Send operations."""
        return self.ask("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, status, **more)

    def person(self, name: str = "ada", domain: str = "") -> UUID:
        """Return the account with an address."""
        ((user_id,),) = self.function.database.owner.run(
            "select id from core.users where email = :email", email=f"{name}@{domain or self.domain}"
        )
        return cast("UUID", user_id)

    def role(self, user_id: UUID) -> str | None:
        """Return somebody's role."""
        rows = self.function.database.owner.run(
            "select role from core.members where org_id = :org_id and user_id = :user_id",
            org_id=self.id,
            user_id=user_id,
        )
        return rows[0][0] if rows else None

    def sign_in(self, user_id: UUID, **columns: Any) -> str:
        """Sign somebody in; returns the access token."""
        session_id = self.function.database.make_session(user_id, self.function.clock.now(), **columns)
        return self.function.access_token(user_id, session_id)

    def make_key(self, user_id: UUID) -> ApiKey:
        """Make an API key of the organisation as somebody."""
        return self.function.database.make_api_key(self.id, user_id)[1]

    def knock(self, credential: str) -> int:
        """Call another function with a token or a key; returns the status."""
        return call(self.function.door, "GET", f"/api/v2/orgs/{self.id}/door", token=credential).status_code


def told(response: Response) -> dict[str, Any]:
    """Return what a response says."""
    return dict(json.loads(response.get_data()))
