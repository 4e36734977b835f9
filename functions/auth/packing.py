"""What each section of a pack for auditors consists of, and how the next files of one are made.

A pack is built file by file: each step reads the rows of one file, or of none, so that it needs no more memory than that, and
says where the next one goes on. Owns the order of the sections. Stores nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from shared.data.audit_log import verify_org
from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.ports.object_store import ObjectStore
from shared.rules.levels import SEVERITIES
from shared.security.audit import GENESIS, Head, anchor_prefix, org_chain, read_anchor
from shared.security.signing_keys import SigningKey
from shared.version import VERSION

from .domain import pack_tables as tables
from .domain import packs
from .domain.pack_tables import Table
from .domain.packs import File, Slice
from .queries import audit_exports as queries
from .queries import orgs
from .queries import pack_contents as contents

_PAGE_ROWS = 500
_KEYS_PATH = "/.well-known/audit-export-keys.json"


class PackTooLarge(Exception):
    """A file of the pack would be longer than one may be."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step made.

    Attributes:
        files: to be added to the pack.
        progress: where the section goes on, None when it is whole.
        handed_on: what the next section begins with.
        is_last: whether these are the manifest, which is still to be signed, and nothing follows but the directory.
    """

    files: list[File]
    progress: dict[str, Any] | None = None
    handed_on: dict[str, Any] = field(default_factory=dict)
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One pack that is being built.

    Attributes:
        tx: a unit of work of its organisation, to read with.
        url: the suite's public address.
        export: its row.
        anchors: heads of the organisation's chain that are kept outside of the database, for the section that wants them.
    """

    tx: UnitOfWork
    url: str
    export: Row
    anchors: Sequence[Head] = ()

    @property
    def progress(self) -> Mapping[str, Any]:
        """Where the section at work goes on; empty at its beginning."""
        return dict(self.export["progress"])

    @property
    def window(self) -> dict[str, datetime]:
        """The window's ends, as queries name them."""
        return {"from_at": self.export["from_at"], "to_at": self.export["to_at"]}


_State: TypeAlias = dict[str, Any]
_Page: TypeAlias = Callable[[Job, _State], Sequence[Row]]


def wants_anchors(export: Row) -> bool:
    """Say whether the section at work is the one that looks at anchors."""
    return SECTIONS[export["section"]] is _attestation


def read_anchors(store: ObjectStore, org_id: UUID) -> list[Head]:
    """Read every head of an organisation's chain that is kept outside of the database, in order.

    Raises:
        ServiceAway: (503 `service_away`) the store did not answer.
    """
    chain = org_chain(org_id)
    return [read_anchor(chain, name) for name in store.names(anchor_prefix(chain))]


def next_step(job: Job) -> Step:
    """Make the next files of the section at work.

    Raises:
        PackTooLarge: a file would be longer than one may be.
    """
    return SECTIONS[job.export["section"]](job)


def sign_manifest(key: SigningKey, content: bytes) -> File:
    """Sign the manifest.

    Raises:
        ServiceAway: (503 `service_away`) KMS did not answer.
    """
    header, signature = key.sign(packs.TOKEN_TYPE, content)
    return File(packs.SIGNATURE, f"{header}..{signature}\n".encode("ascii"))


def _table(table: Table, page: _Page, begin: Callable[[Job], _State] = lambda _: {}) -> Callable[[Job], Step]:
    """Return the section of a table, some thousands of rows per step.

    Args:
        table: its form.
        page: reads the rows that follow `cursor` of its state.
        begin: makes the state before the first row.
    """

    def step(job: Job) -> Step:
        goes_on = "number" in job.progress
        state: _State = dict(job.progress) if goes_on else {"number": 1, "cursor": None, **begin(job)}
        rows: list[dict[str, Any]] = []
        length, is_over = 0, False
        while length < packs.FILE_BYTES and not is_over:
            found = page(job, state)
            shaped = [table.shape(row, job.export["started_at"]) for row in found]
            rows += shaped
            length += sum(len(packs.json_line(row)) + 1 for row in shaped)
            if length > packs.MOST_FILE_BYTES:
                raise PackTooLarge
            is_over = len(found) < _PAGE_ROWS
            state |= {"cursor": str(found[-1]["cursor"])} if found else {}
        is_needless = not rows and state["number"] > 1  # the file before ended with the last row
        files = [] if is_needless else packs.table_files(table.stem, state["number"], table.columns, rows)
        if is_over:
            return Step(files, handed_on={name: state[name] for name in state if name not in {"number", "cursor"}})
        return Step(files, {**state, "number": state["number"] + 1})

    return step


