"""Reads customer-managed KMS keys and their aliases.

KMS has no batch read: each key takes a call for its metadata, and the account's own keys one more for each of policy,
rotation and tags. Keys that AWS manages, and keys that wait for their deletion, are left out.
Source: AWS KMS API Reference, the operations named in each listing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ...domain.resources import LiveResource, Parent
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_GONE = frozenset({"PendingDeletion", "PendingReplicaDeletion"})
_KEY_TYPES = ("aws_kms_key", "aws_kms_replica_key", "aws_kms_external_key")


def read_keys(scope: Scope) -> Iterator[Finding]:
    """List the account's own keys with policy, rotation and tags."""
    client = scope.client("kms")
    yield from each(scope.pages("kms", "list_keys", "Keys"), lambda item: _key(scope, client, item))


def _key(scope: Scope, client: Any, item: Item) -> Iterable[Finding]:
    key_id, arn = item["KeyId"], item["KeyArn"]
    reply = attempt("kms", lambda: client.describe_key(KeyId=key_id))
    if isinstance(reply, Gap):
        return [
            *(reply.unread(kind, arn if kind == "aws_kms_replica_key" else key_id) for kind in _KEY_TYPES),
            reply.unread("aws_kms_key_policy", key_id),
        ]
    found = reply["KeyMetadata"]
    if found.get("KeyManager") != "CUSTOMER" or found.get("KeyState") in _GONE:
        return []
    kind = _kind(found)
    key = arn if kind == "aws_kms_replica_key" else key_id
    attributes = _attributes(found)
    findings: list[Finding] = []
    tags: dict[str, str] = {}
    for part in (_tags(client, key_id), _rotation(client, found)):
        if isinstance(part, _Unknown):
            findings.append(part.gap.unread(kind, key, *part.attributes))
        else:
            attributes.update(part)
            tags = part.get("tags", tags)
    policy = attempt("kms", lambda: client.get_key_policy(KeyId=key_id, PolicyName="default"))
    if isinstance(policy, Gap):
        findings += [policy.unread(kind, key, "policy"), policy.unread("aws_kms_key_policy", key_id)]
    else:
        attributes["policy"] = policy.get("Policy")
        findings.append(_key_policy(scope, key_id, arn, policy, Parent(kind, key, "policy")))
    key_itself = LiveResource(
        type=kind, key=key, region=scope.region, cloud_id=arn, tags=tags, attributes=attributes, document=found
    )
    return [key_itself, *findings]


@dataclass(frozen=True, slots=True)
class _Unknown:
    """Attributes of a key that one failed call leaves unknown."""

    gap: Gap
    attributes: tuple[str, ...]


def _kind(found: Item) -> str:
    configuration = found.get("MultiRegionConfiguration") or {}
    if configuration.get("MultiRegionKeyType") == "REPLICA":
        return "aws_kms_replica_key"
    return "aws_kms_external_key" if found.get("Origin") == "EXTERNAL" else "aws_kms_key"


def _attributes(found: Item) -> dict[str, Any]:
    enabled = bool(found.get("Enabled"))
    return {
        "description": found.get("Description"),
        "is_enabled": enabled,
        "enabled": enabled,  # the name in the replica and external types
        "key_usage": found.get("KeyUsage"),
        "customer_master_key_spec": found.get("KeySpec") or found.get("CustomerMasterKeySpec"),
        "multi_region": bool(found.get("MultiRegion")),
    }


def _tags(client: Any, key_id: str) -> dict[str, Any] | _Unknown:
    def call() -> Item:
        pages = client.get_paginator("list_resource_tags").paginate(KeyId=key_id)
        return {"Tags": [tag for page in pages for tag in page.get("Tags") or ()]}

    reply = attempt("kms", call)
    if isinstance(reply, Gap):
        return _Unknown(reply, ("tags",))
    return {"tags": tag_map(reply["Tags"], key="TagKey", value="TagValue")}


def _rotation(client: Any, found: Item) -> dict[str, Any] | _Unknown:
    """Read automatic rotation, which only symmetric keys with key material made by KMS have."""
    spec = found.get("KeySpec") or found.get("CustomerMasterKeySpec")
    if spec != "SYMMETRIC_DEFAULT" or found.get("Origin") != "AWS_KMS":
        return {"enable_key_rotation": False}
    reply = attempt(
        "kms", lambda: client.get_key_rotation_status(KeyId=found["KeyId"]), "UnsupportedOperationException"
    )
    if isinstance(reply, Gap):
        return _Unknown(reply, ("enable_key_rotation", "rotation_period_in_days"))
    if not reply.get("KeyRotationEnabled"):
        return {"enable_key_rotation": False}  # without rotation the period says nothing
    period = reply.get("RotationPeriodInDays")
    return {"enable_key_rotation": True} | ({"rotation_period_in_days": period} if period else {})


def _key_policy(scope: Scope, key_id: str, arn: str, reply: Item, parent: Parent) -> LiveResource:
    return LiveResource(
        type="aws_kms_key_policy",
        key=key_id,
        region=scope.region,
        cloud_id=arn,
        cloud_made=True,  # every key has one from its creation on
        parent=parent,
        attributes={"policy": reply.get("Policy")},
    )


def read_aliases(scope: Scope) -> Iterator[Finding]:
    """List the account's own aliases; `alias/aws/*` belongs to AWS."""
    for item in scope.pages("kms", "list_aliases", "Aliases"):
        if item["AliasName"].startswith("alias/aws/") or not item.get("TargetKeyId"):
            continue
        yield LiveResource(
            type="aws_kms_alias",
            key=item["AliasArn"],
            region=scope.region,
            cloud_id=item["AliasArn"],
            attributes={"target_key_id": item["TargetKeyId"]},
        )


SERVICE = Service(
    "kms",
    (
        Listing(
            types=(*_KEY_TYPES, "aws_kms_key_policy"),
            read=read_keys,
            permissions=(
                "kms:ListKeys",
                "kms:DescribeKey",
                "kms:GetKeyPolicy",
                "kms:GetKeyRotationStatus",
                "kms:ListResourceTags",
            ),
        ),
        Listing(types=("aws_kms_alias",), read=read_aliases, permissions=("kms:ListAliases",)),
    ),
)
