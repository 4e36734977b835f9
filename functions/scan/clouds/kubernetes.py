"""Kubernetes behind the port: one shard takes the report that the cluster's operator sent last. Nobody is called."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Final
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.security.actor import Actor

from ..domain.cluster_reports import PROVIDER
from ..domain.specs import TypeSpec
from ..types import tables
from .at_once import ReadAtOnce
from .intake import Intake
from .port import Beyond, Outcome, ShardWork

if TYPE_CHECKING:
    from ..domain.report_sealing import ObjectSealer
    from ..wiring import ScanDeps
    from .kubernetes_history import KubernetesHistory

REPORT: Final = "report"
_READER: Final = Actor("event", "scan-attributions")


class KubernetesCloud(ReadAtOnce):
    """Kubernetes."""

    provider: ClassVar[str] = PROVIDER
    waits: ClassVar[str] = REPORT

    def specs(self) -> Mapping[str, TypeSpec]:
        """Return the rules of the types that are compared."""
        return tables.kubernetes()

    def count_known(self) -> int:
        """Return how many types the provider has."""
        from ..types.kubernetes.schema import SCHEMA

        return SCHEMA.known_count

    def types_of(self, _service: str, _region: str) -> tuple[str, ...]:
        """Return every type."""
        return tuple(sorted(tables.kubernetes()))

    def read(self, work: ShardWork) -> Outcome:
        """Take what the operator reported."""
        from ..reported import live_resources

        intake = Intake(work, self.specs(), work.deps.sealer(work.org_id))
        deps, account_id = work.deps, work.account["id"]

        def opened(report: Row) -> ObjectSealer:
            return deps.object_sealer(work.org_id, account_id, report)

        for item in live_resources(deps.db, work.actor, account_id, deps.clock.now(), opened):
            intake.put(item)
        intake.store()
        return intake.outcome

    def rereads(self, _places: Iterable[tuple[str, str | None]], _regions: Sequence[str], /) -> list[tuple[str, str]]:
        """Return nothing: a report is one moment, and reading it again tells the same."""
        return []

    def names(self, _tx: UnitOfWork, _scan: Row, account: Row) -> frozenset[str]:
        """Return the cluster; states do not say which one they are about."""
        return frozenset({str(account["external_account"])})

    def history(self, deps: ScanDeps, org_id: UUID, account: Row) -> KubernetesHistory:
        """Return who manages which field, as the report that came last tells it."""
        from ..reported import ReportedObjects
        from .kubernetes_history import KubernetesHistory

        def opened(report: Row) -> ObjectSealer:
            return deps.object_sealer(org_id, account["id"], report)

        return KubernetesHistory(ReportedObjects(deps.db, _READER, org_id, account["id"], opened).find)

    def beyond(self, _uncovered: Collection[str]) -> Beyond:
        """Return that whatever was listed is compared, as what no type stands for is a manifest."""
        from ..types.kubernetes import GENERIC

        return Beyond(GENERIC, [])
