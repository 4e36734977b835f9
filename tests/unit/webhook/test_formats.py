"""Messages for every kind of channel: what is in them, how large they are, and that nothing in them acts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.webhook.domain.formats import MOST_BYTES, WRITERS, Message, compose, fitted, measured, message_of
from functions.webhook.domain.notices import (
    MOST_CONTENT_BYTES,
    Notice,
    Source,
    collected,
    content_of,
    notices_in,
    of_analysis,
    of_drift,
    of_event,
    of_leak,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = "https://driftwise.example/api/v2/orgs/o"
HOSTILE = "<!channel> <@U1> <https://evil.example|click> & `x` *b*\r\nBcc: victim@example.com\u202e [a](https://evil.example) <at>me</at>"
TOKEN = "ghp_" + "a1B2" * 9
TEXTS = st.text(max_size=400)


def source(event: str = "scan:scan:done", **payload: Any) -> Source:
    return Source("event-1", {"event": event, "scan_id": "s1", **payload}, ROOT, NOW)


def drift(text: str = "aws_s3_bucket.b", *, rules: int = 1, items: int = 40, name: str = "production") -> Notice:
    rows = [
        {"rule": f"rule {number} {text}", "severity": "high", "kind": "changed", "items": items, "examples": [text] * 3}
        for number in range(rules)
    ]
    found = of_drift(source(), {"id": "a1", "name": name, "provider": "aws", "external_account": "123456789012"}, rows)
    assert found is not None
    return found


def message(*notices: Notice, more: int = 0) -> Message:
    return message_of("0198-id", notices[0].event, content_of(notices, more))


def texts(value: Any) -> list[tuple[str, str]]:
    """Return every (type, text) in Slack's blocks or in a card."""
    if isinstance(value, dict):
        own = [(str(value.get("type")), value["text"])] if isinstance(value.get("text"), str) else []
        return own + [pair for each in value.values() for pair in texts(each)]
    return [pair for each in value for pair in texts(each)] if isinstance(value, list) else []


def test_one_cause_over_forty_resources_is_one_line_with_its_number() -> None:
    notice = drift(items=40)
    assert notice.title == "40 new drift items in production (aws 123456789012)"
    assert (notice.severity, len(notice.groups), notice.groups[0].count) == ("high", 1, 40)
    for write in WRITERS.values():
        content = write(message(notice)).decode()
        assert "40" in content
        assert content.count("rule 0") == 1


def test_the_worst_comes_first_and_counts() -> None:
    rows = [
        {"rule": "a", "severity": "low", "kind": "changed", "items": 5, "examples": []},
        {"rule": "b", "severity": "critical", "kind": "missing", "items": 1, "examples": []},
    ]
    account = {"id": "a1", "name": "n", "provider": "aws", "external_account": "1"}
    notice = of_drift(source(), account, rows)
    assert notice is not None
    assert ([group.rule for group in notice.groups], notice.severity) == (["b", "a"], "critical")
    assert notice.facts == {"changed": "5", "missing": "1"}
    assert of_drift(source(), account, []) is None


def test_an_analysis_a_leak_and_anything_else_are_told() -> None:
    row = {
        "id": "n1", "repository": "acme/infra", "branch": "main", "pull_request": 7, "risk_level": "critical", "is_refused": True,
        "summary": f"s {TOKEN}",
    }  # fmt: skip
    told = of_analysis(source("analyze:analysis:created"), row)
    assert (told.title, told.severity) == ("Risk of acme/infra#7: critical", "critical")
    assert told.link == f"{ROOT}/analyses/n1?format=markdown"
    assert TOKEN not in str(told)
    leak = of_leak(source("keys:api_key:leaked", name="ci", places=[{"url": "https://x.example/a"}, 7]))
    assert (leak.severity, leak.facts) == ("critical", {"place 1": "https://x.example/a"})
    other = of_event(source("auth:member:role_changed", role="admin", nested={"a": 1}))
    assert other.title == "auth: member role changed"
    assert other.facts == {"scan_id": "s1", "role": "admin"}


@pytest.mark.parametrize("places", [None, "x", 7, {}, [None], [{}]])
def test_an_event_that_is_odd_is_told_all_the_same(places: Any) -> None:
    assert of_leak(source("keys:api_key:leaked", places=places)).severity == "critical"


def test_a_notice_is_stored_and_read_back_as_it_was() -> None:
    notice = drift(HOSTILE, rules=3)
    stored = json.loads(json.dumps(content_of([notice], 2)))
    assert notices_in(stored) == [notice]
    assert message_of("i", "k", stored).more == 2


def test_a_digest_keeps_the_worst_and_counts_the_rest() -> None:
    content: Mapping[str, Any] = content_of([of_event(source("a:b:c"))])
    for number in range(200):
        content = collected(content, drift("x" * 150, rules=20, name=f"account {number}"))
    assert len(json.dumps(content, ensure_ascii=False).encode()) <= MOST_CONTENT_BYTES
    assert len(content["notices"]) + content["more"] == 201
    assert {each["severity"] for each in content["notices"]} == {"high"}, "a mild one was kept and a worse one left out"


