"""What one shard of another cloud than AWS found, stored as it comes: resources by batches, gaps once each.

Owns how findings become rows; what a cloud calls things it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.data.unit_of_work import UnitOfWork

from ..domain import records
from ..domain.baseline_records import document_row
from ..domain.resources import LiveResource, NotChecked, Unread
from ..domain.sealing import Sealer
from ..domain.specs import TypeSpec
from ..queries import baselines as baseline_queries
from ..queries import inventory as queries
from ..storing import BATCH, marked, store_live
from .port import Outcome, ShardWork

_MOST_NAME = 2048


@dataclass(frozen=True, slots=True)
class Further:
    """Something that no mapping covers.

    Attributes:
        name: as the cloud calls it.
        path: its id in a state.
        type: a name for what it is, for people.
        region: region, zone or `global`.
        document: what the cloud says about it.
        is_told: it is reported when no state declares it; False for what nobody would declare.
    """

    name: str
    path: str
    type: str
    region: str
    document: Mapping[str, Any] | None = None
    is_told: bool = True


@dataclass(slots=True)
class Intake:
    """Takes in what a shard finds.

    Attributes:
        work: the shard.
        specs: the type table of its cloud.
        seal: hides secrets.
        outcome: what was stored so far, and what could not be read.
    """

    work: ShardWork
    specs: Mapping[str, TypeSpec]
    seal: Sealer
    outcome: Outcome = field(default_factory=Outcome)
    _live: dict[tuple[str, str], LiveResource] = field(default_factory=dict)
    _further: dict[str, Further] = field(default_factory=dict)
    _told: set[NotChecked | Unread] = field(default_factory=set)

    def put(self, item: LiveResource | Unread | NotChecked | Further) -> None:
        """Take one finding; stores now and then."""
        if isinstance(item, LiveResource):
            self._live[item.type, item.key] = item
        elif isinstance(item, Further) and len(item.name) <= _MOST_NAME:
            self._further[item.name] = item
        elif isinstance(item, Further):
            self.put(Unread(item.type, item.name, reason="malformed", detail="Its name is too long to be kept."))
        elif item not in self._told:
            self._told.add(item)
            self.outcome.gaps.append(records.gap_row(item, self.work.shard["region"]))
        if len(self._live) + len(self._further) >= BATCH:
            self.store()

    def store(self) -> None:
        """Store what waits."""
        live, further = list(self._live.values()), list(self._further.values())
        self._live.clear()
        self._further.clear()
        if not live and not further:
            return
        place = {"account_id": self.work.account["id"], "scan_id": self.work.shard["scan_id"]}
        with self.work.deps.db.unit(self.work.actor) as tx:
            self.outcome.resources += store_live(tx, live, self.specs, self.seal, **place)
            self.outcome.resources += self._store_further(tx, further)

    def _store_further(self, tx: UnitOfWork, items: list[Further]) -> int:
        """Store names of what no mapping covers, and the documents of what a state declares."""
        account_id, scan_id = self.work.account["id"], self.work.shard["scan_id"]
        listed: list[dict[str, object]] = [
            {"arn": item.name, "name": item.path[:_MOST_NAME], "type": item.type, "region": item.region}
            for item in items
            if item.is_told
        ]
        queries.upsert_inventory(tx, account_id=account_id, scan_id=scan_id, listed=listed)
        paths = {item.path.lower(): item for item in items}
        documents: list[dict[str, object]] = []
        rows = queries.list_declared_at(tx, account_id=account_id, paths=sorted(paths)) if paths else []
        declared = [row for row in rows if row["type"] not in self.specs]
        marks = marked(tx, account_id, {(row["type"], row["key"]) for row in declared})
        for row in declared:
            item = paths[row["path"]]
            found = LiveResource(row["type"], row["key"], item.region, {}, item.name, document=item.document)
            document = document_row(found, self.specs, self.seal, marks=marks)
            documents += [document] if document is not None else []
        baseline_queries.upsert_documents(tx, account_id=account_id, scan_id=scan_id, documents=documents)
        return len(listed)
