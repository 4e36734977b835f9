"""AWS partitions: where each answers for what has no region, and how its regions are named.

Source: AWS General Reference, "Amazon Resource Names"; endpoints of IAM and STS per partition.
"""

from __future__ import annotations

from typing import Final

HOMES: Final = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-eusc": "eusc-de-east-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-us-gov": "us-gov-west-1",
}
_BEGINNINGS: Final = {
    "aws-cn": "cn-",
    "aws-eusc": "eusc-",
    "aws-iso": "us-iso-",
    "aws-iso-b": "us-isob-",
    "aws-us-gov": "us-gov-",
}


def home_region(partition: str) -> str:
    """Return the region through which global services of a partition are asked; no account can switch it off."""
    return HOMES.get(partition, HOMES["aws"])


def partition_of_arn(arn: str) -> str | None:
    """Return the partition that an ARN names; None when it is none."""
    return arn.split(":", 2)[1] if arn.startswith("arn:") else None


def partition_of_region(region: str) -> str:
    """Return the partition of a region by its name; `aws` when no other has such names."""
    return next((name for name, beginning in _BEGINNINGS.items() if region.startswith(beginning)), "aws")
