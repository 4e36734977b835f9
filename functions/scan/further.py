"""What goes beyond the typed readers: the inventory by ARN, and declared resources that no mapping covers.

Owns the order of reading and storing, and the drift that comes of it. Must not know any reply of AWS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

from .domain import records
from .domain.baseline_records import absent_row, document_row
from .domain.comparison import Drift
from .domain.inventory import GENERIC, Listed
from .domain.resources import NotChecked, Unread
from .domain.sealing import Marks, Sealer
from .domain.shards import GLOBAL, INVENTORY, REGIONS
from .queries import baselines as baseline_queries
from .queries import inventory as queries
from .readers.aws import SERVICES
from .readers.aws.base import Scope
from .readers.aws.cloud_control import MOST_READ, Absent, Wanted, read_declared
from .readers.aws.explorer import read_inventory
from .types.aws import SPECS
from .types.aws.catalogue import READABLE

if TYPE_CHECKING:
    from .clouds.port import Beyond

_PAGE = 500
_MOST_UNMANAGED = 20_000
READ_TYPES = tuple(sorted({name for service in SERVICES for listing in service.listings for name in listing.types}))
ASKED_TYPES = tuple(name for name in READABLE if name not in SPECS)


def further_types(service: str) -> tuple[str, ...]:
    """Return the types about which nothing is known when a shard of this kind fails."""
    if service == REGIONS:  # nothing else is read without it
        return (*sorted({*READ_TYPES, *ASKED_TYPES}), GENERIC)
    return (GENERIC,) if service == INVENTORY else ASKED_TYPES


@dataclass(slots=True)
class FurtherShard:
    """What one shard found, to be stored.

    Attributes:
        listed: rows for the inventory.
        documents: rows of live documents.
        gaps: rows of what could not be read.
    """

    listed: list[dict[str, object]] = field(default_factory=list)
    documents: list[dict[str, object]] = field(default_factory=list)
    gaps: list[dict[str, object]] = field(default_factory=list)


@dataclass(slots=True)
class Answered:
    """What was told of declared resources that no mapping covers: how many of each type, and how many are not there."""

    told: Counter[str] = field(default_factory=Counter)
    missing: int = 0


def wanted_of(tx: UnitOfWork, account: Row, region: str) -> list[Wanted]:
    """List what the states of an account declare in a region and only Cloud Control can read."""
    regions: Sequence[str] = account["regions"]
    is_global = region == GLOBAL
    default = GLOBAL if is_global else regions[0] if len(regions) == 1 else None
    types = [name for name in ASKED_TYPES if READABLE[name].is_global == is_global]
    rows = queries.list_declared_of_types(
        tx, account_id=account["id"], external_account=account["external_account"], types=types, region=region,
        default_region=default, most=MOST_READ + 1,
    )  # fmt: skip
    return [Wanted(row["type"], row["key"]) for row in rows]


def read_further(
    shard: Row, scope: Scope, *, regions: Sequence[str], wanted: Iterable[Wanted], seal: Sealer, marks: Marks
) -> FurtherShard:
    """Read one shard that is no typed reader's.

    Args:
        shard: its row.
        scope: the account.
        regions: regions of the scan.
        wanted: what to ask Cloud Control for.
        seal: hides secrets.
        marks: what the account's states mark as sensitive.
    """
    found, region = FurtherShard(), shard["region"]
    answers = (
        read_inventory(scope, regions) if shard["service"] == INVENTORY else read_declared(scope, wanted, place=region)
    )
    for item in answers:
        if isinstance(item, NotChecked | Unread):
            found.gaps.append(records.gap_row(item, region))
        elif isinstance(item, Listed):
            found.listed.append({"arn": item.arn, "name": item.name, "type": item.type, "region": item.region})
        elif isinstance(item, Absent):
            found.documents.append(absent_row(item.type, item.key, region))
        else:
            row = document_row(item, SPECS, seal, marks=marks)
            found.documents += [row] if row is not None else []
    return found


def store_further(tx: UnitOfWork, found: FurtherShard, *, account_id: UUID, scan_id: UUID) -> int:
    """Store what a shard found; returns how many things that is."""
    queries.upsert_inventory(tx, account_id=account_id, scan_id=scan_id, listed=found.listed)
    baseline_queries.upsert_documents(tx, account_id=account_id, scan_id=scan_id, documents=found.documents)
    return len(found.listed) + len(found.documents)


def further_drifts(
    tx: UnitOfWork,
    *,
    account_id: UUID,
    scan_id: UUID,
    not_checked: Iterable[NotChecked],
    answered: Answered,
    beyond: Beyond,
) -> Iterator[Drift]:
    """Yield what only an index lists, and what was asked for by itself and is gone.

    Args:
        tx: the comparison's transaction.
        account_id: whose.
        scan_id: the scan that is compared.
        not_checked: listings that failed; items of an index that could not be read stay open.
        answered: filled with what was told of resources that no mapping covers.
        beyond: what the cloud says beyond its mapped types.
    """
    for row in queries.list_answered(tx, account_id=account_id, scan_id=scan_id, types=list(beyond.asked)):
        answered.told[row["type"]] += 1
        if not row["is_there"]:
            answered.missing += 1
            yield Drift("missing", row["type"], row["key"], row["address"], row["cloud_id"], row["region"])
    yield from _unmanaged(tx, account_id, scan_id, beyond.read)
    gone = [gap.region for gap in not_checked if beyond.generic in gap.types]
    if gone:
        queries.keep_open(tx, account_id=account_id, regions=gone)
    queries.delete_gone_inventory(tx, account_id=account_id, scan_id=scan_id)


def _unmanaged(tx: UnitOfWork, account_id: UUID, scan_id: UUID, read_types: Sequence[str]) -> Iterator[Drift]:
    after: str | None = None
    for _ in range(_MOST_UNMANAGED // _PAGE):
        rows: Sequence[Mapping[str, Any]] = queries.list_unmanaged(
            tx, account_id=account_id, scan_id=scan_id, read_types=read_types, after=after, most=_PAGE
        )
        for row in rows:
            yield Drift("unmanaged", row["type"], row["arn"], None, row["arn"], row["region"], detector="inventory")
        if len(rows) < _PAGE:
            return
        after = rows[-1]["arn"]


def without_answered(uncovered: Mapping[str, int], answered: Mapping[str, int]) -> dict[str, int]:
    """Take what Cloud Control told of out of the count of what nothing covers."""
    left = {name: count - answered.get(name, 0) for name, count in uncovered.items()}
    return {name: count for name, count in sorted(left.items()) if count > 0}
