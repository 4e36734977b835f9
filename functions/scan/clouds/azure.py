"""Azure behind the port: one shard reads a subscription by Resource Graph and the lists that it does not hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, ClassVar, Final
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

from ..domain.specs import TypeSpec
from ..types import tables
from .at_once import ReadAtOnce
from .intake import Further, Intake
from .port import Beyond, History, Outcome, ShardWork

if TYPE_CHECKING:
    from ..wiring import ScanDeps

SUBSCRIPTION: Final = "subscription"
TURN_SECONDS: Final = 240.0  # of the 540 that the function has


class AzureCloud(ReadAtOnce):
    """Azure."""

    provider: ClassVar[str] = "azure"
    waits: ClassVar[str] = SUBSCRIPTION

    def specs(self) -> Mapping[str, TypeSpec]:
        """Return the rules of the types that are compared."""
        return tables.azure()

    def count_known(self) -> int:
        """Return how many types are told apart; the provider's own list is not kept."""
        return len(tables.azure())

    def types_of(self, _service: str, _region: str) -> tuple[str, ...]:
        """Return every type."""
        return tuple(sorted(tables.azure()))

    def read(self, work: ShardWork) -> Outcome:
        """Read on from where the last turn ended, until the time of this one is over.

        A second reading waits first: Resource Graph is told of changes and follows.
        Source: Azure Resource Graph documentation, "How Resource Graph is kept current".
        """
        from ..readers.azure.client import Arm
        from ..readers.azure.reading import Mark, Unmapped, read_on
        from ..types.azure.existing import further_of

        clock, progress = work.deps.clock, work.shard["progress"]
        if progress is None and work.is_second:
            clock.sleep_seconds(work.deps.settings.settling_seconds)
        ends_at = clock.monotonic_seconds() + TURN_SECONDS
        arm = Arm(work.deps.azure(work.org_id, work.account), clock)
        intake = Intake(work, self.specs(), work.deps.sealer(work.org_id))
        mark = None if progress is None else Mark.of(progress)
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
