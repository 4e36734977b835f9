"""Sealed values: whatever became of the KMS meanwhile, what was sealed can be opened in its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from functions.analyze import wiring as analyze
from functions.auth import wiring as auth
from functions.scan import wiring as scan
from functions.webhook import wiring as webhook
from shared.data.sealed_columns import PurgedColumn, SealedColumn
from shared.http.errors import AppError
from shared.ports.clock import SystemEntropy
from shared.security.envelope import Envelope, Place

from .world import Owner, World

_EVERY_VERSION = 2**32  # above any number that a ciphertext can name
_MOST_OPENED = 500  # of one column, the newest: each one is a call of the KMS
_THREADS = 8
_EXAMPLES = 20
SEALED: Sequence[tuple[str, Sequence[SealedColumn | PurgedColumn]]] = (
    (scan.CREDENTIALS_KEY, scan.SEALED_COLUMNS),
    (auth.SEALING_KEY, (*auth.SEALED_COLUMNS, auth.EXPORT_PART)),
    (webhook.SECRETS_KEY, (*webhook.SEALED_COLUMNS, webhook.BODY)),
    (analyze.CREDENTIALS_KEY, analyze.SEALED_COLUMNS),
)
_CATALOGUE = """
select table_schema || '.' || table_name || '.' || column_name as name
from information_schema.columns
where column_name ~ '_encrypted$' and table_schema !~ '^pg_'
order by 1
"""
_ORGS = "select id from core.orgs order by id"
_PURGED = "select org_id, id, {column} as sealed from {table} where {column} is not null order by id desc limit {most}"


@dataclass(frozen=True, slots=True)
class _Value:
    """One ciphertext, and where it stands."""

    name: str
    place: Place
    sealed: bytes


def sealed_values_open(world: World, counts: Counter[str]) -> Iterator[str]:
    """Every sealed value opens, the newest of each column; objects in reports of clusters lie under keys that are such values."""
    with world.owner() as owner:
        known = {column.name for _, columns in SEALED for column in columns}
        for row in owner.rows(_CATALOGUE):
            if row["name"] not in known:
                yield f"{row['name']}: nobody says how it is opened"
        for key, columns in SEALED:
            values = [value for column in columns for value in _values(owner, column)]
            counts["columns"] += len(columns)
            counts["values"] += len(values)
            yield from _unopened(Envelope(world.keys, key, SystemEntropy()), values)


def _values(owner: Owner, column: SealedColumn | PurgedColumn) -> Iterator[_Value]:
    """Read a column's ciphertexts, newest first, by the statement that seals them anew where there is one."""
    if isinstance(column, PurgedColumn):
        sql = _PURGED.format(column=column.column, table=column.table, most=_MOST_OPENED)
        rows = owner.rows(sql)
    else:
        rows = [
            {**row, "org_id": org["id"]}
            for org in owner.rows(_ORGS)
            for row in owner.rows(column.queries.rows_sql, **_all_of(org["id"]))
        ]
        rows = sorted(rows, key=_by_id, reverse=True)[:_MOST_OPENED]
    for row in rows:
        yield _Value(column.name, column.place(row["org_id"], row["id"]), bytes(row["sealed"]))


def _all_of(org_id: UUID) -> dict[str, Any]:
    return {"org_id": org_id, "below_version": _EVERY_VERSION, "after_id": None, "most": None}


def _by_id(row: dict[str, Any]) -> UUID:
    found: UUID = row["id"]
    return found


def _unopened(envelope: Envelope, values: Sequence[_Value]) -> Iterator[str]:
    with ThreadPoolExecutor(_THREADS) as pool:
        found = [problem for problem in pool.map(partial(_open, envelope), values) if problem is not None]
    yield from found[:_EXAMPLES]
    if len(found) > _EXAMPLES:
        yield f"and {len(found) - _EXAMPLES} more"


def _open(envelope: Envelope, value: _Value) -> str | None:
    try:
        envelope.open(value.sealed, value.place)
    except AppError as error:
        return f"{value.name}, org {value.place.org_id}, row {value.place.row_id}: {error.code}"
    return None
