"""The calls to Stripe, and the secrets that they and its events are proven by. Decides nothing, stores nothing.

No card number comes here: people pay on Stripe's own pages. Every call goes through the egress guard, once, without
redirects; the key goes in a header and never into an address.
Source: https://docs.stripe.com/api/authentication, https://docs.stripe.com/api/versioning,
  https://docs.stripe.com/api/idempotent_requests, https://docs.stripe.com/api/errors
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from shared.http.errors import MalformedRequest
from shared.http.strict_json import parse_json
from shared.ports.clock import Clock
from shared.ports.secret_store import Secret
from shared.security.egress import EgressGuard, EgressPolicy, EgressRefused
from shared.security.secret_versions import SecretVersions
from shared.security.signatures import verify

from .domain import stripe_objects
from .domain.billing import Prices
from .errors import BillingFailed, BillingNotSetUp

SECRET_KEY = "stripe-secret-key"  # noqa: S105  # a name
EVENT_SECRET = "stripe-webhook-secret"  # noqa: S105  # a name
STRIPE: Final = "https://api.stripe.com"
VERSION: Final = "2026-10-28.endive"
CALLS: Final = EgressPolicy(
    methods=frozenset({"GET", "POST"}),
    redirects=0,
    deadline_seconds=10.0,
    most_request_bytes=16 * 1024,
    most_response_bytes=256 * 1024,
)
_LIVE_SECRETS = 2  # the one before stays good while the endpoint's secret is rolled
_KEY = re.compile(rb"(?:sk|rk)_(?:live|test)_[0-9A-Za-z_]{8,250}")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,59}")

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Billing:
    """What this process sells, and how it speaks with Stripe.

    Attributes:
        prices: which price buys which plan; empty where nothing is sold.
        guard: calls Stripe and nobody else.
        keys: versions of the secret key; the newest is used.
        event_secrets: versions of the endpoint's signing secret; the newest two are good.
        root: where Stripe is; the emulator's stand-in.
    """

    prices: Prices
    guard: EgressGuard
    keys: SecretVersions
    event_secrets: SecretVersions
    root: str = STRIPE

    @property
    def is_enabled(self) -> bool:
        """Whether anything is sold here."""
        return bool(self.prices)

    def require(self) -> None:
        """Refuse where nothing is sold.

        Raises:
            BillingNotSetUp: (409 `billing_not_set_up`).
        """
        if not self.is_enabled:
            raise BillingNotSetUp

    def check_event(self, headers: Mapping[str, str], content: bytes, clock: Clock) -> None:
        """Check that Stripe sent exactly these bytes, within five minutes of now.

        Raises:
            SignatureRefused: (401 `signature_refused`) it did not, or nothing is sold here.
            ServiceAway: (503 `service_away`) the secrets cannot be read now.
        """
        secrets = self.event_secrets.usable()[:_LIVE_SECRETS] if self.is_enabled else []
        verify("stripe", headers, content, [secret for _, secret in secrets], clock)

    def make_customer(self, org_id: UUID) -> str:
        """Make an organisation's customer; asked again within a day, Stripe answers with the same one."""
        form = stripe_objects.customer_form(org_id)
        return self._post("/v1/customers", form, f"customer-{org_id}", stripe_objects.read_customer_id)

    def open_checkout(self, org_id: UUID, customer_id: str, price_id: str, return_url: str, request_key: str) -> str:
        """Open a page on which a subscription is bought; returns its address.

        Args:
            org_id: who buys.
            customer_id: the organisation's customer.
            price_id: what is bought, once.
            return_url: our page that the browser comes back to.
            request_key: the same when the same wish is sent again.
        """
        form = stripe_objects.checkout_form(org_id, customer_id, price_id, return_url)
        return self._post("/v1/checkout/sessions", form, request_key, stripe_objects.read_page_url)

    def open_portal(self, customer_id: str, return_url: str, request_key: str) -> str:
        """Open a page on which the subscription is changed or cancelled; returns its address, good for a few minutes."""
        form = stripe_objects.portal_form(customer_id, return_url)
        return self._post("/v1/billing_portal/sessions", form, request_key, stripe_objects.read_page_url)

    def fetch_subscription(self, subscription_id: str) -> stripe_objects.Subscription:
        """Ask how a subscription is now."""
        return self._call("GET", f"/v1/subscriptions/{subscription_id}", b"", {}, stripe_objects.read_subscription)

    def _post(
        self, path: str, form: Sequence[tuple[str, str]], request_key: str, read: Callable[[object], _Found]
    ) -> _Found:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Idempotency-Key": request_key}
        return self._call("POST", path, urlencode(form, safe="[]").encode(), headers, read)

    def _call(
        self, method: str, path: str, content: bytes, headers: dict[str, str], read: Callable[[object], _Found]
    ) -> _Found:
        """Call Stripe once.

        Raises:
            BillingNotSetUp: (409 `billing_not_set_up`) nothing is sold here, or the secret is no key of Stripe's.
            BillingFailed: (502 `billing_failed`) Stripe says no, or something that nobody can read.
            EgressFailed, EgressTimeout, EgressTooLarge: (502, 504) it did not answer as it should.
            ServiceAway: (503 `service_away`) the key cannot be read now.
        """
        self.require()
        sent = {"Authorization": f"Bearer {_checked(self.keys.newest()[1])}", "Stripe-Version": VERSION, **headers}
        try:
            reply = self.guard.request(method, f"{self.root}{path}", headers=sent, content=content)
        except EgressRefused as error:  # Stripe's name leads somewhere that it must not: nothing that the caller did
            raise BillingFailed(stripe_error="unreachable") from error
        body = _read_json(reply.content)
        if reply.status != HTTPStatus.OK:
            raise BillingFailed(stripe_error=_error_word(body) or f"http_{reply.status}")
        try:
            return read(body)
        except stripe_objects.Unreadable as error:
            raise BillingFailed(stripe_error="unreadable") from error


def _checked(key: Secret) -> str:
    """Return a key that is one of Stripe's: the random value that an installation begins with goes nowhere."""
    value = key.reveal()
    if not _KEY.fullmatch(value):
        raise BillingNotSetUp
    return value.decode()


def _read_json(content: bytes) -> object:
    try:
        return parse_json(content)
    except MalformedRequest:
        return None


def _error_word(body: object) -> str:
    """Return Stripe's word for an error; its message may name what we sent and is left aside."""
    error = body.get("error") if isinstance(body, dict) else None
    words = [error.get("code"), error.get("type")] if isinstance(error, dict) else []
    return next((word for word in words if isinstance(word, str) and _WORD.fullmatch(word)), "")
