"""Reads which regions are enabled in an account.

Source: Amazon EC2 API Reference, DescribeRegions: without `AllRegions` it lists the regions that need no opt-in, and those that the
account opted in to.
"""

from __future__ import annotations

import re
from typing import Final

from .base import Gap, Scope, attempt

PERMISSIONS = ("ec2:DescribeRegions",)
MOST_REGIONS: Final = 100

_NAME = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
_ENABLED = frozenset({"opt-in-not-required", "opted-in"})


def read_regions(scope: Scope) -> tuple[str, ...] | Gap:
    """Return the names of the enabled regions, sorted; a reply that names none, or no names, is not taken for an answer.

    Args:
        scope: the account, in its partition's home region.
    """
    client = scope.client("ec2")
    reply = attempt("ec2", lambda: client.describe_regions(AllRegions=False))
    if isinstance(reply, Gap):
        return reply
    items = reply.get("Regions") or ()
    enabled = {str(item.get("RegionName")) for item in items if item.get("OptInStatus") in {None, *_ENABLED}}
    if not enabled or len(enabled) > MOST_REGIONS or not all(_NAME.fullmatch(name) for name in enabled):
        return Gap("malformed", None, "DescribeRegions did not answer with names of regions")
    return tuple(sorted(enabled))
