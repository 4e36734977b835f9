"""Reads ECS clusters, services and task definitions.

Descriptions and tags come in batches: 100 clusters, 10 services. A task definition cannot be changed, only replaced, so
that all revisions are listed for their existence and only the newest of each family is described, for its tags.
Source: Amazon ECS API Reference, the List and Describe actions named in each listing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ...domain.resources import LiveResource, Parent
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map, traced
from .ecs_shapes import cluster_attributes, service_attributes, strategies

_CLUSTER_BATCH, _SERVICE_BATCH = 100, 10  # the most that DescribeClusters and DescribeServices take


def _batches(items: Sequence[str], size: int) -> Iterator[list[str]]:
    return (list(items[start : start + size]) for start in range(0, len(items), size))


def _clusters(scope: Scope) -> list[str]:
    return [str(arn) for arn in scope.pages("ecs", "list_clusters", "clusterArns")]


# Batch makes a cluster for each compute environment and keeps it. Source: AWS Batch User Guide, "Compute environments".
_OF_BATCH = re.compile(r"(?:^AWSBatch-.+-|_Batch_)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


def read_clusters(scope: Scope) -> Iterator[Finding]:
    """List clusters, with the capacity providers that Terraform keeps as a resource of its own."""
    client = scope.client("ecs")
    for batch in _batches(_clusters(scope), _CLUSTER_BATCH):
        reply = client.describe_clusters(clusters=batch, include=["TAGS", "SETTINGS", "CONFIGURATIONS"])
        for item in map(traced, reply["clusters"]):
            if item.get("status") == "INACTIVE":
                continue
            arn, tags = item["clusterArn"], tag_map(item.get("tags"), key="key", value="value")
            attributes = {**cluster_attributes(item), "tags": tags}
            is_made = _OF_BATCH.search(item.get("clusterName") or "") is not None
            yield LiveResource(
                "aws_ecs_cluster", arn, scope.region, attributes, arn, cloud_made=is_made, tags=tags, document=item
            )
            if item.get("capacityProviders"):
                yield _capacity_providers(scope, item)


def _capacity_providers(scope: Scope, item: Item) -> LiveResource:
    return LiveResource(
        type="aws_ecs_cluster_capacity_providers",
        key=item["clusterName"],
        region=scope.region,
        cloud_id=item["clusterArn"],
        parent=Parent("aws_ecs_cluster", item["clusterArn"], "capacity_providers"),
        attributes={
            "capacity_providers": item["capacityProviders"],
            "default_capacity_provider_strategy": strategies(item.get("defaultCapacityProviderStrategy")),
        },
    )


def read_services(scope: Scope) -> Iterator[Finding]:
    """List the services of all clusters."""
    client = scope.client("ecs")
    yield from each(
        ({"clusterArn": arn} for arn in _clusters(scope)), lambda item: _services(scope, client, item["clusterArn"])
    )


def _services(scope: Scope, client: Any, cluster: str) -> Iterable[Finding]:
    def call() -> Item:
        pages = client.get_paginator("list_services").paginate(cluster=cluster)
        arns = [arn for page in pages for arn in page.get("serviceArns") or ()]
        replies = (
            client.describe_services(cluster=cluster, services=batch, include=["TAGS"])
            for batch in _batches(arns, _SERVICE_BATCH)
        )
        return {"services": [item for reply in replies for item in reply["services"]]}

    reply = attempt("ecs", call, "ClusterNotFoundException")
    if isinstance(reply, Gap):
        yield reply.not_checked("aws_ecs_service", scope.region)
        return
    for item in reply.get("services") or ():
        if item.get("status") != "INACTIVE":
            arn, tags = item["serviceArn"], tag_map(item.get("tags"), key="key", value="value")
            attributes = {**service_attributes(item), "tags": tags}
            parent = Parent("aws_ecs_cluster", cluster, "service")
            yield LiveResource(
                "aws_ecs_service", arn, scope.region, attributes, arn, parent=parent, tags=tags, document=item
            )


def read_task_definitions(scope: Scope) -> Iterator[Finding]:
    """List the active revisions; older ones are history, and never reported as unmanaged."""
    client = scope.client("ecs")
    newest: dict[str, str] = {}
    found: list[str] = []
    for item in scope.pages("ecs", "list_task_definitions", "taskDefinitionArns", status="ACTIVE"):
        arn = str(item)
        found.append(arn)
        family, number = _revision(arn)
        if family not in newest or number > _revision(newest[family])[1]:
            newest[family] = arn
    heads = set(newest.values())
    yield from each(
        ({"arn": arn} for arn in found),
        lambda item: _definition(scope, client, item["arn"], is_newest=item["arn"] in heads),
    )


def _revision(arn: str) -> tuple[str, int]:
    family, _, number = arn.rpartition(":")
    return family, int(number)


def _definition(scope: Scope, client: Any, arn: str, *, is_newest: bool) -> Iterable[Finding]:
    attributes: dict[str, object] = {}
    tags: dict[str, str] = {}
    if is_newest:
        reply = attempt("ecs", lambda: client.describe_task_definition(taskDefinition=arn, include=["TAGS"]))
        if isinstance(reply, Gap):
            yield reply.unread("aws_ecs_task_definition", arn, "tags")
        else:
            attributes["tags"] = tags = tag_map(reply.get("tags"), key="key", value="value")
    yield LiveResource(
        "aws_ecs_task_definition", arn, scope.region, attributes, arn, cloud_made=not is_newest, tags=tags
    )


SERVICE = Service(
    "ecs",
    (
        Listing(
            types=("aws_ecs_cluster", "aws_ecs_cluster_capacity_providers"),
            read=read_clusters,
            permissions=("ecs:ListClusters", "ecs:DescribeClusters"),
        ),
        Listing(
            types=("aws_ecs_service",),
            read=read_services,
            permissions=("ecs:ListClusters", "ecs:ListServices", "ecs:DescribeServices"),
        ),
        Listing(
            types=("aws_ecs_task_definition",),
            read=read_task_definitions,
            permissions=("ecs:ListTaskDefinitions", "ecs:DescribeTaskDefinition"),
        ),
    ),
)
