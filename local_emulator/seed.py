"""Puts the first organisation into a fresh emulator: people of every role, their tokens, one API key per scope.

Works as the database's owner and signs with the emulated KMS, so what it makes is what the functions would make.
Tokens live for twelve hours instead of ten minutes: tools drive the emulator with them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from pg8000 import native

from shared.data.migrations import connect
from shared.ports.clock import SystemClock, SystemEntropy
from shared.ports.key_manager import GoogleKeyManager
from shared.ports.secret_store import GoogleSecretStore
from shared.security.api_keys import hash_key, make_key
from shared.security.peppers import Peppers
from shared.security.token_issuer import TokenIssuer
from shared.settings import Settings

from .context import Context
from .names import PROJECT, REGION

ORG_NAME = "Acme"
PEOPLE = {
    "owner": ("owner@acme.example", "Olivia Owner"),
    "admin": ("admin@acme.example", "Amir Admin"),
    "member": ("member@acme.example", "Mina Member"),
    "viewer": ("viewer@acme.example", "Viktor Viewer"),
    "platform_admin": ("platform@driftwise.example", "Paula Platform"),
}
SCOPES = ("read", "write", "admin", "report")
_TOKEN_LIFETIME = timedelta(hours=12)

_FIND_ORG = "select id from core.orgs where name = :name order by created_at limit 1"
_INSERT_ORG = "insert into core.orgs (id, name, plan) values (:id, :name, 'enterprise')"
_UPSERT_USER = """
insert into core.users (email, name, is_platform_admin)
values (:email, :name, :is_platform_admin)
on conflict (lower(email)) do update set name = excluded.name
returning id
"""
_UPSERT_MEMBER = """
insert into core.members (org_id, user_id, role)
values (:org_id, :user_id, :role)
on conflict (org_id, user_id) do update set role = excluded.role
"""
_INSERT_SESSION = """
insert into core.sessions (id, user_id, kind, issuer, subject, signed_in_at, expires_at)
values (:id, :user_id, 'terminal', :issuer, :subject, now(), now() + interval '7 days')
"""
_DELETE_SEEDED_KEYS = "delete from core.api_keys where org_id = :org_id and name = any(cast(:names as text[]))"
_INSERT_KEY = """
insert into core.api_keys (org_id, public_id, secret_hash, pepper_version, name, scopes, created_by)
values (:org_id, :public_id, :secret_hash, :pepper_version, :name, :scopes, :created_by)
"""


def seed(context: Context) -> dict[str, object]:
    """Seed the emulator; a second run finds what the first one made.

    Returns:
        `org_id`, `tokens` (role to JWT) and `api_keys` (scope to key), for `emulator.json`.
    """
    settings = _settings(context)
    clock = SystemClock()
    issuer = TokenIssuer(GoogleKeyManager(settings), "token-signing", settings.public_url, clock)
    connection = connect(context.databases["owner"])
    try:
        connection.run("begin")
        org_id = _org(connection)
        users = {role: _person(connection, org_id, role) for role in PEOPLE}
        session_ids = {role: _session(connection, user_id, context.issuer) for role, user_id in users.items()}
        api_keys = _api_keys(connection, org_id, users["owner"], Peppers(GoogleSecretStore(settings)))
        connection.run("commit")
    finally:
        connection.close()
    signed_in_at = int(clock.now().timestamp())
    tokens = {
        role: issuer.issue(
            {"sub": str(user_id), "sid": str(session_ids[role]), "auth_time": signed_in_at},
            audience=settings.public_url,
            kind="at+jwt",
            lifetime=_TOKEN_LIFETIME,
        )
        for role, user_id in users.items()
    }
    return {"org_id": str(org_id), "tokens": tokens, "api_keys": api_keys}


def _settings(context: Context) -> Settings:
    grpc = context.google["grpc"]
    return Settings(
        env="emulator",
        function="auth",
        project=PROJECT,
        region=REGION,
        public_url=context.gateway_url,
        kms_endpoint=grpc,
        secrets_endpoint=grpc,
    )


def _org(connection: native.Connection) -> UUID:
    found: list[Any] = connection.run(_FIND_ORG, name=ORG_NAME)
    if found:
        return UUID(str(found[0][0]))
    org_id = SystemEntropy().uuid()
    connection.run(_INSERT_ORG, id=org_id, name=ORG_NAME)
    return org_id


def _person(connection: native.Connection, org_id: UUID, role: str) -> UUID:
    email, name = PEOPLE[role]
    is_platform_admin = role == "platform_admin"
    rows: list[Any] = connection.run(_UPSERT_USER, email=email, name=name, is_platform_admin=is_platform_admin)
    user_id = UUID(str(rows[0][0]))
    if not is_platform_admin:
        connection.run(_UPSERT_MEMBER, org_id=org_id, user_id=user_id, role=role)
    return user_id


def _session(connection: native.Connection, user_id: UUID, issuer: str) -> UUID:
    """Begin a session as a terminal would, for the token to name."""
    session_id = SystemEntropy().uuid()
    connection.run(_INSERT_SESSION, id=session_id, user_id=user_id, issuer=issuer, subject=str(user_id))
    return session_id


def _api_keys(connection: native.Connection, org_id: UUID, maker: UUID, peppers: Peppers) -> dict[str, str]:
    """Make fresh keys with each start: a key is shown once, so the last start's cannot be told again."""
    version, pepper = peppers.newest()
    names = {scope: f"emulator {scope}" for scope in SCOPES}
    connection.run(_DELETE_SEEDED_KEYS, org_id=org_id, names=list(names.values()))
    made: dict[str, str] = {}
    for scope, name in names.items():
        key = make_key(SystemEntropy())
        connection.run(
            _INSERT_KEY,
            org_id=org_id,
            public_id=key.public_id,
            secret_hash=hash_key(key, pepper),
            pepper_version=version,
            name=name,
            scopes=[scope],
            created_by=maker,
        )
        made[scope] = key.reveal()
    return made
