"""A cloud that is read at once, wherever its resources are: no regions, one shard."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from ..domain.shards import GLOBAL, STATE_PREFIX


class ReadAtOnce(ABC):
    """What such clouds answer alike.

    Attributes:
        waits: the service of the one shard, which waits until the states of its scan are fetched.
        holders: types of which the last scan's resources say where a history is to be looked up; none when the account does.
    """

    waits: ClassVar[str]
    holders: ClassVar[Sequence[str]] = ()

    @abstractmethod
    def types_of(self, _service: str, _region: str) -> tuple[str, ...]:
        """Return every type."""

    def regions(self, _account: Mapping[str, Any]) -> Sequence[str]:
        """Return that there is one place."""
        return [GLOBAL]

    def cut_lookup(self) -> list[dict[str, str]]:
        """Cut nothing: no region has to be looked up."""
        return []

    def cut(self, _regions: Sequence[str], fetched: Iterable[UUID], *, has_states: bool) -> list[dict[str, str]]:  # noqa: ARG002  # the port's
        """Cut a scan into the one shard and the states to fetch."""
        states = [{"service": f"{STATE_PREFIX}{source}", "region": GLOBAL} for source in fetched]
        return [*states, {"service": self.waits, "region": GLOBAL}]

    def rereads(self, places: Iterable[tuple[str, str | None]], _regions: Sequence[str], /) -> list[tuple[str, str]]:
        """Return the one shard, when anything was found."""
        return [(self.waits, GLOBAL)] if any(True for _ in places) else []

    def forgotten(self, _service: str, _region: str) -> list[tuple[list[str], str | None]]:
        """Return everything."""
        return [(list(self.types_of(self.waits, GLOBAL)), None)]
