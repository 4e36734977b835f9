"""The calls on state sources, as one process serves them, over a real Postgres, with hosts of states behind the real guard."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from flask import Response

from functions.scan.cloud_access.opening import CloudOpener, Guards
from functions.scan.cloud_access.tokens import Tokens
from functions.scan.readers.aws.session import SignIns
from functions.scan.readers.aws.trail import Pace
from functions.scan.routes import ROUTES
from functions.scan.state_sources.opening import Opener
from functions.scan.streams import Places
from functions.scan.wiring import CREDENTIALS_KEY, SEALED_COLUMNS, ScanDeps
from shared.data.resealing import Resealer
from shared.http.app import App
from shared.ports.secret_store import Secret
from shared.security.envelope import Envelope
from shared.security.secret_versions import SecretVersions
from shared.testing.clock import FakeClock, FixedEntropy
from shared.testing.key_manager import MemoryKeyManager
from shared.testing.queue import MemoryQueue
from shared.testing.secret_store import MemorySecretStore

from .database import ClonedDatabase
from .http_app import PUBLIC_URL, SETTINGS, World, call
from .state_hosts import Internet, OwnTokens

ACCOUNT = {
    "provider": "aws", "name": "Shop", "external_account": "123456789012",
    "auth": {"kind": "role", "role_arn": "arn:aws:iam::123456789012:role/driftwise"},
}  # fmt: skip


@dataclass
class SourceOrg:
    """An organisation with an account, and the process it talks to.

    Attributes:
        vault: holds the key of credentials.
        internet: what lies outside.
    """

    database: ClonedDatabase
    clock: FakeClock = field(default_factory=FakeClock)
    vault: MemoryKeyManager = field(default_factory=MemoryKeyManager)

    def __post_init__(self) -> None:
        self.id = self.database.make_org()
        self.database.owner.run("update core.orgs set plan = 'enterprise' where id = :id", id=self.id)
        self.internet = Internet(self.clock)
        self.db = self.database.build_database("scan", MemoryQueue())
        self.world = World(clock=self.clock, entropy=FixedEntropy(str(self.id)), directory=cast("Any", self.db))
        self.vault.add_wrapping_key(CREDENTIALS_KEY)
        self.deps = self._build_deps()
        self.app: App[ScanDeps] = App("scan", lambda _: self.deps, ROUTES, settings=self.deps.settings)
        self.account_id = self.done("POST", "/cloud-accounts", ACCOUNT, 201)["id"]

    def _build_deps(self) -> ScanDeps:
        common = self.world.deps(SETTINGS)
        envelope = Envelope(self.vault, CREDENTIALS_KEY, common.entropy)
        secrets = MemorySecretStore()
        secrets.add_version("value-digest-key", b"k" * 32)
        guard = self.internet.guard()
        return ScanDeps(
            **{item.name: getattr(common, item.name) for item in fields(common)},
            envelope=envelope,
            resealer=Resealer(self.db, envelope, SEALED_COLUMNS, self.clock),
            digest_keys=SecretVersions("value-digest-key", secrets, self.clock),
            sign_ins=SignIns(self.clock),
            clouds=CloudOpener(Guards(guard, guard, guard), self.clock, OwnTokens(), Tokens(self.clock)),
            pace=Pace(self.clock),
            identity_tokens=OwnTokens(),
            egress=guard,
            opener=Opener(guard, self.clock, OwnTokens(), "", 1),
            places=Places(self.clock),
        )

    def token(self, role: str) -> str:
        """Return a token of a new person with a role."""
        user_id = self.database.make_member(self.id, role)
        session_id = self.database.make_session(user_id, self.clock.now())
        body = {"sub": str(user_id), "sid": str(session_id)}
        return self.world.issuer.issue(body, audience=PUBLIC_URL, kind="at+jwt", lifetime=timedelta(hours=1))

    def call(self, method: str, path: str, body: Any = None, *, role: str = "admin") -> Response:
        """Send one request, with the path below the organisation."""
        whole = f"/api/v2/orgs/{self.id}{path}"
        return call(self.app, method, whole, token=self.token(role), json_body=body)

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

    def add(self, kind: str, **wish: Any) -> dict[str, Any]:
        """Add a source; returns how it is shown."""
        body = {"account_id": self.account_id, "kind": kind, "name": kind, **wish}
        found: dict[str, Any] = self.done("POST", "/state-sources", body, 201)
        return found

    def sealed(self, source_id: str) -> bytes | None:
        """Return the ciphertext of a source's credentials, as the database's owner sees it."""
        rows = self.database.owner.run(
            "select credentials_encrypted from scan.state_sources where id = cast(:id as uuid)", id=source_id
        )
        return bytes(rows[0][0]) if rows and rows[0][0] is not None else None

    def opened(self, source_id: str, place: Any) -> Secret:
        """Open what was sealed."""
        sealed = self.sealed(source_id)
        assert sealed is not None
        return self.deps.envelope.open(sealed, place(self.id, UUID(source_id)))
