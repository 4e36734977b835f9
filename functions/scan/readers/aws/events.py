"""Reads EventBridge buses, rules and targets; a rule's targets and tags take a call each.

Source: Amazon EventBridge API Reference, ListEventBuses, ListRules, ListTargetsByRule, ListTagsForResource.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...domain.resources import LiveResource, Parent
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map
from .events_shapes import target_attributes

_GONE = "ResourceNotFoundException"


def read_buses(scope: Scope) -> Iterator[Finding]:
    """List event buses; every account has the one named `default`."""
    client = scope.client("events")

    def one(item: Item) -> Iterable[Finding]:
        attributes: dict[str, object] = {"description": item.get("Description")}
        tags = _tags(client, item["Arn"], attributes)
        if isinstance(tags, Gap):
            yield tags.unread("aws_cloudwatch_event_bus", item["Arn"], "tags")
        yield LiveResource(
            type="aws_cloudwatch_event_bus",
            document=item,
            key=item["Arn"],
            region=scope.region,
            cloud_id=item["Arn"],
            cloud_made=item["Name"] == "default",
            tags={} if isinstance(tags, Gap) else tags,
            attributes=attributes,
        )

    yield from each(scope.pages("events", "list_event_buses", "EventBuses"), one)


def read_rules(scope: Scope) -> Iterator[Finding]:
    """List the rules of all buses, each with its targets; rules that AWS services keep are marked so."""
    client = scope.client("events")
    buses = [item["Name"] for item in scope.pages("events", "list_event_buses", "EventBuses")]
    items = (rule for bus in buses for rule in scope.pages("events", "list_rules", "Rules", EventBusName=bus))
    yield from each(items, lambda item: _rule(scope, client, item))


def _rule(scope: Scope, client: Any, item: Item) -> Iterable[Finding]:
    arn, bus = item["Arn"], item.get("EventBusName") or "default"
    attributes: dict[str, object] = {
        "description": item.get("Description"),
        "event_pattern": item.get("EventPattern"),
        "role_arn": item.get("RoleArn"),
        "schedule_expression": item.get("ScheduleExpression"),
        "state": item.get("State"),
    }
    is_managed = bool(item.get("ManagedBy"))
    tags = _tags(client, arn, attributes)
    if isinstance(tags, Gap):
        yield tags.unread("aws_cloudwatch_event_rule", arn, "tags")
    yield LiveResource(
        type="aws_cloudwatch_event_rule",
        document=item,
        key=arn,
        region=scope.region,
        cloud_id=arn,
        cloud_made=is_managed,
        tags={} if isinstance(tags, Gap) else tags,
        attributes=attributes,
    )

    def call() -> Item:
        pages = client.get_paginator("list_targets_by_rule").paginate(Rule=item["Name"], EventBusName=bus)
        return {"Targets": [target for page in pages for target in page.get("Targets") or ()]}

    reply = attempt("events", call, _GONE)
    if isinstance(reply, Gap):
        yield reply.not_checked("aws_cloudwatch_event_target", scope.region)
        return
    for target in reply.get("Targets") or ():
        yield LiveResource(
            type="aws_cloudwatch_event_target",
            document=target,
            key=f"{bus}|{item['Name']}|{target['Id']}",
            region=scope.region,
            cloud_id=f"{arn}:{target['Id']}",
            cloud_made=is_managed,
            parent=Parent("aws_cloudwatch_event_rule", arn, "target"),
            attributes=target_attributes(target),
        )


def _tags(client: Any, arn: str, attributes: dict[str, object]) -> dict[str, str] | Gap:
    """Read a resource's tags into its attributes."""
    reply = attempt("events", lambda: client.list_tags_for_resource(ResourceARN=arn), _GONE)
    if isinstance(reply, Gap):
        return reply
    found = tag_map(reply.get("Tags"))
    attributes["tags"] = found
    return found


SERVICE = Service(
    "events",
    (
        Listing(
            types=("aws_cloudwatch_event_bus",),
            read=read_buses,
            permissions=("events:ListEventBuses", "events:ListTagsForResource"),
        ),
        Listing(
            types=("aws_cloudwatch_event_rule", "aws_cloudwatch_event_target"),
            read=read_rules,
            permissions=(
                "events:ListRules",
                "events:ListEventBuses",
                "events:ListTargetsByRule",
                "events:ListTagsForResource",
            ),
        ),
    ),
)
