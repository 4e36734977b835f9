"""Reads resources that a state declares and no mapping covers, one by one, by Cloud Control.

It answers whether each is there and what it is like. AWS takes one call per resource here, so that their number is bounded and
their pace is kept; throttling slows the reading down. Source: AWS Cloud Control API Reference, GetResource.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from ...domain.regional import without_region
from ...domain.resources import LiveResource, NotChecked, Unread
from ...domain.traced import Traced
from ...types.aws.catalogue import READABLE, Catalogued
from .base import Gap, Scope, attempt, noting_denials
from .pace import Pace

PERMISSIONS = ("cloudformation:GetResource",)
MOST_READ = 2000  # of one region in one scan

_SERVICE = "cloudformation"  # the IAM prefix of Cloud Control's actions
_SOURCE = "cloud-control"
_PER_SECOND, _BURST, _WIDTH = 5.0, 10, 4
_MOST_TRIES, _LONGEST_PAUSE = 6, 20.0
_GONE = ("ResourceNotFoundException",)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A declared resource to read: its Terraform type and match key, which is Cloud Control's identifier, perhaps behind the region."""

    type: str
    key: str


@dataclass(frozen=True, slots=True)
class Absent:
    """What Cloud Control says is not there."""

    type: str
    key: str


Answer: TypeAlias = LiveResource | Absent | Unread | NotChecked


def read_declared(scope: Scope, wanted: Iterable[Wanted], *, place: str, pace: Pace | None = None) -> Iterator[Answer]:
    """Read declared resources, in their order.

    Args:
        scope: the account in one region.
        wanted: what to read; more than `MOST_READ` are left out and said so.
        place: region, or `global`.
        pace: lets calls through.
    """
    gate = pace or Pace(_PER_SECOND, _BURST)
    known = [item for item in wanted if item.type in READABLE]
    for item in known[MOST_READ:]:
        yield Unread(item.type, item.key, (), None, "unavailable", f"more than {MOST_READ} resources without a mapping")
    with ThreadPoolExecutor(_WIDTH) as pool:
        yield from pool.map(lambda item: _one(scope, item, READABLE[item.type], place, gate), known[:MOST_READ])


def _one(scope: Scope, item: Wanted, named: Catalogued, place: str, pace: Pace) -> Answer:
    client, pause, identifier = scope.client("cloudcontrol"), 1.0, without_region(item.key, place)
    for _ in range(_MOST_TRIES):
        pace.take()
        denied: list[str] = []
        ask = partial(client.get_resource, TypeName=f"AWS::{named.cloud_formation}", Identifier=identifier)
        reply = attempt(_SERVICE, partial(noting_denials, ask, denied), *_GONE)
        if not isinstance(reply, Gap):
            return _answer(scope, item, place, reply)
        if reply.reason != "throttled":
            reason, permission = ("access_denied", denied[0]) if denied else (reply.reason, reply.permission)
            return Unread(item.type, item.key, (), permission, reason, reply.detail)
        pace.slow_down()
        pace.pause(pause)
        pause = min(_LONGEST_PAUSE, pause * 2)
    return Unread(item.type, item.key, (), None, "throttled", f"GetResource was throttled {_MOST_TRIES} times")


def _answer(scope: Scope, item: Wanted, place: str, reply: Mapping[str, object]) -> Answer:
    if not reply:
        return Absent(item.type, item.key)
    described = reply.get("ResourceDescription")
    text = described.get("Properties") if isinstance(described, Mapping) else None
    try:
        model = json.loads(str(text))
    except ValueError:
        model = None
    if not isinstance(model, dict):
        return Unread(item.type, item.key, (), None, "malformed", "GetResource answered no model")
    arn = model.get("Arn") or model.get("ARN")
    cloud_id = (
        arn if isinstance(arn, str) and arn.startswith(f"arn:{scope.partition}:") else without_region(item.key, place)
    )
    return LiveResource(item.type, item.key, place, {}, cloud_id, document=Traced(model, _SOURCE))
