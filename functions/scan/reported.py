"""What runs in a Kubernetes cluster, by the report of its operator that came last.

Owns the one way from stored reports to live resources; reads page by page, each in a unit of work of its own, so that a large
cluster fits in memory. A report is gone when another one has come meanwhile: then nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.data.database import Database
from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.security.actor import Actor

from .domain.cluster_reports import is_silent
from .domain.report_sealing import ObjectSealer
from .queries import reports as queries
from .readers.kubernetes.reading import Finding, Listed, NotListed, not_reported, read_report
from .types.kubernetes import GENERIC
from .types.kubernetes.versions import former

_PAGE = 500
_NEVER = "the operator has sent no whole report yet; install it in the cluster with a key of the scope `report`"
_SILENT = "nothing was heard of the operator since {since}"
_REPLACED = "another report came in while this one was read"


def live_resources(
    db: Database, actor: Actor, account_id: UUID, now: datetime, opened: Callable[[Row], ObjectSealer]
) -> Iterator[Finding]:
    """Yield the live resources of the latest report, and what it does not tell.

    Args:
        db: the function's.
        actor: for whom it is read.
        account_id: of the cluster.
        now: a report is not believed when the operator has been silent since.
        opened: opens the key of a report, outside of any transaction.

    Raises:
        CiphertextRefused: (500 `ciphertext_refused`) the key or an object is not what was stored.
        ServiceAway: (503 `service_away`) KMS did not answer.
    """
    with db.unit(actor) as tx:
        report = queries.find_latest_report(tx, account_id)
        declared = queries.list_declared_keys(tx, account_id, type_name=GENERIC)
    if report is None:
        yield not_reported("unavailable", _NEVER)
        return
    if is_silent(report, now):
        yield not_reported("unavailable", _SILENT.format(since=report["received_at"].isoformat(timespec="seconds")))
        return

    sealer = opened(report)

    def objects(kinds: Sequence[str] | None) -> Iterator[Mapping[str, Any]]:
        return _objects(db, actor, sealer, kinds)

    yield from read_report(_listed(report), objects, declared)
    with db.unit(actor) as tx:
        latest = queries.find_latest_report(tx, account_id)
    if latest is None or latest["id"] != report["id"]:
        yield not_reported("unavailable", _REPLACED)


def _objects(
    db: Database, actor: Actor, sealer: ObjectSealer, kinds: Sequence[str] | None
) -> Iterator[Mapping[str, Any]]:
    after = ("", "")
    while True:
        with db.unit(actor) as tx:
            rows = queries.page_objects(tx, sealer.account_id, sealer.report_id, kinds=kinds, after=after, most=_PAGE)
        for row in rows:
            yield sealer.open(bytes(row["object_sealed"]), row["kind"], row["key"])
        if len(rows) < _PAGE:
            return
        after = (rows[-1]["kind"], rows[-1]["key"])


def _listed(report: Row) -> Listed:
    failures = tuple(
        NotListed(item["kind"], item["reason"], item["permission"], item["detail"]) for item in report["failures"]
    )
    return Listed(frozenset(report["kinds"]), failures)


@dataclass(slots=True)
class ReportedObjects:
    """Finds objects in the report that came last, for as long as one run takes.

    The report is asked for once and its key opened once. Whatever is not in it may stand in another one that has come meanwhile, so only then
    it is asked for again.

    Attributes:
        db: the function's.
        actor: for whom it is read.
        org_id, account_id: whose cluster it is, and which.
        opened: opens the key of a report, outside of any transaction.
    """

    db: Database
    actor: Actor
    org_id: UUID
    account_id: UUID
    opened: Callable[[Row], ObjectSealer]
    _report: Row | None = None
    _sealer: ObjectSealer | None = None

    def find(self, kind: str, key: str) -> Mapping[str, Any] | None:
        """Return an object as it was reported; None when there is none.

        Raises:
            CiphertextRefused: (500 `ciphertext_refused`) the key or the object is not what was stored.
            ServiceAway: (503 `service_away`) KMS did not answer.
        """
        with self.db.unit_in(self.org_id, self.actor) as tx:
            row = self._row(tx, kind, key)
            if row is None and self._is_replaced(tx):
                row = self._row(tx, kind, key)
        if row is None or self._report is None:
            return None
        if self._sealer is None:
            self._sealer = self.opened(self._report)
        return self._sealer.open(bytes(row["object_sealed"]), row["kind"], row["key"])

    def _row(self, tx: UnitOfWork, kind: str, key: str) -> Row | None:
        if self._report is None:
            return None
        return queries.find_object(tx, self.account_id, self._report["id"], kinds=former(kind), key=key)

    def _is_replaced(self, tx: UnitOfWork) -> bool:
        latest = queries.find_latest_report(tx, self.account_id)
        if latest is None or (self._report is not None and latest["sealing_id"] == self._report["sealing_id"]):
            return False
        self._report, self._sealer = latest, None
        return True
