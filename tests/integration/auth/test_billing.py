"""Billing over a real Postgres beside a Stripe of the test's own: who may buy, what events change, what is refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Request, Response
from werkzeug.test import EnvironBuilder

from functions.auth.stripe_api import EVENT_SECRET as EVENT_SECRET_NAME
from functions.auth.stripe_api import SECRET_KEY as SECRET_KEY_NAME
from functions.auth.wiring import build_billing
from tests.support.auth_orgs import AuthFunction, Org, Person, outcome
from tests.support.stripe import (
    ENTERPRISE,
    EVENT_SECRET,
    KEY,
    PRICES,
    TEAM,
    Stripe,
    error_body,
    event,
    signed,
    stripe,
)

EVENTS = "/api/v2/billing/stripe-events"
UPDATED, DELETED, COMPLETED = "customer.subscription.updated", "customer.subscription.deleted", "checkout.session.completed"  # fmt: skip


@pytest.fixture
def account() -> Iterator[Stripe]:
    with stripe() as found:
        yield found


@dataclass
class Shop:
    """A process of the function that sells plans, and an organisation with an owner."""

    auth: AuthFunction
    account: Stripe
    org: Org = field(init=False)
    owner: Person = field(init=False)

    def __post_init__(self) -> None:
        self.auth.secrets.add_version(SECRET_KEY_NAME, KEY.encode())
        self.auth.secrets.add_version(EVENT_SECRET_NAME, EVENT_SECRET.encode())
        self.set_up(stripe_prices=PRICES)
        self.org = self.auth.org("free")
        self.owner = self.org.person("owner")

    def set_up(self, **settings: Any) -> None:
        """Start the function anew with other settings."""
        bypass = self.account.root.removeprefix("http://")
        settings = {"stripe_endpoint": self.account.root, "egress_bypass": bypass, **settings}
        found = replace(self.auth.deps.settings, **settings)
        billing = build_billing(found, self.auth.secrets, self.auth.clock)
        self.auth.deps = replace(self.auth.deps, settings=found, billing=billing)

    def checkout(self, price_id: str = TEAM, **options: Any) -> Any:
        """Begin to buy a plan."""
        return self.owner.done(
            "POST", self.org.path("/billing/checkout"), {"price_id": price_id}, status=201, **options
        )

    def buy(self, price_id: str = TEAM, **members: Any) -> str:
        """Buy a plan, and let Stripe tell; returns the subscription."""
        self.checkout(price_id)
        subscription_id = self.account.subscribe(self.org.id, self.customer_id, price_id, **members)
        assert self.told(subscription_id) == "applied"
        return subscription_id

    @property
    def customer_id(self) -> str:
        """The organisation's customer, as it is stored."""
        return str(self.row()["customer_id"])

    def change(self, subscription_id: str, **members: Any) -> None:
        """Change a subscription at Stripe; nobody is told yet."""
        self.account.subscriptions[subscription_id] |= members

    def told(self, subscription_id: str, *, kind: str = UPDATED, event_id: str | None = None, **about: Any) -> str:
        """Let Stripe tell of a subscription; returns what became of the event."""
        answer = self.send(self.body(subscription_id, kind=kind, event_id=event_id, **about))
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return str(json.loads(answer.get_data())["outcome"])

    def body(self, subscription_id: str, *, kind: str = UPDATED, event_id: str | None = None, **about: Any) -> bytes:
        """Return an event's body."""
        found = {**self.account.subscriptions.get(subscription_id, {"id": subscription_id}), **about}
        if kind == COMPLETED:
            found = {"id": "cs_1", "client_reference_id": str(self.org.id), "subscription": subscription_id, **about}
        return event(kind, found, event_id or f"evt_{uuid4().hex}")

    def send(self, content: bytes, signature: str | None = None) -> Response:
        """Send an event, signed as Stripe does unless a signature is given."""
        sent = {"Stripe-Signature": signed(content, self.auth.clock.now().timestamp())} if signature is None else {"Stripe-Signature": signature}  # fmt: skip
        builder = EnvironBuilder(path=EVENTS, method="POST", headers=sent, input_stream=BytesIO(content))
        environ = builder.get_environ() | {"CONTENT_LENGTH": str(len(content)), "CONTENT_TYPE": "application/json"}
        return self.auth.app.handle(Request(environ))

    def shown(self) -> dict[str, Any]:
        """Return what the organisation is shown."""
        found: dict[str, Any] = self.owner.done("GET", self.org.path("/billing"))
        return found

    def row(self) -> dict[str, Any]:
        """Return what is stored."""
        names = ("customer_id", "subscription_id", "status", "granted_plan", "version")
        rows = self.auth.database.owner.run(
            f"select {', '.join(names)} from core.subscriptions where org_id = :org_id", org_id=self.org.id
        )
        return dict(zip(names, rows[0], strict=True)) if rows else {}

    def plan(self) -> str:
        """Return the organisation's plan."""
        ((found,),) = self.auth.database.owner.run("select plan from core.orgs where id = :id", id=self.org.id)
        return str(found)

    def actions(self) -> list[str]:
        """Return what the audit log tells of billing, oldest first."""
        return [entry["action"] for entry in self.org.audits()]


