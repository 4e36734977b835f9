"""The body of a generic webhook: JSON in the form that Standard Webhooks recommends.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#payload-structure
"""

from __future__ import annotations

from dataclasses import asdict

from .fitting import Message, compact


def write(message: Message) -> bytes:
    """Write it."""
    return compact(
        {
            "type": message.kind,
            "timestamp": message.notices[0].occurred_at,
            "data": {"notices": [asdict(notice) for notice in message.notices], "more": message.more},
        }
    )
