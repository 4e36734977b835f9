"""How a scan is cut into shards."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from functions.scan.domain.shards import CLOUD_CONTROL, INVENTORY, cut, cut_further
from functions.scan.readers.aws import SERVICES

REGIONS = ["eu-west-1", "us-east-1"]


@dataclass(frozen=True)
class Listing:
    is_global: bool


@dataclass(frozen=True)
class Service:
    name: str
    listings: tuple[Listing, ...]


REGIONAL, GLOBAL = Listing(is_global=False), Listing(is_global=True)


def _cut(*listings: Listing) -> list[str]:
    return [shard["region"] for shard in cut([Service("s", listings)], REGIONS, [])]


def test_a_regional_service_is_one_shard_a_region() -> None:
    assert _cut(REGIONAL, REGIONAL) == REGIONS


def test_a_global_service_is_one_shard_whatever_the_regions() -> None:
    assert _cut(GLOBAL) == ["global"]


def test_a_service_with_both_is_one_global_shard_and_one_a_region() -> None:
    assert _cut(GLOBAL, REGIONAL) == ["global", *REGIONS]


def test_states_to_fetch_come_first_and_are_shards_of_their_own() -> None:
    source = UUID(int=5)
    shards = cut([Service("s", (GLOBAL,))], REGIONS, [source])
    assert shards[0] == {"service": f"state:{source}", "region": "global"}
    assert len(shards) == 2


@given(
    st.lists(st.sampled_from(["us-east-1", "eu-west-1", "ap-south-1"]), unique=True, min_size=1),
    st.lists(st.uuids(), unique=True, max_size=3),
)
def test_every_listing_is_read_once_in_each_of_its_places_and_no_shard_comes_twice(
    regions: list[str], sources: list[UUID]
) -> None:
    shards = Counter((shard["service"], shard["region"]) for shard in cut(SERVICES, regions, sources))
    assert set(shards.values()) == {1}
    for service in SERVICES:
        places = {"global"} if all(listing.is_global for listing in service.listings) else set(regions)
        places |= {"global"} if any(listing.is_global for listing in service.listings) else set()
        assert {region for name, region in shards if name == service.name} == places
    assert sum(name.startswith("state:") for name, _ in shards) == len(sources)


def test_what_goes_beyond_the_readers_is_listed_once_and_asked_per_region_where_states_may_name_it() -> None:
    with_states = cut_further(["eu-west-1", "us-east-1"], has_states=True)
    asked = [shard["region"] for shard in with_states if shard["service"] == CLOUD_CONTROL]
    assert asked == ["global", "eu-west-1", "us-east-1"]
    assert [shard for shard in with_states if shard["service"] == INVENTORY] == [
        {"service": INVENTORY, "region": "global"}
    ]
    assert cut_further(["eu-west-1"], has_states=False) == [{"service": INVENTORY, "region": "global"}]
