"""What a subscription means for an organisation: the whole table, and what Stripe tells that nobody can read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from functions.auth.domain import billing, stripe_objects
from functions.auth.domain.billing import Change, Held, Refusal, decide
from functions.auth.domain.stripe_objects import Subscription
from shared.security.plans import Plan
from tests.support.stripe import ENTERPRISE, PERIOD_END, PRICES, TEAM, event, subscription

ORG = UUID("01a217a1-743d-77c5-9343-50acf02a6e2f")
SOLD = billing.read_prices(PRICES)
FOUND = Subscription("sub_1", "cus_1", ORG, "active", (TEAM,), datetime(2027, 1, 15, tzinfo=UTC), None)
NEW = Held("cus_1")
TEAM_HELD = replace(NEW, subscription_id="sub_1", status="active", price_id=TEAM, granted_plan="team", version=1)


def decided(held: Held | None, found: Subscription, plan: Plan) -> tuple[str | None, str | None, str]:
    """Return status and grant as they become, and the plan; or the refusal's reason."""
    decision = decide(held, found, ORG, plan, SOLD)
    if isinstance(decision, Refusal):
        return None, decision.reason, plan
    if decision is None:
        return None, "nothing to do", plan
    return decision.held.status, decision.held.granted_plan, decision.plan


@pytest.mark.parametrize(
    ("held", "status", "plan", "expected"),
    [
        # a first subscription
        (NEW, "active", "free", ("active", "team", "team")),
        (NEW, "trialing", "free", ("trialing", "team", "team")),
        (NEW, "past_due", "free", ("past_due", "team", "team")),
        (NEW, "incomplete", "free", ("incomplete", None, "free")),
        (NEW, "incomplete_expired", "free", ("incomplete_expired", None, "free")),
        # what is held becomes otherwise
        (TEAM_HELD, "past_due", "team", ("past_due", "team", "team")),
        (TEAM_HELD, "unpaid", "team", ("unpaid", None, "free")),
        (TEAM_HELD, "paused", "team", ("paused", None, "free")),
        (TEAM_HELD, "canceled", "team", ("canceled", None, "free")),
        (replace(TEAM_HELD, status="unpaid", granted_plan=None), "active", "free", ("active", "team", "team")),
        (replace(TEAM_HELD, status="incomplete", granted_plan=None), "incomplete_expired", "free", ("incomplete_expired", None, "free")),
        # somebody set the plan by hand: it is raised, and never lowered
        (NEW, "active", "enterprise", ("active", "team", "enterprise")),
        (TEAM_HELD, "canceled", "enterprise", ("canceled", None, "enterprise")),
        (TEAM_HELD, "past_due", "enterprise", ("past_due", "team", "enterprise")),
        (TEAM_HELD, "past_due", "free", ("past_due", "team", "free")),  # lowered by hand: a renewal does not undo that
        # what nobody knows
        (TEAM_HELD, "frozen", "team", (None, "status_unknown", "team")),
        (None, "active", "free", (None, "customer_unknown", "free")),
    ],
)  # fmt: skip
def test_what_a_status_means(held: Held | None, status: str, plan: Plan, expected: tuple[str, str, str]) -> None:
    assert decided(held, replace(FOUND, status=status), plan) == expected


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"org_id": None}, "org_mismatch"),
        ({"org_id": UUID(int=1)}, "org_mismatch"),
        ({"customer_id": "cus_2"}, "customer_mismatch"),
        ({"price_ids": ("price_Other",)}, "price_unknown"),
        ({"price_ids": ()}, "price_unknown"),
        ({"price_ids": (TEAM, ENTERPRISE)}, "price_unknown"),
        ({"id": "sub_2"}, "second_subscription"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], reason: str) -> None:
    assert decide(TEAM_HELD, replace(FOUND, **changes), ORG, "team", SOLD) == Refusal(reason)  # type: ignore[arg-type]  # a word of the list


def test_what_was_known_already_changes_nothing() -> None:
    held = replace(TEAM_HELD, period_ends_at=FOUND.period_ends_at)
    assert decide(held, FOUND, ORG, "team", SOLD) is None


def test_another_price_is_another_plan() -> None:
    held = replace(TEAM_HELD, price_id=TEAM)
    assert decided(held, replace(FOUND, price_ids=(ENTERPRISE,)), "team") == ("active", "enterprise", "enterprise")
    held = replace(TEAM_HELD, price_id=ENTERPRISE, granted_plan="enterprise")
    assert decided(held, FOUND, "enterprise") == ("active", "team", "team")


def test_an_older_subscription_says_nothing_about_the_one_that_is_held() -> None:
    older = replace(FOUND, id="sub_0")
    for status in ("canceled", "incomplete_expired", "unpaid", "paused", "incomplete"):
        assert decide(TEAM_HELD, replace(older, status=status), ORG, "team", SOLD) is None, status


