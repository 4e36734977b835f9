"""An e-mail, as plain text and as HTML. Headers are made by the standard library, which refuses a line break in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from shared.reports.text import visible

from .fitting import Message, lines_of

_MOST_SUBJECT = 150


def measured(message: Message) -> bytes:
    """Return what an e-mail holds, to see whether it fits."""
    return _text(message).encode() + _html(message).encode()


def compose(message: Message, *, sender: str, recipients: Sequence[str], sent_at: datetime) -> EmailMessage:
    """Write an e-mail.

    Args:
        message: as it fits.
        sender: an address, the operator's.
        recipients: addresses, checked when the channel was made.
        sent_at: of this try, aware UTC.

    Raises:
        ValueError: an address or the sender cannot stand in a header.
    """
    found = EmailMessage(policy=SMTP)
    worst = message.notices[0].severity
    found["Subject"] = visible(f"[DriftWise] {'' if worst == 'none' else f'{worst}: '}{message.title}", _MOST_SUBJECT)
    found["From"] = sender
    found["To"] = ", ".join(recipients)
    found["Date"] = format_datetime(sent_at)
    found["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2].rstrip('>')}>"
    found["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers
    found.set_content(_text(message))
    found.add_alternative(_html(message), subtype="html")
    return found


def _text(message: Message) -> str:
    parts = [
        "\n".join(
            [f"{notice.severity.upper()}: {notice.title}", *(f"  {line}" for line in lines_of(notice)), notice.link]
        )
        for notice in message.notices
    ]
    return "\n\n".join([*parts, *_more(message)]) + "\n"


def _html(message: Message) -> str:
    parts = []
    for notice in message.notices:
        lines = "".join(f"<li>{escape(line)}</li>" for line in lines_of(notice))
        parts.append(
            f"<h2>{escape(notice.severity.upper())}: {escape(notice.title)}</h2><ul>{lines}</ul>"
            f'<p><a href="{escape(notice.link)}">Open in DriftWise</a></p>'
        )
    more = "".join(f"<p>{escape(line)}</p>" for line in _more(message))
    return f"<!doctype html><html><body>{''.join(parts)}{more}</body></html>\n"


def _more(message: Message) -> list[str]:
    return [f"{message.more} more left out"] if message.more else []
