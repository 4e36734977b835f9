"""The database of one process: its pool, the lookups before an organisation is known, and units of work.

Owns connecting and pooling. The pool is SQLAlchemy's (the connector's own documentation pairs the two); see ADR-0004.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from shared.http.errors import AppError
from shared.ports.errors import ServiceAway
from shared.telemetry.log import logger
from shared.telemetry.traces import span

from .connections import Connections
from .errors import DatabaseAway, DatabaseSilent, PoolExhausted
from .outbox import delete_published
from .rows import Row
from .sessions import Session
from .unit_of_work import LEFT_CLEAN, Idempotency, UnitOfWork, begin_script

if TYPE_CHECKING:
    from uuid import UUID

    from shared.ports.queue import Queue
    from shared.ports.secret_store import SecretStore
    from shared.security.actor import Actor
    from shared.settings import Settings

_POOL_WAIT_SECONDS = 3
_RECYCLE_SECONDS = 1800
_BATCH, _MOST_BATCHES = 500, 20  # of one organisation's outbox; what is left is for the next tick
_SYSTEM = {"db.system.name": "postgresql"}
_log = logger("database")
T = TypeVar("T")


class Database:
    """Connections of one function's login role."""

    def __init__(self, settings: Settings, queue: Queue, secrets: SecretStore) -> None:
        self._work_role = f"{settings.function}_work"
        self._queue = queue
        self._connections = Connections(settings, secrets)
        self._pool = QueuePool(
            self._open,  # type: ignore[arg-type]  # the pool needs no more of a connection than Session offers: close()
            pool_size=settings.pool_size,
            max_overflow=0,
            timeout=_POOL_WAIT_SECONDS,
            recycle=_RECYCLE_SECONDS,
            reset_on_return=None,  # commit and roll-back scripts already leave the session as it was opened
            # The pool's event dispatcher is thereby made here and now. Left to the first two connections of a process,
            # opened at once, each would make one, and one caller would fail.
            events=[(_hear_nothing, "connect")],
        )

    def lookup(self, sql: str, **values: object) -> list[Row]:
        """Call one of the narrow lookup functions as the login role, outside any organisation.

        Raises:
            DatabaseAway, PoolExhausted, QueryTimeout: (503).
        """
        proxy, rows = self._first(lambda session: session.run(sql, **values))
        proxy.close()
        return rows

    @contextmanager
    def unit(self, actor: Actor, idempotency: Idempotency | None = None) -> Generator[UnitOfWork]:
        """Open a unit of work: one transaction under the work role, in the actor's organisation, one commit.

        Args:
            actor: who acts; its `org_id` is the organisation, None only for tables that belong to none.
            idempotency: the request's Idempotency-Key, when it has one.

        Raises:
            DatabaseAway, PoolExhausted, QueryTimeout, WriteConflict: (503) nothing was stored.
            OutcomeUnknown: (503) the connection ended during the commit.
        """
        with self.unit_in(actor.org_id, actor, idempotency) as tx:
            yield tx

    @contextmanager
    def unit_in(
        self, org_id: UUID | None, actor: Actor, idempotency: Idempotency | None = None
    ) -> Generator[UnitOfWork]:
        """Open a unit of work in a given organisation (one that is being made, or that a job visits)."""
        with span("unit of work", kind="client", attributes=_SYSTEM):
            proxy = self._begin(org_id)
            tx = UnitOfWork(_session(proxy), actor, org_id)
            try:
                if idempotency is not None:
                    tx.claim_idempotency(idempotency)
                yield tx
                tx.commit()
            except BaseException:
                self._roll_back(proxy)
                raise
            proxy.close()
        self._publish(tx)

    def relay(self, org_id: UUID, actor: Actor) -> int:
        """Publish what a crash left in one organisation's outbox; returns how many messages the queue took."""
        relayed = 0
        for _ in range(_MOST_BATCHES):
            with self.unit_in(org_id, actor) as tx:
                waiting = tx.take_outbox(_BATCH)
            if not tx.is_published:
                break
            relayed += len(waiting)
            if len(waiting) < _BATCH:
                break
        return relayed

    def close(self) -> None:
        """Close every idle connection; those in use close when they come back."""
        self._pool.dispose()
        self._connections.close()

    def _begin(self, org_id: UUID | None) -> PoolProxiedConnection:
        script = begin_script(self._work_role, org_id)
        return self._first(lambda session: session.simple(script))[0]

    def _first(self, ask: Callable[[Session], list[T]]) -> tuple[PoolProxiedConnection, list[T]]:
        """Check a connection out and ask its first question; that one may be asked twice.

        Pooled connections die unseen, in a fail-over all of them at once: after the first dead one the pool opens every
        older one anew, so that the second try is on a fresh connection, which tells the truth.
        """
        for is_last in (False, True):
            proxy = self._checkout()
            try:
                return proxy, ask(_session(proxy))
            except DatabaseAway as error:
                self._pool._invalidate(proxy)  # noqa: SLF001  # what SQLAlchemy's own engine calls on a disconnect
                if is_last or isinstance(error, DatabaseSilent):  # who has waited that long does not wait once more
                    raise
            except BaseException:
                self._roll_back(proxy)
                raise
        raise DatabaseAway

    def _roll_back(self, proxy: PoolProxiedConnection) -> None:
        try:
            _session(proxy).simple("rollback" + LEFT_CLEAN)
        except Exception:  # noqa: BLE001  # the first error is on its way up; this one only costs the connection
            _log.warning("roll-back failed, connection dropped", exc_info=True)
            proxy.invalidate()
            return
        proxy.close()

    def _publish(self, tx: UnitOfWork) -> None:
        if not tx.emitted:
            return
        try:
            for topic, messages in tx.messages_by_topic().items():
                with span(
                    f"publish {topic}", kind="producer", attributes={"messaging.batch.message_count": len(messages)}
                ):
                    self._queue.publish(topic, messages)
        except ServiceAway:
            _log.warning("outbox left to the relay", messages=len(tx.emitted))
            return
        tx.is_published = True
        try:
            with self.unit_in(tx.org_id, tx.actor) as after:
                delete_published(after, [item.id for item in tx.emitted])
        except AppError:  # the caller's work is stored and published: whatever is wrong now is not the caller's
            _log.warning("published messages stay in the outbox; consumers drop the repeats", messages=len(tx.emitted))

    def _checkout(self) -> PoolProxiedConnection:
        try:
            return self._pool.connect()
        except PoolTimeout as error:
            raise PoolExhausted from error

    def _open(self) -> Session:
        return Session(self._connections.open)


def _hear_nothing(*_: object) -> None:
    """What is heard is of no interest; that somebody listens is."""


def _session(proxy: PoolProxiedConnection) -> Session:
    session = proxy.dbapi_connection
    if not isinstance(session, Session):
        raise DatabaseAway
    return session
