"""The unit of work: one transaction, one organisation, one commit, and everything that must be stored with it.

The only way to a tenant table. Opened by `Database.unit`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Protocol, TypeVar
from uuid import UUID

from shared.ports.queue import Message
from shared.security.audit import Event
from shared.security.errors import NotFound
from shared.telemetry.context import current_request_id, current_traceparent

from . import statements
from .audit_log import append_to_org, append_to_platform, facts_text
from .errors import AlreadyHandled, DatabaseAway, IdempotencyMismatch, OutcomeUnknown, TransactionAborted
from .rows import Row

if TYPE_CHECKING:
    from shared.security.actor import Actor

    from .sessions import Session

# How a session is left for whoever comes next: without cursors that were held, temporary tables, settings or a role.
LEFT_CLEAN = "; close all; discard temp; reset all; reset role"


class Storable(Protocol):
    """A reply that can be stored and given again."""

    status: int

    def storable_body(self) -> object:
        """Return the JSON body without what may be shown only once."""
        ...


_Reply = TypeVar("_Reply", bound=Storable)


@dataclass(frozen=True, slots=True)
class Idempotency:
    """An Idempotency-Key and the request it came with.

    Attributes:
        key: the header's value.
        fingerprint: SHA-256 over method, path, caller and body.
    """

    key: str
    fingerprint: bytes


class Replayed(Exception):
    """The same request was answered before; carries that answer, which is given again."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__("replayed")
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class Emitted:
    """One message on its way out: an outbox row."""

    id: UUID
    topic: str
    payload: Mapping[str, object]
    ordering_key: str
    traceparent: str


def begin_script(work_role: str, org_id: UUID | None) -> str:
    """Return what opens a unit of work, in one round trip; both values are constants or parsed UUIDs, never text."""
    org = "" if org_id is None else str(org_id)  # '' makes a statement on a tenant table fail, where null finds nothing
    return f"begin; set local role \"{work_role}\"; select set_config('app.org_id', '{org}', true)"


@lru_cache(maxsize=1024)
def names_parameter(sql: str, name: str) -> bool:
    """Say whether a statement uses the parameter `:name`."""
    return f":{name}" in sql


