"""Reads DynamoDB tables; description, backups, time to live and tags take a call per table each.

Source: Amazon DynamoDB API Reference, ListTables, DescribeTable, DescribeContinuousBackups, DescribeTimeToLive,
ListTagsOfResource.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_GONE = ("ResourceNotFoundException", "TableNotFoundException")


def read_tables(scope: Scope) -> Iterator[Finding]:
    """List tables with everything that hangs on each."""
    client = scope.client("dynamodb")
    items: Iterable[Item] = ({"TableName": name} for name in scope.pages("dynamodb", "list_tables", "TableNames"))
    yield from each(items, lambda item: _table(scope, client, item["TableName"]))


def _table(scope: Scope, client: Any, name: str) -> Iterable[Finding]:
    key = scope.arn("dynamodb", f"table/{name}")
    reply = attempt("dynamodb", lambda: client.describe_table(TableName=name), *_GONE)
    if isinstance(reply, Gap):
        yield reply.unread("aws_dynamodb_table", key)
        return
    table = reply.get("Table")
    if not table:  # deleted since the list was made
        return
    attributes = _attributes(table, scope.region)
    details = {
        "point_in_time_recovery": lambda: client.describe_continuous_backups(TableName=name),
        "ttl": lambda: client.describe_time_to_live(TableName=name),
        "tags": lambda: _tags(client, key),
    }
    tags: dict[str, str] = {}
    for attribute, call in details.items():
        detail = attempt("dynamodb", call, *_GONE)
        if isinstance(detail, Gap):
            yield detail.unread("aws_dynamodb_table", key, attribute)
        elif attribute == "tags":
            attributes["tags"] = tags = detail
        else:
            attributes[attribute] = _ttl(detail) if attribute == "ttl" else _recovery(detail)
    yield LiveResource("aws_dynamodb_table", key, scope.region, attributes, key, tags=tags, document=table)


def _tags(client: Any, arn: str) -> Item:
    pages = client.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
    return tag_map(tag for page in pages for tag in page.get("Tags") or ())


def _ttl(reply: Item) -> list[Item]:
    found = reply.get("TimeToLiveDescription") or {}
    is_enabled = found.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    return [{"enabled": is_enabled, "attribute_name": found.get("AttributeName") if is_enabled else None}]


def _recovery(reply: Item) -> list[Item]:
    found = (reply.get("ContinuousBackupsDescription") or {}).get("PointInTimeRecoveryDescription") or {}
    is_enabled = found.get("PointInTimeRecoveryStatus") == "ENABLED"
    return [
        {"enabled": is_enabled, "recovery_period_in_days": found.get("RecoveryPeriodInDays") if is_enabled else None}
    ]


def _attributes(table: Item, region: str) -> dict[str, object]:
    stream = table.get("StreamSpecification") or {}
    throughput = table.get("ProvisionedThroughput") or {}
    encryption = table.get("SSEDescription") or {}
    return {
        **_keys(table.get("KeySchema")),
        "attribute": [
            {"name": item["AttributeName"], "type": item["AttributeType"]}
            for item in table.get("AttributeDefinitions") or ()
        ],
        "billing_mode": (table.get("BillingModeSummary") or {}).get("BillingMode"),
        "deletion_protection_enabled": table.get("DeletionProtectionEnabled"),
        "global_secondary_index": [
            {**_index(item), **_capacity(item.get("ProvisionedThroughput") or {}), **_on_demand(item)}
            for item in table.get("GlobalSecondaryIndexes") or ()
        ],
        "local_secondary_index": [_index(item) for item in table.get("LocalSecondaryIndexes") or ()],
        **_on_demand(table),
        **_capacity(throughput),
        "replica": [
            {"region_name": item["RegionName"]} for item in table.get("Replicas") or () if item["RegionName"] != region
        ],
        "server_side_encryption": [
            {
                "enabled": encryption.get("Status") in ("ENABLED", "UPDATING"),
                "kms_key_arn": encryption.get("KMSMasterKeyArn"),
            }
        ],
        "stream_enabled": stream.get("StreamEnabled"),
        "stream_view_type": stream.get("StreamViewType") if stream.get("StreamEnabled") else None,
        "table_class": (table.get("TableClassSummary") or {}).get("TableClass"),
    }


def _keys(schema: list[Item] | None) -> dict[str, object]:
    found = {item["KeyType"]: item["AttributeName"] for item in schema or ()}
    return {"hash_key": found.get("HASH"), "range_key": found.get("RANGE")}


def _capacity(item: Item) -> dict[str, object]:
    return {"read_capacity": item.get("ReadCapacityUnits"), "write_capacity": item.get("WriteCapacityUnits")}


def _on_demand(item: Item) -> dict[str, object]:
    found = item.get("OnDemandThroughput")
    members = {"max_read_request_units": "MaxReadRequestUnits", "max_write_request_units": "MaxWriteRequestUnits"}
    return {"on_demand_throughput": [{name: found.get(member) for name, member in members.items()}] if found else []}


def _index(item: Item) -> dict[str, object]:
    projection = item.get("Projection") or {}
    return {
        "name": item["IndexName"],
        **_keys(item.get("KeySchema")),
        "projection_type": projection.get("ProjectionType"),
        "non_key_attributes": projection.get("NonKeyAttributes"),
    }


SERVICE = Service(
    "dynamodb",
    (
        Listing(
            types=("aws_dynamodb_table",),
            read=read_tables,
            permissions=(
                "dynamodb:ListTables",
                "dynamodb:DescribeTable",
                "dynamodb:DescribeContinuousBackups",
                "dynamodb:DescribeTimeToLive",
                "dynamodb:ListTagsOfResource",
            ),
        ),
    ),
)
