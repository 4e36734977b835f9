"""Whether a restored database may serve: `python -m infra.recovery check`.

Looks, and changes nothing. What protects rows is read from the catalogue, not taken from the fact that it was there before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from infra.suite import load_suite
from shared.data.migrations import read_migrations
from shared.ports.object_store import ObjectStore

from . import queries
from .chains import check_chains
from .findings import Finding
from .owner import OwnerDatabase

MIGRATIONS = Path(__file__).parents[1] / "migrations"


def check(database: OwnerDatabase, anchors: ObjectStore, restored_at: datetime | None) -> Iterator[Finding]:
    """Yield everything that is wrong or to be known.

    Args:
        database: the restored database.
        anchors: the bucket that heads of audit chains are kept in.
        restored_at: when the restore was made, aware: credentials from before must have ended; None to leave that out.

    Raises:
        DatabaseAway, ServiceAway: the database or the bucket did not answer, so nothing is known.
    """
    yield from _migrations(database)
    yield from _protection(database)
    yield from _outbox(database)
    yield from check_chains(database, anchors)
    if restored_at is not None:
        yield from _credentials(database, restored_at)


def _migrations(database: OwnerDatabase) -> Iterator[Finding]:
    known = {item.version: item for item in read_migrations(MIGRATIONS)}
    applied = {row["version"]: bytes(row["sha256"]) for row in database.session.run(queries.LIST_APPLIED)}
    for version, seal in applied.items():
        if version not in known:
            yield Finding(
                "migrations", f"{version:04d} was applied and is none of this release: take the release that has it"
            )
        elif known[version].sha256 != seal:
            yield Finding("migrations", f"{known[version].name} is not the file that was applied")
    for version in sorted(known.keys() - applied.keys()):
        yield Finding(
            "migrations", f"{known[version].name} is not applied: run the migrations job before anything else"
        )


def _protection(database: OwnerDatabase) -> Iterator[Finding]:
    run = database.session.run
    for row in run(queries.LIST_UNPROTECTED):
        yield Finding("row-level security", f"{row['name']}: {row['problem']}")
    for row in run(queries.LIST_POWERFUL):
        yield Finding("roles", f"{row['role']} may do more than a function or a lookup may")
    for row in run(queries.LIST_SLEEPING_TRIGGERS):
        yield Finding("append-only", f"{row['name']} does not always fire")
    for row in run(queries.LIST_BROKEN_INDEXES):
        yield Finding("indexes", f"{row['name']} is not valid: reindex it")


def _outbox(database: OwnerDatabase) -> Iterator[Finding]:
    topics = frozenset(load_suite().topics)
    for row in database.lookup(queries.LIST_EMPTY_OUTBOX_ORGS):
        yield Finding("outbox", f"{row['waiting']} messages of {row['org_id']}, which is gone")
    for row in database.lookup(queries.LIST_HEADS):
        with database.unit("auth_work", row["org_id"]) as tx:
            waiting = tx.rows(queries.COUNT_OUTBOX)
        for found in waiting:
            unknown = found["topic"] not in topics
            said = (
                "of a topic that the suite does not have"
                if unknown
                else "wait; the relay sends them, and consumers drop repeats"
            )
            yield Finding(
                "outbox", f"{row['org_id']}: {found['waiting']} for {found['topic']} {said}", is_problem=unknown
            )


def _credentials(database: OwnerDatabase, restored_at: datetime) -> Iterator[Finding]:
    for what, sql in (("sessions", queries.COUNT_OLD_SESSIONS), ("refresh tokens", queries.COUNT_OLD_REFRESH_TOKENS)):
        alive = database.session.run(sql, before=restored_at)[0]["alive"]
        if alive:
            yield Finding("credentials", f"{alive} {what} from before the restore are alive: run end-credentials")
    for row in database.lookup(queries.LIST_HEADS):
        with database.unit("auth_work", row["org_id"]) as tx:
            invited = tx.rows(queries.COUNT_OPEN_INVITATIONS, before=restored_at)[0]["open"]
        if invited:
            yield Finding(
                "credentials",
                f"{row['org_id']}: {invited} invitations from before the restore are open: run end-credentials",
            )
