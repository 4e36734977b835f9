"""The auth function as one process runs it, over a database of the test's own, with time that stands still.

Two clocks meet here: the function's, which a test moves, and the database's. They start together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from flask import Request, Response
from werkzeug.test import EnvironBuilder

from functions.auth.providers import Providers
from functions.auth.routes import ROUTES
from functions.auth.wiring import AuthDeps, build_billing
from shared.http.app import App
from shared.ports.clock import SystemEntropy
from shared.security.authentication import Authenticator, EventVerifier
from shared.security.peppers import Peppers
from shared.security.sessions import COOKIE, csrf_token
from shared.security.token_issuer import TokenIssuer
from shared.security.tokens import JwksCache
from shared.testing.clock import FakeClock
from shared.testing.key_manager import MemoryKeyManager
from shared.testing.object_store import MemoryObjectStore
from shared.testing.queue import MemoryQueue
from shared.testing.secret_store import MemorySecretStore

from .database import ClonedDatabase
from .openid_site import Site

PUBLIC_URL = "https://driftwise.example"
CLIENT_ID = "driftwise"


@dataclass
class Visitor:
    """A browser or a terminal: what it keeps, and what it calls with."""

    function: AuthFunction
    cookies: dict[str, str] = field(default_factory=dict)
    state: str = ""

    def send(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        form: Mapping[str, str] | None = None,
        body: Any = None,
        query: Mapping[str, str] | None = None,
    ) -> Response:
        """Send one request; a change carries the token of our own pages."""
        headers = {"X-Forwarded-For": "127.0.0.1"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method != "GET" and COOKIE in self.cookies:
            headers["X-CSRF-Token"] = csrf_token(self.cookies[COOKIE])
        kind = "application/json" if form is None else "application/x-www-form-urlencoded"
        content = (
            urlencode(form).encode() if form is not None else json.dumps(body).encode() if body is not None else b""
        )
        builder = EnvironBuilder(
            path=path, method=method, headers=headers, query_string=query, input_stream=BytesIO(content)
        )
        environ = builder.get_environ() | {"CONTENT_LENGTH": str(len(content)), "CONTENT_TYPE": kind}
        response = self.function.app.handle(Request(environ))
        for line in response.headers.getlist("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "max-age=0" in line.lower():
                del self.cookies[name]
        return response

    def begin(self, **query: str) -> str:
        """Ask to sign in; returns the nonce and keeps the state for the way back."""
        response = self.send("GET", "/auth/login", query=query)
        assert response.status_code == 302, response.get_data(as_text=True)
        asked = parse_qs(urlsplit(response.headers["Location"]).query)
        self.state = asked["state"][0]
        return asked["nonce"][0]

    def finish(self, code: str = "c") -> Response:
        """Come back from the provider."""
        return self.send("GET", "/auth/callback", query={"state": self.state, "code": code})

    def sign_in(self, subject: str = "s", email: str = "p@acme.example", **claims: Any) -> Response:
        """Sign in from start to end, as the provider vouches; returns the answer to the way back."""
        nonce = self.begin()
        self.function.site.redeem(self.function.claims(nonce, subject, email, **claims))
        return self.finish()

    def is_signed_in(self) -> bool:
        """Say whether the browser's session is good."""
        return self.send("GET", "/api/v2/me").status_code == 200

    def me(self) -> dict[str, Any]:
        response = self.send("GET", "/api/v2/me")
        assert response.status_code == 200, response.get_data(as_text=True)
        return dict(json.loads(response.get_data()))

    def approve(self) -> str:
        """Let a terminal in; returns its device code, which it has not used yet."""
        codes = json.loads(self.send("POST", "/auth/device/code", form={"client_name": "dw"}).get_data())
        answer = self.send("POST", "/auth/device", body={"user_code": codes["user_code"], "approve": True})
        assert answer.status_code == 204, answer.get_data(as_text=True)
        return str(codes["device_code"])


