"""Where a request came from, whatever the caller writes into `X-Forwarded-For`."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.client_address import client_address, read_address

CLIENT, BALANCER = "198.51.100.7", "203.0.113.200"
LIES = [
    "10.0.0.1", "127.0.0.1", "10.0.0.1, 10.0.0.2", "10.0.0.1,10.0.0.2,10.0.0.3", ",", ",,,,", " , ", "unknown", "_hidden", '"10.0.0.1"',
    "for=10.0.0.1", "10.0.0.1:80", "[::1]:80", "::1%eth0", "\t", "10.0.0.1\t,", "x" * 20_000, ",".join(["10.0.0.1"] * 5_000),
]  # fmt: skip


@pytest.mark.parametrize("lie", LIES, ids=lambda text: text[:20])
def test_behind_the_load_balancer_the_caller_cannot_choose_an_address(lie: str) -> None:
    found = client_address(f"{lie},{CLIENT},{BALANCER}", "169.254.1.1", is_production=True)
    assert found == IPv4Address(CLIENT), "an address that the caller sent was believed"


@given(st.text(max_size=200), st.ip_addresses())
def test_no_text_in_front_changes_the_answer(lie: str, client: object) -> None:
    expected = read_address(str(client))
    assert client_address(f"{lie},{client},{BALANCER}", None, is_production=True) == expected
    assert client_address(f"{lie},{client}", None, is_production=False) == expected


@pytest.mark.parametrize("header", [CLIENT, "", "x", f"{CLIENT};{BALANCER}", f"{CLIENT} {BALANCER}", None])
def test_in_production_a_header_that_the_load_balancer_did_not_write_gives_no_address(header: str | None) -> None:
    """Also not that of the connection: in front of a function there are only machines of Google's."""
    assert client_address(header, "198.51.100.9", is_production=True) is None


def test_the_load_balancers_own_header_gives_the_client() -> None:
    assert client_address(f"{CLIENT},{BALANCER}", None, is_production=True) == IPv4Address(CLIENT)
    assert client_address(f"{CLIENT}, {BALANCER}", None, is_production=True) == IPv4Address(CLIENT)
    assert client_address(f"2001:db8::7,{BALANCER}", None, is_production=True) == ip_address("2001:db8::7")


def test_in_the_emulator_the_gateways_entry_counts_and_without_a_gateway_the_connection() -> None:
    assert client_address("10.0.0.1,127.0.0.1", "127.0.0.9", is_production=False) == IPv4Address("127.0.0.1")
    assert client_address(None, "127.0.0.9", is_production=False) == IPv4Address("127.0.0.9")
    assert client_address("", "127.0.0.9", is_production=False) is None


def test_an_ipv4_client_is_the_same_in_ipv6_clothes() -> None:
    assert read_address("::ffff:198.51.100.7") == IPv4Address(CLIENT)
    assert read_address("::FFFF:c633:6407") == IPv4Address(CLIENT)


@pytest.mark.parametrize(
    "text",
    ["", "1", "01.2.3.4", "1.2.3", "1.2.3.4.5", "1.2.3.4/32", "256.1.1.1", "0x7f.1", "2130706433", "::1%lo", "[::1]", "1.2.3.4 ", "\uff11.2.3.4"],
)  # fmt: skip
def test_what_is_no_address_is_none(text: str) -> None:
    assert read_address(text) is None
