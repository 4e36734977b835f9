"""Rows of an organisation in every tenant table there is, made from the catalogue; a new table joins by itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from infra.lint.rls import SCHEMAS
from tests.support.database import ClonedDatabase, DatabaseServer

# What a column's type alone does not tell: values that its check constraints want, by column or by table and column.
_VALUES: dict[str, Any] = {
    "action": "test:row:made",
    "auth_kind": "role",
    "external_account": "123456789012",
    "hash": bytes(32),
    "document_hash": bytes(32),
    "kind": "unmanaged",
    "pepper_version": 1,
    "prev_hash": bytes(32),
    "provider": "aws",
    "regions": ["eu-west-1"],
    "role": "viewer",
    "role_arn": "arn:aws:iam::123456789012:role/driftwise",
    "scopes": ["read"],
    "secret_hash": bytes(32),
    "state_hash": bytes(32),
    "severity": "low",
    "cron": "0 2 * * *",
    "core.audit_exports.to_at": "2026-01-02T00:00:00Z",
    "content_sha256": bytes(32),
    "scan.ignore_rules.type_pattern": "aws_x",
    "scan.schedules.next_run_at": "2026-01-01T00:00:00Z",
    "scan.asset_feeds.pending_since": "2026-01-01T00:00:00Z",
    "scan.asset_feeds.changed_at": "2026-01-01T00:00:00Z",
    "scan.asset_feeds.due_at": "2026-01-01T00:00:00Z",
    "scan.state_sources.kind": "s3",
    "scan.state_sources.bucket": "states",
    "scan.state_sources.object_key": "production.tfstate",
    "scan.state_sources.auth_kind": "none",
    "scan.cluster_reports.last_hash": bytes(32),
    "scan.cluster_objects.object_sealed": bytes(34),
    "scan.state_sources.url": None,
    "proved_by": "current",
    "webhook.configs.provider": "github",
    "webhook.deliveries_in.provider": "github",
    "webhook.notification_channels.kind": "email",
    "events": ["*"],
    "target_hint": "x@example.test",
    "seq": 1,
    "webhook.deliveries_out.content": "{}",
    "webhook.deliveries_out.status": "pending",
    "email": "x@example.test",
    "period": "week",
    "challenge": "x" * 16,
    "domain": "example.test",
    "risk_level": "low",
    "basis": bytes(32),
    "analysis.llm_configs.provider": "openai",
    "source": "own",
    "analysis.code_hosts.kind": "gitlab",
    "url": "https://x.example",
    "analysis.pull_request_comments.repository": "x/y",
    "analysis.policies.rules": "[]",
    "analysis.disabled_rules.rule_id": "x@example.test",
    "recent_at": ["2026-01-01T00:00:00Z"],
}
_NAMES = {"scan.inventory.arn", "scim.groups.display_name", "scim.group_roles.name"}
_BY_TYPE: dict[str, Any] = {
    "text": "x",
    "date": "2026-01-01",
    "integer": 1,
    "smallint": 1,
    "bigint": 1,
    "boolean": False,
    "jsonb": "{}",
    "json": "{}",
    "text[]": [],
    "bytea": b"x",
    "timestamp with time zone": "2026-01-01T00:00:00Z",
}

_TABLES = """
select n.nspname || '.' || c.relname, c.oid
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any(cast(:schemas as text[])) and c.relkind in ('r', 'p') and (
  (n.nspname = 'core' and c.relname = 'orgs')
  or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped)
)
order by 1
"""
_COLUMNS = """
select a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull and not a.atthasdef
from pg_attribute a
where a.attrelid = cast(:oid as oid) and a.attnum > 0 and not a.attisdropped
order by a.attnum
"""
_FOREIGN_KEYS = """
select n.nspname || '.' || c.relname,
  array(select a.attname::text from unnest(k.conkey) with ordinality u (number, place)
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number order by u.place),
  array(select a.attname::text from unnest(k.confkey) with ordinality u (number, place)
        join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.number order by u.place)
