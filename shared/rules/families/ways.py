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


def way_open(
    change: Change, hops: Sequence[Hop], evidence: tuple[Evidence, ...], severity: Severity
) -> Iterator[Match]:
    """Say that a way is open, when this plan makes or changes a part of it: an open way that stays is no news."""
    if not hops or (change.is_noop and not any(hop.is_touched for hop in hops)):
        return
    named = [hop.address for hop in hops[:_MOST_HOPS]] + (["…"] if len(hops) > _MOST_HOPS else [])
    yield Match(evidence, severity, f"The way is open: {' -> '.join(['internet', *named, change.address])}.")


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
