"""How a part is signed: by Standard Webhooks 1.0.0, with a secret that is derived from the API key.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac

_PURPOSE = b"driftwise operator report v1"


def signature_headers(api_key: str, message_id: str, sent_at: int, content: bytes) -> dict[str, str]:
    """Return the headers that prove who sent these bytes, and when.

    Args:
        api_key: of the operator.
        message_id: the same in every attempt; no full stop.
        sent_at: Unix time of this attempt, seconds.
        content: the body before it is packed.
    """
    secret = hmac.new(api_key.encode(), _PURPOSE, hashlib.sha256).digest()
    signed = f"{message_id}.{sent_at}.".encode() + content
    mac = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(sent_at), "webhook-signature": f"v1,{mac}"}
