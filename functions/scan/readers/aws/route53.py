"""Reads Route 53 hosted zones, their VPCs and their records.

A zone's records take a paged call; the VPCs of a private zone take one, tags come for ten zones at a time.
Source: Amazon Route 53 API Reference, ListHostedZones, GetHostedZone, ListTagsForResources, ListResourceRecordSets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...domain.resources import LiveResource, Parent
from ...domain.shapes import dns_name
from ...types.aws.route53 import plain_name, record_key, record_values
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_GONE = "NoSuchHostedZone"
_TAG_BATCH = 10  # the most that ListTagsForResources takes


def zone_id(item: Item) -> str:
    """Return a zone's id without the `/hostedzone/` that the API puts before it."""
    return str(item["Id"]).rsplit("/", 1)[-1]


def read_zones(scope: Scope) -> Iterator[Finding]:
    """List hosted zones with their tags and VPCs; zones that another AWS service made are marked so."""
    client = scope.client("route53")
    zones = list(scope.pages("route53", "list_hosted_zones", "HostedZones"))
    tags: dict[str, dict[str, str] | Gap] = {}
    for start in range(0, len(zones), _TAG_BATCH):
        tags.update(_tags(client, [zone_id(item) for item in zones[start : start + _TAG_BATCH]]))
    yield from each(zones, lambda item: _zone(scope, client, item, tags.get(zone_id(item), {})))


def _tags(client: Any, keys: list[str]) -> dict[str, dict[str, str] | Gap]:
    reply = attempt("route53", lambda: client.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=keys))
    if isinstance(reply, Gap):
        return dict.fromkeys(keys, reply)
    return {item["ResourceId"]: tag_map(item.get("Tags")) for item in reply["ResourceTagSets"]}


def _zone(scope: Scope, client: Any, item: Item, tags: dict[str, str] | Gap) -> Iterable[Finding]:
    key, config = zone_id(item), item.get("Config") or {}
    attributes: dict[str, object] = {"name": plain_name(item["Name"]), "comment": config.get("Comment")}
    if isinstance(tags, Gap):
        yield tags.unread("aws_route53_zone", key, "tags")
    else:
        attributes["tags"] = tags
    yield LiveResource(
        type="aws_route53_zone",
        document=item,
        key=key,
        region="global",
        cloud_id=scope.arn("route53", f"hostedzone/{key}", region="", account=""),
        cloud_made="LinkedService" in item,
        tags={} if isinstance(tags, Gap) else tags,
        attributes=attributes,
    )
    if config.get("PrivateZone"):
        yield from _associations(client, key)


def _associations(client: Any, key: str) -> Iterator[Finding]:
    reply = attempt("route53", lambda: client.get_hosted_zone(Id=key), _GONE)
    if isinstance(reply, Gap):
        yield reply.not_checked("aws_route53_zone_association", "global")
        return
    for vpc in reply.get("VPCs") or ():
        yield LiveResource(
            type="aws_route53_zone_association",
            key=f"{key}|{vpc['VPCId']}",
            region="global",
            cloud_id=f"{key}:{vpc['VPCId']}",
            parent=Parent("aws_route53_zone", key, "vpc"),
            attributes={"vpc_region": vpc.get("VPCRegion")},
        )


def read_records(scope: Scope) -> Iterator[Finding]:
    """List the records of all zones, a zone after the other."""
    client = scope.client("route53")

    def one(zone: Item) -> Iterable[Finding]:
        key = zone_id(zone)

        def call() -> Item:
            pages = client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=key)
            return {"Records": [item for page in pages for item in page["ResourceRecordSets"]]}

        reply = attempt("route53", call, _GONE)
        if isinstance(reply, Gap):
            yield reply.not_checked("aws_route53_record", "global")
        else:
            yield from (_record(key, zone, item) for item in reply.get("Records") or ())

    yield from each(scope.pages("route53", "list_hosted_zones", "HostedZones"), one)


def _record(zone: str, owner: Item, item: Item) -> LiveResource:
    name, kind, identifier = plain_name(item["Name"]), item["Type"], item.get("SetIdentifier")
    is_apex = dns_name(item["Name"]) == dns_name(owner["Name"])
    return LiveResource(
        type="aws_route53_record",
        key=record_key(zone, name, kind, identifier),
        region="global",
        cloud_id=f"{zone} {name} {kind}{f' {identifier}' if identifier else ''}",
        cloud_made=kind in ("NS", "SOA") and is_apex,  # Route 53 makes both with the zone
        parent=Parent("aws_route53_zone", zone, "record"),
        attributes={
            "ttl": item.get("TTL"),
            "records": record_values(kind, [value["Value"] for value in item.get("ResourceRecords") or ()]),
            "alias": _alias(item.get("AliasTarget")),
            "health_check_id": item.get("HealthCheckId"),
            "multivalue_answer_routing_policy": item.get("MultiValueAnswer"),
            **_routing(item),
        },
    )


def _alias(target: Mapping[str, Any] | None) -> list[Item]:
    if not target:
        return []
    return [
        {
            "name": target["DNSName"],
            "zone_id": target["HostedZoneId"],
            "evaluate_target_health": target.get("EvaluateTargetHealth"),
        }
    ]


def _routing(item: Item) -> dict[str, object]:
    place, near, cidr = (item.get(name) or {} for name in ("GeoLocation", "GeoProximityLocation", "CidrRoutingConfig"))
    point = near.get("Coordinates")
    return {
        "cidr_routing_policy": [{"collection_id": cidr.get("CollectionId"), "location_name": cidr.get("LocationName")}],
        "failover_routing_policy": [{"type": item.get("Failover")}],
        "geolocation_routing_policy": [
            {
                "continent": place.get("ContinentCode"),
                "country": place.get("CountryCode"),
                "subdivision": place.get("SubdivisionCode"),
            }
        ],
        "geoproximity_routing_policy": [
            {
                "aws_region": near.get("AWSRegion"),
                "bias": near.get("Bias"),
                "local_zone_group": near.get("LocalZoneGroup"),
                "coordinates": [{"latitude": point["Latitude"], "longitude": point["Longitude"]}] if point else [],
            }
        ],
        "latency_routing_policy": [{"region": item.get("Region")}],
        "weighted_routing_policy": [{"weight": item["Weight"]}] if "Weight" in item else [],
    }


SERVICE = Service(
    "route53",
    (
        Listing(
            types=("aws_route53_zone", "aws_route53_zone_association"),
            read=read_zones,
            permissions=("route53:ListHostedZones", "route53:ListTagsForResources", "route53:GetHostedZone"),
            is_global=True,
        ),
        Listing(
            types=("aws_route53_record",),
            read=read_records,
            permissions=("route53:ListHostedZones", "route53:ListResourceRecordSets"),
            is_global=True,
        ),
    ),
)
