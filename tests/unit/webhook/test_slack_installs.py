"""What is taken of Slack's answers, and what Slack says of an address that is dead."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from functions.webhook.domain import channels
from functions.webhook.domain import slack_installs as domain
from functions.webhook.domain.channels import Outcome
from functions.webhook.errors import SlackInstallFailed, SlackInstallRefused
from shared.testing.clock import FixedEntropy

URL = "https://hooks.slack.com/services/T1/B1/part-of-the-secret"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def granted(**members: Any) -> bytes:
    return json.dumps({"ok": True, "team": {"name": "T"}, **members}).encode()


def hook(url: object, channel: object = "#a") -> bytes:
    return granted(incoming_webhook={"channel": channel, "url": url})


@pytest.mark.parametrize(
    ("status", "content", "word"),
    [
        (503, b"", "http_503"),
        (429, b"", "http_429"),
        (200, b'{"ok": false, "error": "invalid_code"}', "invalid_code"),
        (200, b'{"ok": false, "error": "<script>"}', "unknown"),
        (200, b'{"ok": false, "error": ["x"]}', "unknown"),
        (200, b'{"ok": "true"}', "unknown"),
        (200, b"[]", "unknown"),
        (200, b"\xff<html>", "unreadable"),
        (200, b"", "unreadable"),
        (200, b"[" * 5000, "unreadable"),
        (200, granted(access_token="xoxb-1"), "no_incoming_webhook"),
        (200, granted(incoming_webhook=[]), "no_incoming_webhook"),
        (200, hook(URL, channel=""), "no_incoming_webhook"),
        (200, hook(None), "no_incoming_webhook"),
        (200, hook("https://hooks.slack.com.evil.example/x"), "no_incoming_webhook"),
        (200, hook("https://hooks.slack.com@evil.example/x"), "no_incoming_webhook"),
        (200, hook("https://evil@hooks.slack.com/x"), "no_incoming_webhook"),
        (200, hook("http://hooks.slack.com/services/x"), "no_incoming_webhook"),
        (200, hook("https://[hooks.slack.com/x"), "no_incoming_webhook"),
        (200, hook(f"{URL}{'x' * 2048}"), "no_incoming_webhook"),
    ],
)
def test_what_is_no_grant_is_refused_with_slacks_word_or_ours(status: int, content: bytes, word: str) -> None:
    with pytest.raises(SlackInstallFailed) as caught:
        domain.read_grant(status, content)
    assert caught.value.facts == {"slack_error": word}


def test_a_grant_hides_its_address() -> None:
    grant = domain.read_grant(200, hook(URL))
    assert grant.url.reveal().decode() == URL
    assert "part-of-the-secret" not in f"{grant!r} {grant}"
    assert grant.hint == "#a of T"


def test_a_hint_fits_whatever_the_names_are() -> None:
    content = granted(team={"name": "T" * 500}, incoming_webhook={"channel": "#" + "c" * 500, "url": URL})
    grant = domain.read_grant(200, content)
    assert len(grant.hint) <= 300
    assert len(domain.name_of(None, grant)) <= 100


def test_a_state_names_its_organisation_and_nothing_else_is_one() -> None:
    org_id = UUID(int=7)
    state = domain.make_state(org_id, FixedEntropy("a"))
    assert domain.org_of_state(state) == org_id
    assert domain.make_state(org_id, FixedEntropy("b")) != state
    for text in ("", state[:-1], f"{state}=", f"{state[:-1]}/", f"{state}\n"):
        with pytest.raises(SlackInstallRefused):
            domain.org_of_state(text)


def test_an_install_ends_with_its_tenth_minute() -> None:
    found = {"expires_at": NOW}
    with pytest.raises(SlackInstallRefused):
        domain.check_install(found, now=NOW)
    with pytest.raises(SlackInstallRefused):
        domain.check_install(None, now=NOW)
    assert domain.check_install(found, now=NOW.replace(year=2025)) == found


@pytest.mark.parametrize(
    ("kind", "status", "start", "is_gone"),
    [
        ("webhook", 410, "", True),
        ("slack", 410, "channel_is_archived", True),
        ("slack", 404, "no_service", True),
        ("slack", 404, "no_team", True),
        ("slack", 403, "invalid_token", True),
        ("slack", 403, "token_revoked", True),
        ("slack", 404, "channel_not_found", True),
        ("slack", 403, "action_prohibited", False),
        ("slack", 429, "", False),
        ("slack", 500, "no_service", False),
        ("slack", 404, "<html>no_service", False),
        ("slack", None, "no_service", False),
        ("webhook", 404, "no_service", False),
    ],
)
def test_slack_says_in_a_word_that_an_address_is_dead(
    kind: str, status: int | None, start: str, *, is_gone: bool
) -> None:
    outcome = Outcome("unexpected_status", status=status, start=start)
    assert channels.is_gone(kind, outcome) is is_gone
    verdict = channels.judge_failure(None, 1, outcome, jitter=0.5, now=NOW, kind=kind)
    assert (verdict.disabled_because == "gone") is is_gone