@pytest.fixture
def shop(auth: AuthFunction, account: Stripe) -> Shop:
    return Shop(auth, account)


# --- Off, and who may ---------------------------------------------------------------------------------------------------


def test_billing_is_off_without_prices(shop: Shop) -> None:
    shop.set_up(stripe_prices="")
    found = shop.shown()
    assert (found["is_enabled"], found["prices"], found["plan"]) == (False, [], "free")
    for path, body in (("/billing/checkout", {"price_id": TEAM}), ("/billing/portal", None)):
        shop.owner.refused("POST", shop.org.path(path), body, status=409, code="billing_not_set_up")
    assert outcome(shop.send(shop.body("sub_1"))) == (401, "signature_refused")
    assert shop.account.server.requests == []


def test_billing_is_off_without_a_key_of_stripes(shop: Shop) -> None:
    """An installation begins with random values in its secrets: they are no key and go nowhere."""
    shop.auth.secrets.add_version(SECRET_KEY_NAME, bytes(range(32)))
    shop.set_up(stripe_prices=PRICES)
    shop.owner.refused("POST", shop.org.path("/billing/checkout"), {"price_id": TEAM}, status=409, code="billing_not_set_up")  # fmt: skip
    assert shop.account.server.requests == []


def test_only_a_person_who_owns_the_organisation_buys(shop: Shop) -> None:
    admin, viewer = shop.org.person("admin"), shop.org.person("viewer")
    for path, body in (("/billing/checkout", {"price_id": TEAM}), ("/billing/portal", None)):
        admin.refused("POST", shop.org.path(path), body, status=403, code="role_required")
        key = shop.org.key(shop.owner, "admin")
        shop.owner.refused("POST", shop.org.path(path), body, token=key, status=403, code="human_required")
    assert viewer.done("GET", shop.org.path("/billing"))["is_enabled"] is True
    stranger = shop.auth.person()
    stranger.refused("GET", shop.org.path("/billing"), status=404, code="not_found")
    assert shop.account.server.requests == []


# --- Buying -------------------------------------------------------------------------------------------------------------


def test_a_checkout_is_for_one_organisation_and_is_audited(shop: Shop) -> None:
    page = shop.checkout()
    assert page["url"].startswith("https://pay.stripe.example/")
    (form,) = shop.account.calls("/v1/checkout/sessions")
    assert (form["client_reference_id"], form["subscription_data[metadata][org_id]"]) == (str(shop.org.id),) * 2
    assert (form["customer"], form["mode"]) == (shop.customer_id, "subscription")
    assert form["success_url"].startswith("https://driftwise.example/")
    assert shop.actions() == ["auth:billing:customer_made", "auth:billing:checkout_begun"]
    assert shop.plan() == "free"  # nothing is paid yet
    shop.checkout()
    assert len(shop.account.calls("/v1/customers")) == 1


