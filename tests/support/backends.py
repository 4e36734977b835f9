"""Two functions of the suite, auth and keys, over real back ends that a test can make fail one by one.

The functions are in this process, as they are in theirs: their own routes, wiring, clients and database logins. A new
`Functions` is a fresh process: nothing is connected, nothing is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import UUID

import httpx
from flask import Request, Response

import functions.auth.routes
import functions.auth.wiring
import functions.keys.routes
import functions.keys.wiring
from functions.auth.domain.sessions import hash_token, make_token
from infra.suite import SUITE_FILE
from local_emulator.identity_keys import load_keys
from local_emulator.identity_provider import CLIENT_ID, PEOPLE, Provider, create_app
from local_emulator.names import IDENTITY_PROVIDER_PREFIX, PROJECT, REGION
from local_emulator.provisioning import provision
from shared.http.app import App
from shared.ports.clock import SystemClock, SystemEntropy
from shared.ports.key_manager import GoogleKeyManager
from shared.ports.secret_store import GoogleSecretStore
from shared.security.token_issuer import TokenIssuer
from shared.settings import Settings
from tests.support.database import ClonedDatabase, DatabaseServer
from tests.support.gate import Gate, gate_before
from tests.support.google_emulator import Emulator
from tests.support.http_app import call
from tests.support.redis_server import free_port, redis_server
from tests.support.wsgi_server import serving

Service: TypeAlias = Literal["kms", "secret_manager", "redis", "database"]
Fault: TypeAlias = Literal["refused", "silent", "slow", "failing"]

SLOW_SECONDS = 2.0
FAILING_SECONDS = 1.0
PUBLIC_URL = "https://driftwise.example"
_CLIENT_SECRET = "client-secret"  # noqa: S105  # of a provider of the test's own
# What each says while it starts; the gate says it in the server's place.
_STARTING: Mapping[Service, bytes] = {
    "redis": b"-LOADING Redis is loading the dataset in memory\r\n",
    "database": b"E\0\0\0\x3eSFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0",
}


@dataclass
class Backends:
    """Everything that auth and keys stand on.

    Attributes:
        gates: before each service.
        settings: of either function, but for its name and its database.
        session_id: of the person; others begin with it.
        token, key: a person's and an API key of the organisation.
    """

    google: Emulator
    gates: Mapping[Service, Gate]
    database: ClonedDatabase
    settings: Settings
    org_id: UUID
    session_id: UUID
    token: str
    key: str

    def make_refresh_token(self) -> str:
        """Make an unused refresh token of the person's session."""
        refresh_token = make_token(SystemEntropy(), "dwr_")
        self.database.owner.run(
            "insert into core.refresh_tokens (token_hash, session_id) values (:token_hash, :session_id)",
            token_hash=hash_token(refresh_token),
            session_id=self.session_id,
        )
        return refresh_token

    def strike(self, service: Service, fault: Fault) -> None:
        """Make a service fail, in one of four ways."""
        gate, is_google = self.gates[service], service not in _STARTING
        if fault == "refused":
            gate.refuse()
        elif fault == "silent":
            gate.fall_silent()
        elif is_google:
            mode, seconds = ("slow", SLOW_SECONDS) if fault == "slow" else ("unavailable", FAILING_SECONDS)
            self._switch(service, mode, seconds)
        elif fault == "slow":
            gate.dawdle(SLOW_SECONDS)
        else:
            gate.answer(_STARTING[service])

    def heal(self) -> None:
        """Make every service well again."""
        for service, gate in self.gates.items():
            gate.open()
            if service not in _STARTING:
                self._switch(service, "none", 0)

    def _switch(self, service: Service, mode: str, seconds: float) -> None:
        fault = {"service": service, "mode": mode, "seconds": seconds}
        httpx.post(f"{self.google.url}/_faults", json=fault, trust_env=False).raise_for_status()


