"""Fetching states: one, or all that lie under a prefix. What fails is the state's own trouble and stops no other.

A state that is still the version that was taken is neither fetched nor parsed. Trouble of ours (database, KMS) is raised, so that
the queue tries again; what was taken until then stays taken.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

from shared.data.rows import Row
from shared.http.call import Call
from shared.http.errors import AppError
from shared.ports.errors import ServiceAway
from shared.security.errors import NotFound
from shared.telemetry.log import logger

from .. import ingestion
from ..domain.sealing import Sealer
from ..errors import StatesIncomplete, StatesTooMany, StateUnreachable
from ..queries import sources as queries
from ..state_sources.port import MOST_LISTED, MOST_STATES, Fetched, Found, StateSource, is_state
from ..wiring import ScanDeps

_log = logger("scan")
_WIDTH = 6  # states that are fetched at the same time; each may be as large as the cap
_SHARD_SECONDS = 420.0  # well below the worker's timeout
_BATCH = 200


@dataclass(frozen=True, slots=True)
class _Run:
    """One fetch of a source.

    Attributes:
        call: on whose behalf.
        deps: clients.
        opened: where states come from.
        seal: hides sensitive values.
        ends_at: on the monotonic clock.
    """

    call: Call
    deps: ScanDeps
    opened: StateSource
    seal: Sealer
    ends_at: float

    def is_over(self) -> bool:
        """Whether the time is up."""
        return self.deps.clock.monotonic_seconds() >= self.ends_at


def fetch_and_store(
    call: Call,
    deps: ScanDeps,
    source: Row,
    account: Row,
    *,
    parent: Row | None = None,
    within_seconds: float | None = None,
) -> bool:
    """Fetch what a source holds and store it, or store why that failed; returns whether all went well.

    Args:
        call: on whose behalf.
        deps: clients.
        source: its row.
        account: the row of the account that is scanned.
        parent: of a state that was found under a prefix: the source with that prefix, and with the credentials.
        within_seconds: how long it may take; what is left then is said on the source. None for a shard, which is tried again.

    Raises:
        ServiceAway: (503 `service_away`) something of ours is away, or a shard's time is up.
    """
    org_id = call.actor.org_id or call.org_id
    seconds = _SHARD_SECONDS if within_seconds is None else within_seconds
    opened = deps.open_source(org_id, parent or source, account)
    run = _Run(call, deps, opened, deps.sealer(org_id), deps.clock.monotonic_seconds() + seconds)
    if source["object_prefix"] is None:
        return _fetch_one(run, source)
    return _fetch_found(run, source, is_shard=within_seconds is None)


def _fetch_one(run: _Run, source: Row) -> bool:
    known = ingestion.known_version(source, run.seal)
    try:
        fetched = run.opened.fetch(source["object_key"] or "", known)
    except AppError as error:
        return _fail(run, source["id"], error)
    return _store(run, source, fetched)


def _fetch_found(run: _Run, source: Row, *, is_shard: bool) -> bool:
    """Fetch every state under a prefix; one that is gone from a whole listing goes with what it declared."""
    try:
        found = _list(run, source["object_prefix"], source["object_suffix"] or "")
    except AppError as error:
        return _fail(run, source["id"], error)
    with run.deps.db.unit(run.call.actor) as tx:
        states = queries.match_found(tx, source["id"], found)
    due = [row for row in states if not _is_known(row, found[row["object_key"]], run.seal)]
    due_ids = {row["id"] for row in due}
    _set_unchanged(run, [row["id"] for row in states if row["id"] not in due_ids])
    bad = left = 0
    for row, outcome in _in_parallel(lambda row: _fetch(run, row), due):
        result = outcome.result()
        if result is None:
            left += 1
        elif isinstance(result, AppError):
            bad += not _fail(run, row["id"], result)
        else:
            bad += not _store(run, row, result.fetched)
    if left and is_shard:
        raise ServiceAway("state source")
    _end(run, source["id"], states=len(states), bad=bad, left=left)
    _log.info("states fetched", states=len(states), due=len(due), bad=bad, left=left)
    return not bad and not left


@dataclass(frozen=True, slots=True)
class _Taken:
    fetched: Fetched | None


def _fetch(run: _Run, row: Row) -> _Taken | AppError | None:
    """Fetch one state in a thread of its own; None when the time is up."""
    if run.is_over():
        return None
    try:
        return _Taken(run.opened.fetch(row["object_key"], ingestion.known_version(row, run.seal)))
    except AppError as error:
        return error


def _list(run: _Run, prefix: str, suffix: str) -> dict[str, Found]:
    """Return the states under a prefix by name.

    Raises:
        StateUnreachable: (422 `state_unreachable`) there are none (more likely a wrong prefix than an empty estate), or the list is
            not at its end when the time is up.
        StatesTooMany: (422 `states_too_many`) more states, or more of other things, than a source may have.
    """
    found: dict[str, Found] = {}
    listed = 0
    for item in run.opened.find(prefix):
        listed += 1
        if is_state(item.name, suffix):
            found[item.name] = item
        if len(found) > MOST_STATES or listed > MOST_LISTED:
            raise StatesTooMany(limit_states=MOST_STATES, limit_listed=MOST_LISTED)
        if run.is_over():
            raise StateUnreachable("the list of what lies under this prefix takes too long; choose a longer prefix")
    if not found:
        raise StateUnreachable(
            f"nothing under this prefix ends in {suffix}" if listed else "there is nothing under this prefix"
        )
    return found


def _is_known(row: Row, found: Found, seal: Sealer) -> bool:
    known = ingestion.known_version(row, seal)
    return known is not None and known == found.version


def _in_parallel(
    work: Callable[[Row], _Taken | AppError | None], rows: Iterable[Row]
) -> Iterator[tuple[Row, Future[_Taken | AppError | None]]]:
    """Yield each row with its outcome, in order; never more than `_WIDTH` states are held."""
    with ThreadPoolExecutor(_WIDTH) as pool:
        waiting: deque[tuple[Row, Future[_Taken | AppError | None]]] = deque()
        for row in rows:
            waiting.append((row, pool.submit(work, row)))
            if len(waiting) >= _WIDTH:
                yield waiting.popleft()
        yield from waiting


def _store(run: _Run, source: Row, fetched: Fetched | None) -> bool:
    if fetched is None:
        _set_unchanged(run, [source["id"]])
        return True
    try:
        state = ingestion.read_state(fetched.content)
    except AppError as error:
        return _fail(run, source["id"], error)
    try:
        with run.deps.db.unit(run.call.actor) as tx:
            locked = queries.lock_source(tx, source["id"])
            ingestion.store_state(tx, locked, fetched.content, state, run.seal, version=fetched.version)
    except NotFound:  # it was removed in the meantime
        return True
    return True


def _set_unchanged(run: _Run, source_ids: Sequence[UUID]) -> None:
    for start in range(0, len(source_ids), _BATCH):
        with run.deps.db.unit(run.call.actor) as tx:
            queries.set_unchanged(tx, source_ids[start : start + _BATCH])


def _fail(run: _Run, source_id: UUID, error: AppError) -> bool:
    """Store why a state cannot be had or read; what it declared before stays. Returns False.

    Raises:
        AppError: (5xx) the trouble is ours.
    """
    if error.status >= 500:
        raise error
    detail = str(error) + "".join(
        f"; {name}: {value}" for name, value in sorted(error.facts.items()) if value is not None
    )
    with run.deps.db.unit(run.call.actor) as tx:
        queries.set_failed(tx, source_id, error_code=error.code, error_detail=detail)
    return False


def _end(run: _Run, source_id: UUID, *, states: int, bad: int, left: int) -> None:
    parts = [f"{bad} of {states} states could not be taken in: see the list of its states"] if bad else []
    parts += [f"{left} of {states} states are left for the next scan"] if left else []
    with run.deps.db.unit(run.call.actor) as tx:
        code = StatesIncomplete.code if parts else None
        queries.set_found(tx, source_id, error_code=code, error_detail="; ".join(parts) or None)