def test_a_repeated_request_opens_one_checkout(shop: Shop) -> None:
    first = shop.checkout(Idempotency_Key="buy-1")
    again = shop.checkout(Idempotency_Key="buy-1")
    assert (first["url"] is not None, again["url"]) == (True, None)  # a page to pay on is not stored
    assert len(shop.account.calls("/v1/checkout/sessions")) == 1


def test_a_price_that_is_not_sold_is_refused(shop: Shop) -> None:
    shop.owner.refused("POST", shop.org.path("/billing/checkout"), {"price_id": "price_1Other"}, status=422, code="price_unknown")  # fmt: skip


def test_a_second_subscription_is_refused(shop: Shop) -> None:
    shop.buy()
    shop.owner.refused("POST", shop.org.path("/billing/checkout"), {"price_id": ENTERPRISE}, status=409, code="subscription_exists")  # fmt: skip
    page = shop.owner.done("POST", shop.org.path("/billing/portal"), status=201)
    assert page["url"].startswith("https://")
    assert shop.account.calls("/v1/billing_portal/sessions")[0]["customer"] == shop.customer_id
    assert "auth:billing:portal_opened" in shop.actions()


def test_there_is_no_portal_before_anything_was_bought(shop: Shop) -> None:
    shop.owner.refused("POST", shop.org.path("/billing/portal"), status=409, code="no_customer")


def test_what_stripe_says_does_not_come_through(shop: Shop) -> None:
    shop.account.refusal = "402 Payment Required", error_body("card_error", "card_declined")
    problem = shop.owner.refused("POST", shop.org.path("/billing/checkout"), {"price_id": TEAM}, status=502, code="billing_failed")  # fmt: skip
    assert problem["stripe_error"] == "card_declined"
    assert not any(secret in json.dumps(problem) for secret in (KEY, "4242"))
    assert (shop.actions(), shop.row()) == ([], {})


# --- Events -------------------------------------------------------------------------------------------------------------


def test_a_paid_subscription_grants_its_plan_and_its_end_takes_it_back(shop: Shop) -> None:
    subscription_id = shop.buy()
    found = shop.shown()
    assert (shop.plan(), found["status"], found["granted_plan"], found["warning"]) == ("team", "active", "team", None)
    assert found["period_ends_at"].startswith("2027-01-15")
    shop.change(subscription_id, status="past_due")
    assert shop.told(subscription_id) == "applied"
    assert (shop.plan(), shop.shown()["warning"]) == ("team", "payment_failed")
    shop.change(subscription_id, status="canceled")
    assert shop.told(subscription_id, kind=DELETED) == "applied"
    assert (shop.plan(), shop.shown()["granted_plan"], shop.shown()["has_portal"]) == ("free", None, True)
    changes = [entry["facts"] for entry in shop.org.audits() if entry["action"] == "auth:org:plan_changed"]
    assert [(facts["old_plan"], facts["plan"]) for facts in changes] == [("free", "team"), ("team", "free")]
    platform = [entry for entry in shop.auth.audits(None) if entry["target_id"] == str(shop.org.id)]
    assert [entry["action"] for entry in platform] == ["auth:org:plan_changed"] * 2
    assert len(shop.auth.events("auth:billing:subscription_changed")) >= 3
    text = json.dumps(shop.org.audits())
    assert not any(secret in text for secret in (KEY, EVENT_SECRET, "pm_1MowQULkdIwHu7ix"))
    assert shop.checkout()["url"]  # what ended can be bought again


def test_a_checkout_that_is_done_is_looked_up(shop: Shop) -> None:
    shop.checkout()
    subscription_id = shop.account.subscribe(shop.org.id, shop.customer_id, ENTERPRISE)
    assert shop.told(subscription_id, kind=COMPLETED) == "applied"
    assert shop.plan() == "enterprise"


def test_an_event_that_comes_twice_changes_nothing_the_second_time(shop: Shop) -> None:
    shop.checkout()
    subscription_id = shop.account.subscribe(shop.org.id, shop.customer_id)
    assert shop.told(subscription_id, event_id="evt_twice") == "applied"
    entries, row = shop.actions(), shop.row()
    assert shop.told(subscription_id, event_id="evt_twice") == "already_processed"
    assert shop.told(subscription_id, event_id="evt_other") == "unchanged"
    assert (shop.actions(), shop.row()) == (entries, row)


