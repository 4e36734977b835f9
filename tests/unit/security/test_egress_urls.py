"""Which user-given URLs may be called: a corpus by trick, and laws over made-up ones."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.ports.clock import SystemClock
from shared.security.egress import EgressGuard, EgressPolicy, EgressRefused
from shared.security.egress.urls import read_url

from .egress_urls import ANSWERS, PASSES, PUBLIC_IPV4, REFUSED


class Answers:
    """Says what the corpus says."""

    def resolve(self, host: str, *, timeout_seconds: float) -> tuple[str, ...]:
        assert host == host.lower()
        assert host.isascii()
        return ANSWERS.get(host, (PUBLIC_IPV4,))


POLICY = EgressPolicy()
GUARD = EgressGuard(POLICY, Answers(), SystemClock())


@pytest.mark.parametrize("trick", REFUSED, ids=lambda trick: trick.why)
def test_a_trick_is_refused_whatever_its_spelling(trick) -> None:
    passed, misnamed = [], []
    for url in trick.urls:
        try:
            GUARD.check(url)
        except EgressRefused as refusal:
            if refusal.reason not in trick.reasons:
                misnamed.append((url, refusal.reason))
        else:
            passed.append(url)
    assert passed == [], f"let through: {trick.why}"
    assert misnamed == [], f"refused with the wrong word: {trick.why}"


@pytest.mark.parametrize("url", PASSES)
def test_a_public_url_passes(url: str) -> None:
    GUARD.check(url)


def test_the_corpus_is_of_a_size_and_says_nothing_twice() -> None:
    refused = [url for trick in REFUSED for url in trick.urls]
    assert len(refused) >= 500
    assert len(PASSES) >= 90
    assert len({*refused, *PASSES}) == len(refused) + len(PASSES)


def test_a_refusal_names_no_address() -> None:
    for host, answers in ANSWERS.items():
        try:
            GUARD.check(f"https://{host}/")
        except EgressRefused as refusal:
            said = f"{refusal} {refusal.detail} {refusal.facts}"
            assert not any(answer in said for answer in answers), "the refusal says where an inner name leads"


def test_a_name_that_does_not_exist_and_one_that_leads_inside_are_refused_alike() -> None:
    def refusal(host: str) -> tuple[object, ...]:
        with pytest.raises(EgressRefused) as caught:
            GUARD.check(f"https://{host}/")
        return caught.value.code, caught.value.status, caught.value.detail, caught.value.facts

    assert refusal("nowhere.example.com") == refusal("inner.example.com")


# CVE-2026-46526: a validator reads the host behind `\@`, the client the one in front of it
@pytest.mark.parametrize("inner", ["127.0.0.1", "169.254.169.254", "10.0.0.1:443", "[::1]"])
def test_a_backslash_before_the_at_sign_fools_nobody(inner: str) -> None:
    for url in (f"https://{inner}\\@example.com/", f"https://example.com\\@{inner}/"):
        with pytest.raises(EgressRefused) as caught:
            GUARD.check(url)
        assert caught.value.reason == "character"


def test_more_ports_are_the_policys_to_give() -> None:
    guard = EgressGuard(EgressPolicy(ports=frozenset({443, 8443})), Answers(), SystemClock())
    guard.check("https://example.com:8443/")
    with pytest.raises(EgressRefused):
        guard.check("https://example.com:8444/")


_ANY = st.text(max_size=60)
_PARTS = st.sampled_from([
    "https://", "https:", "//", "/", "\\", "@", ":", "#", "?", "[", "]", "%", ".", "example.com", "127.0.0.1", "::1", "localhost", "10.0.0.1", "0x7f", "443", "\t", "\n",
    " ", "\x00", "。", "①", "\u200b", "%2e", "%40", "xn--", "a", "1", "internal", "169.254.169.254", "ffff:", "2130706433",
])  # fmt: skip
_JUMBLED = st.lists(_PARTS, max_size=9).map("".join)


@given(st.one_of(_ANY, _JUMBLED, _JUMBLED.map("https://".__add__)))
@example("https://example.com/")
def test_any_text_is_refused_or_read_as_one_thing_only(text: str) -> None:
    """What passes is written so that the standard library's parser and a re-reading of our own agree on host and port."""
    from urllib.parse import urlsplit

    try:
        target = read_url(text, POLICY)
    except EgressRefused:
        return
    split = urlsplit(text)
    assert split.scheme == target.scheme == "https"
    assert split.username is None
    assert split.password is None
    assert (split.port or 443) == target.port == 443
    assert split.hostname is not None
    if split.hostname.isascii() and target.address is None:
        assert split.hostname == target.host
    again = read_url(f"https://{target.host_header}{target.resource}", POLICY)
    assert again == target, "reading what was read gives something else"
    assert set(target.resource) <= set(string.printable) - set(string.whitespace)


_LABEL = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True).filter(lambda label: label[2:4] != "--")


@given(st.lists(_LABEL, min_size=1, max_size=4), st.sampled_from(["com", "org", "io", "dev", "co.uk"]))
def test_ordinary_names_pass_in_any_case(labels: list[str], end: str) -> None:
    host = ".".join([*labels, end])
    assume(not host.endswith("metadata.goog"))
    assert read_url(f"https://{host.upper()}/", POLICY).host == host


@given(
    st.lists(_LABEL, max_size=3),
    st.sampled_from(["local", "localhost", "internal", "onion", "home.arpa", "svc", "metadata.goog", "lan"]),
)
def test_nothing_below_a_special_name_passes(labels: list[str], end: str) -> None:
    with pytest.raises(EgressRefused):
        read_url(f"https://{'.'.join([*labels, end])}/", POLICY)


@given(st.integers(0, 2**32 - 1), st.integers(0, 6))
def test_only_one_spelling_of_an_ipv4_address_is_read(number: int, spelling: int) -> None:
    """Every other one that C's inet_aton takes is refused, public or not."""
    a, b, c, d = number.to_bytes(4)
    short = [
        str(number), hex(number), f"0{number:o}", f"{a}.{number & 0xFFFFFF}", f"{a}.{b}.{number & 0xFFFF}", f"0{a:o}.{b}.{c}.{d}", f"{a}.{b}.{c}.{hex(d)}",
    ][spelling]  # fmt: skip
    with pytest.raises(EgressRefused) as caught:
        read_url(f"https://{short}/", POLICY)
    assert caught.value.reason == "number"
    assert str(read_url(f"https://{a}.{b}.{c}.{d}/", POLICY).address) == f"{a}.{b}.{c}.{d}"
