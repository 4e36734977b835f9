"""The audit log's hash chain: what is hashed, how an entry joins, how a chain is verified.

Owns the canonical form and the verdict. Stores and reads nothing; `shared/data/audit_log.py` appends. See ADR-0009.

A chain is one organisation's (`org/<id>`) or the platform's (`platform`). Each entry's hash covers the hash before it, so
whoever holds a later hash (a caller's watermark, an export, an anchor) holds all of what came before. The hash is plain
SHA-256: a key would have to lie in every function that writes, so whoever could forge an entry would hold it as well, and no
customer could check an export without it. Against a chain that is rewritten from some point on, only what was kept outside of
the database helps: give `verify` the watermark, or an anchor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, TypeAlias
from uuid import UUID

CURRENT_VERSION = 1
PLATFORM_CHAIN = "platform"

ProblemKind: TypeAlias = Literal[
    "gap",  # entries are missing before this one
    "reordered",  # it does not come after the one before it
    "foreign",  # it belongs to another chain
    "unlinked",  # it does not follow the entry before it
    "altered",  # its content is not what was hashed
    "unknown_version",  # it was hashed in a form that this code does not know
    "head_mismatch",  # the chain does not end where its head says
    "anchor_mismatch",  # the entry is not the one that was anchored
    "truncated",  # the chain ends before the watermark or the anchor
]


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends.

    Attributes:
        seq: number of its newest entry; 0 for none.
        hash: that entry's hash, 32 bytes.
    """

    seq: int
    hash: bytes


GENESIS = Head(0, bytes(32))


@dataclass(frozen=True, slots=True)
class Event:
    """What an entry tells, before it joined a chain.

    Attributes:
        facts: JSON text, kept byte for byte.
    """

    action: str
    actor_kind: str
    actor_id: str
    target_kind: str
    target_id: str
    facts: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a chain.

    Attributes:
        chain: `org/<id>` or `platform`.
        seq: 1, 2, 3, … without gaps.
        version: of the canonical form that was hashed.
        id: identifies the entry across chains.
        at: when it was appended, aware; kept to the microsecond.
        event: what it tells.
        prev_hash: hash of the entry before it; 32 zero bytes for the first.
        hash: SHA-256 of its canonical form.
    """

    chain: str
    seq: int
    version: int
    id: UUID
    at: datetime
    event: Event
    prev_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Problem:
    """The first thing that is wrong with a chain.

    Attributes:
        seq: number of the first entry that cannot be trusted.
        kind: what is wrong with it.
    """

    seq: int
    kind: ProblemKind


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying a chain found.

    Attributes:
        entries: how many entries are in order, from the first on.
        head: where that part ends.
        problem: None when all is well.
    """

    entries: int
    head: Head
    problem: Problem | None

    @property
    def is_ok(self) -> bool:
        """Whether the whole chain is in order."""
        return self.problem is None


def anchor_name(chain: str, head: Head) -> str:
    """Return the name of the object that keeps a head: all that is kept, so that a list of names holds the anchors.

    Names sort by `seq`; two heads of one `seq` are two objects, so that a second one hides nothing.
    """
    return f"{anchor_prefix(chain)}{head.seq:019}-{head.hash.hex()}"


def anchor_prefix(chain: str) -> str:
    """Return what the names of a chain's anchors begin with, and no other chain's."""
    return f"{chain}/"


def read_anchor(chain: str, name: str) -> Head:
    """Read the head out of an object's name.

    Raises:
        ValueError: it is none of this chain's names.
    """
    seq, _, found = name.removeprefix(anchor_prefix(chain)).partition("-")
    head = Head(int(seq), bytes.fromhex(found))
    if name != anchor_name(chain, head):
        raise ValueError(name)
    return head


def org_chain(org_id: UUID) -> str:
    """Return the name of an organisation's chain."""
    return f"org/{org_id}"


