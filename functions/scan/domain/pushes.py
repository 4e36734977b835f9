"""What Google's Pub/Sub pushes: the wrapping, and what a message of an asset feed is. Reads; never keeps what an asset holds.

Source: https://cloud.google.com/pubsub/docs/push#receive_push (the wrapped form);
https://cloud.google.com/asset-inventory/docs/monitor-asset-changes (the welcome, and `TemporalAsset`).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from shared.http.errors import MalformedRequest
from shared.http.strict_json import parse_json

Word: TypeAlias = Literal["change", "welcome", "other"]

_MESSAGE_ID = re.compile(r"[!-~]{1,200}")
_WELCOME: Final = b"You have successfully configured real time feed"
_MOST_ASSET_MEMBERS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Push:
    """One message.

    Attributes:
        message_id: unique in its topic.
        published_at: aware; the same however often the message is pushed.
        data: as it was published.
    """

    message_id: str
    published_at: datetime
    data: bytes


def read_push(content: bytes) -> Push:
    """Read the wrapping of a pushed message.

    Raises:
        MalformedRequest: (400 `malformed_request`) it is not in the wrapped form.
    """
    body = parse_json(content)
    message = body.get("message") if isinstance(body, dict) else None
    if not isinstance(message, dict):
        raise MalformedRequest("this is no message of Pub/Sub in its wrapped form")
    message_id, published, data = message.get("messageId"), message.get("publishTime"), message.get("data", "")
    if not isinstance(message_id, str) or _MESSAGE_ID.fullmatch(message_id) is None:
        raise MalformedRequest("the message has no `messageId`")
    published_at = _moment(published)
    if published_at is None:
        raise MalformedRequest("the message has no `publishTime`")
    try:
        return Push(message_id, published_at, base64.b64decode(data, validate=True))
    except (TypeError, ValueError, binascii.Error):
        raise MalformedRequest("the message's `data` is not base64") from None


def word_of(data: bytes) -> Word:
    """Say what a message of an asset feed is: a change of an asset, the welcome of a new feed, or something else."""
    if data.lstrip(b'"').startswith(_WELCOME):
        return "welcome"
    try:
        found = parse_json(data, most_members=_MOST_ASSET_MEMBERS)
    except MalformedRequest:
        return "other"
    return "change" if _is_temporal_asset(found) else "other"


def _is_temporal_asset(found: object) -> bool:
    """Say whether it names the asset that changed. Source: REST reference, `TemporalAsset`; a deleted asset is named alike."""
    asset: Any = found.get("asset") if isinstance(found, Mapping) else None
    if not isinstance(asset, Mapping):
        return False
    return all(isinstance(asset.get(name), str) and asset[name] for name in ("name", "assetType"))


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str) or len(text) > 40:  # noqa: PLR2004  # of RFC 3339 with nanoseconds
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
