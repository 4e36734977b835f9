"""Our calls and our check of signatures against Stripe's own library: the same requests, the same verdicts.

Both are pointed at one recorder on loopback, so that what the library sends is what is compared with.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
import stripe as sdk

from functions.auth.domain.billing import read_prices
from functions.auth.errors import BillingFailed
from functions.auth.stripe_api import CALLS, EVENT_SECRET, SECRET_KEY, VERSION, Billing
from shared.ports.secret_store import Secret
from shared.security.egress import EgressGuard, SystemResolver, for_process
from shared.security.errors import SignatureRefused
from shared.security.secret_versions import SecretVersions
from shared.security.signatures import verify
from shared.settings import Settings
from shared.testing.clock import FakeClock
from shared.testing.secret_store import MemorySecretStore
from tests.support.stripe import EVENT_SECRET as SIGNING_SECRET
from tests.support.stripe import KEY, PRICES, TEAM, Stripe, error_body, event, signed, stripe
from tests.support.tls_server import Seen

ORG = UUID("01a217a1-743d-77c5-9343-50acf02a6e2f")
BACK = "https://driftwise.example/"
COMPARED = ("authorization", "content-type", "stripe-version", "idempotency-key")


@pytest.fixture
def account() -> Iterator[Stripe]:
    with stripe() as found:
        yield found


def billing_of(account: Stripe) -> Billing:
    settings = Settings(env="emulator", egress_bypass=account.root.removeprefix("http://"))
    clock, secrets = FakeClock(datetime.now(UTC)), MemorySecretStore()
    secrets.add_version(SECRET_KEY, KEY.encode())
    secrets.add_version(EVENT_SECRET, SIGNING_SECRET.encode())
    guard = EgressGuard(for_process(CALLS, settings), SystemResolver(), clock)
    versions = [SecretVersions(name, secrets, clock) for name in (SECRET_KEY, EVENT_SECRET)]
    return Billing(read_prices(PRICES), guard, versions[0], versions[1], account.root)


def sent(seen: Seen) -> tuple[str, list[tuple[str, str]], dict[str, str | None]]:
    """Return what matters of a request: its line, its form in any order, and the headers that both must send."""
    return seen.line, sorted(parse_qsl(seen.content.decode())), {name: seen.header(name) for name in COMPARED}


def test_our_calls_are_those_of_stripes_library(account: Stripe) -> None:
    ours, client = (
        billing_of(account),
        sdk.StripeClient(KEY, base_addresses={"api": account.root}, max_network_retries=0),
    )
    org_id, metadata = str(ORG), {"org_id": str(ORG)}
    customer_id = ours.make_customer(ORG)
    made: Any = client.v1.customers.create({"metadata": metadata}, {"idempotency_key": f"customer-{ORG}"})
    assert made.id == customer_id
    ours.open_checkout(ORG, customer_id, TEAM, BACK, "checkout-1")
    client.v1.checkout.sessions.create(
        {
            "mode": "subscription", "customer": customer_id, "client_reference_id": org_id, "metadata": metadata,
            "line_items": [{"price": TEAM, "quantity": 1}], "subscription_data": {"metadata": metadata},
            "success_url": f"{BACK}?billing=done", "cancel_url": f"{BACK}?billing=cancelled",
        },
        {"idempotency_key": "checkout-1"},
    )  # fmt: skip
    ours.open_portal(customer_id, BACK, "portal-1")
    client.v1.billing_portal.sessions.create(
        {"customer": customer_id, "return_url": BACK}, {"idempotency_key": "portal-1"}
    )
    subscription_id = account.subscribe(ORG, customer_id)
    found = ours.fetch_subscription(subscription_id)
    theirs = client.v1.subscriptions.retrieve(subscription_id)
    assert (found.id, found.customer_id, found.status) == (theirs.id, theirs.customer, theirs.status)
    requests = [sent(seen) for seen in account.server.requests]
    assert len(requests) == 8
    assert requests[::2] == requests[1::2]
    assert requests[0][2]["stripe-version"] == VERSION == sdk.api_version


def test_the_key_is_in_no_address_and_no_error(account: Stripe) -> None:
    account.refusal = "400 Bad Request", error_body("invalid_request_error", "resource_missing")
    with pytest.raises(BillingFailed) as caught:
        billing_of(account).make_customer(ORG)
    assert caught.value.facts == {"stripe_error": "resource_missing"}
    assert KEY not in repr(caught.value) + str(caught.value.__cause__)
    assert not any(KEY in seen.line for seen in account.server.requests)


@pytest.mark.parametrize(
    "refusal", [("302 Found", {}), ("200 OK", {}), ("200 OK", {"id": "x"}), ("500 Oh", {"error": "no"})]
)
def test_what_is_no_answer_of_stripes_is_a_failure(account: Stripe, refusal: tuple[str, dict[str, Any]]) -> None:
    account.refusal = refusal
    with pytest.raises(BillingFailed):
        billing_of(account).make_customer(ORG)


NOW = 1_790_000_000
BODY = event("customer.subscription.updated", {"id": "sub_1", "object": "subscription", "note": "ü"}, "evt_1")
FLIPPED = bytes([BODY[0] ^ 1]) + BODY[1:]


@pytest.mark.parametrize(
    ("body", "header", "is_good"),
    [
        (BODY, signed(BODY, NOW), True),
        (BODY, signed(BODY, NOW, "whsec_theOneBefore", SIGNING_SECRET), True),
        (BODY, signed(BODY, NOW - 300), True),
        (BODY, sdk.WebhookSignature.generate_signature_header(BODY.decode(), SIGNING_SECRET, NOW), True),
        (BODY, signed(BODY, NOW - 301), False),
        (BODY, signed(BODY, NOW, "whsec_somebodyElses"), False),
        (FLIPPED, signed(BODY, NOW), False),
        (BODY + b" ", signed(BODY, NOW), False),
        (BODY, signed(BODY, NOW).replace(f"t={NOW}", f"t={NOW + 1}"), False),
        (BODY, signed(BODY, NOW).replace("v1=", "v0="), False),
        (BODY, f"t={NOW}", False),
        (BODY, "", False),
    ],
)
def test_a_signature_is_judged_as_stripes_library_judges_it(
    monkeypatch: pytest.MonkeyPatch, body: bytes, header: str, is_good: bool
) -> None:
    monkeypatch.setattr(
        "stripe._webhook.time", SimpleNamespace(time=lambda: float(NOW))
    )  # the library asks no clock of ours
    clock, secrets = FakeClock(datetime.fromtimestamp(NOW, UTC)), [Secret(SIGNING_SECRET.encode())]
    headers = {"stripe-signature": header}
    if is_good:
        assert verify("stripe", headers, body, secrets, clock) == 0
        assert sdk.Webhook.construct_event(body, header, SIGNING_SECRET)["id"] == json.loads(body)["id"]
        return
    with pytest.raises(SignatureRefused):
        verify("stripe", headers, body, secrets, clock)
    with pytest.raises(sdk.SignatureVerificationError):
        sdk.Webhook.construct_event(body, header, SIGNING_SECRET)
