"""What the ways from the internet of every provider have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..levels import Severity
from ..networks import PROTOCOLS, Gain
from ..plan import Change
from ..rule import Evidence, Match

_MOST_HOPS = 6


@dataclass(frozen=True, slots=True)
class Hop:
    """A station on the way.

    Attributes:
        address: of the resource that lets through.
        is_touched: whether this plan makes or changes it.
    """

    address: str
    is_touched: bool


@dataclass(frozen=True, slots=True)
class Way:
    """An open way, worked out once for all resources that share it.

    Attributes:
        named: the stations as people read them.
        is_touched: whether this plan makes or changes one of them.
        severity: how bad it is for what lies at its end.
    """

    named: str
    is_touched: bool
    severity: Severity


def way_over(hops: Sequence[Hop], severity: Severity) -> Way | None:
    """Return the way over some stations, None when there are none."""
    if not hops:
        return None
    named = [hop.address for hop in hops[:_MOST_HOPS]] + (["…"] if len(hops) > _MOST_HOPS else [])
    return Way(" -> ".join(named), any(hop.is_touched for hop in hops), severity)


def way_open(
    change: Change, way: Way | None, evidence: tuple[Evidence, ...], severity: Severity | None = None
) -> Iterator[Match]:
    """Say that a way is open, when this plan makes or changes a part of it: an open way that stays is no news."""
    if way is not None and (way.is_touched or not change.is_noop):
        note = f"The way is open: internet -> {way.named} -> {change.address}."
        yield Match(evidence, severity or way.severity, note)


def both(one: Sequence[Gain], other: Sequence[Gain]) -> list[Gain]:
    """Return what passes two filters one behind the other."""
    found = [
        Gain(protocol, max(first.low, second.low), min(first.high, second.high), "world")
        for protocol in PROTOCOLS
        for first in one
        for second in other
        if first.protocol == second.protocol == protocol and max(first.low, second.low) <= min(first.high, second.high)
    ]
    return list(dict.fromkeys(found))
