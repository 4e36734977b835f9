"""A real PostgreSQL for tests: one throw-away server per test process, a migrated template, a fresh copy per test.

    def test_something(database: ClonedDatabase) -> None:
        org_id = database.make_org()
        db = database.build_database("keys")           # as the function would: its own login, its own pool
        with db.unit(Actor(kind="key", org_id=org_id)) as tx: ...
        database.owner.run("select …")                 # as the owner, past row-level security

Tests of behaviour go through `build_database` or `url("keys_login")`; `owner` is for arranging and for looking.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from pg8000 import native

from infra.suite import SUITE_FILE, load_suite
from local_emulator.database import enable_logins
from local_emulator.postgres import temporary_cluster, with_database
from shared.data.database import Database
from shared.data.migrations import connect, migrate
from shared.data.urls import with_login
from shared.ports.clock import SystemEntropy
from shared.ports.queue import Queue
from shared.ports.secret_store import Secret, SecretStore
from shared.security.actor import Actor, Role
from shared.security.api_keys import ApiKey, hash_key, make_key
from shared.security.sessions import hash_session_secret
from shared.settings import Settings
from shared.testing.queue import MemoryQueue
from shared.testing.secret_store import MemorySecretStore

ROOT = Path(__file__).parents[2]
MIGRATIONS = ROOT / "infra" / "migrations"
PEPPER = Secret(b"a pepper for tests, 32 bytes long")

_TEMPLATE = "driftwise_template"
_numbers = count(1)


def login_roles() -> list[str]:
    """Return the login role of every function that has a database."""
    return [roles.login for roles in load_suite(SUITE_FILE).roles()]


def work_role(login: str) -> str:
    """Return the work role of a login role."""
    return login.removesuffix("_login") + "_work"


@dataclass(frozen=True)
class DatabaseServer:
    """A running server with a migrated template database and passwords for the login roles.

    Attributes:
        url: the owner's, of the database `postgres`.
        passwords: by login role.
    """

    url: str
    passwords: dict[str, str]

    @contextmanager
    def clone(self, template: str = _TEMPLATE) -> Iterator[ClonedDatabase]:
        """Yield a fresh copy of the template; dropped afterwards, with whoever is still connected."""
        name = f"test_{next(_numbers)}"
        with closing(connect(self.url)) as connection:
            connection.run(f'create database "{name}" template "{template}" strategy file_copy')
        database = ClonedDatabase(name, with_database(self.url, name), self.passwords)
        try:
            yield database
        finally:
            database.close()
            with closing(connect(self.url)) as connection:
                connection.run(f'drop database "{name}" with (force)')

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Yield the owner's URL of a fresh empty database, for tests of the migrations."""
        with self.clone("template0") as database:
            yield database.owner_url


@contextmanager
def database_server() -> Iterator[DatabaseServer]:
    """Run a throw-away server with the template in it."""
    with temporary_cluster() as url:
        yield prepare_server(url)


def prepare_server(url: str) -> DatabaseServer:
    """Put the migrated template and the passwords into a server.

    Args:
        url: the owner's, of the database `postgres`.
    """
    with closing(connect(url)) as connection:
        connection.run(f'create database "{_TEMPLATE}"')
    migrate(with_database(url, _TEMPLATE), MIGRATIONS)
    passwords = {login: secrets.token_hex(12) for login in login_roles()}
    enable_logins(url, passwords)
    return DatabaseServer(url, passwords)


