"""The body of a Slack incoming webhook: Block Kit. What is not ours stands in plain text, where Slack reads no markup.

Source: https://docs.slack.dev/messaging/formatting-message-text#escaping, https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

from typing import Any

from .fitting import Message, compact, lines_of

_MOST_HEADER, _MOST_TEXT, _MOST_BLOCKS = 150, 3000, 50
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_ENTITY = 5  # the longest that one character becomes


def write(message: Message) -> bytes:
    """Write it."""
    blocks: list[dict[str, Any]] = []
    if len(message.notices) > 1 or message.more:
        blocks.append({"type": "header", "text": _plain(message.title, _MOST_HEADER)})
    for notice in message.notices:
        blocks.append({"type": "section", "text": _plain(f"{notice.severity.upper()}: {notice.title}", _MOST_TEXT)})
        if lines := lines_of(notice):
            blocks.append({"type": "section", "text": _plain("\n".join(lines), _MOST_TEXT)})
    last = {"type": "context", "elements": [{"type": "mrkdwn", "text": _footer(message), "verbatim": True}]}
    return compact({"text": escaped(message.title), "blocks": [*blocks[: _MOST_BLOCKS - 1], last]})


def escaped(text: str) -> str:
    """Return a text in which nothing is a mention, a link or a command to Slack."""
    return text.translate(_ESCAPED)


def _plain(text: str, most: int) -> dict[str, Any]:
    """Return a text object that Slack takes as it stands, within the length that it allows."""
    part = text
    while len(escaped(part)) > most - (part != text):
        part = part[: -max((len(escaped(part)) - most) // _ENTITY, 1)]
    whole = escaped(part) if part == text else f"{escaped(part)}…"
    return {"type": "plain_text", "text": whole, "emoji": False}


def _footer(message: Message) -> str:
    link = f"<{escaped(message.notices[0].link)}|Open in DriftWise>"
    return f"{link}, {message.more} more left out" if message.more else link
