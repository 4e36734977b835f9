"""DynamoDB tables with their indexes.

Source: Terraform AWS provider 5.100, `aws_dynamodb_table`; Amazon DynamoDB API Reference, TableDescription.
"""

from __future__ import annotations

from ...domain.shapes import (
    Canonical,
    Shape,
    block,
    boolean,
    default_is,
    keyed,
    number,
    number_or_zero,
    set_of,
    tags,
    text,
)
from ...domain.specs import TypeSpec, by


def recovery_period(value: object) -> Canonical:
    """Days of point-in-time recovery: 35 unless set; the provider writes 0 for "not set"."""
    found = number(value)
    return None if found in (0, 35) else found


_ON_DEMAND = block(
    {name: default_is(-1, number) for name in ("max_read_request_units", "max_write_request_units")}  # -1: no limit
)
_INDEX: dict[str, Shape] = {
    "range_key": text,
    "projection_type": text,
    "non_key_attributes": set_of(text),
}

SPECS = (
    TypeSpec(
        "aws_dynamodb_table",
        {
            "attribute": keyed("name", {"type": text}),
            "billing_mode": default_is("PROVISIONED", text),
            "deletion_protection_enabled": boolean,
            "global_secondary_index": keyed(
                "name",
                {
                    **_INDEX,
                    "hash_key": text,
                    "read_capacity": number_or_zero,
                    "write_capacity": number_or_zero,
                    "on_demand_throughput": _ON_DEMAND,
                },
            ),
            "hash_key": text,
            "local_secondary_index": keyed("name", _INDEX),
            "on_demand_throughput": _ON_DEMAND,
            "point_in_time_recovery": block({"enabled": boolean, "recovery_period_in_days": recovery_period}),
            "range_key": text,
            "read_capacity": number_or_zero,
            "replica": keyed("region_name", {}),
            "server_side_encryption": block({"enabled": boolean, "kms_key_arn": text}),
            "stream_enabled": boolean,
            "stream_view_type": text,
            "table_class": default_is("STANDARD", text),
            "tags": tags,
            "ttl": block({"enabled": boolean, "attribute_name": text}),
            "write_capacity": number_or_zero,
        },
        key=by("arn"),
    ),
)