@dataclass
class AuthFunction:
    """The function and what it stands on."""

    database: ClonedDatabase
    site: Site
    admin_domains: frozenset[str] = frozenset()
    trusted_issuers: str = ""
    provider: Mapping[str, Any] = field(default_factory=dict)
    vault: MemoryKeyManager = field(default_factory=MemoryKeyManager)
    secrets: MemorySecretStore = field(default_factory=MemorySecretStore)
    clock: FakeClock = field(init=False)
    deps: AuthDeps = field(init=False)
    app: App[AuthDeps] = field(init=False)

    def __post_init__(self) -> None:
        self.clock = FakeClock(self.database.owner.run("select now()")[0][0])
        self.vault.add_signing_key("token-signing")
        self.secrets.add_version("api-key-pepper", b"pepper".ljust(32))
        self.secrets.add_version("oidc-client-secret", b"client secret")
        config = {"id": "site", "issuer": self.site.issuer, "client_id": CLIENT_ID, **self.provider}
        settings = self.database.settings(
            "auth",
            public_url=PUBLIC_URL,
            oidc_providers=json.dumps([config]),
            trusted_issuers=self.trusted_issuers,
            pool_size=10,
        )
        queue, clock = MemoryQueue(), self.clock
        db = self.database.build_database("auth", queue, pool_size=10)
        peppers = Peppers(self.secrets, clock)
        self.issuer = TokenIssuer(self.vault, "token-signing", PUBLIC_URL, clock)
        own_keys = JwksCache("", clock, fetch=lambda _: json.dumps(self.issuer.jwks()).encode())
        clients: dict[str, Any] = {
            "settings": settings, "db": db, "queue": queue, "secrets": self.secrets, "peppers": peppers, "clock": clock,
            "entropy": SystemEntropy(), "authenticator": Authenticator(db, peppers, own_keys, settings, clock),
            "events": EventVerifier(own_keys, settings, clock), "issuer": self.issuer,
            "providers": Providers.of(settings, clock), "admin_domains": self.admin_domains, "anchors": MemoryObjectStore(),
            "billing": build_billing(settings, self.secrets, clock),
        }  # fmt: skip
        # clients that signing in has no use for are left out
        self.deps = AuthDeps(**{item.name: clients.get(item.name) for item in fields(AuthDeps)})
        self.app = App("auth", lambda _: self.deps, ROUTES, settings=settings)

    def visitor(self) -> Visitor:
        """Open a browser, or a terminal."""
        return Visitor(self)

    def signed_in(self, subject: str = "s", email: str = "p@acme.example", **claims: Any) -> Visitor:
        """Open a browser and sign somebody in."""
        visitor = self.visitor()
        response = visitor.sign_in(subject, email, **claims)
        assert response.status_code == 303, response.get_data(as_text=True)
        return visitor

    def claims(self, nonce: str, subject: str, email: str, **changes: Any) -> dict[str, Any]:
        """Make the claims of an ID token."""
        now = int(self.clock.now().timestamp())
        return {
            "aud": CLIENT_ID, "sub": subject, "iat": now, "exp": now + 60, "auth_time": now, "nonce": nonce,
            "email": email, "email_verified": True, "name": "P", **changes,
        }  # fmt: skip

    def token(self, method_form: Mapping[str, str]) -> Response:
        """Call the token endpoint."""
        return self.visitor().send("POST", "/auth/token", form=method_form)

    def refresh(self, refresh_token: str) -> Response:
        """Use a refresh token."""
        return self.token({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def poll(self, device_code: str) -> Response:
        """Use a device code."""
        return self.token({"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": device_code})

    def works(self, access_token: str) -> bool:
        """Say whether an access token is good."""
        return self.visitor().send("GET", "/api/v2/me", token=access_token).status_code == 200

    def audits(self, action: str) -> list[dict[str, Any]]:
        """Return the facts of every entry of the platform's audit log with this action."""
        rows = self.database.owner.run(
            "select cast(facts as text) from core.platform_audit_log where action = :action order by id", action=action
        )
        return [json.loads(row[0]) for row in rows]

    def admins(self) -> set[UUID]:
        """Return who runs the platform."""
        return {row[0] for row in self.database.owner.run("select id from core.users where is_platform_admin")}

    def pass_time(self, delta: timedelta) -> None:
        """Let time pass for the function."""
        self.clock.advance(delta.total_seconds())


def told(response: Response) -> dict[str, Any]:
    """Return what a response says."""
    return dict(json.loads(response.get_data()))


def refused(response: Response, status: int, code: str) -> dict[str, Any]:
    """Check that a response is this problem, and return its members."""
    found = told(response)
    assert (response.status_code, found.get("code")) == (status, code), found
    return found
