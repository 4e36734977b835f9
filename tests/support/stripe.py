"""Stripe on loopback, as Stripe documents it: customers, checkouts, the portal, subscriptions, and signed events.

Source: https://docs.stripe.com/api/customers/create, https://docs.stripe.com/api/checkout/sessions/create,
  https://docs.stripe.com/api/customer_portal/sessions/create, https://docs.stripe.com/api/subscriptions/object,
  https://docs.stripe.com/api/events/object, https://docs.stripe.com/webhooks/signature, https://docs.stripe.com/api/errors,
  https://docs.stripe.com/api/idempotent_requests (a key that comes again gets the answer it got; with other parameters, 400).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from tests.support.tls_server import Seen, Server, answer

KEY = "rk_test_ofAStripeThatIsNone000"
EVENT_SECRET = "whsec_ofAnEndpointThatIsNone0000"  # noqa: S105
TEAM, YEARLY, ENTERPRISE = "price_1TeamMonthly", "price_1TeamYearly", "price_1Enterprise"
PRICES = json.dumps({TEAM: "team", YEARLY: "team", ENTERPRISE: "enterprise"})
PERIOD_END = 1_800_000_000
SUBSCRIPTIONS = "/v1/subscriptions/"


@dataclass
class Stripe:
    """One Stripe account.

    Attributes:
        server: where it listens.
        subscriptions: the objects, by id.
        answers: what each Idempotency-Key was answered, with the form that it came with.
        before_answer: called with the id before a subscription is told, and after it was read: a slow answer.
        refusal: what every call is answered instead; None to do what is asked.
    """

    server: Server
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, tuple[list[tuple[str, str]], dict[str, Any]]] = field(default_factory=dict)
    before_answer: Callable[[str], None] = lambda _: None
    refusal: tuple[str, dict[str, Any]] | None = None
    _made: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def root(self) -> str:
        """Where it is, as settings say it."""
        return f"http://127.0.0.1:{self.server.port}"

    def calls(self, path: str) -> list[dict[str, str]]:
        """Return the forms that were sent to a path."""
        return [dict(parse_qsl(seen.content.decode())) for seen in self.server.requests if seen.line.split()[1] == path]

    def subscribe(self, org_id: UUID | None, customer_id: str, price_id: str = TEAM, **members: Any) -> str:
        """Make a subscription, as a checkout does; returns its id."""
        subscription_id = self._id("sub")
        metadata = {} if org_id is None else {"org_id": str(org_id)}
        self.subscriptions[subscription_id] = subscription(
            id=subscription_id, customer=customer_id, price_id=price_id, metadata=metadata, **members
        )
        return subscription_id

    def respond(self, connection: socket.socket, seen: Seen) -> None:
        """Answer one request."""
        method, path, _ = seen.line.split()
        status, body = self._answered(method, path, seen)
        answer(json.dumps(body).encode(), status, ["Content-Type: application/json"])(connection, seen)

    def _answered(self, method: str, path: str, seen: Seen) -> tuple[str, dict[str, Any]]:
        if seen.header("authorization") != f"Bearer {KEY}":
            return "401 Unauthorized", error_body("invalid_request_error")
        if self.refusal is not None:
            return self.refusal
        if method == "GET" and path.startswith(SUBSCRIPTIONS):
            found = self.subscriptions.get(path.removeprefix(SUBSCRIPTIONS))
            if found is None:
                return "404 Not Found", error_body("invalid_request_error", "resource_missing")
            told = json.loads(json.dumps(found))
            self.before_answer(found["id"])
            return "200 OK", told
        if method == "POST" and path in _MADE:
            return self._made_once(path, seen)
        return "404 Not Found", error_body("invalid_request_error")

    def _made_once(self, path: str, seen: Seen) -> tuple[str, dict[str, Any]]:
        key, form = seen.header("idempotency-key") or self._id("nokey"), sorted(parse_qsl(seen.content.decode()))
        with self._lock:
            known = self.answers.get(key)
            if known is None:
                kind, prefix = _MADE[path]
                made = {"id": self._id(prefix), "object": kind, "url": f"https://pay.stripe.example/{key[:8]}"}
                self.answers[key] = known = (form, made)
        if known[0] != form:
            return "400 Bad Request", error_body("idempotency_error")
        return "200 OK", known[1]

    def _id(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}_{self.server.port}n{self._made}"


_MADE = {
    "/v1/customers": ("customer", "cus"),
    "/v1/checkout/sessions": ("checkout.session", "cs_test"),
    "/v1/billing_portal/sessions": ("billing_portal.session", "bps"),
}


def subscription(**members: Any) -> dict[str, Any]:
    """Return a subscription object with what matters here and some of what does not."""
    price_id = members.pop("price_id", TEAM)
    item = {
        "id": "si_Na6dzxczY5fwHx",
        "object": "subscription_item",
        "current_period_end": PERIOD_END,
        "current_period_start": PERIOD_END - 2_592_000,
        "price": {"id": price_id, "object": "price", "currency": "usd", "unit_amount": 1000},
        "quantity": 1,
    }
    return {
        "id": "sub_1MowQVLkdIwHu7ixeRlqHVzs",
        "object": "subscription",
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "collection_method": "charge_automatically",
        "currency": "usd",
        "customer": "cus_Na6dX7aXxi11N4",
        "default_payment_method": "pm_1MowQULkdIwHu7ix",
        "items": {"object": "list", "data": [item], "has_more": False},
        "livemode": False,
        "metadata": {},
        "status": "active",
        **members,
    }


def event(kind: str, about: dict[str, Any], event_id: str) -> bytes:
    """Return an event's body."""
    return json.dumps({
        "id": event_id, "object": "event", "api_version": "2026-10-28.endive", "created": 1_790_000_000,
        "data": {"object": about}, "livemode": False, "pending_webhooks": 1, "type": kind,
    }).encode()  # fmt: skip


def signed(content: bytes, at: float, *secrets: str) -> str:
    """Return the Stripe-Signature of a body."""
    head = f"{int(at)}.".encode()
    macs = [hmac.digest(secret.encode(), head + content, hashlib.sha256).hex() for secret in secrets or (EVENT_SECRET,)]
    return ",".join([f"t={int(at)}", *(f"v1={mac}" for mac in macs), "v0=6ffbb59b2300aae6"])


def error_body(kind: str, code: str | None = None) -> dict[str, Any]:
    """Return an error's body; its message names things that must not come through."""
    return {"error": {"type": kind, "code": code, "message": f"No such thing; key {KEY}, card 4242424242424242"}}


@contextmanager
def stripe() -> Generator[Stripe]:
    """Run a Stripe."""
    with Server(None, answer()) as server:
        found = Stripe(server)
        server.behave = found.respond
        yield found
