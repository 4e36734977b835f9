"""The database of one process: its pool, the lookups before an organisation is known, and units of work.

Owns connecting and pooling. The pool is SQLAlchemy's (the connector's own documentation pairs the two); see ADR-0004.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pg8000 import native
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from shared.ports.errors import ServiceAway
from shared.telemetry.log import logger

from .errors import DatabaseAway, PoolExhausted
from .outbox import delete_published
from .rows import Row
from .sessions import Session
from .unit_of_work import Idempotency, UnitOfWork, begin_script

if TYPE_CHECKING:
    from uuid import UUID

    from shared.ports.queue import Queue
    from shared.security.actor import Actor
    from shared.settings import Settings

_CONNECT_SECONDS = 10
_POOL_WAIT_SECONDS = 3
_RECYCLE_SECONDS = 1800
_log = logger("database")


class Database:
    """Connections of one function's login role."""

    def __init__(self, settings: Settings, queue: Queue) -> None:
        self._work_role = f"{settings.function}_work"
        self._queue = queue
        self._settings = settings
        self._connector: object | None = None
        self._pool = QueuePool(
            self._open,  # type: ignore[arg-type]  # the pool needs no more of a connection than Session offers: close()
            pool_size=settings.pool_size,
            max_overflow=0,
            timeout=_POOL_WAIT_SECONDS,
            recycle=_RECYCLE_SECONDS,
            reset_on_return=None,  # commit and roll-back scripts already leave the session as it was opened
        )

    def lookup(self, sql: str, **values: object) -> list[Row]:
        """Call one of the narrow lookup functions as the login role, outside any organisation.

        Raises:
            DatabaseAway, PoolExhausted, QueryTimeout: (503).
        """
        for attempt in (1, 2):
            proxy = self._checkout()
            try:
                rows = _session(proxy).run(sql, **values)
            except DatabaseAway:
                proxy.invalidate()
                if attempt == 2:
                    raise
            else:
                proxy.close()
                return rows
        raise DatabaseAway

    @contextmanager
    def unit(self, actor: Actor, idempotency: Idempotency | None = None) -> Iterator[UnitOfWork]:
        """Open a unit of work: one transaction under the work role, in the actor's organisation, one commit.

        Args:
            actor: who acts; its `org_id` is the organisation, None only for tables that belong to none.
            idempotency: the request's Idempotency-Key, when it has one.

        Raises:
            DatabaseAway, PoolExhausted, QueryTimeout, WriteConflict: (503) nothing was stored.
        """
        with self.unit_in(actor.org_id, actor, idempotency) as tx:
            yield tx

    @contextmanager
    def unit_in(
        self, org_id: UUID | None, actor: Actor, idempotency: Idempotency | None = None
    ) -> Iterator[UnitOfWork]:
        """Open a unit of work in a given organisation (one that is being made, or that a job visits)."""
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
        """Publish what a crash left in one organisation's outbox; returns how many messages."""
        with self.unit_in(org_id, actor) as tx:
            waiting = tx.take_outbox()
        return len(waiting)

    def close(self) -> None:
        """Close every idle connection; those in use close when they come back."""
        self._pool.dispose()
        if self._connector is not None:
            self._connector.close()  # type: ignore[attr-defined]  # google.cloud.sql.connector.Connector

    def _begin(self, org_id: UUID | None) -> PoolProxiedConnection:
        script = begin_script(self._work_role, org_id)
        for attempt in (1, 2):
            proxy = self._checkout()
            try:
                _session(proxy).simple(script)
            except DatabaseAway:  # a pooled connection may have died unseen; a fresh one tells the truth
                proxy.invalidate()
                if attempt == 2:
                    raise
            except BaseException:
                self._roll_back(proxy)
                raise
            else:
                return proxy
        raise DatabaseAway

    def _roll_back(self, proxy: PoolProxiedConnection) -> None:
        try:
            _session(proxy).simple("rollback; reset all; reset role")
        except Exception:  # noqa: BLE001  # the first error is on its way up; this one only costs the connection
            _log.warning("roll-back failed, connection dropped", exc_info=True)
            proxy.invalidate()
        proxy.close()

    def _publish(self, tx: UnitOfWork) -> None:
        if not tx.emitted:
            return
        try:
            for topic, messages in tx.messages_by_topic().items():
                self._queue.publish(topic, messages)
        except ServiceAway:
            _log.warning("outbox left to the relay", messages=len(tx.emitted))
            return
        try:
            with self.unit_in(tx.org_id, tx.actor) as after:
                delete_published(after, [item.id for item in tx.emitted])
        except (DatabaseAway, PoolExhausted):
            _log.warning("published messages stay in the outbox; consumers drop the repeats", messages=len(tx.emitted))

    def _checkout(self) -> PoolProxiedConnection:
        try:
            return self._pool.connect()
        except PoolTimeout as error:
            raise PoolExhausted from error

    def _open(self) -> Session:
        return Session(self._connect)

    def _connect(self) -> native.Connection:
        if self._settings.database_instance:
            return self._connect_cloud_sql()
        parts = urlsplit(self._settings.require("database_url"))
        return native.Connection(
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 5432,
            database=parts.path.lstrip("/"),
            timeout=_CONNECT_SECONDS * 2,
            application_name=self._settings.entry_point or self._settings.function,
            ssl_context=_tls(parts.query),
        )

    def _connect_cloud_sql(self) -> native.Connection:
        """Connect by the Cloud SQL Python connector: IAM database authentication, TLS by its client certificate."""
        from google.cloud.sql.connector import Connector, IPTypes
        from pg8000 import dbapi

        if self._connector is None:
            self._connector = Connector(ip_type=IPTypes.PRIVATE, refresh_strategy="lazy")
        connection: dbapi.Connection = self._connector.connect(  # type: ignore[attr-defined]
            self._settings.database_instance,
            "pg8000",
            user=self._settings.require("database_user"),
            db=self._settings.database_name,
            enable_iam_auth=True,
            timeout=_CONNECT_SECONDS,
        )
        connection.__class__ = native.Connection  # the connector only makes DB-API ones; both are CoreConnection
        connection._context = None  # noqa: SLF001  # the one attribute native.Connection adds
        return connection


def _tls(query: str) -> ssl.SSLContext | None:
    return ssl.create_default_context() if "sslmode=verify-full" in query else None


def _session(proxy: PoolProxiedConnection) -> Session:
    session = proxy.dbapi_connection
    if not isinstance(session, Session):
        raise DatabaseAway
    return session