def test_after_an_end_another_one_is_taken_on() -> None:
    ended = replace(TEAM_HELD, status="canceled", granted_plan=None)
    change = decide(ended, replace(FOUND, id="sub_2"), ORG, "free", SOLD)
    assert isinstance(change, Change)
    assert (change.held.subscription_id, change.plan) == ("sub_2", "team")
    assert billing.to_ask_for(ended, "sub_2") == ["sub_2"]
    assert billing.to_ask_for(TEAM_HELD, "sub_2") == ["sub_1", "sub_2"]
    assert billing.to_ask_for(TEAM_HELD, "sub_1") == ["sub_1"]


def test_every_status_of_stripes_is_known() -> None:
    """Source: https://docs.stripe.com/api/subscriptions/object#subscription_object-status."""
    told = {"incomplete", "incomplete_expired", "trialing", "active", "past_due", "canceled", "unpaid", "paused"}
    assert told == billing.STATUSES
    assert set(billing.WARNINGS) <= told


def test_a_subscription_is_read() -> None:
    found = stripe_objects.read_subscription(subscription(id="sub_1", customer="cus_1", metadata={"org_id": str(ORG)}))
    assert found == replace(FOUND, period_ends_at=datetime.fromtimestamp(PERIOD_END, UTC))
    ending = stripe_objects.read_subscription(subscription(cancel_at_period_end=True))
    assert ending.cancels_at == ending.period_ends_at
    assert stripe_objects.read_subscription(subscription(cancel_at=PERIOD_END - 5)).cancels_at is not None
    assert stripe_objects.read_subscription(subscription(metadata={"org_id": "not one"})).org_id is None


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "sub_1/../../customers"}, {"id": None}, {"customer": {"id": "cus_1"}}, {"status": 3}, {"items": []}, {"items": {"data": {}}},
        {"items": {"data": [{"price": None}]}}, {"items": {"data": [{"price": {"id": 7}}]}}, {"metadata": None}, {"cancel_at": "tomorrow"},
        {"cancel_at": -1}, {"cancel_at": 1 << 60}, {"cancel_at": True}, {"items": {"data": [{}] * 101}},
    ],
)  # fmt: skip
def test_what_is_no_subscription_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(stripe_objects.Unreadable):
        stripe_objects.read_subscription(subscription(**changes))


def test_an_event_names_a_subscription_of_an_organisation() -> None:
    about = {"id": "sub_1", "metadata": {"org_id": str(ORG)}}
    for kind in ("customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted"):
        notice = stripe_objects.read_notice(json.loads(event(kind, about, "evt_1")))
        assert (notice.event_id, notice.org_id, notice.subscription_id) == ("evt_1", ORG, "sub_1")
    checkout = {
        "id": "cs_1",
        "client_reference_id": str(ORG),
        "subscription": "sub_1",
        "metadata": {"org_id": str(UUID(int=1))},
    }
    notice = stripe_objects.read_notice(json.loads(event("checkout.session.completed", checkout, "evt_1")))
    assert (notice.org_id, notice.subscription_id) == (ORG, "sub_1")
    bought_once = {"id": "cs_1", "client_reference_id": str(ORG), "subscription": None}
    assert (
        stripe_objects.read_notice(
            json.loads(event("checkout.session.completed", bought_once, "evt_1"))
        ).subscription_id
        is None
    )
    assert stripe_objects.read_notice(json.loads(event("invoice.paid", about, "evt_1"))).subscription_id is None
    crooked = {**about, "id": "sub_1?expand[]=customer"}
    assert stripe_objects.read_notice(json.loads(event("customer.subscription.updated", crooked, "evt_1"))).subscription_id is None  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [[], None, 3, {}, {"object": "event", "id": "evt_1", "type": "x", "data": {}}, {"object": "event", "id": 1, "type": "x", "data": {"object": {}}},
     {"object": "v2.core.event", "id": "evt_1", "type": "x", "data": {"object": {}}}],
)  # fmt: skip
def test_what_is_no_event_is_refused(body: Any) -> None:
    with pytest.raises(stripe_objects.Unreadable):
        stripe_objects.read_notice(body)


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", "not json", '{"price_1": "free"}', '{"price_1": ["team"]}', '{"prod_1": "team"}', json.dumps({f"price_{n}": "team" for n in range(21)})],
)  # fmt: skip
def test_prices_that_cannot_be_read_stop_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="DW_STRIPE_PRICES must be"):
        billing.read_prices(text)


def test_without_prices_nothing_is_sold() -> None:
    assert billing.read_prices("") == {}


@pytest.mark.parametrize(
    "content", [None, {}, {"url": 3}, {"url": "http://pay.example"}, {"url": "javascript:alert(1)"}, {"url": "https://" + "x" * 5000}]
)  # fmt: skip
def test_the_browser_is_sent_to_pages_of_https_only(content: Any) -> None:
    with pytest.raises(stripe_objects.Unreadable):
        stripe_objects.read_page_url(content)