@dataclass
class Functions:
    """One process of auth and one of keys."""

    backends: Backends
    redis_deadline_ms: int
    auth: App[Any] = field(init=False)
    keys: App[Any] = field(init=False)
    _common: Settings = field(init=False)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        published = self._stack.enter_context(serving(Request.application(self._publish)))
        self._common = replace(
            self.backends.settings,
            jwks_url=f"{published}/.well-known/jwks.json",
            redis_deadline_ms=self.redis_deadline_ms,
        )
        self.auth = App(
            "auth", functions.auth.wiring.load_deps, functions.auth.routes.ROUTES, settings=self._settings("auth")
        )
        self.keys = self._keys()

    def restart_keys(self) -> None:
        """End the process of keys and start another one."""
        self.keys.deps().close()
        self.keys = self._keys()

    def _publish(self, request: Request) -> Response:
        return self.auth.handle(request)

    def close(self) -> None:
        """End both processes."""
        self._stack.close()
        for app in (self.auth, self.keys):
            app.deps().close()

    def _keys(self) -> App[Any]:
        return App(
            "keys", functions.keys.wiring.load_deps, functions.keys.routes.ROUTES, settings=self._settings("keys")
        )

    def _settings(self, function: str) -> Settings:
        url = urlsplit(self.backends.database.url(f"{function}_login"))
        login = url.netloc.rpartition("@")[0]
        through_gate = urlunsplit(url._replace(netloc=f"{login}@{self.backends.gates['database'].address}"))
        return replace(self._common, function=function, database_url=through_gate)

    # What callers do

    def check_health(self) -> Response:
        """Ask the public health route."""
        return call(self.keys, "GET", "/keys/health")

    def read_by_key(self) -> Response:
        """Read something with an API key."""
        return call(self.keys, "GET", f"/api/v2/orgs/{self.backends.org_id}/api-keys", token=self.backends.key)

    def read_by_token(self) -> Response:
        """Read something with a person's access token, whose keys auth publishes."""
        return call(self.keys, "GET", f"/api/v2/orgs/{self.backends.org_id}/api-keys", token=self.backends.token)

    def begin(self) -> Begun:
        """Go as far with a sign-in as the way back from the identity provider, and take up a refresh token."""
        begun = call(self.auth, "GET", "/auth/login")
        if begun.status_code != 302:
            raise NotBegun(begun.get_data(as_text=True))
        cookies = {name: item.value for name, item in SimpleCookie(begun.headers["Set-Cookie"]).items()}
        page = begun.headers["Location"]
        chosen = httpx.post(page, data={"email": PEOPLE[0].email}, trust_env=False)
        assert chosen.status_code == 303, chosen.text
        back = urlsplit(chosen.headers["Location"])
        return Begun(f"{back.path}?{back.query}", cookies, self.backends.make_refresh_token())

    def finish_sign_in(self, begun: Begun) -> Response:
        """Come back from the identity provider, to a session."""
        cookie = "; ".join(f"{name}={value}" for name, value in begun.cookies.items())
        return call(self.auth, "GET", begun.path, headers={"Cookie": cookie})

    def refresh(self, begun: Begun) -> Response:
        """Turn the refresh token into an access token."""
        form = urlencode({"grant_type": "refresh_token", "refresh_token": begun.refresh_token}).encode()
        return call(self.auth, "POST", "/auth/token", content=form, content_type="application/x-www-form-urlencoded")


class NotBegun(Exception):
    """A sign-in could not even be begun."""


@dataclass(frozen=True)
class Begun:
    """A sign-in that a person has confirmed at the identity provider, and a refresh token that nobody used yet."""

    path: str
    cookies: Mapping[str, str]
    refresh_token: str


@contextmanager
def running_functions(backends: Backends, redis_deadline_ms: int) -> Iterator[Functions]:
    """Run a fresh process of each function."""
    functions = Functions(backends, redis_deadline_ms)
    try:
        yield functions
    finally:
        functions.close()


@contextmanager
def running_backends(folder: Path, server: DatabaseServer) -> Iterator[Backends]:
    """Run everything that auth and keys stand on, with an organisation in it."""
    google = Emulator(folder)
    with ExitStack() as stack:
        stack.callback(google.stop)
        provision(
            google.endpoint, SUITE_FILE, {}, secrets={"oidc-client-secret": _CLIENT_SECRET}, storage_url=google.url
        )
        database = stack.enter_context(server.clone())
        redis_url = stack.enter_context(redis_server())
        targets: dict[Service, str] = {
            "kms": google.endpoint,
            "secret_manager": google.endpoint,
            "redis": redis_url.removeprefix("redis://").removesuffix("/0"),
            "database": urlsplit(database.owner_url).netloc.rpartition("@")[2],
        }
        gates = {service: stack.enter_context(gate_before(target)) for service, target in targets.items()}
        issuer = _identity_provider(stack, folder)
        settings = Settings(
            env="emulator",
            project=PROJECT,
            region=REGION,
            public_url=PUBLIC_URL,
            kms_endpoint=gates["kms"].address,
            secrets_endpoint=gates["secret_manager"].address,
            pubsub_endpoint=google.endpoint,
            storage_endpoint=google.url,
            redis_url=f"redis://{gates['redis'].address}/0",
            rate_scale=1000,
            oidc_issuer=issuer,
            oidc_client_id=CLIENT_ID,
            secret_scanning_keys_url="",
        )
        direct = replace(settings, kms_endpoint=google.endpoint, secrets_endpoint=google.endpoint)
        org_id = database.make_org()
        owner_id = database.make_member(org_id, "owner")
        _, key = database.make_api_key(org_id, owner_id, pepper=GoogleSecretStore(direct).read("api-key-pepper", "1"))
        session_id = database.make_session(owner_id, SystemClock().now())
        token = _token(direct, owner_id, session_id)
        yield Backends(google, gates, database, settings, org_id, session_id, token, key.reveal())


def _identity_provider(stack: ExitStack, folder: Path) -> str:
    port = free_port()
    issuer = f"http://127.0.0.1:{port}{IDENTITY_PROVIDER_PREFIX}"
    keys = folder / "identity"
    keys.mkdir()
    callbacks = frozenset({f"{PUBLIC_URL}/auth/callback"})
    stack.enter_context(serving(create_app(Provider(issuer, _CLIENT_SECRET, callbacks, load_keys(keys))), port))
    return issuer


def _token(settings: Settings, user_id: UUID, session_id: UUID) -> str:
    clock = SystemClock()
    issuer = TokenIssuer(GoogleKeyManager(settings), functions.auth.wiring.SIGNING_KEY, PUBLIC_URL, clock)
    claims = {"sub": str(user_id), "sid": str(session_id), "auth_time": int(clock.now().timestamp())}
    return issuer.issue(claims, audience=PUBLIC_URL, kind="at+jwt", lifetime=timedelta(hours=1))


def away(response: Response) -> str:
    """Say what a response says is away; `ok` when it went well."""
    if response.status_code < 400:
        return "ok"
    found = json.loads(response.get_data())
    assert response.status_code == 503, found
    assert int(response.headers["Retry-After"]) > 0, found
    return str(found.get("service") or found["code"])