def canonical_v1(entry: Entry) -> bytes:
    """Return what is hashed of an entry: every field, each as a netstring (`<length in bytes>:<UTF-8>,`).

    The lengths make it unambiguous: no content can pass for the border between two fields. Migration 0007
    writes the same form in SQL, for the entries that were there before it.

    Source: https://cr.yp.to/proto/netstrings.txt
    """
    at = entry.at.astimezone(UTC)
    event = entry.event
    fields = (
        "driftwise-audit",
        "1",
        entry.chain,
        str(entry.seq),
        str(entry.id),
        f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06}Z",
        event.action,
        event.actor_kind,
        event.actor_id,
        event.target_kind,
        event.target_id,
        event.facts,
        event.request_id,
        entry.prev_hash.hex(),
    )
    return b"".join(b"%d:%b," % (len(field), field) for field in (text.encode() for text in fields))


FORMS: dict[int, Callable[[Entry], bytes]] = {
    1: canonical_v1
}  # a form that was ever written is never changed or removed


def hash_entry(entry: Entry) -> bytes:
    """Return the hash that an entry must carry.

    Raises:
        KeyError: its version is not known.
    """
    return hashlib.sha256(FORMS[entry.version](entry)).digest()


def chain_events(chain: str, head: Head, events: Sequence[Event], *, ids: Sequence[UUID], at: datetime) -> list[Entry]:
    """Make the entries that come after a head.

    Args:
        chain: its name.
        head: where it ends; the caller holds its lock.
        events: in order.
        ids: one for each event.
        at: time of the append, aware.
    """
    entries: list[Entry] = []
    seq, last_hash = head.seq, head.hash
    for event, entry_id in zip(events, ids, strict=True):
        seq += 1
        bare = Entry(chain, seq, CURRENT_VERSION, entry_id, at, event, last_hash, b"")
        entry = replace(bare, hash=hash_entry(bare))
        entries.append(entry)
        last_hash = entry.hash
    return entries


def verify(
    entries: Iterable[Entry],
    *,
    chain: str,
    head: Head,
    expected_min_seq: int = 0,
    anchors: Iterable[Head] = (),
    start: Head = GENESIS,
) -> Verdict:
    """Verify a chain from its first entry on, or from one that is trusted; holds one entry at a time.

    Args:
        entries: all of them in order of `seq`; read no further than the first problem.
        chain: its name.
        head: where it should end.
        expected_min_seq: the caller's watermark: a `seq` that it saw before, so that the chain may not end below it.
        anchors: heads that were kept outside of the database, in order of `seq`; read no further than needed.
        start: the entry that is trusted already, which the first of `entries` follows; the chain's beginning by default.
    """
    last = start
    waiting = iter(anchors)
    anchor = next(waiting, None)
    for entry in entries:
        kind = _problem_of(entry, chain, last)
        while kind is None and anchor is not None and anchor.seq <= entry.seq:
            kind = None if anchor == Head(entry.seq, entry.hash) else "anchor_mismatch"
            anchor = next(waiting, None)
        if kind is not None:
            # of a gap, the first entry that is not there
            return Verdict(last.seq, last, Problem(last.seq + 1 if kind == "gap" else entry.seq, kind))
        last = Head(entry.seq, entry.hash)
    if last != head:
        first_wrong = last.seq if last.seq == head.seq else min(last.seq, head.seq) + 1
        return Verdict(last.seq, last, Problem(first_wrong, "head_mismatch"))
    if anchor is not None or last.seq < expected_min_seq:
        return Verdict(last.seq, last, Problem(last.seq + 1, "truncated"))
    return Verdict(last.seq, last, None)


def _problem_of(entry: Entry, chain: str, last: Head) -> ProblemKind | None:
    if entry.seq > last.seq + 1:
        return "gap"
    if entry.seq <= last.seq:
        return "reordered"
    if entry.chain != chain:
        return "foreign"
    if entry.version not in FORMS:
        return "unknown_version"
    if hash_entry(entry) != entry.hash:
        return "altered"
    if entry.prev_hash != last.hash:
        return "unlinked"
    return None
