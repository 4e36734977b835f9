"""Reads SSM parameters: metadata and plain values; nothing is ever decrypted.

Values of `SecureString` parameters are not asked for: a change of them shows by the version alone. Tags take a call
each: the Tagging API has them in batches, but lags behind.
Source: AWS Systems Manager API Reference, the operations named in the listing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_NAMES_PER_CALL = 10  # of GetParameters


def read_parameters(scope: Scope) -> Iterator[Finding]:
    """List parameters, in batches as large as the read of their values takes."""
    client = scope.client("ssm")
    items = list(scope.pages("ssm", "describe_parameters", "Parameters"))
    batches = [{"items": items[at : at + _NAMES_PER_CALL]} for at in range(0, len(items), _NAMES_PER_CALL)]
    yield from each(batches, lambda batch: _batch(scope, client, batch["items"]))


def _batch(scope: Scope, client: Any, items: list[Item]) -> Iterable[Finding]:
    plain = [item["Name"] for item in items if item["Type"] != "SecureString"]
    reply: Item | Gap = {}
    if plain:
        reply = attempt("ssm", lambda: client.get_parameters(Names=plain, WithDecryption=False))
    for item in items:
        yield from _parameter(scope, client, item, reply)


def _parameter(scope: Scope, client: Any, item: Item, values: Item | Gap) -> Iterator[Finding]:
    name = item["Name"]
    arn = item.get("ARN") or scope.arn("ssm", f"parameter/{name.lstrip('/')}")
    attributes: dict[str, object] = {
        "type": item["Type"],
        "description": item.get("Description"),
        "allowed_pattern": item.get("AllowedPattern"),
        "tier": item.get("Tier"),
        "data_type": item.get("DataType"),
        "key_id": item.get("KeyId"),
        "version": item.get("Version"),
    }
    if isinstance(values, Gap):
        yield values.unread("aws_ssm_parameter", arn, "value", "insecure_value")
    elif item["Type"] != "SecureString":
        found = {entry["Name"]: entry.get("Value") for entry in values.get("Parameters") or ()}
        if name in found:
            attributes |= {"value": found[name], "insecure_value": found[name]}
    reply = attempt("ssm", lambda: client.list_tags_for_resource(ResourceType="Parameter", ResourceId=name))
    tags: dict[str, str] = {}
    if isinstance(reply, Gap):
        yield reply.unread("aws_ssm_parameter", arn, "tags")
    else:
        attributes["tags"] = tags = tag_map(reply.get("TagList"))
    yield LiveResource(
        type="aws_ssm_parameter",
        key=arn,
        region=scope.region,
        cloud_id=arn,
        tags=tags,
        attributes=attributes,
        document=item,
    )


SERVICE = Service(
    "ssm",
    (
        Listing(
            types=("aws_ssm_parameter",),
            read=read_parameters,
            permissions=("ssm:DescribeParameters", "ssm:GetParameters", "ssm:ListTagsForResource"),
        ),
    ),
)
