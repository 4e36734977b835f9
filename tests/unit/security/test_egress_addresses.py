"""Which addresses count as public: laws over every denied range, in every form that carries it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.security.egress.addresses import carried, is_public, read_address
from shared.security.egress.networks import ASSIGNED_IPV6, DENIED_IPV4, DENIED_IPV6

# Every row of the IANA registries, written down a second time and apart from the code: iana-ipv4-special-registry
# and iana-ipv6-special-registry of 2025, and the multicast space. Whoever shortens the code's tables fails here.
REGISTRY_IPV4 = (
    "0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.0.0/29",
    "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/31", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
    "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",
)  # fmt: skip
REGISTRY_IPV6 = (
    "::1/128", "::/128", "::ffff:0:0/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001::/32", "2001:1::1/128", "2001:1::2/128",
    "2001:1::3/128", "2001:2::/48", "2001:3::/32", "2001:4:112::/48", "2001:10::/28", "2001:20::/28", "2001:30::/28", "2001:db8::/32", "2002::/16",
    "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "::/96",
)  # fmt: skip
METADATA = {
    "AWS, Google Cloud, Azure, DigitalOcean, Hetzner, OpenStack, Oracle": "169.254.169.254", "AWS time": "169.254.169.123", "AWS name service": "169.254.169.253",
    "ECS tasks": "169.254.170.2", "EKS pods": "169.254.170.23", "Scaleway": "169.254.42.42", "Alibaba Cloud": "100.100.100.200", "Azure's host": "168.63.129.16",
    "Oracle Cloud, classic": "192.0.0.192", "Tencent Cloud": "169.254.0.23", "AWS, IPv6": "fd00:ec2::254", "EKS pods, IPv6": "fd00:ec2::23", "AWS name service, IPv6": "fd00:ec2::253",
    "Google Cloud, IPv6": "fd20:ce::254", "Scaleway, IPv6": "fd00:42::42", "Oracle Cloud, IPv6": "fd00:c1::a9fe:a9fe", "link-local, by the same number": "fe80::a9fe:a9fe",
}  # fmt: skip
PUBLIC = (
    "1.1.1.1",
    "8.8.8.8",
    "9.9.9.9",
    "34.117.59.81",
    "93.184.215.14",
    "140.82.121.4",
    "185.199.108.153",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
    "2a00:1450:4001:82a::200e",
)

FORMS: dict[str, Callable[[int], int]] = {
    "v4-mapped": lambda inner: 0xFFFF << 32 | inner,
    "v4-compatible": lambda inner: inner,
    "v4-translated": lambda inner: 0xFFFF << 48 | inner,
    "NAT64": lambda inner: 0x64FF9B << 96 | inner,
    "local NAT64, as /96": lambda inner: 0x64FF9B0001 << 80 | inner,
    "local NAT64, as /48": lambda inner: 0x64FF9B0001 << 80 | (inner >> 16) << 64 | (inner & 0xFFFF) << 40,
    "6to4": lambda inner: 0x2002 << 112 | inner << 80 | 1,
    "Teredo's client": lambda inner: 0x20010000 << 96 | 0x08080808 << 64 | inner ^ 0xFFFFFFFF,
    "Teredo's server": lambda inner: 0x20010000 << 96 | inner << 64 | 0x08080808 ^ 0xFFFFFFFF,
    "ISATAP": lambda inner: 0x26064700 << 96 | 0x5EFE << 32 | inner,
    "ISATAP, universal": lambda inner: 0x26064700_00000001 << 64 | 0x02005EFE << 32 | inner,
    "ISATAP below link-local": lambda inner: 0xFE80 << 112 | 0x5EFE << 32 | inner,
}  # fmt: skip
OPEN_FORMS = frozenset({"NAT64", "ISATAP", "ISATAP, universal"})  # as public as what they carry


def _edges(network: IPv4Network | IPv6Network) -> Iterator[int]:
    first, last = int(network.network_address), int(network.broadcast_address)
    yield from {first, last, (first + last) // 2, min(first + 1, last), max(last - 1, first)}


@pytest.mark.parametrize("row", DENIED_IPV4 + DENIED_IPV6, ids=lambda row: row[0])
def test_every_row_is_refused_from_edge_to_edge_and_says_why(row: tuple[str, str, str]) -> None:
    network, what, source = row
    kind, address = (IPv6Network, IPv6Address) if ":" in network else (IPv4Network, IPv4Address)
    assert what
    assert source
    assert not any(is_public(address(edge)) for edge in _edges(kind(network)))


@pytest.mark.parametrize("network", REGISTRY_IPV4 + REGISTRY_IPV6)
def test_every_row_of_the_registries_is_covered(network: str) -> None:
    kind, address = (IPv6Network, IPv6Address) if ":" in network else (IPv4Network, IPv4Address)
    assert not any(is_public(address(edge)) for edge in _edges(kind(network)))


@pytest.mark.parametrize("address", METADATA.values(), ids=METADATA)
def test_no_clouds_metadata_is_public(address: str) -> None:
    found = read_address(address)
    assert found is not None
    assert not is_public(found)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_public(address: str) -> None:
    found = read_address(address)
    assert found is not None
    assert is_public(found)


_denied_ipv4 = st.sampled_from(DENIED_IPV4).flatmap(
    lambda row: st.integers(int(IPv4Network(row[0]).network_address), int(IPv4Network(row[0]).broadcast_address))
)
_denied_ipv6 = st.sampled_from(DENIED_IPV6).flatmap(
    lambda row: st.integers(int(IPv6Network(row[0]).network_address), int(IPv6Network(row[0]).broadcast_address))
)


@given(_denied_ipv4)
def test_a_denied_ipv4_address_is_refused_in_every_form(number: int) -> None:
    assert not is_public(IPv4Address(number))
    public = [name for name, form in FORMS.items() if is_public(IPv6Address(form(number)))]
    assert public == [], f"{IPv4Address(number)} gets through inside an IPv6 address"


@given(_denied_ipv6)
def test_a_denied_ipv6_address_is_refused(number: int) -> None:
    assert not is_public(IPv6Address(number))


@given(st.integers(0, 2**32 - 1))
def test_what_a_form_carries_is_found_and_decides(number: int) -> None:
    inner = IPv4Address(number)
    for name, form in FORMS.items():
        address = IPv6Address(form(number))
        if name != "local NAT64, as /48":  # refused as a whole
            assert inner in set(carried(address)), f"{name} hides what it carries"
        assert is_public(address) == (name in OPEN_FORMS and is_public(inner)), name


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_is_public_unless_a_row_names_it(number: int) -> None:
    address = IPv4Address(number)
    assert is_public(address) == (not any(address in IPv4Network(row[0]) for row in DENIED_IPV4))


@given(st.integers(0, 2**128 - 1))
def test_nothing_outside_what_is_assigned_is_public(number: int) -> None:
    address = IPv6Address(number)
    if is_public(address):
        assert any(address in IPv6Network(row[0]) for row in ASSIGNED_IPV6)
        assert address.is_global or address in IPv6Network("64:ff9b::/96")


@given(st.integers(0, 2**32 - 1))
def test_nothing_is_public_that_the_standard_library_calls_private(number: int) -> None:
    if is_public(IPv4Address(number)):
        assert IPv4Address(number).is_global


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "127.1",
        "0177.0.0.1",
        "1.2.3.4/32",
        "fe80::1%eth0",
        "::1%1",
        " 1.1.1.1",
        "[::1]",
        "1.1.1.1:80",
        "٨.٨.٨.٨",
    ],
)
def test_what_is_no_plain_address_is_none(text: str) -> None:
    assert read_address(text) is None