@dataclass
class ClonedDatabase:
    """One test's own database.

    Attributes:
        owner_url: connects as the owner.
    """

    name: str
    owner_url: str
    passwords: dict[str, str]
    _databases: list[Database] = field(default_factory=list)
    _connections: list[native.Connection] = field(default_factory=list)

    @cached_property
    def owner(self) -> native.Connection:
        """The owner's connection; each statement commits by itself."""
        return self._keep(connect(self.owner_url))

    def url(self, login: str) -> str:
        """Return the URL of a login role, e.g. `keys_login`."""
        return with_login(self.owner_url, login, self.passwords[login])

    def connect(self, login: str) -> native.Connection:
        """Open a plain connection as a login role, without pool and unit of work; closed with the database."""
        return self._keep(connect(self.url(login)))

    def settings(self, function: str, **changes: Any) -> Settings:
        """Return the settings of a function's process over this database."""
        chosen: dict[str, Any] = {"database_url": self.url(f"{function}_login"), "pool_size": 5} | changes
        return Settings(env="emulator", function=function, **chosen)

    def build_database(
        self, function: str, queue: Queue | None = None, secrets: SecretStore | None = None, **changes: Any
    ) -> Database:
        """Return the `Database` that a function works with; closed with this database.

        Args:
            function: folder name, e.g. `keys`.
            queue: an in-memory one when None.
            secrets: an empty one in memory when None.
            changes: settings to change, e.g. `pool_size=1`.
        """
        made = Database(self.settings(function, **changes), queue or MemoryQueue(), secrets or MemorySecretStore())
        self._databases.append(made)
        return made

    def make_org(self, name: str = "Acme", plan: str = "team") -> UUID:
        """Make an organisation."""
        org_id = SystemEntropy().uuid()
        self.owner.run(
            "insert into core.orgs (id, name, plan) values (:id, :name, :plan)", id=org_id, name=name, plan=plan
        )
        return org_id

    def make_user(self, email: str | None = None, *, is_platform_admin: bool = False) -> UUID:
        """Make a person who belongs to no organisation."""
        rows = self.owner.run(
            "insert into core.users (email, name, is_platform_admin) values (:email, 'Test Person', :admin) returning id",
            email=email or f"person-{next(_numbers)}@example.test",
            admin=is_platform_admin,
        )
        return UUID(str(rows[0][0]))

    def make_session(self, user_id: UUID, now: datetime, *, secret: str | None = None, **columns: Any) -> UUID:
        """Sign a person in, in a browser when its secret is given; returns the session's id."""
        values = {
            "id": SystemEntropy().uuid(),
            "user_id": user_id,
            "kind": "terminal" if secret is None else "browser",
            "secret_hash": None if secret is None else hash_session_secret(secret),
            "issuer": "https://id.example",
            "subject": str(user_id),
            "signed_in_at": now,
            "last_seen_at": now,
            "expires_at": now + timedelta(days=7),
            **columns,
        }
        names = ", ".join(values)
        self.owner.run(
            f"insert into core.sessions ({names}) values ({', '.join(f':{name}' for name in values)})", **values
        )
        session_id: UUID = values["id"]
        return session_id

    def make_member(self, org_id: UUID, role: str = "member", *, email: str | None = None) -> UUID:
        """Make a person with a role in an organisation; returns the person's id."""
        user_id = self.make_user(email)
        self.owner.run(
            "insert into core.members (org_id, user_id, role) values (:org_id, :user_id, :role)",
            org_id=org_id,
            user_id=user_id,
            role=role,
        )
        return user_id

    def make_api_key(
        self, org_id: UUID, maker_id: UUID, scopes: Sequence[str] = ("read",), *, pepper: Secret = PEPPER
    ) -> tuple[UUID, ApiKey]:
        """Make an API key, hashed under version 1 of the pepper; returns its id and the key itself."""
        key = make_key(SystemEntropy())
        rows = self.owner.run(
            "insert into core.api_keys (org_id, public_id, secret_hash, pepper_version, name, scopes, created_by) "
            "values (:org_id, :public_id, :secret_hash, 1, 'made for a test', :scopes, :maker_id) returning id",
            org_id=org_id,
            public_id=key.public_id,
            secret_hash=hash_key(key, pepper),
            scopes=list(scopes),
            maker_id=maker_id,
        )
        return UUID(str(rows[0][0])), key

    def close(self) -> None:
        """Close what was opened through this object."""
        for database in self._databases:
            database.close()
        for connection in self._connections:
            try:
                connection.close()
            except (native.InterfaceError, native.DatabaseError, OSError):
                continue  # a test may have ended it

    def _keep(self, connection: native.Connection) -> native.Connection:
        self._connections.append(connection)
        return connection


@contextmanager
def owner_without_powers(url: str) -> Iterator[str]:
    """Give an empty database to an owner such as managed databases have, no superuser; yields that owner's URL."""
    name = url.rsplit("/", 1)[1]
    with closing(connect(url)) as connection:
        roles = [
            row[0] for row in connection.run("select rolname from pg_roles where rolname ~ '_(work|login)$|^core_'")
        ]
        connection.run("create role plain_owner login createrole createdb nobypassrls password 'plain'")
        connection.run(f"alter database {name} owner to plain_owner")
        for role in roles:  # as if that owner had created them
            connection.run(f"grant {role} to plain_owner with admin true, inherit false, set false")
    try:
        yield with_login(url, "plain_owner", "plain")
    finally:
        with closing(connect(url)) as connection:
            connection.run("drop owned by plain_owner cascade")
            connection.run("reassign owned by plain_owner to current_user")
            for role in roles:
                connection.run(f"revoke {role} from plain_owner cascade")
            connection.run("drop role plain_owner")


def actor_in(org_id: UUID | None, *, role: Role = Role.OWNER, user_id: UUID | None = None) -> Actor:
    """Return a signed-in person with a role in an organisation."""
    return Actor(kind="human", id=str(user_id or UUID(int=1)), org_id=org_id, role=role, plan="team")
