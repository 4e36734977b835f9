"""AWS behind the port: a shard per service and region, the index by ARN, and Cloud Control for what only states name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

from ..domain import records
from ..domain.inventory import GENERIC
from ..domain.resources import LiveResource, NotChecked
from ..domain.shards import CLOUD_CONTROL, GLOBAL, REGIONS, cut, cut_further, forgotten, is_resolved, rereads
from ..domain.specs import TypeSpec
from ..further import ASKED_TYPES, READ_TYPES, further_types, read_further, store_further, wanted_of
from ..readers.aws import SERVICES
from ..readers.aws.base import Gap, Scope, collect
from ..readers.aws.regions import read_regions
from ..readers.aws.trail import Trail
from ..storing import BATCH, marked, store_live
from ..types import tables
from .aws_history import AwsHistory
from .port import Beyond, Outcome, ShardWork

if TYPE_CHECKING:
    from ..domain.sealing import Sealer
    from ..wiring import ScanDeps


class AwsCloud:
    """AWS."""

    provider: ClassVar[str] = "aws"
    waits: ClassVar[str] = CLOUD_CONTROL
    holders: ClassVar[Sequence[str]] = ()

    def specs(self) -> Mapping[str, TypeSpec]:
        """Return the rules of the types that are compared."""
        return tables.aws()

    def count_known(self) -> int:
        """Return how many types the provider has."""
        from ..types.aws.schema import SCHEMA

        return SCHEMA.known_count

    def regions(self, account: Mapping[str, Any]) -> Sequence[str] | None:
        """Return the account's regions; None when it says `all`."""
        found: Sequence[str] = account["regions"]
        return found if is_resolved(found) else None

    def cut_lookup(self) -> list[dict[str, str]]:
        """Cut a scan into the one shard that looks the regions up."""
        return [{"service": REGIONS, "region": GLOBAL}]

    def cut(self, regions: Sequence[str], fetched: Iterable[UUID], *, has_states: bool) -> list[dict[str, str]]:
        """Cut a scan by service and region."""
        return cut(SERVICES, regions, fetched) + cut_further(regions, has_states=has_states)

    def types_of(self, service: str, region: str) -> tuple[str, ...]:
        """Return the types that a shard reads, in the order of its listings."""
        known = _by_name().get(service)
        if known is None:
            return further_types(service)
        listings = [listing for listing in known.listings if listing.is_global == (region == GLOBAL)]
        return tuple(name for listing in listings for name in listing.types)

    def read(self, work: ShardWork) -> Outcome:
        """Read one service of one region, or what goes beyond the services."""
        signed_in = work.deps.sign_in(work.org_id, work.account)
        scope = signed_in.scope(work.shard["region"])
        if work.shard["service"] == REGIONS:
            return self._look_up_regions(work, scope)
        seal = work.deps.sealer(work.org_id)
        if work.shard["service"] not in _by_name():
            return _read_further(work, scope, seal)
        return _read_service(work, scope, seal)

    def rereads(self, places: Iterable[tuple[str, str | None]], regions: Sequence[str]) -> list[tuple[str, str]]:
        """Return the shards of the services that list what was found."""
        return rereads(places, SERVICES, regions)

    def forgotten(self, service: str, region: str) -> list[tuple[list[str], str | None]]:
        """Return what a shard saw."""
        return forgotten(_by_name()[service], region)

    def names(self, _tx: UnitOfWork, _scan: Row, account: Row) -> frozenset[str]:
        """Return the account's number."""
        return frozenset({account["external_account"]})

    def history(self, deps: ScanDeps, org_id: UUID, account: Row) -> AwsHistory:
        """Return CloudTrail's event history."""
        return AwsHistory(Trail(deps.sign_in(org_id, account), deps.pace), account["regions"])

    def beyond(self, _uncovered: Collection[str]) -> Beyond:
        """Return the types that Cloud Control reads, and those that the index leaves to the readers."""
        return Beyond(GENERIC, ASKED_TYPES, READ_TYPES)

    def _look_up_regions(self, work: ShardWork, scope: Scope) -> Outcome:
        """Look the regions up; where they are not told, nothing is read and nothing is concluded."""
        found = read_regions(scope)
        if isinstance(found, Gap):
            types = self.types_of(REGIONS, work.shard["region"])
            gap = NotChecked(types, GLOBAL, found.reason, found.permission, found.detail)
            return Outcome(gaps=[records.gap_row(gap, GLOBAL)])
        return Outcome(regions=found)


def _by_name() -> Mapping[str, Any]:
    return {service.name: service for service in SERVICES}


def _read_service(work: ShardWork, scope: Scope, seal: Sealer) -> Outcome:
    region, found = work.shard["region"], Outcome()
    batch: dict[tuple[str, str], LiveResource] = {}
    place = {"account_id": work.account["id"], "scan_id": work.shard["scan_id"]}

    def store() -> int:
        items = list(batch.values())
        batch.clear()
        with work.deps.db.unit(work.actor) as tx:
            return store_live(tx, items, tables.aws(), seal, **place)

    for listing in _by_name()[work.shard["service"]].listings:
        if listing.is_global != (region == GLOBAL):
            continue
        for item in collect(listing, scope):
            if isinstance(item, LiveResource):
                batch[item.type, item.key] = item
            else:
                found.gaps.append(records.gap_row(item, region))
            if len(batch) >= BATCH:
                found.resources += store()
    found.resources += store()
    return found


def _read_further(work: ShardWork, scope: Scope, seal: Sealer) -> Outcome:
    shard, account = work.shard, work.account
    with work.deps.db.unit(work.actor) as tx:
        wanted = wanted_of(tx, account, shard["region"]) if shard["service"] == CLOUD_CONTROL else []
        marks = marked(tx, account["id"], {(item.type, item.key) for item in wanted})
    found = read_further(shard, scope, regions=account["regions"], wanted=wanted, seal=seal, marks=marks)
    with work.deps.db.unit(work.actor) as tx:
        stored = store_further(tx, found, account_id=account["id"], scan_id=shard["scan_id"])
    return Outcome(stored, found.gaps)
