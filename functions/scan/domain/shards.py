"""How a scan is cut into shards. Decides, stores nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol
from uuid import UUID

GLOBAL = "global"
STATE_PREFIX = "state:"
INVENTORY = "inventory"
CLOUD_CONTROL = "cloud-control"
REGIONS = "regions"
ALL = "all"


class Listed(Protocol):
    """What cutting needs to know of a listing."""

    @property
    def types(self) -> tuple[str, ...]:
        """Types it yields."""
        ...

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


def is_resolved(regions: Sequence[str]) -> bool:
    """Say whether regions are named one by one; `all` has to be looked up in the account first."""
    return ALL not in regions


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


def rereads(
    places: Iterable[tuple[str, str | None]], services: Sequence[Sharded], regions: Sequence[str]
) -> list[tuple[str, str]]:
    """Return the shards that have to be read once more to confirm what was found: (service, region), sorted.

    Args:
        places: type and region of each finding; without a region it may be in any.
        services: every service there is a reader for.
        regions: regions of the account.
    """
    found: set[tuple[str, str]] = set()
    for type_name, region in places:
        for service in services:
            for listing in service.listings:
                if type_name in listing.types:
                    where = (GLOBAL,) if listing.is_global else (region,) if region in regions else tuple(regions)
                    found.update((service.name, each) for each in where if each)
    return sorted(found)


def types_read(service: Sharded, region: str) -> list[str]:
    """Return the types that one shard of a service reads."""
    listings = (listing for listing in service.listings if listing.is_global == (region == GLOBAL))
    return sorted({name for listing in listings for name in listing.types})


def forgotten(service: Sharded, region: str) -> list[tuple[list[str], str | None]]:
    """Return what one shard of a service has to forget before it reads again: types, and the region of what it saw.

    The global shard reads most types wherever they are (None). A type that other shards read by region as well (WAF has things
    of a region and things of CloudFront) it knows only as `global`, and what those shards saw is not its to forget.
    """
    types = types_read(service, region)
    if region != GLOBAL:
        return [(types, region)]
    regional = {name for listing in service.listings if not listing.is_global for name in listing.types}
    parts = (
        ([name for name in types if name not in regional], None),
        ([name for name in types if name in regional], GLOBAL),
    )
    return [(names, place) for names, place in parts if names]


def cut_further(regions: Sequence[str], *, has_states: bool) -> list[dict[str, str]]:
    """Cut what goes beyond the typed readers: one shard lists all by ARN; one per region asks for what only states name.

    Args:
        regions: regions of the account.
        has_states: whether any state may declare something.
    """
    asked = [GLOBAL, *regions] if has_states else []
    return [{"service": INVENTORY, "region": GLOBAL}, *({"service": CLOUD_CONTROL, "region": name} for name in asked)]
