"""The body of a Microsoft Teams workflow webhook: one Adaptive Card. What is not ours stands in text runs, which know no Markdown.

Source: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using#send-adaptive-cards-using-an-incoming-webhook,
  https://adaptivecards.io/explorer/TextRun.html
"""

from __future__ import annotations

from typing import Any

from .fitting import Message, compact, lines_of

_COLOURS = {"critical": "attention", "high": "attention", "medium": "warning", "low": "accent", "none": "default"}


def write(message: Message) -> bytes:
    """Write it."""
    worst, body = message.notices[0], list[dict[str, Any]]()
    if len(message.notices) > 1 or message.more:
        body.append(_run(message.title, size="large", weight="bolder"))
    for notice in message.notices:
        colour = _COLOURS[notice.severity]
        body.append(_run(f"{notice.severity.upper()}: {notice.title}", color=colour, weight="bolder"))
        body += [_run(line) for line in lines_of(notice)]
    if message.more:
        body.append(_run(f"{message.more} more left out"))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": worst.severity.upper(),
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": "Open in DriftWise", "url": worst.link}],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return compact({"type": "message", "attachments": [attachment]})


def _run(text: str, **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}