def test_events_out_of_order_end_in_what_stripe_says_now(shop: Shop) -> None:
    """The end is told first, and then what was before it: the older event finds the subscription ended."""
    shop.checkout()
    subscription_id = shop.account.subscribe(shop.org.id, shop.customer_id)
    older = shop.body(subscription_id, status="active")
    shop.change(subscription_id, status="canceled")
    assert shop.told(subscription_id, kind=DELETED) == "applied"
    assert outcome(shop.send(older))[0] == 200
    assert (shop.plan(), shop.row()["status"]) == ("free", "canceled")


def test_a_slow_answer_does_not_undo_a_newer_one(shop: Shop) -> None:
    """One event's answer is on its way while the subscription ends and another event is settled: it is asked for again."""
    subscription_id = shop.buy()
    is_asked, goes_on = threading.Event(), threading.Event()

    def wait_once(_: str) -> None:
        shop.account.before_answer = lambda _: None
        is_asked.set()
        assert goes_on.wait(30)

    shop.change(subscription_id, status="past_due")
    shop.account.before_answer = wait_once
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(shop.told, subscription_id)
        assert is_asked.wait(30)
        shop.change(subscription_id, status="canceled")
        assert shop.told(subscription_id, kind=DELETED) == "applied"
        goes_on.set()
        assert slow.result() == "unchanged"
    assert (shop.plan(), shop.row()["status"]) == ("free", "canceled")


def test_many_events_at_once_are_settled_once_each(shop: Shop) -> None:
    shop.checkout()
    subscription_id = shop.account.subscribe(shop.org.id, shop.customer_id)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: shop.told(subscription_id, event_id=f"evt_n{number % 2}"), range(4)))
    assert sorted(found) == ["already_processed", "already_processed", "applied", "unchanged"]
    assert shop.actions().count("auth:org:plan_changed") == 1


def test_stripe_is_asked_to_try_again_when_it_cannot_be_asked(shop: Shop) -> None:
    shop.checkout()
    subscription_id = shop.account.subscribe(shop.org.id, shop.customer_id)
    body = shop.body(subscription_id)
    shop.account.refusal = "500 Internal Server Error", error_body("api_error")
    assert outcome(shop.send(body)) == (502, "billing_failed")
    shop.account.refusal = None
    assert outcome(shop.send(body))[0] == 200
    assert shop.plan() == "team"


def test_a_forged_event_is_refused_before_it_is_read(shop: Shop) -> None:
    subscription_id = shop.buy()
    asked, entries = len(shop.account.server.requests), shop.actions()
    now, body = shop.auth.clock.now().timestamp(), shop.body(subscription_id)
    for signature in (
        "", signed(body, now, "whsec_somebody_elses_secret"), signed(body, now - 301), signed(body, now + 301),
        signed(b"not json", now), f"t={int(now)}", f"t={int(now)},v1={'0' * 64}",
    ):  # fmt: skip
        assert outcome(shop.send(body, signature)) == (401, "signature_refused")
    assert outcome(shop.send(b"not json", "t=1,v1=x")) == (401, "signature_refused")
    assert outcome(shop.send(b"[]")) == (400, "malformed_request")
    assert (len(shop.account.server.requests), shop.actions()) == (asked, entries)


def test_both_secrets_are_good_while_one_is_rolled(shop: Shop) -> None:
    """A process hears of a new version within a minute; the one before the newest stays good, and none before that."""
    subscription_id = shop.buy()
    secrets = [EVENT_SECRET, "whsec_theNewOneOfTheEndpoint", "whsec_theOneAfterThatOne"]
    for newest in (1, 2):
        shop.auth.secrets.add_version(EVENT_SECRET_NAME, secrets[newest].encode())
        shop.auth.clock.advance(61)
        now, body = shop.auth.clock.now().timestamp(), shop.body(subscription_id)
        found = [outcome(shop.send(body, signed(body, now, secret)))[0] for secret in secrets]
        assert found == ([200, 200, 401] if newest == 1 else [401, 200, 200])


