"""Wrapping or encrypting sealed columns anew, while everybody goes on reading and writing them.

A run goes through the rows of one column, organisation by organisation, and is a row itself (`core.reseal_runs`): how far it
came, what it changed, what it could not read. Each batch is one unit of work, which moves the run with its rows: whoever
ends in between has done nothing, and the next one goes on where the last batch ended. KMS is asked outside of any
transaction. A row is stored only over the very ciphertext that was read, so what somebody else wrote meanwhile stands.
See ADR-0011.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import UUID

from shared.ports.errors import CiphertextRefused, VersionUnusable
from shared.security.envelope import key_version
from shared.telemetry.log import logger

from . import statements

if TYPE_CHECKING:
    from shared.ports.clock import Clock
    from shared.security.actor import Actor
    from shared.security.envelope import Envelope, Place

    from .database import Database
    from .rows import Row
    from .sealed_columns import SealedColumn

_BATCH_ROWS = 50
_THREADS = 8
_EVERY_VERSION = 2**32  # above any number that a ciphertext can name
_log = logger("resealing")


@dataclass(frozen=True, slots=True)
class _Run:
    """An open run.

    Attributes:
        change: what is done to a ciphertext in its place.
        below_version: rows wrapped under an older version are due.
        after_org_id, after_row_id: the last row that is done; None before the first.
    """

    id: UUID
    column: SealedColumn
    kind: str
    change: Callable[[bytes, Place], bytes]
    below_version: int
    after_org_id: UUID | None
    after_row_id: UUID | None

    def stands(self) -> dict[str, object]:
        return {"run_id": self.id, "from_org_id": self.after_org_id, "from_row_id": self.after_row_id}


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one row outside the transaction; `new` is None when there is nothing to store."""

    row_id: UUID
    old: bytes
    new: bytes | None = None
    unreadable_because: str | None = None


@dataclass(slots=True)
class Progress:
    """What one call of `Resealer.tend` did.

    Attributes:
        opened: runs that were opened.
        finished: runs that came to their end.
        seen, changed, unreadable: rows.
    """

    opened: int = 0
    finished: int = 0
    seen: int = 0
    changed: int = 0
    unreadable: int = 0
    open_runs: list[str] = field(default_factory=list)


