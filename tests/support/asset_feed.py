"""A customer's Pub/Sub that pushes what an asset feed tells: messages and tokens in Google's form."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parents[1] / "fixtures" / "gcp" / "asset_feed"
PUSH_ACCOUNT = "driftwise-feed@acme-security.iam.gserviceaccount.com"
WELCOME = b"You have successfully configured real time feed projects/123456789012/feeds/driftwise-resource"


def temporal_asset(name: str = "changed") -> bytes:
    """Return a change as it is published: `changed`, `policy_changed` or `deleted`."""
    return (FIXTURES / f"{name}.json").read_bytes()


def pushed(data: bytes, published_at: datetime | None = None, message_id: str = "2070443601311540") -> dict[str, Any]:
    """Return a message as Pub/Sub pushes it."""
    body: dict[str, Any] = json.loads((FIXTURES / "push.json").read_bytes())
    message = body["message"]
    message["data"] = base64.b64encode(data).decode()
    for name in ("messageId", "message_id"):
        message[name] = message_id
    if published_at is not None:
        for name in ("publishTime", "publish_time"):
            message[name] = published_at.isoformat().replace("+00:00", "Z")
    return body


def claims_of(account: str = PUSH_ACCOUNT, **changes: Any) -> dict[str, Any]:
    """Return what a push's token says, but for issuer, audience and times."""
    return {
        "azp": "113774264463038321964",
        "email": account,
        "email_verified": True,
        "sub": "113774264463038321964",
    } | changes
