"""What a restore to a point in time left out, brought over from the database that it left behind (ADR-0045).

Two things, one organisation at a time: the entries of its audit chain, so that the chain goes on whole and no history is lost;
and with each of them, in the same transaction, the end of every right that it says was taken away. So it can be cut off
anywhere and started again. Nothing may have been written to the restored database before: its chains would have forked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from uuid import UUID

from shared.data.audit_log import append_as_they_are, entries_after, verify_org, verify_platform
from shared.security.audit import PLATFORM_CHAIN, Entry, org_chain

from . import queries
from .findings import Finding
from .owner import OwnerDatabase, step_into
from .taken_away import AGAIN, BY_ITSELF, BY_PEOPLE, endings

_AT_ONCE = 500
_CHECK = "bring over"


def bring_over(source: OwnerDatabase, restored: OwnerDatabase) -> Iterator[Finding]:
    """Bring entries and endings over; yields what was done and what is left to people.

    Args:
        source: the database that was restored from; closed, so that nobody adds to it any more.
        restored: the one that will serve.

    Raises:
        DatabaseAway: one of them did not answer; run it again.
    """
    here = {row["org_id"]: row["seq"] for row in restored.lookup(queries.LIST_HEADS)}
    platform_seq = restored.session.run(queries.GET_PLATFORM_HEAD)[0]["seq"]
    yield from _bring(source, restored, None, platform_seq)
    for row in source.lookup(queries.LIST_HEADS):
        org_id = row["org_id"]
        if org_id in here:
            yield from _bring(source, restored, org_id, here[org_id])
        else:
            text = f"{org_chain(org_id)} began after the point: its {row['seq']} entries stay in the database it is in"
            yield Finding(_CHECK, text, is_problem=False)


def _bring(source: OwnerDatabase, restored: OwnerDatabase, org_id: UUID | None, seq: int) -> Iterator[Finding]:
    chain = PLATFORM_CHAIN if org_id is None else org_chain(org_id)
    undone: Counter[str] = Counter()
    with source.unit("auth_work", org_id) as from_there:
        verdict = verify_platform(from_there) if org_id is None else verify_org(from_there)
        if verdict.problem is not None:
            text = f"{chain}: entry {verdict.problem.seq} of the source is {verdict.problem.kind}; nothing of it was brought over"
            yield Finding(_CHECK, text)
            return
        waiting = entries_after(from_there, seq)
        while batch := list(islice(waiting, _AT_ONCE)):
            try:
                yield from _store(restored, org_id, batch)
            except ValueError as error:
                yield Finding(_CHECK, f"{error}: the restored database was written to, or the source is another one")
                return
            undone.update(entry.event.action for entry in batch)
    brought = undone.total()
    for action in AGAIN | BY_ITSELF.keys() | BY_PEOPLE.keys():
        del undone[action]
    if brought:
        lost = ", ".join(f"{action} ({times})" for action, times in sorted(undone.items())) or "nothing else"
        yield Finding(
            _CHECK, f"{chain}: {brought} entries brought over; undone by the restore: {lost}", is_problem=False
        )


def _store(restored: OwnerDatabase, org_id: UUID | None, batch: Sequence[Entry]) -> Iterator[Finding]:
    """Append entries and end what they end, in one transaction; yields once that is stored."""
    told: list[Finding] = []
    with restored.unit("auth_work", org_id) as tx:
        append_as_they_are(tx, batch)
        for entry in batch:
            event = entry.event
            for ending in endings(entry):
                step_into(tx, ending.where)
                is_done = tx.row(ending.sql, target_id=ending.target_id, **ending.values) is not None
                outcome = (
                    "done again" if is_done else "changed nothing: it is not here, ended already, or is the only owner"
                )
                told.append(Finding(_CHECK, f"{event.action} of {ending.target_id}: {outcome}", is_problem=False))
            if event.action in BY_PEOPLE:
                text = f"{entry.chain}: {event.action} of {event.target_id}: {BY_PEOPLE[event.action]}"
                told.append(Finding(_CHECK, text, is_problem=False))
    yield from told
