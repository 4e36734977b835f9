"""The audit log's chains in the database: appending to them, and reading them to be verified.

Appending is the last thing a unit of work does before it commits. It takes two round trips for any number of entries: the
head's lock, then the entries with the head's new place.

Order of locks: whatever the unit locked, then the organisation's head, then the platform's. Behind a head's lock nothing but
appends follow (their only foreign key leads to the head itself) and then the commit, so that whoever holds a head waits for
nobody but the next head in this order, and no circle can close. Only an organisation's
first entry makes its head as well; that is written by whoever makes the organisation. Reading takes no lock.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from shared.security.audit import (
    GENESIS,
    PLATFORM_CHAIN,
    Entry,
    Event,
    Head,
    Verdict,
    chain_events,
    org_chain,
    verify,
)
from shared.security.redact import redact

from . import statements
from .rows import Row

if TYPE_CHECKING:
    from .unit_of_work import UnitOfWork

_PAGE_ENTRIES = 1000
_NO_LIMIT = 2**63 - 1
_LAST_ID = UUID(int=2**128 - 1)
_BEFORE_ALL = -(2**63)  # not 0: an entry that somebody put before the first one is found as well


def facts_text(facts: Mapping[str, object]) -> str:
    """Return facts as the JSON text that is stored and hashed: pure ASCII, and without the secrets that people put into names.

    An entry cannot be corrected later, so what looks like a secret is taken out before; people stay, they are what is audited.
    """
    return json.dumps(redact(facts, has_people=True), default=str, allow_nan=False, separators=(",", ":"))


def append_to_org(tx: UnitOfWork, events: Sequence[Event]) -> None:
    """Append to the chain of the unit's organisation."""
    if tx.org_id is None:
        raise ValueError("an audit entry of an organisation outside of any: open the unit in one, or audit_platform")
    found = tx.row(statements.LOCK_AUDIT_HEAD, entries=len(events))
    if found is None:  # the organisation's first entry; two first ones meet at the insert
        tx.execute(statements.INSERT_AUDIT_HEAD)
        found = tx.rows(statements.LOCK_AUDIT_HEAD, entries=len(events))[0]
    _append(tx, statements.APPEND_AUDIT, _chained(org_chain(tx.org_id), found, events))


def append_to_platform(tx: UnitOfWork, events: Sequence[Event]) -> None:
    """Append to the platform's chain."""
    found = tx.rows(statements.LOCK_PLATFORM_AUDIT_HEAD, entries=len(events))[0]
    _append(tx, statements.APPEND_PLATFORM_AUDIT, _chained(PLATFORM_CHAIN, found, events))


def verify_org(tx: UnitOfWork, *, expected_min_seq: int = 0, anchors: Iterable[Head] = ()) -> Verdict:
    """Verify the chain of the unit's organisation, page by page; arguments as `shared.security.audit.verify`.

    Entries that are appended meanwhile are left out: what is verified is the chain as it was at the start.
    """
    if tx.org_id is None:
        raise ValueError("the chain of an organisation is verified in a unit of that organisation")
    last_seq, head = _head(tx.rows(statements.READ_AUDIT_HEAD)[0])
    chain = org_chain(tx.org_id)
    entries = _read(tx, statements.READ_AUDIT_PAGE, chain, last_seq)
    return verify(entries, chain=chain, head=head, expected_min_seq=expected_min_seq, anchors=anchors)


def verify_platform(tx: UnitOfWork, *, expected_min_seq: int = 0, anchors: Iterable[Head] = ()) -> Verdict:
    """Verify the platform's chain, as `verify_org`."""
    last_seq, head = _head(tx.rows(statements.READ_PLATFORM_AUDIT_HEAD)[0])
    entries = _read(tx, statements.READ_PLATFORM_AUDIT_PAGE, PLATFORM_CHAIN, last_seq)
    return verify(entries, chain=PLATFORM_CHAIN, head=head, expected_min_seq=expected_min_seq, anchors=anchors)