def test_what_was_not_bought_here_is_left_alone(shop: Shop) -> None:
    """A Stripe account may sell other things: their events are taken and mean nothing."""
    other = shop.account.subscribe(None, "cus_Other")
    assert shop.told(other) == "ignored"
    assert shop.told("sub_Whatever", kind="invoice.paid") == "ignored"
    assert (shop.row(), shop.actions()) == ({}, [])


# --- Refused ------------------------------------------------------------------------------------------------------------


def refusals(shop: Shop) -> list[str]:
    """Return why something was refused, from the organisation's audit log."""
    return [entry["facts"]["reason"] for entry in shop.org.audits() if entry["action"] == "auth:billing:refused"]


def test_a_price_that_nobody_knows_changes_nothing(shop: Shop) -> None:
    subscription_id = shop.buy()
    row = shop.row()
    data = shop.account.subscriptions[subscription_id]["items"]["data"]
    data[0]["price"]["id"] = "price_1Unheard"
    assert shop.told(subscription_id) == "refused"
    assert (refusals(shop), shop.row(), shop.plan()) == (["price_unknown"], row, "team")
    shop.change(subscription_id, status="canceled")  # what has ended is taken back whatever it was
    assert shop.told(subscription_id) == "applied"
    assert shop.plan() == "free"


def test_anothers_customer_or_organisation_changes_nothing(shop: Shop) -> None:
    shop.checkout()
    assert shop.told(shop.account.subscribe(shop.org.id, "cus_Somebody")) == "refused"
    mismatched = shop.account.subscribe(uuid4(), shop.customer_id)
    assert shop.told(mismatched, metadata={"org_id": str(shop.org.id)}) == "refused"
    assert refusals(shop) == ["customer_mismatch", "org_mismatch"]
    stranger = Org(shop.auth, UUID(str(shop.auth.database.make_org("Other", "free"))))
    assert shop.told(shop.account.subscribe(stranger.id, "cus_Somebody")) == "refused"
    assert [entry["facts"]["reason"] for entry in stranger.audits()] == ["customer_unknown"]
    nobody = shop.account.subscribe(uuid4(), "cus_Nobody")
    assert shop.told(nobody) == "refused"
    assert shop.auth.audits(None)[-1]["facts"]["reason"] == "org_unknown"
    assert (shop.plan(), shop.row()["subscription_id"]) == ("free", None)


def test_a_second_subscription_that_was_paid_all_the_same_is_told(shop: Shop) -> None:
    first = shop.buy()
    second = shop.account.subscribe(shop.org.id, shop.customer_id, ENTERPRISE)
    assert shop.told(second) == "refused"
    assert (refusals(shop), shop.plan()) == (["second_subscription"], "team")
    shop.change(first, status="canceled")  # its end was not told yet: it is asked for before the second is judged
    assert shop.told(second) == "applied"
    assert (shop.plan(), shop.row()["subscription_id"]) == ("enterprise", second)


def test_a_plan_that_was_given_by_hand_is_not_lowered(shop: Shop) -> None:
    admin = shop.auth.person(is_platform_admin=True)
    admin.done("PATCH", f"/api/v2/admin/orgs/{shop.org.id}", {"plan": "enterprise"})
    subscription_id = shop.buy()
    assert (shop.plan(), shop.row()["granted_plan"]) == ("enterprise", "team")
    shop.change(subscription_id, status="canceled")
    assert shop.told(subscription_id) == "applied"
    assert shop.plan() == "enterprise"


def test_an_organisation_that_is_charged_is_not_deleted(shop: Shop) -> None:
    subscription_id = shop.buy()
    shop.owner.refused("DELETE", shop.org.path(), status=409, code="subscription_runs")
    shop.change(subscription_id, cancel_at_period_end=True)
    assert shop.told(subscription_id) == "applied"
    assert shop.shown()["cancels_at"].startswith("2027-01-15")
    shop.owner.done("DELETE", shop.org.path(), status=204)
    shop.change(subscription_id, status="canceled")
    assert shop.told(subscription_id) == "applied"  # a deleted organisation may be restored
    assert shop.plan() == "free"
