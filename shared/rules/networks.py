"""What a set of network rules lets in, as arithmetic over networks and ranges of ports; no port is ever expanded.

Source: RFC 4632 (CIDR); RFC 4291 section 2.4 (2000::/3 is all of the global IPv6 internet).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from .levels import Severity

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_Span: TypeAlias = tuple[int, int, int, int]  # first and last address, first and last port

LAST_PORT = 65_535
MOST_OPENINGS = 1_000  # above it nothing is computed, and the caller says `unknown-value`
PROTOCOLS = ("tcp", "udp", "icmp", "other")
# Remote administration, databases, queues, caches and control planes: nobody serves these to the internet on purpose.
SENSITIVE_PORTS = (
    20, 21, 22, 23, 111, 135, 137, 138, 139, 389, 445, 512, 513, 514, 636, 873, 1433, 1434, 1521, 1830, 2049, 2181, 2375, 2376, 2379, 2380,
    3306, 3389, 4333, 5432, 5439, 5500, 5601, 5672, 5900, 5984, 5985, 5986, 6379, 6443, 7000, 7001, 7199, 8020, 8086, 8500, 9000, 9042,
    9092, 9160, 9200, 9300, 10250, 11211, 15672, 27017, 27018, 27019, 50070,
)  # fmt: skip
WEB_PORTS = frozenset({80, 443})
# half of all addresses is the world: 0.0.0.0/1 beside 128.0.0.0/1 is an old way around a check for 0.0.0.0/0
_WORLD = {4: 2**31, 6: 2**124}
_WIDE = {4: 2**24, 6: 2**100}
_NUMBERS = {
    "6": "tcp",
    "17": "udp",
    "1": "icmp",
    "58": "icmp",
    "icmpv6": "icmp",
    "tcp": "tcp",
    "udp": "udp",
    "icmp": "icmp",
}
_ALL = frozenset({"-1", "all", "*", "any", ""})


@dataclass(frozen=True, slots=True)
class Opening:
    """Who may reach which ports.

    Attributes:
        protocol: one of `PROTOCOLS`.
        low: first port.
        high: last port.
        network: from where.
    """

    protocol: str
    low: int
    high: int
    network: Network


@dataclass(frozen=True, slots=True)
class Gain:
    """What is let in that was not before.

    Attributes:
        protocol: one of `PROTOCOLS`.
        low: first port.
        high: last port.
        size: `world`, `wide` (more than a /8) or `some`.
    """

    protocol: str
    low: int
    high: int
    size: str

    @property
    def severity(self) -> Severity:
        """How bad it is, by who comes in and to what."""
        is_sensitive = self.protocol in {"tcp", "udp"} and any(
            self.low <= port <= self.high for port in SENSITIVE_PORTS
        )
        if self.size == "some":
            return "medium" if is_sensitive else "low"
        if self.protocol == "icmp":
            return "low"
        if self.low == self.high and self.low in WEB_PORTS:
            return "medium" if self.size == "world" else "low"
        if self.size == "wide":
            return "high" if is_sensitive else "medium"
        return "critical" if is_sensitive else "high"

    def __str__(self) -> str:
        """Write it as people do."""
        ports = "all ports" if (self.low, self.high) == (0, LAST_PORT) else f"{self.low}-{self.high}"
        ports = str(self.low) if self.low == self.high else ports
        who = {"world": "the whole internet", "wide": "a large part of the internet", "some": "some public addresses"}
        return f"{self.protocol} {ports} from {who[self.size]}"


def openings(protocol: object, low: int | None, high: int | None, networks: Iterable[object]) -> Iterator[Opening]:
    """Yield what one rule opens; ports that are not given are all ports."""
    word = str(protocol if protocol is not None else "").lower()
    protocols = PROTOCOLS if word in _ALL else (_NUMBERS.get(word, "other"),)
    first = 0 if low is None or low < 0 else min(low, LAST_PORT)
    last = (LAST_PORT if low is None or low < 0 else first) if high is None or high < 0 else min(high, LAST_PORT)
    for text in networks:
        network = network_of(text)
        if network is not None:
            for name in protocols:
                has_ports = name in {"tcp", "udp"} and word not in _ALL
                yield Opening(name, first if has_ports else 0, last if has_ports else LAST_PORT, network)


def network_of(text: object) -> Network | None:
    """Return a network, None for what is none."""
    if not isinstance(text, str) or len(text) > 60:
        return None
    try:
        found: Network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    return found


def gains(before: Sequence[Opening], after: Sequence[Opening]) -> list[Gain]:
    """Return what public networks gain, neighbouring ranges of ports put together."""
    found: list[Gain] = []
    for protocol in PROTOCOLS:
        for version in (4, 6):
            old = [item for item in before if item.protocol == protocol and item.network.version == version]
            new = [item for item in after if item.protocol == protocol and item.network.version == version]
            found.extend(_gains(protocol, version, old, new))
    return sorted(set(found), key=lambda gain: (PROTOCOLS.index(gain.protocol), gain.low, gain.high, gain.size))


def worldly(rules: Sequence[Opening]) -> list[Gain]:
    """Return what the whole internet may reach."""
    return [gain for gain in gains((), rules) if gain.size == "world"]


def _gains(protocol: str, version: int, old: list[Opening], new: list[Opening]) -> Iterator[Gain]:
    public = [item for item in new if not item.network.is_private]
    edges = sorted({edge for item in (*old, *public) for edge in (item.low, item.high + 1)})
    was, will, both = _spans(old), _spans(public), _spans([*old, *public])
    pending: Gain | None = None
    for low, end in pairwise(edges):
        size = _growth(version, _addresses(was, low), _addresses(both, low)) if _addresses(will, low) else ""
        if pending and pending.size == size and pending.high + 1 == low:
            pending = Gain(protocol, pending.low, end - 1, size)
            continue
        if pending:
            yield pending
        pending = Gain(protocol, low, end - 1, size) if size else None
    if pending:
        yield pending


def _spans(rules: list[Opening]) -> list[_Span]:
    """Return each rule as numbers, by first address."""
    return sorted(
        (int(item.network.network_address), int(item.network.broadcast_address), item.low, item.high) for item in rules
    )


def _addresses(spans: list[_Span], port: int) -> int:
    """Count the addresses that may reach a port; one that two rules name counts once."""
    count, last = 0, -1
    for start, end, low, high in spans:
        if low <= port <= high and end > last:
            count += end - max(start - 1, last)
            last = end
    return count


def _growth(version: int, was: int, both: int) -> str:
    if both <= was:
        return ""
    if both >= _WORLD[version] > was:
        return "world"
    return "wide" if both - was >= _WIDE[version] else "some"