def _begin_entries(job: Job) -> _State:
    first, last = contents.find_slice(job.tx, **job.window)
    return {"cursor": str(first - 1), "first_seq": first, "last_seq": last}


def _entries(job: Job, state: _State) -> Sequence[Row]:
    after = int(state["cursor"])
    return contents.page_entries(job.tx, after_seq=after, last_seq=state["last_seq"], most=_PAGE_ROWS)


def _members(job: Job, state: _State) -> Sequence[Row]:
    return contents.page_members(job.tx, after_id=_after(state), most=_PAGE_ROWS)


def _since(read: Callable[..., Sequence[Row]]) -> _Page:
    """Return the pages of what was there since the window began."""
    return lambda job, state: read(
        job.tx, after_id=_after(state), from_at=job.export["from_at"], most=_PAGE_ROWS
    )  # fmt: skip


def _within(read: Callable[..., Sequence[Row]]) -> _Page:
    """Return the pages of what belongs to the window."""
    return lambda job, state: read(job.tx, after_id=_after(state), most=_PAGE_ROWS, **job.window)


def _after(state: _State) -> UUID | None:
    return None if state["cursor"] is None else UUID(state["cursor"])


def _attestation(job: Job) -> Step:
    """Verify the whole chain, also against what was anchored, and tell where the slice of the entries before hangs in it."""
    org_id = _org_id(job)
    first, last = job.progress["first_seq"], job.progress["last_seq"]
    start = contents.find_hash(job.tx, first - 1) or GENESIS.hash
    end = contents.find_hash(job.tx, last) or GENESIS.hash
    verdict = verify_org(job.tx, anchors=job.anchors)
    told = packs.attestation(org_id, Slice(first, last, start, end), verdict, job.anchors)
    return Step([File("audit-log/attestation.json", packs.pretty(told))])


def _fix_times(job: Job) -> Step:
    found = {row["severity"]: row for row in contents.sum_fix_times(job.tx, **job.window)}
    nothing = {"opened": 0, "fixed": 0, "open_at_end": 0}
    rows = [
        {**dict.fromkeys(tables.FIX_TIME_COLUMNS), **nothing, **found.get(name, {}), "severity": name}
        for name in SEVERITIES
    ]
    return Step(packs.table_files(tables.FIX_TIMES.stem, 1, tables.FIX_TIMES.columns, rows))


def _read_me(job: Job) -> Step:
    return Step([File("README.txt", tables.read_me(_facts(job)).encode())])


def _manifest(job: Job) -> Step:
    """Write the manifest of all files that are stored."""
    content = packs.manifest(_facts(job), queries.list_parts(job.tx, job.export["id"]))
    return Step([File(packs.MANIFEST, content)], is_last=True)


def _facts(job: Job) -> dict[str, Any]:
    """Say what the pack is."""
    org, export = orgs.get_org(job.tx), job.export
    return {
        "export_id": str(export["id"]),
        "organisation": {"id": str(org["id"]), "name": org["name"], "plan": org["plan"]},
        "window": {"from": packs.instant(export["from_at"]), "to": packs.instant(export["to_at"])},
        "requested": {"at": packs.instant(export["created_at"]), "by": export["requested_by"]},
        "built": {"started_at": packs.instant(export["started_at"]), "by": "driftwise", "version": VERSION},
        "issuer": job.url,
        "keys_url": f"{job.url}{_KEYS_PATH}",
    }


def _org_id(job: Job) -> UUID:
    if job.tx.org_id is None:
        raise ValueError("a pack is built in a unit of its organisation")
    return job.tx.org_id


SECTIONS: tuple[Callable[[Job], Step], ...] = (
    _table(tables.AUDIT, _entries, _begin_entries),
    _attestation,
    _table(tables.MEMBERS, _members),
    _table(tables.KEYS, _since(contents.page_keys)),
    _table(tables.TOKENS, _since(contents.page_tokens)),
    _table(tables.INVITATIONS, _since(contents.page_invitations)),
    _table(tables.SCANS, _within(contents.page_scans)),
    _table(tables.DRIFT, _within(contents.page_drift)),
    _fix_times,
    _read_me,
    _manifest,
)