def entries_after(tx: UnitOfWork, seq: int) -> Iterator[Entry]:
    """Yield what a chain holds beyond an entry, in order; of the unit's organisation, or of the platform in a unit of none."""
    if tx.org_id is None:
        return _read(tx, statements.READ_PLATFORM_AUDIT_PAGE, PLATFORM_CHAIN, _NO_LIMIT, seq)
    return _read(tx, statements.READ_AUDIT_PAGE, org_chain(tx.org_id), _NO_LIMIT, seq)


def append_as_they_are(tx: UnitOfWork, entries: Sequence[Entry]) -> None:
    """Append entries of this very chain that another copy of the database holds (ADR-0045): with their numbers, times and hashes.

    Raises:
        ValueError: they do not follow the chain's end, or are not what was hashed; nothing was appended.
    """
    lock, append = (
        (statements.LOCK_PLATFORM_AUDIT_HEAD, statements.APPEND_PLATFORM_AUDIT)
        if tx.org_id is None
        else (statements.LOCK_AUDIT_HEAD, statements.APPEND_AUDIT)
    )
    found = tx.rows(lock, entries=0)[0]
    head = Head(found["seq"], bytes(found["hash"]))
    chain = PLATFORM_CHAIN if tx.org_id is None else org_chain(tx.org_id)
    verdict = verify(entries, chain=chain, head=Head(entries[-1].seq, entries[-1].hash), start=head)
    if verdict.problem is not None:
        raise ValueError(f"{chain}: entry {verdict.problem.seq} is {verdict.problem.kind}")
    _append(tx, append, entries)


def _head(found: Row) -> tuple[int, Head]:
    head = GENESIS if found["seq"] is None else Head(found["seq"], bytes(found["hash"]))
    return found["last_seq"] or 0, head


def _read(tx: UnitOfWork, sql: str, chain: str, last_seq: int, after_seq: int = _BEFORE_ALL) -> Iterator[Entry]:
    after_id = UUID(int=0) if after_seq == _BEFORE_ALL else _LAST_ID
    while True:
        rows = tx.rows(sql, after_seq=after_seq, after_id=after_id, last_seq=last_seq, most=_PAGE_ENTRIES)
        for row in rows:
            yield _entry(chain, row)
        if len(rows) < _PAGE_ENTRIES:
            return
        after_seq, after_id = rows[-1]["seq"], rows[-1]["id"]


def _entry(chain: str, row: Row) -> Entry:
    event = Event(
        row["action"],
        row["actor_kind"],
        row["actor_id"],
        row["target_kind"],
        row["target_id"],
        row["facts"],
        row["request_id"],
    )
    hashes = bytes(row["prev_hash"]), bytes(row["hash"])
    return Entry(chain, row["seq"], row["version"], row["id"], row["at"], event, *hashes)


def _chained(chain: str, found: Row, events: Sequence[Event]) -> list[Entry]:
    return chain_events(chain, Head(found["seq"], bytes(found["hash"])), events, ids=found["ids"], at=found["at"])


def _append(tx: UnitOfWork, sql: str, entries: Sequence[Entry]) -> None:
    rows = [
        {
            "id": str(entry.id),
            "at": entry.at.isoformat(),
            "action": entry.event.action,
            "actor_kind": entry.event.actor_kind,
            "actor_id": entry.event.actor_id,
            "target_kind": entry.event.target_kind,
            "target_id": entry.event.target_id,
            "facts": entry.event.facts,
            "request_id": entry.event.request_id,
            "seq": entry.seq,
            "version": entry.version,
            "prev_hash": f"\\x{entry.prev_hash.hex()}",
            "hash": f"\\x{entry.hash.hex()}",
        }
        for entry in entries
    ]
    last = entries[-1]
    tx.execute(sql, audit_entries=json.dumps(rows), seq=last.seq, hash=last.hash)