@pytest.mark.parametrize("kind", [*WRITERS, "email"])
@given(text=TEXTS, rules=st.integers(1, 30), notices=st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_a_message_is_never_larger_than_20_kb_and_says_what_was_left_out(
    kind: str, text: str, rules: int, notices: int
) -> None:
    whole = message(*[drift(text * 4, rules=rules, name=f"n{number}") for number in range(notices)])
    write = WRITERS.get(kind, measured)
    part = fitted(whole, write)
    assert len(write(part)) <= MOST_BYTES
    assert len(part.notices) + part.more == notices
    assert part.notices[0].link.startswith(ROOT)
    assert len(part.notices[0].groups) + part.notices[0].more_groups == rules


def test_a_message_that_fits_is_sent_whole() -> None:
    whole = message(drift(rules=5), of_event(source("a:b:c")))
    assert all(fitted(whole, write) == whole for write in (*WRITERS.values(), measured))


@given(TEXTS)
def test_slack_reads_no_mention_no_link_and_no_markup_in_what_is_not_ours(text: str) -> None:
    for given_text in (text, HOSTILE):
        found = json.loads(WRITERS["slack"](message(drift(given_text, name=given_text))))
        assert "<" not in found["text"]
        assert ">" not in found["text"]
        for kind, shown in texts(found["blocks"]):
            if kind == "plain_text":
                assert "<" not in shown
                assert len(shown) <= 3000
            else:
                assert (kind, shown) == ("mrkdwn", f"<{ROOT}/scans/s1/drift?format=markdown|Open in DriftWise>")


def test_slack_gets_blocks_within_its_limits() -> None:
    many = [drift("&" * 160, rules=20, name=f"n{number}") for number in range(60)]
    found = json.loads(WRITERS["slack"](Message("i", "k", tuple(many))))
    assert len(found["blocks"]) == 50
    assert found["blocks"][0]["type"] == "header"
    assert len(found["blocks"][0]["text"]["text"]) <= 150
    assert all(len(shown) <= 3000 for _, shown in texts(found["blocks"]))
    assert not [shown for _, shown in texts(found["blocks"]) if re.search("&(?!(?:amp|lt|gt);)", shown)], "a cut entity"


@given(TEXTS)
def test_a_card_has_what_is_not_ours_in_text_runs_alone(text: str) -> None:
    for given_text in (text, HOSTILE):
        found = json.loads(WRITERS["teams"](message(drift(given_text, name=given_text))))
        (attachment,) = found["attachments"]
        assert (found["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
        card = attachment["content"]
        assert "msteams" not in card, "mentions would stand there"
        assert {each["type"] for each in card["body"]} == {"RichTextBlock"}
        assert {kind for kind, _ in texts(card)} == {"TextRun"}
        assert [each["url"] for each in card["actions"]] == [f"{ROOT}/scans/s1/drift?format=markdown"]


class Tags(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name == "href"]
        assert {name for name, _ in attrs} <= {"href"}


@given(TEXTS)
def test_an_e_mail_has_no_header_and_no_tag_that_is_not_ours(text: str) -> None:
    for given_text in (text, HOSTILE, "x\nBcc: a@b.example", "\r\n\r\n<script>alert(1)</script>"):
        made = compose(
            message(drift(given_text, name=given_text)), sender="DriftWise <no-reply@ops.example>", recipients=["ann@a.example"],
            sent_at=NOW,
        )  # fmt: skip
        read = message_from_bytes(made.as_bytes(), policy=policy.default)
        assert sorted(read.keys()) == sorted(
            ["Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
        )
        assert str(read["To"]) == "ann@a.example"
        assert str(read["Message-ID"]) == "<0198-id@ops.example>"
        plain, html = read.get_body(("plain",)), read.get_body(("html",))
        assert plain is not None
        assert html is not None
        tags = Tags()
        tags.feed(html.get_content())
        assert tags.tags <= {"html", "body", "h2", "ul", "li", "p", "a"}
        assert tags.links == [f"{ROOT}/scans/s1/drift?format=markdown"]
        assert "40 new drift items" in plain.get_content()


def test_an_address_that_cannot_stand_in_a_header_is_refused() -> None:
    for sender, recipient in (
        ("a@b.example\r\nBcc: c@d.example", "x@y.example"),
        ("a@b.example", "x@y.example\nBcc: c@d.example"),
    ):
        with pytest.raises(ValueError, match=r"linefeed|newline|header|Invalid"):
            compose(message(drift()), sender=sender, recipients=[recipient], sent_at=NOW)


def test_a_generic_body_is_what_standard_webhooks_recommends() -> None:
    found = json.loads(WRITERS["webhook"](message(drift())))
    assert (found["type"], found["timestamp"]) == ("scan:scan:done", NOW.isoformat())
    (notice,) = found["data"]["notices"]
    assert (notice["severity"], notice["account_id"], notice["groups"][0]["count"]) == ("high", "a1", 40)
