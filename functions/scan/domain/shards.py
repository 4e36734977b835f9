"""How a scan is cut into shards. Decides, stores nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol
from uuid import UUID

GLOBAL = "global"
STATE_PREFIX = "state:"
INVENTORY = "inventory"
CLOUD_CONTROL = "cloud-control"


class Listed(Protocol):
    """What cutting needs to know of a listing."""

    @property
    def is_global(self) -> bool:
        """Whether it is read once per account."""
        ...


class Sharded(Protocol):
    """What cutting needs to know of a service's readers."""

    @property
    def name(self) -> str:
        """Name of the service."""
        ...

    @property
    def listings(self) -> Sequence[Listed]:
        """Its listings."""
        ...


def cut(services: Iterable[Sharded], regions: Sequence[str], sources: Iterable[UUID]) -> list[dict[str, str]]:
    """Cut a scan: one shard per service and region, one for a service's global part, one per state to fetch.

    Args:
        services: every service there is a reader for.
        regions: regions of the account.
        sources: state sources that are fetched with the scan.
    """
    shards = [{"service": f"{STATE_PREFIX}{source}", "region": GLOBAL} for source in sources]
    for service in services:
        if any(listing.is_global for listing in service.listings):
            shards.append({"service": service.name, "region": GLOBAL})
        if not all(listing.is_global for listing in service.listings):
            shards.extend({"service": service.name, "region": region} for region in regions)
    return shards


def cut_further(regions: Sequence[str], *, has_states: bool) -> list[dict[str, str]]:
    """Cut what goes beyond the typed readers: one shard lists all by ARN; one per region asks for what only states name.

    Args:
        regions: regions of the account.
        has_states: whether any state may declare something.
    """
    asked = [GLOBAL, *regions] if has_states else []
    return [{"service": INVENTORY, "region": GLOBAL}, *({"service": CLOUD_CONTROL, "region": name} for name in asked)]
