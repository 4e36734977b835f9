"""Webhooks as each provider sends them, signed with the standard library alone: what our checks are held against."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

VENDOR: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "webhooks" / "vendor_examples.json").read_text("utf-8")
)
SECRETS = {
    "atlantis": "whsec_" + base64.b64encode(b"a" * 32).decode(),
    "github": "whsec_" + base64.b64encode(b"h" * 32).decode(),
    "gitlab": str(VENDOR["gitlab_signing_token"]),
    "terraform_cloud": "whsec_" + base64.b64encode(b"t" * 32).decode(),
    "stripe": "whsec_MadeByStripe0123456789abcdef",
    "slack": "8f742231b10e8888abcd99yyyzzz85a5",
    "standard": "whsec_" + base64.b64encode(b"s" * 32).decode(),
}
WINDOWED = ("gitlab", "stripe", "slack", "standard")


@dataclass(frozen=True)
class Sent:
    """One request of a provider.

    Attributes:
        headers: lower-case names, signature included.
    """

    provider: str
    headers: dict[str, str]
    body: bytes

    def changed(self, **headers: str | None) -> Sent:
        """Return it with other headers (`_` for `-`); None leaves one out."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in (self.headers | named).items() if value is not None}
        return replace(self, headers=kept)


@dataclass
class Sender:
    """One provider's way to send; `secrets` are those that it signs with at the moment, where the scheme has room for two."""

    provider: str
    secret: str
    others: list[str] = field(default_factory=list)

    def send(self, body: bytes, at: int, event_id: str | None = None) -> Sent:
        """Sign one request.

        Args:
            body: what it says; a name of its own goes into it where the provider puts it there.
            at: Unix time of sending.
            event_id: the provider's name for the delivery; a new one when None.
        """
        return Sent(self.provider, _HEADERS[self.provider](self, body, at, event_id or uuid4().hex), body)

    def macs(self, message: bytes) -> list[str]:
        """Return the HMAC-SHA-256 of a message with each secret, in hexadecimal."""
        return [
            hmac.new(secret.encode(), message, hashlib.sha256).hexdigest() for secret in (self.secret, *self.others)
        ]


def sender(provider: str) -> Sender:
    """Return a provider with its secret of `SECRETS`."""
    return Sender(provider, SECRETS[provider])


def _atlantis(by: Sender, body: bytes, _at: int, _event_id: str) -> dict[str, str]:
    return {"x-atlantis-signature": by.macs(body)[0]}


def _github(by: Sender, body: bytes, _at: int, event_id: str) -> dict[str, str]:
    sha1 = hmac.new(by.secret.encode(), body, hashlib.sha1).hexdigest()
    return {
        "x-github-delivery": event_id,
        "x-github-event": "push",
        "x-hub-signature": f"sha1={sha1}",
        "x-hub-signature-256": f"sha256={by.macs(body)[0]}",
    }


def _gitlab(by: Sender, body: bytes, at: int, event_id: str) -> dict[str, str]:
    common = {"x-gitlab-event": "Push Hook", "idempotency-key": event_id, "x-gitlab-event-uuid": "of-the-event"}
    if by.secret.startswith("whsec_"):
        return {**common, **_standard(by, body, at, event_id)}
    return {**common, "webhook-id": event_id, "webhook-timestamp": str(at), "x-gitlab-token": by.secret}


def _terraform_cloud(by: Sender, body: bytes, _at: int, _event_id: str) -> dict[str, str]:
    return {"x-tfe-notification-signature": hmac.new(by.secret.encode(), body, hashlib.sha512).hexdigest()}


def _stripe(by: Sender, body: bytes, at: int, _event_id: str) -> dict[str, str]:
    parts = [f"t={at}", "v0=6ffbb59b2300aae6", *(f"v1={mac}" for mac in by.macs(f"{at}.".encode() + body))]
    return {"stripe-signature": ",".join(parts)}


def _slack(by: Sender, body: bytes, at: int, _event_id: str) -> dict[str, str]:
    mac = by.macs(f"v0:{at}:".encode() + body)[0]
    return {"x-slack-request-timestamp": str(at), "x-slack-signature": f"v0={mac}"}


def _standard(by: Sender, body: bytes, at: int, event_id: str) -> dict[str, str]:
    message = f"{event_id}.{at}.".encode() + body
    keys = [base64.b64decode(secret.removeprefix("whsec_")) for secret in (by.secret, *by.others)]
    macs = [base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode() for key in keys]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{mac}" for mac in macs),
    }


_HEADERS: dict[str, Callable[[Sender, bytes, int, str], dict[str, str]]] = {
    "atlantis": _atlantis,
    "github": _github,
    "gitlab": _gitlab,
    "terraform_cloud": _terraform_cloud,
    "stripe": _stripe,
    "slack": _slack,
    "standard": _standard,
}