class Resealer:
    """Goes through the sealed columns of one function."""

    def __init__(self, db: Database, envelope: Envelope, columns: Sequence[SealedColumn], clock: Clock) -> None:
        self._db = db
        self._envelope = envelope
        self._columns = {column.name: column for column in columns}
        self._clock = clock

    def tend(self, actor: Actor, *, seconds: float) -> Progress:
        """Open a run for each column that needs one, then carry on with every open run until the time is up.

        Args:
            actor: who acts.
            seconds: how long new batches are begun.

        Raises:
            ServiceAway: (503 `service_away`) KMS did not answer; what was done is stored, the next call goes on.
        """
        ends_at = self._clock.monotonic_seconds() + seconds
        version = self._envelope.present_version()
        progress = Progress()
        for column in self._columns.values():
            progress.opened += self._open_run(actor, column, version)
        for run in self._open_runs(actor, version):
            current: _Run | None = run
            while current is not None and self._clock.monotonic_seconds() < ends_at:
                current = self._step(actor, current, progress)
            if current is not None:
                progress.open_runs.append(str(run.id))
        return progress

    def _open_run(self, actor: Actor, column: SealedColumn, version: int) -> bool:
        if not column.queries.list_orgs(self._db, below_version=version, after_id=None, most=1):
            return False
        with self._db.unit_in(None, actor) as tx:
            made = tx.row(statements.OPEN_RESEAL_RUN, sealed_column=column.name, target_version=version)
        if made is not None:
            _log.info("reseal run opened", run_id=str(made["id"]), column=column.name, target_version=version)
        return made is not None

    def _open_runs(self, actor: Actor, version: int) -> list[_Run]:
        with self._db.unit_in(None, actor) as tx:
            rows = tx.rows(statements.LIST_OPEN_RESEAL_RUNS, sealed_columns=sorted(self._columns))
            for row in rows:
                if row["target_version"] is None:  # an operator's
                    tx.execute(statements.AIM_RESEAL_RUN, run_id=row["id"], target_version=version)
        return [self._run(row, version) for row in rows]

    def _run(self, row: Row, version: int) -> _Run:
        is_rewrap = row["kind"] == "rewrap"
        return _Run(
            id=row["id"],
            column=self._columns[row["sealed_column"]],
            kind=row["kind"],
            change=self._envelope.rewrap if is_rewrap else self._envelope.reencrypt,
            below_version=(row["target_version"] or version) if is_rewrap else _EVERY_VERSION,
            after_org_id=row["after_org_id"],
            after_row_id=row["after_row_id"],
        )

    def _step(self, actor: Actor, run: _Run, progress: Progress) -> _Run | None:
        """Do one batch; returns the run as it stands then, None when it is over or somebody else carries on with it."""
        org_id, rows = self._next_rows(actor, run)
        if org_id is None:
            self._end(actor, run, progress)
            return None
        with ThreadPoolExecutor(_THREADS) as pool:
            outcomes = list(pool.map(lambda row: self._reseal(run, org_id, row), rows))
        unreadable = [item for item in outcomes if item.unreadable_because is not None]
        wanted = [item for item in outcomes if item.new is not None]
        swaps = [{"id": str(item.row_id), "old": _hex(item.old), "new": _hex(item.new or b"")} for item in wanted]
        with self._db.unit_in(org_id, actor) as tx:
            if tx.row(statements.LOCK_RESEAL_RUN, **run.stands()) is None:
                return None
            changed = len(run.column.queries.swap(tx, swaps)) if swaps else 0
            tx.execute(
                statements.MOVE_RESEAL_RUN,
                run_id=run.id,
                after_org_id=org_id,
                after_row_id=rows[-1]["id"],
                seen=len(rows),
                changed=changed,
                overtaken=len(wanted) - changed,
                unreadable=len(unreadable),
                unreadable_rows=json.dumps([_told(org_id, item) for item in unreadable]),
            )
        self._tell(run, org_id, unreadable, seen=len(rows), changed=changed)
        progress.seen += len(rows)
        progress.changed += changed
        progress.unreadable += len(unreadable)
        return replace(run, after_org_id=org_id, after_row_id=rows[-1]["id"])

    def _next_rows(self, actor: Actor, run: _Run) -> tuple[UUID | None, Sequence[Row]]:
        """Return the next batch, of one organisation; none when the run is through."""
        org_id, after_id = run.after_org_id, run.after_row_id
        while True:
            if org_id is not None:
                with self._db.unit_in(org_id, actor) as tx:
                    rows = run.column.queries.list_rows(
                        tx, below_version=run.below_version, after_id=after_id, most=_BATCH_ROWS
                    )
                if rows:
                    return org_id, rows
            orgs = run.column.queries.list_orgs(self._db, below_version=run.below_version, after_id=org_id, most=1)
            if not orgs:
                return None, ()
            org_id, after_id = orgs[0], None

    def _reseal(self, run: _Run, org_id: UUID, row: Row) -> _Outcome:
        row_id, old = row["id"], bytes(row["sealed"])
        try:
            new = run.change(old, run.column.place(org_id, row_id))
        except (CiphertextRefused, VersionUnusable) as error:
            because = "refused" if isinstance(error, CiphertextRefused) else "key_version_unusable"
            return _Outcome(row_id, old, unreadable_because=because)
        # for a while after a rotation KMS may wrap under the old version: such a row is left to the next run
        is_forward = run.kind == "reencrypt" or key_version(new) > key_version(old)
        return _Outcome(row_id, old, new if is_forward else None)

    def _end(self, actor: Actor, run: _Run, progress: Progress) -> None:
        with self._db.unit_in(None, actor) as tx:
            ended = tx.row(statements.END_RESEAL_RUN, **run.stands())
        if ended is not None:
            progress.finished += 1
            _log.info("reseal run done", run_id=str(run.id), column=run.column.name, kind=run.kind, **ended)

    def _tell(self, run: _Run, org_id: UUID, unreadable: Sequence[_Outcome], **counts: int) -> None:
        facts = {"run_id": str(run.id), "column": run.column.name, "org_id": str(org_id)}
        for item in unreadable:
            _log.error("sealed row unreadable", row_id=str(item.row_id), reason=item.unreadable_because, **facts)
        _log.info("sealed rows done", kind=run.kind, unreadable=len(unreadable), **facts, **counts)


def _told(org_id: UUID, item: _Outcome) -> dict[str, str | None]:
    return {"org_id": str(org_id), "row_id": str(item.row_id), "reason": item.unreadable_because}


def _hex(content: bytes) -> str:
    return f"\\x{content.hex()}"