from pg_constraint k
join pg_class c on c.oid = k.confrelid
join pg_namespace n on n.oid = c.relnamespace
where k.contype = 'f' and k.conrelid = cast(:oid as oid)
"""


@dataclass(frozen=True)
class TenantTable:
    """One tenant table.

    Attributes:
        columns: name to (type, whether an insert must name it).
        foreign_keys: target table, own columns, target's columns.
    """

    name: str
    columns: dict[str, tuple[str, bool]]
    foreign_keys: list[tuple[str, list[str], list[str]]]

    @property
    def tenant_column(self) -> str:
        return "id" if self.name == "core.orgs" else "org_id"


@dataclass(frozen=True)
class TwoTenants:
    """A database in which two organisations have a row in every tenant table, to make copies of.

    Attributes:
        template: its name; nobody is connected to it.
        mine, other: the organisations.
        my_rows, other_rows: each table's row.
    """

    template: str
    tables: list[TenantTable]
    mine: UUID
    other: UUID
    my_rows: dict[str, dict[str, Any]]
    other_rows: dict[str, dict[str, Any]]


@contextmanager
def two_tenants(server: DatabaseServer) -> Iterator[TwoTenants]:
    """Make the database once; a test works on `server.clone(found.template)`."""
    with server.clone() as database:
        tables = tenant_tables(database)
        mine, my_rows = fill(database, tables, "Mine")
        other, other_rows = fill(database, tables, "Other")
        database.close()
        yield TwoTenants(database.name, tables, mine, other, my_rows, other_rows)


def tenant_tables(database: ClonedDatabase) -> list[TenantTable]:
    """Return every tenant table, those that others point at first."""
    waiting: list[TenantTable] = []
    for name, oid in database.owner.run(_TABLES, schemas=list(SCHEMAS)):
        columns = {row[0]: (row[1], row[2]) for row in database.owner.run(_COLUMNS, oid=oid)}
        keys = [(row[0], row[1], row[2]) for row in database.owner.run(_FOREIGN_KEYS, oid=oid)]
        waiting.append(TenantTable(name, columns, keys))
    ordered: list[TenantTable] = []
    while waiting:
        names = {table.name for table in waiting}
        ready = [t for t in waiting if not {key[0] for key in t.foreign_keys} & (names - {t.name})]
        assert ready, f"foreign keys in a circle: {names}"
        ordered += ready
        waiting = [table for table in waiting if table not in ready]
    return ordered


def fill(database: ClonedDatabase, tables: list[TenantTable], name: str) -> tuple[UUID, dict[str, dict[str, Any]]]:
    """Make an organisation with one row in every tenant table.

    Returns:
        Its id, and each table's row.
    """
    org_id = database.make_org(name)
    user_id = database.make_user()
    rows: dict[str, dict[str, Any]] = {"core.users": {"id": user_id}, "core.orgs": {"id": org_id, "name": name}}
    for table in tables:
        if table.name != "core.orgs":
            rows[table.name] = _insert(database, table, new_values(table, org_id, rows))
    return org_id, rows


def new_values(table: TenantTable, org_id: UUID, rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return values for one more row of a table, pointing at rows that exist."""
    values: dict[str, Any] = {table.tenant_column: org_id}
    for target, own, theirs in table.foreign_keys:
        if target == table.name:
            continue  # a row of the same table that it may point at, and need not
        values |= {mine: rows[target][its] for mine, its in zip(own, theirs, strict=True)}
    for column, (type_name, is_needed) in table.columns.items():
        if column in values:
            continue
        if column in {"public_id", "key", "user_name"} or f"{table.name}.{column}" in _NAMES:  # part of unique rules
            values[column] = os.urandom(6).hex()
        elif column in {"fingerprint", "body_sha256", "token_hash", "key_sha256", "basis"}:
            values[column] = os.urandom(32)
        elif f"{table.name}.{column}" in _VALUES:
            values[column] = _VALUES[f"{table.name}.{column}"]
        elif column in _VALUES:
            values[column] = _VALUES[column]
        elif is_needed:
            values[column] = uuid4() if type_name == "uuid" else _BY_TYPE[type_name]
    return values


def insert(table: TenantTable, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return an insert of these values and its parameters (prefixed: pg8000 keeps some names for itself)."""
    chosen = ", ".join(f"cast(:v_{column} as {table.columns[column][0]})" for column in values)
    sql = f"insert into {table.name} ({', '.join(values)}) values ({chosen})"
    return sql, {f"v_{column}": value for column, value in values.items()}


def _insert(database: ClonedDatabase, table: TenantTable, values: dict[str, Any]) -> dict[str, Any]:
    sql, parameters = insert(table, values)
    rows = database.owner.run(f"{sql} returning *", **parameters)
    names = [column["name"] for column in database.owner.columns]
    return dict(zip(names, rows[0], strict=True))
