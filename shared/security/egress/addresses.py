"""Whether an address belongs to the public internet. Decides by the tables of `networks`; resolves and dials nothing."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from .networks import ASSIGNED_IPV6, CARRIERS, DENIED_IPV4, DENIED_IPV6

Address = IPv4Address | IPv6Address

_DENIED_IPV4 = tuple(IPv4Network(network) for network, _, _ in DENIED_IPV4)
_DENIED_IPV6 = tuple(IPv6Network(network) for network, _, _ in DENIED_IPV6)
_ASSIGNED_IPV6 = tuple(IPv6Network(network) for network, _, _ in ASSIGNED_IPV6)
_CARRIERS = tuple((IPv6Network(network), shift, turned) for network, shift, turned in CARRIERS)
_LOW_32 = 0xFFFF_FFFF
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})  # RFC 5214 section 6.1, without and with the universal bit


def read_address(text: str) -> Address | None:
    """Return the address that a resolver or a socket names; None when it is none or has a zone."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return None
    return address


def is_public(address: Address) -> bool:
    """Whether the address, and every IPv4 address that it carries, belongs to the public internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _DENIED_IPV4)
    return (
        address.scope_id is None
        and any(address in network for network in _ASSIGNED_IPV6)
        and not any(address in network for network in _DENIED_IPV6)
        and all(is_public(inner) for inner in carried(address))
    )


def carried(address: IPv6Address) -> Iterator[IPv4Address]:
    """Yield the IPv4 addresses that a gateway on the way may take out of this one.

    Source: RFC 4291 section 2.5.5, RFC 3056, RFC 4380, RFC 5214, RFC 6052, RFC 8215.
    """
    bits = int(address)
    for network, shift, turned in _CARRIERS:
        if address in network:
            inner = bits >> shift & _LOW_32
            yield IPv4Address(inner ^ _LOW_32 if turned else inner)
    if bits >> 32 & _LOW_32 in _ISATAP:
        yield IPv4Address(bits & _LOW_32)