class UnitOfWork:
    """One open transaction. Statements name their organisation as `:org_id`; the unit fills it in."""

    def __init__(self, session: Session, actor: Actor, org_id: UUID | None) -> None:
        self._session = session
        self._audits: list[Event] = []
        self._platform_audits: list[Event] = []
        self._idempotency: Idempotency | None = None
        self.actor = actor
        self.org_id = org_id
        self.emitted: list[Emitted] = []
        self.is_published = False  # the queue took what was emitted
        self._unsaved: list[tuple[str, Mapping[str, object], str]] = []

    def rows(self, sql: str, **values: object) -> list[Row]:
        """Run one statement and return its rows."""
        if names_parameter(sql, "org_id"):
            values["org_id"] = self.org_id
        return self._session.run(sql, **values)

    def row(self, sql: str, **values: object) -> Row | None:
        """Run one statement that yields at most one row."""
        found = self.rows(sql, **values)
        return found[0] if found else None

    def one(self, sql: str, **values: object) -> Row:
        """Run one statement that yields one row.

        Raises:
            NotFound: (404 `not_found`) it yielded none.
        """
        found = self.row(sql, **values)
        if found is None:
            raise NotFound
        return found

    def execute(self, sql: str, **values: object) -> None:
        """Run one statement whose rows do not matter."""
        self.rows(sql, **values)

    def audit(self, action: str, target_kind: str = "", target_id: object = "", **facts: object) -> None:
        """Keep an entry for the organisation's audit log; stored with the commit or not at all.

        Args:
            action: `source:subject:action`, e.g. `keys:api_key:created`.
            target_kind: what kind of thing it was done to.
            target_id: to which one.
            facts: what else to keep; never a secret.
        """
        self._audits.append(self._event(action, target_kind, target_id, facts))

    def audit_platform(self, action: str, target_kind: str = "", target_id: object = "", **facts: object) -> None:
        """Keep an entry for the platform's audit log, of what belongs to no organisation; arguments as `audit`."""
        self._platform_audits.append(self._event(action, target_kind, target_id, facts))

    def emit(self, topic: str, payload: Mapping[str, object], *, ordering_key: str = "") -> None:
        """Send a message after the commit, at least once; without the commit, never."""
        self._unsaved.append((topic, payload, ordering_key))

    def try_lock(self, name: str) -> bool:
        """Claim some work of the organisation until the end of this unit; False when another unit is at it."""
        return bool(self.rows(statements.TRY_LOCK, name=f"{self.org_id}/{name}")[0]["is_mine"])

    def claim_event(self, subscription: str, event_id: str) -> None:
        """Claim an event for this transaction.

        Raises:
            AlreadyHandled: a committed transaction claimed it before.
        """
        if not self.rows(statements.CLAIM_EVENT, subscription=subscription, event_id=event_id):
            raise AlreadyHandled(event_id)

    def claim_idempotency(self, idempotency: Idempotency) -> None:
        """Claim an Idempotency-Key for this transaction; a second request waits here for the first.

        Raises:
            Replayed: it was answered before.
            IdempotencyMismatch: (409 `idempotency_mismatch`) it came with another request.
        """
        self._idempotency = idempotency
        if not self.rows(statements.CLAIM_KEY, key=idempotency.key, fingerprint=idempotency.fingerprint):
            self._repeat(idempotency, self.row(statements.READ_KEY, key=idempotency.key))

    def recall(self, idempotency: Idempotency | None) -> None:
        """Stop when a request was answered before, ahead of long work that comes before its transaction. Claims nothing.

        Raises:
            Replayed: carries the answer.
            IdempotencyMismatch: (409 `idempotency_mismatch`) the key came with another request.
        """
        if idempotency is not None and (found := self.row(statements.RECALL_KEY, key=idempotency.key)) is not None:
            self._repeat(idempotency, found)

    def _repeat(self, idempotency: Idempotency, found: Row | None) -> None:
        if found is None or bytes(found["fingerprint"]) != idempotency.fingerprint:
            raise IdempotencyMismatch("use a new key for a new request")
        raise Replayed(int(found["status"] or 200), found["body"])

    def settle(self, reply: _Reply) -> _Reply:
        """Store a reply under the request's Idempotency-Key, in this transaction; returns it unchanged."""
        if self._idempotency is not None:
            body = json.dumps(reply.storable_body())
            self.execute(statements.SETTLE_KEY, key=self._idempotency.key, status=reply.status, body=body)
        return reply

    def take_outbox(self, most: int) -> Sequence[Emitted]:
        """Take over rows that an earlier commit left, to be published after this one; nobody else does for a minute."""
        found = [
            Emitted(row["id"], row["topic"], row["payload"], row["ordering_key"], row["traceparent"])
            for row in sorted(self.rows(statements.TAKE_OUTBOX, most=most), key=itemgetter("id"))
        ]
        self.emitted.extend(found)
        return found

    def messages_by_topic(self) -> dict[str, list[Message]]:
        """Return what was emitted as messages, by topic; the outbox row's id is the event's id for ever."""
        found: dict[str, list[Message]] = {}
        for item in self.emitted:
            attributes = {"event_id": str(item.id), "org_id": str(self.org_id)}
            if item.traceparent:
                attributes["traceparent"] = item.traceparent
            found.setdefault(item.topic, []).append(Message(item.payload, attributes, item.ordering_key))
        return found

    def commit(self) -> None:
        """Store what was kept for the end, then commit and leave the session as it was opened.

        Raises:
            TransactionAborted: a statement had failed; PostgreSQL would answer this commit with a silent roll-back.
            OutcomeUnknown: (503 `outcome_unknown`) the connection ended before the answer came.
        """
        if self._session.has_failed:
            raise TransactionAborted
        self._save_outbox()
        self._save_audits()  # last: from here on the unit holds the lock of a chain's head
        try:
            self._session.simple("commit" + LEFT_CLEAN)
        except DatabaseAway as error:
            raise OutcomeUnknown from error

    def _event(self, action: str, target_kind: str, target_id: object, facts: Mapping[str, object]) -> Event:
        text = facts_text(facts)
        return Event(action, self.actor.kind, self.actor.id, target_kind, str(target_id), text, current_request_id())

    def _save_audits(self) -> None:
        if self._audits:
            append_to_org(self, self._audits)
        if self._platform_audits:
            append_to_platform(self, self._platform_audits)

    def _save_outbox(self) -> None:
        if not self._unsaved:
            return
        traceparent = current_traceparent()
        rows = [
            {"topic": topic, "payload": payload, "ordering_key": ordering_key, "traceparent": traceparent}
            for topic, payload, ordering_key in self._unsaved
        ]
        for row in self.rows(statements.INSERT_OUTBOX, messages=json.dumps(rows, default=str)):
            self.emitted.append(
                Emitted(row["id"], row["topic"], row["payload"], row["ordering_key"], row["traceparent"])
            )
