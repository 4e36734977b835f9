"""Reads the subnet groups and parameter groups of Redshift.

Source: Amazon Redshift API Reference, the actions named in the listing.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map


def read_warehouse_groups(scope: Scope) -> Iterator[Finding]:
    """List the subnet groups and parameter groups of Redshift."""
    client = scope.client("redshift")
    for item in scope.pages("redshift", "describe_cluster_subnet_groups", "ClusterSubnetGroups"):
        arn, tags = scope.arn("redshift", f"subnetgroup:{item['ClusterSubnetGroupName']}"), tag_map(item.get("Tags"))
        attributes: dict[str, object] = {
            "description": item.get("Description"),
            "subnet_ids": [subnet["SubnetIdentifier"] for subnet in item.get("Subnets") or ()],
            "tags": tags,
        }
        yield LiveResource("aws_redshift_subnet_group", arn, scope.region, attributes, arn, tags=tags)

    def one(item: Item) -> Iterator[Finding]:
        name, kind = item["ParameterGroupName"], "aws_redshift_parameter_group"
        arn, tags = scope.arn("redshift", f"parametergroup:{name}"), tag_map(item.get("Tags"))
        attributes: dict[str, object] = {
            "description": item.get("Description"),
            "family": item.get("ParameterGroupFamily"),
            "tags": tags,
        }

        def call() -> Item:
            pages = client.get_paginator("describe_cluster_parameters").paginate(ParameterGroupName=name, Source="user")
            return {"Parameters": [parameter for page in pages for parameter in page.get("Parameters") or ()]}

        found = attempt("redshift", call, "ClusterParameterGroupNotFound")
        if isinstance(found, Gap):
            yield found.unread(kind, arn, "parameter")
        else:
            attributes["parameter"] = [
                {"name": parameter["ParameterName"], "value": parameter.get("ParameterValue")}
                for parameter in found.get("Parameters") or ()
                if parameter.get("Source", "user") == "user"
            ]
        is_default = name.startswith("default.")
        yield LiveResource(kind, arn, scope.region, attributes, arn, cloud_made=is_default, tags=tags)

    yield from each(scope.pages("redshift", "describe_cluster_parameter_groups", "ParameterGroups"), one)


SERVICE = Service(
    "redshift",
    (
        Listing(
            ("aws_redshift_subnet_group", "aws_redshift_parameter_group"),
            read_warehouse_groups,
            (
                "redshift:DescribeClusterSubnetGroups",
                "redshift:DescribeClusterParameterGroups",
                "redshift:DescribeClusterParameters",
            ),
        ),
    ),
)
