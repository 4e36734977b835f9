"""What the engine asks of a cloud: how a scan of it is cut, read and read again, and what it calls things.

Owns the port and what comes over it. The engine knows no cloud by name; whatever is particular to one stands behind this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from shared.data.rows import Row
    from shared.data.unit_of_work import UnitOfWork
    from shared.security.actor import Actor

    from ..domain.attribution import Answer, Question
    from ..domain.specs import TypeSpec
    from ..wiring import ScanDeps


@dataclass(frozen=True, slots=True)
class Beyond:
    """What a scan says beyond its mapped types.

    Attributes:
        generic: the type that stands for whatever only an index lists, where the index cannot be read.
        asked: types of which a state's resources are read though no mapping covers them.
        read: types that an index leaves to the readers.
    """

    generic: str
    asked: Collection[str]
    read: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ShardWork:
    """One shard that is to be read.

    Attributes:
        deps: clients.
        actor: for whom it is read.
        org_id: the organisation.
        shard: its row.
        account: the row of its account, with the regions of the scan.
        is_second: something new was found by a first reading, which is to be confirmed.
    """

    deps: ScanDeps
    actor: Actor
    org_id: UUID
    shard: Row
    account: Row
    is_second: bool = False


@dataclass(slots=True)
class Outcome:
    """What came of reading a shard; the resources are stored already.

    Attributes:
        resources: how many were stored.
        gaps: rows of what could not be read.
        regions: the regions that were looked up, over which the scan is to be cut.
        continues: where the next turn of this shard goes on; None when it was read to its end.
    """

    resources: int = 0
    gaps: list[dict[str, object]] = field(default_factory=list)
    regions: Sequence[str] | None = None
    continues: Mapping[str, Any] | None = None


class History(Protocol):
    """What a cloud remembers of who did what in one account."""

    @property
    def requests(self) -> int:
        """Return how often it was asked."""
        ...

    def explain(self, question: Question, now: datetime) -> Answer | None:
        """Return the call that explains a drift best; None when it remembers none that could.

        Raises:
            HistoryRefused: there is no answer, and why.
        """
        ...


class Cloud(Protocol):
    """One cloud. What takes a shard, a transaction or clients reads; the rest is pure.

    Attributes:
        provider: its name in `cloud_accounts.provider`.
        waits: the service whose shards wait until the states of their scan are fetched.
        holders: types of which the last scan's resources say where a history is to be looked up (`holders` of the account's row).
    """

    provider: ClassVar[str]
    waits: ClassVar[str]
    holders: ClassVar[Sequence[str]]

    def specs(self) -> Mapping[str, TypeSpec]:
        """Return the rules of the types that are compared."""
        ...

    def count_known(self) -> int:
        """Return how many types its provider has."""
        ...

    def regions(self, account: Mapping[str, Any], /) -> Sequence[str] | None:
        """Return the regions that a scan reads; None when they have to be looked up by its first shard."""
        ...

    def cut_lookup(self) -> list[dict[str, str]]:
        """Cut a scan whose regions have to be looked up."""
        ...

    def cut(self, regions: Sequence[str], fetched: Iterable[UUID], /, *, has_states: bool) -> list[dict[str, str]]:
        """Cut a scan.

        Args:
            regions: that are read.
            fetched: state sources that are fetched with the scan.
            has_states: whether any state may declare something.
        """
        ...

    def types_of(self, service: str, region: str, /) -> tuple[str, ...]:
        """Return the types about which nothing is known when a shard fails."""
        ...

    def read(self, work: ShardWork, /) -> Outcome:
        """Read a shard and store what is there.

        Raises:
            CredentialsRefused: (422 `credentials_refused`) nobody can sign in.
        """
        ...

    def rereads(self, places: Iterable[tuple[str, str | None]], regions: Sequence[str], /) -> list[tuple[str, str]]:
        """Return the shards, by service and region, that have to be read once more to confirm what was found.

        Args:
            places: type and region of each finding.
            regions: of the scan.
        """
        ...

    def forgotten(self, service: str, region: str, /) -> list[tuple[list[str], str | None]]:
        """Return what a shard has to forget before it reads again: types and the region of what it saw, None for any."""
        ...

    def names(self, tx: UnitOfWork, scan: Row, account: Row, /) -> frozenset[str] | None:
        """Return every name under which states know what was scanned; None when that could not be learned."""
        ...

    def history(self, deps: ScanDeps, org_id: UUID, account: Row, /) -> History:
        """Return what the cloud remembers.

        Raises:
            CredentialsRefused: (422 `credentials_refused`) nobody can sign in.
        """
        ...

    def beyond(self, uncovered: Collection[str], /) -> Beyond:
        """Return what is said beyond the mapped types.

        Args:
            uncovered: types that states declare and no mapping covers.
        """
        ...
