"""The guard beside other people's: where one of them refuses and ours does not, it must be for a reason written down here.

Skipped where `ssrfguard` or `microsoft-antissrf` is not installed.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.security.egress import EgressPolicy
from shared.security.egress.addresses import is_public
from shared.security.egress.networks import DENIED_IPV4, DENIED_IPV6
from shared.security.egress.urls import read_url

from .egress_urls import PASSES, REFUSED

NAT64 = IPv6Network("64:ff9b::/96")  # AntiSSRF refuses all of it; ours is as public as the address inside (RFC 6052)
_numbers = st.one_of(
    st.integers(0, 2**32 - 1),
    st.sampled_from(DENIED_IPV4)
    .map(lambda row: int(IPv4Network(row[0]).broadcast_address) + 1)
    .filter(lambda n: n < 2**32),
    st.sampled_from(DENIED_IPV4).map(lambda row: int(IPv4Network(row[0]).network_address) - 1).filter(lambda n: n >= 0),
)
_numbers6 = st.one_of(
    st.integers(0, 2**128 - 1),
    st.integers(0x2000 << 112, (0x4000 << 112) - 1),
    st.integers(0, 2**32 - 1).map(lambda low: 0x64FF9B << 96 | low),
    st.integers(0, 2**32 - 1).map(lambda low: 0x26064700 << 96 | 0x5EFE << 32 | low),
    st.sampled_from(DENIED_IPV6)
    .map(lambda row: int(IPv6Network(row[0]).broadcast_address) + 1)
    .filter(lambda n: n < 2**128),
    st.sampled_from(DENIED_IPV6).map(lambda row: int(IPv6Network(row[0]).network_address) - 1).filter(lambda n: n >= 0),
)
_addresses = st.one_of(_numbers.map(IPv4Address), _numbers6.map(IPv6Address))


@pytest.fixture(scope="module")
def ssrfguard():
    return pytest.importorskip("ssrfguard", reason="ssrfguard is not installed")


@pytest.fixture(scope="module")
def antissrf():
    return pytest.importorskip("AntiSSRF", reason="microsoft-antissrf is not installed")


@given(address=_addresses)
def test_ssrfguard_lets_every_address_through_that_ours_does(ssrfguard, address: IPv4Address | IPv6Address) -> None:
    if is_public(address):
        assert ssrfguard.Policy().permits_address(address)


@given(address=_addresses)
def test_antissrf_lets_every_address_through_that_ours_does(antissrf, address: IPv4Address | IPv6Address) -> None:
    policy = antissrf.AntiSSRFPolicy(antissrf.PolicyConfigOptions.EXTERNAL_ONLY_LATEST)
    if is_public(address) and address not in NAT64:
        assert policy._is_str_ip_address_connection_allowed(str(address))


def test_ssrfguard_reads_public_urls_as_ours_does(ssrfguard) -> None:
    for url in PASSES:
        theirs, ours = ssrfguard.Policy().check_url(url), read_url(url, EgressPolicy())
        host = "fass.de" if "\u00df" in url else ours.host  # IDNA 2003 there; browsers and ours keep the letter
        their_host = str(ip_address(theirs.host)) if ours.address else theirs.host
        assert (theirs.scheme, their_host, theirs.port) == (ours.scheme, host, ours.port), url


def test_ours_refuses_more_of_the_corpus_than_ssrfguard(ssrfguard) -> None:
    """Keeps the corpus honest: with nothing in it that a good guard lets through, it would show nothing."""
    through = 0
    for trick in REFUSED:
        for url in trick.urls:
            try:
                ssrfguard.Policy().check_url(url)
            except ssrfguard.SSRFGuardError:
                continue
            through += 1
    assert through > 100
