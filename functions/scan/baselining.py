"""The second detector over one scan: what changed against the baselines, and which baselines are taken anew.

Owns the order of its statements; `domain/baseline.py` decides. It needs no more memory than one page and the drifts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

from .domain.baseline import judge, sealed_again
from .domain.baseline_records import baseline_row, drift_of, observed_of, remembered_of
from .domain.comparison import Drift
from .domain.difference import Change
from .domain.sealing import Sealer
from .queries import baselines as queries

Reported: TypeAlias = Mapping[tuple[str, str], list[Change]]

_BATCH = 200


def reported_changes(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], list[Change]]:
    """Collect what the first detector reports as changed, by identity; `rows` hold `type key path before after`."""
    found: dict[tuple[str, str], list[Change]] = {}
    for row in rows:
        found.setdefault((row["type"], row["key"]), []).append(Change(row["path"], row["before"], row["after"]))
    return found


@dataclass(slots=True)
class Walk:
    """How far the documents of a scan have been looked at, in order of type and key.

    Attributes:
        most: about how many of those that are not as they are remembered are looked at in one go.
        after: the last one; two empty texts before the first.
        is_over: there are no more.
    """

    most: int
    after: tuple[str, str] = ("", "")
    is_over: bool = False


def baseline_drifts(
    tx: UnitOfWork, *, account_id: UUID, scan_id: UUID, seal: Sealer, reported: Reported, walk: Walk
) -> Iterator[Drift]:
    """Yield what changed against the baselines, and remember what is to be remembered.

    What is remembered before the end is no loss: looked at again it says the same.

    Args:
        tx: a transaction of the comparison.
        account_id: whose resources.
        scan_id: the scan that is compared.
        seal: of the organisation.
        reported: what the first detector reports, which is never reported twice.
        walk: where to begin and how far to go; tells at the end where that was.
    """
    taken: list[dict[str, object]] = []
    resealed: list[dict[str, object]] = []
    for row in _changed(tx, account_id, scan_id, walk):
        observed = observed_of(row)
        document = sealed_again(row["type"], row["document"], observed.sensitive, seal)
        judgement = judge(
            replace(observed, document=document), remembered_of(row), reported.get((row["type"], row["key"]), ())
        )
        if document != row["document"]:
            resealed.append(baseline_row(row, document))
        changes = judgement.changes
        is_accepted = bool(changes) and all([change.path, change.after] in row["acknowledged"] for change in changes)
        if is_accepted:  # somebody said that this is how it shall be
            changes = ()
        if judgement.decision == "take" or is_accepted:
            taken.append(baseline_row(row, document))
        elif judgement.decision == "wait":  # what was remembered is over, and may hold what is sensitive now
            queries.forget_baseline(tx, account_id=account_id, type_name=row["type"], key=row["key"])
        yield from (drift_of(row, change) for change in changes)
        if len(taken) >= _BATCH:
            queries.take_baselines(tx, account_id=account_id, baselines=taken)
            taken = []
    queries.take_baselines(tx, account_id=account_id, baselines=taken)
    queries.reseal_documents(tx, account_id=account_id, scan_id=scan_id, documents=resealed)
    if walk.is_over:
        queries.forget_undeclared(tx, account_id=account_id, scan_id=scan_id)


def _changed(tx: UnitOfWork, account_id: UUID, scan_id: UUID, walk: Walk) -> Iterator[Row]:
    """Yield what is not as it is remembered, page by page; baselines that are taken meanwhile lie behind."""
    seen = 0
    while seen < walk.most and not walk.is_over:
        rows = queries.page_changed(tx, account_id=account_id, scan_id=scan_id, after=walk.after, most=_BATCH)
        yield from rows
        seen += len(rows)
        walk.is_over = len(rows) < _BATCH
        if rows:
            walk.after = (rows[-1]["type"], rows[-1]["key"])
