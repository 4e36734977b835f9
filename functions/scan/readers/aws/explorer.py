"""Lists whatever there is by ARN: Resource Explorer where the account has an index, and the tagging API everywhere.

It reads no attributes; what a typed reader lists is left to that reader. An index that is missing, filtered or denied is "not
checked", by region: absence in the tagging API proves nothing, as it lists only what has or had tags.
Source: AWS Resource Explorer API Reference, ListIndexes, GetDefaultView, GetView, ListResources; Resource Groups Tagging API
Reference, GetResources.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from ...domain.inventory import GENERIC, Listed, listed
from ...domain.resources import NotChecked
from ...types.aws.catalogue import BY_ARN_FORM, BY_CLOUD_FORMATION
from .base import Gap, Item, Scope, attempt, tag_map

PERMISSIONS = (
    "resource-explorer-2:ListIndexes",
    "resource-explorer-2:GetDefaultView",
    "resource-explorer-2:GetView",
    "resource-explorer-2:ListResources",
    "tag:GetResources",
)
Found: TypeAlias = Listed | NotChecked

_EXPLORER = "resource-explorer-2"
_PAGE, _TAG_PAGE = 1000, 100
_MOST = 2_000_000


def read_inventory(scope: Scope, regions: Sequence[str]) -> Iterator[Found]:
    """List every ARN of the given regions and of global services, each once.

    Args:
        scope: the account; its region is where global services are asked.
        regions: regions of the scan.
    """
    seen: set[str] = set()
    for item in (*_well_formed(_explored(scope, regions)), *_well_formed(_tagged(scope, regions))):
        if isinstance(item, NotChecked):
            yield item
        elif item.arn not in seen and item.region in {*regions, "global"}:
            seen.add(item.arn)
            yield item


def _well_formed(found: Iterator[Found]) -> Iterator[Found]:
    """Turn a reply that is not what AWS documents into "not checked"; what was listed before it is there all the same."""
    try:
        yield from found
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        detail = f"an index of AWS answered unexpectedly ({type(error).__name__})"
        yield NotChecked((GENERIC,), "global", "malformed", None, detail)


def _explored(scope: Scope, regions: Sequence[str]) -> Iterator[Found]:
    indexes = attempt(_EXPLORER, lambda: {"Indexes": _pages(scope, scope.region, "list_indexes", "Indexes")})
    if isinstance(indexes, Gap):
        yield _not_checked(indexes, "global")
        return
    by_region = {item["Region"]: item.get("Type") for item in indexes["Indexes"]}
    aggregator = next((region for region, kind in by_region.items() if kind == "AGGREGATOR"), None)
    if aggregator is not None:
        yield from _listed_in(scope, aggregator, "global")
    for region in regions:
        if region not in by_region:
            detail = "Resource Explorer has no index in this region, so that what no reader lists is not seen"
            yield NotChecked((GENERIC,), region, "not_enabled", None, detail)
        elif aggregator is None:
            yield from _listed_in(scope, region, region)


def _listed_in(scope: Scope, region: str, place: str) -> Iterator[Found]:
    """List what the default view of one region shows; `place` is what is unknown when it shows nothing."""
    client = scope.client_in(_EXPLORER, region)
    default = attempt(_EXPLORER, client.get_default_view)
    if isinstance(default, Gap):
        yield _not_checked(default, place)
        return
    name = default.get("ViewArn")
    if not name:
        yield NotChecked((GENERIC,), place, "not_enabled", None, f"Resource Explorer has no default view in {region}")
        return
    view = attempt(_EXPLORER, lambda: client.get_view(ViewArn=name))
    if isinstance(view, Gap):
        yield _not_checked(view, place)
    elif ((view.get("View") or {}).get("Filters") or {}).get("FilterString"):
        yield NotChecked(
            (GENERIC,), place, "not_enabled", None, f"the default view in {region} leaves things out by a filter"
        )
    reply = attempt(
        _EXPLORER,
        lambda: {"Resources": _pages(scope, region, "list_resources", "Resources", ViewArn=name, MaxResults=_PAGE)},
    )
    if isinstance(reply, Gap):
        yield _not_checked(reply, place)
        return
    for item in reply["Resources"]:
        found = _resource(scope, item)
        if found is not None:
            yield found


def _resource(scope: Scope, item: Item) -> Listed | None:
    if item.get("OwningAccountId") not in (None, "", scope.account):
        return None
    cloud_formation = BY_CLOUD_FORMATION.get(str(item.get("CfnResourceType")))
    tags: dict[str, str] = {}
    for entry in item.get("Properties") or ():
        if entry.get("Name") == "tags" and isinstance(entry.get("Data"), list):
            tags = tag_map(entry["Data"])
    return listed(item["Arn"], scope.account, by_form=BY_ARN_FORM, cloud_formation=cloud_formation, tags=tags)


def _tagged(scope: Scope, regions: Sequence[str]) -> Iterator[Found]:
    for region in dict.fromkeys([*regions, scope.region]):
        yield from _tagged_in(scope, region)


def _tagged_in(scope: Scope, region: str) -> Iterator[Found]:
    options: Any = {"service": "resourcegroupstaggingapi", "ResourcesPerPage": _TAG_PAGE}
    reply = attempt(
        "tag", lambda: {"Found": _pages(scope, region, "get_resources", "ResourceTagMappingList", **options)}
    )
    if isinstance(reply, Gap):
        yield _not_checked(reply, region)
        return
    for item in reply["Found"]:
        found = listed(item["ResourceARN"], scope.account, by_form=BY_ARN_FORM, tags=tag_map(item.get("Tags")))
        if found is not None:
            yield found


def _pages(
    scope: Scope, region: str, operation: str, member: str, *, service: str = _EXPLORER, **arguments: Any
) -> list[Item]:
    """Read all pages of one list: half a list proves nothing."""
    pages: Iterable[Item] = scope.client_in(service, region).get_paginator(operation).paginate(**arguments)
    found: list[Item] = []
    for page in pages:
        found += page[member]
        if len(found) > _MOST:
            raise ValueError(f"{operation} lists more than {_MOST} things")
    return found


def _not_checked(gap: Gap, region: str) -> NotChecked:
    return NotChecked((GENERIC,), region, gap.reason, gap.permission, gap.detail)
