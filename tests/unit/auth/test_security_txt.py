"""Where vulnerabilities are reported: the file of RFC 9116, and that nothing is published that nobody vouches for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from functions.auth.domain.security_txt import Disclosure, read_disclosure
from functions.auth.handlers.discovery import show_security_txt
from functions.auth.wiring import AuthDeps
from shared.http.call import Call
from shared.security.errors import NotFound
from shared.settings import load_settings
from shared.testing.clock import FakeClock

URL = "https://driftwise.example"
SAID = Disclosure("mailto:security@driftwise.example", date(2026, 12, 31), "https://driftwise.example/policy")
LAST_MOMENT = datetime(2026, 12, 30, 23, 59, 59, tzinfo=UTC)


def shown(disclosure: Disclosure | None, now: datetime) -> Any:
    deps = SimpleNamespace(disclosure=disclosure, clock=FakeClock(now), settings=SimpleNamespace(public_url=URL))
    return show_security_txt(cast("Call", None), cast("AuthDeps", deps))


def test_the_file_is_what_rfc_9116_asks_for() -> None:
    reply = shown(SAID, LAST_MOMENT)
    assert (reply.status, reply.content_type) == (200, "text/plain; charset=utf-8")
    text = reply.content.decode("ascii")
    assert text.endswith("\n")
    fields = [line.split(": ", 1) for line in text.splitlines()]
    assert fields == [
        ["Contact", "mailto:security@driftwise.example"],
        ["Expires", "2026-12-31T00:00:00Z"],
        ["Canonical", "https://driftwise.example/.well-known/security.txt"],
        ["Preferred-Languages", "en"],
        ["Policy", "https://driftwise.example/policy"],
    ]


def test_what_the_operator_has_not_is_left_out() -> None:
    assert "Policy" not in Disclosure(SAID.contact, SAID.until).text(URL)


@pytest.mark.parametrize(
    ("disclosure", "now"), [(None, LAST_MOMENT), (SAID, LAST_MOMENT + timedelta(seconds=1)), (SAID, LAST_MOMENT + timedelta(days=400))]
)  # fmt: skip
def test_an_address_that_nobody_vouches_for_is_not_published(disclosure: Disclosure | None, now: datetime) -> None:
    with pytest.raises(NotFound):
        shown(disclosure, now)


@pytest.mark.parametrize("until", ["", "soon", "2026-13-01", "31.12.2026"])
def test_an_address_without_its_day_does_not_start(until: str) -> None:
    with pytest.raises(ValueError, match="DW_SECURITY_CONTACT_UNTIL"):
        read_disclosure("mailto:a@b.example", until, "")


@pytest.mark.parametrize(
    "contact", ["a@b.example", "http://b.example", "mailto:", "mailto:a@b.example\nPolicy: x", "https://", "tel:12", "javascript:x"]
)  # fmt: skip
def test_what_is_no_address_for_reports_is_refused(contact: str) -> None:
    with pytest.raises(ValueError, match="DW_SECURITY_CONTACT must"):
        read_disclosure(contact, "2026-12-31", "")


@pytest.mark.parametrize(
    "policy", ["http://b.example", "policy", "https://b.example/ x", "https://b.example\nContact: x"]
)
def test_a_policy_is_a_page_with_tls(policy: str) -> None:
    with pytest.raises(ValueError, match="DW_SECURITY_POLICY"):
        read_disclosure("tel:+1-201-555-0123", "2026-12-31", policy)


def test_it_is_read_from_the_environment() -> None:
    names = ("SECURITY_CONTACT", "SECURITY_CONTACT_UNTIL", "SECURITY_POLICY")
    values = (SAID.contact, SAID.until.isoformat(), SAID.policy)
    found = load_settings({f"DW_{name}": value for name, value in zip(names, values, strict=True)})
    assert read_disclosure(found.security_contact, found.security_contact_until, found.security_policy) == SAID
    assert read_disclosure("", "", "") is None
