"""What `terraform apply` would do about a drift: a preview made from the state and the last scan, without running Terraform."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

_PREVIEW = (
    "This is a preview from the state and the last scan. The configuration may say something else by now: only the plan tells what an "
    "apply does."
)
_GONE = "An apply makes the resource again, empty: what was in it does not come back by that. Restore a backup, or take it out of the state."
_REPLACED = "Setting this back destroys the running resource and makes a new one."
_MAYBE_REPLACED = (
    "Whether setting it back replaces the resource is not known here: look for `must be replaced` in the plan."
)
# Attributes that the provider can set at creation only. What is not named here may still force a replacement.
# Source: Terraform AWS provider 5.100 documentation, "Forces new resource" or "Changing this forces", and its `ForceNew` schemas.
_REPLACING: Mapping[str, frozenset[str]] = {
    "aws_db_instance": frozenset({"availability_zone", "character_set_name", "db_name", "engine", "kms_key_id", "storage_encrypted", "timezone", "username"}),
    "aws_db_subnet_group": frozenset({"name"}),
    "aws_dynamodb_table": frozenset({"hash_key", "name", "range_key"}),
    "aws_ebs_volume": frozenset({"availability_zone", "encrypted", "kms_key_id", "outpost_arn", "snapshot_id"}),
    "aws_ecr_repository": frozenset({"encryption_configuration", "name"}),
    "aws_iam_policy": frozenset({"description", "name", "path"}),
    "aws_iam_role": frozenset({"name", "path"}),
    "aws_instance": frozenset({"ami", "availability_zone", "key_name", "private_ip", "subnet_id"}),
    "aws_key_pair": frozenset({"key_name", "public_key"}),
    "aws_kms_key": frozenset({"custom_key_store_id", "customer_master_key_spec", "key_usage", "multi_region"}),
    "aws_lb": frozenset({"customer_owned_ipv4_pool", "internal", "load_balancer_type", "name"}),
    "aws_lb_target_group": frozenset({"name", "port", "protocol", "protocol_version", "target_type", "vpc_id"}),
    "aws_nat_gateway": frozenset({"allocation_id", "connectivity_type", "private_ip", "subnet_id"}),
    "aws_s3_bucket": frozenset({"bucket"}),
    "aws_security_group": frozenset({"description", "name", "vpc_id"}),
    "aws_sns_topic": frozenset({"fifo_topic", "name"}),
    "aws_sqs_queue": frozenset({"fifo_queue", "name"}),
    "aws_subnet": frozenset({"availability_zone", "cidr_block", "ipv6_native", "outpost_arn", "vpc_id"}),
    "aws_vpc": frozenset({"cidr_block", "ipv6_ipam_pool_id"}),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reverted:
    """One attribute that an apply would set back.

    Attributes:
        path: attribute path.
        live: what runs; None when it is hidden.
        state: what the state says; None when it is hidden.
        is_sensitive: both are hidden.
        replaces: setting it back replaces the resource: True, or None where that is not known.
    """

    path: str
    live: Any
    state: Any
    is_sensitive: bool
    replaces: bool | None


@dataclass(frozen=True, slots=True)
class Revert:
    """What an apply would do about one resource.

    Attributes:
        address: of the resource.
        action: `update`, `replace` or `create`.
        changes: every attribute that differs.
        command: the plan that shows it, for a shell.
        notes: what to know before running it.
    """

    address: str
    action: Literal["update", "replace", "create"]
    changes: tuple[Reverted, ...]
    command: str
    notes: tuple[str, ...]


def build_revert(address: str, items: Sequence[Mapping[str, Any]]) -> Revert:
    """Build the preview of one resource.

    Args:
        address: of the resource in its state.
        items: its open drift items, at least one; either `missing` or all `changed`.
    """
    command = f"terraform plan -target={shlex.quote(address)}"
    if items[0]["kind"] == "missing":
        return Revert(address, "create", (), command, (_PREVIEW, _GONE))
    changes = tuple(_change(item) for item in sorted(items, key=lambda item: str(item["path"])))
    is_replaced = any(change.replaces for change in changes)
    note = _REPLACED if is_replaced else _MAYBE_REPLACED
    return Revert(address, "replace" if is_replaced else "update", changes, command, (_PREVIEW, note))


def _change(item: Mapping[str, Any]) -> Reverted:
    path = str(item["path"])
    name = path.split(".", 1)[0].split("[", 1)[0]
    replaces = True if name in _REPLACING.get(item["type"], ()) else None
    return Reverted(path, item["after"], item["before"], item["is_sensitive"], replaces)
