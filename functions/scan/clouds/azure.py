"""Azure behind the port: one shard reads a subscription by Resource Graph and the lists that it does not hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar, Final
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

from ..domain.shards import GLOBAL, STATE_PREFIX
from ..domain.specs import TypeSpec
from ..types import tables
from .intake import Further, Intake
from .port import Beyond, History, Outcome, ShardWork

if TYPE_CHECKING:
    from ..wiring import ScanDeps

SUBSCRIPTION: Final = "subscription"
TURN_SECONDS: Final = 240.0  # of the 540 that the function has
SETTLING_SECONDS: Final = 120.0
"""Resource Graph is told of changes and follows; so long a second reading waits.

Source: Azure Resource Graph documentation, "How Resource Graph is kept current".
"""


class AzureCloud:
    """Azure."""

    provider: ClassVar[str] = "azure"
    waits: ClassVar[str] = SUBSCRIPTION

    def specs(self) -> Mapping[str, TypeSpec]:
        """Return the rules of the types that are compared."""
        return tables.azure()

    def count_known(self) -> int:
        """Return how many types are told apart; the provider's own list is not kept."""
        return len(tables.azure())

    def regions(self, _account: Mapping[str, Any]) -> Sequence[str]:
        """Return that everything is read at once, wherever it is."""
        return [GLOBAL]

    def cut_lookup(self) -> list[dict[str, str]]:
        """Cut nothing: no region has to be looked up."""
        return []

    def cut(self, _regions: Sequence[str], fetched: Iterable[UUID], *, has_states: bool) -> list[dict[str, str]]:  # noqa: ARG002  # the port's
        """Cut a scan into the subscription and the states to fetch."""
        states = [{"service": f"{STATE_PREFIX}{source}", "region": GLOBAL} for source in fetched]
        return [*states, {"service": SUBSCRIPTION, "region": GLOBAL}]

    def types_of(self, _service: str, _region: str) -> tuple[str, ...]:
        """Return every type."""
        return tuple(sorted(tables.azure()))

    def read(self, work: ShardWork) -> Outcome:
        """Read on from where the last turn ended, until the time of this one is over."""
        from ..readers.azure.client import Arm
        from ..readers.azure.reading import Mark, Unmapped, read_on
        from ..types.azure.existing import further_of

        clock, progress = work.deps.clock, work.shard["progress"]
        if progress is None and work.is_second:
            clock.sleep_seconds(SETTLING_SECONDS)
        ends_at = clock.monotonic_seconds() + TURN_SECONDS
        arm = Arm(work.deps.azure(work.org_id, work.account), clock)
        intake = Intake(work, self.specs(), work.deps.sealer(work.org_id))
        mark = None if progress is None else Mark(**progress)
        for item in read_on(arm, str(work.account["external_account"]).lower(), mark):
            if isinstance(item, Mark):
                if clock.monotonic_seconds() >= ends_at:
                    intake.outcome.continues = asdict(item)
                    break
            elif isinstance(item, Unmapped):
                found = further_of(item.arm_type, cloud_made=item.cloud_made)
                intake.put(Further(item.cloud_id, item.key, found.type, item.region, item.document, found.is_told))
            else:
                intake.put(item)
        intake.store()
        return intake.outcome

    def rereads(self, places: Iterable[tuple[str, str | None]], _regions: Sequence[str]) -> list[tuple[str, str]]:
        """Return the one shard, when anything was found."""
        return [(SUBSCRIPTION, GLOBAL)] if any(True for _ in places) else []

    def forgotten(self, _service: str, _region: str) -> list[tuple[list[str], str | None]]:
        """Return everything."""
        return [(list(self.types_of(SUBSCRIPTION, GLOBAL)), None)]

    def names(self, _tx: UnitOfWork, _scan: Row, account: Row) -> frozenset[str]:
        """Return the subscription."""
        return frozenset({str(account["external_account"]).lower()})

    def history(self, deps: ScanDeps, org_id: UUID, account: Row) -> History:
        """Return what Resource Graph remembers of changes."""
        from ..readers.azure.client import Arm
        from .azure_history import AzureHistory

        return AzureHistory(Arm(deps.azure(org_id, account), deps.clock), str(account["external_account"]).lower())

    def beyond(self, uncovered: Collection[str]) -> Beyond:
        """Return that documents are kept of whatever is declared."""
        from ..types.azure import ANYTHING

        return Beyond(ANYTHING, [name for name in uncovered if name.startswith("azurerm_")])
