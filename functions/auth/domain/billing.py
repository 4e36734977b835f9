"""What a subscription at Stripe means for an organisation: what it grants, what may change the plan, what is refused.

Pure: it asks Stripe nothing and stores nothing. An event only says that something may have changed; what counts is the
subscription as Stripe tells it when it is asked anew (ADR-0047).
Source: https://docs.stripe.com/billing/subscriptions/overview (statuses), https://docs.stripe.com/api/subscriptions/object,
  https://docs.stripe.com/api/events/object, https://docs.stripe.com/api/checkout/sessions/object
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from shared.security.plans import PLANS, Plan

from ..errors import PriceUnknown, SubscriptionExists, SubscriptionRuns

Prices: TypeAlias = Mapping[str, Plan]
Concern: TypeAlias = Literal["payment_failed", "payment_pending", "plan_lapsed"]
Reason: TypeAlias = Literal[
    "org_unknown", "org_mismatch", "customer_unknown", "customer_mismatch", "status_unknown", "price_unknown", "second_subscription"
]  # fmt: skip

GRANTING: Final = frozenset({"trialing", "active", "past_due"})
LAPSED: Final = frozenset({"unpaid", "paused"})  # pays nothing now, and may again
ENDED: Final = frozenset({"canceled", "incomplete_expired"})  # for good: Stripe never takes these back
STATUSES: Final = GRANTING | LAPSED | ENDED | {"incomplete"}
WARNINGS: Final[Mapping[str, Concern]] = MappingProxyType({
    "past_due": "payment_failed", "unpaid": "plan_lapsed", "paused": "plan_lapsed", "incomplete": "payment_pending",
})  # fmt: skip

_FREE: Final[Plan] = "free"
_SOLD: Final[tuple[Plan, ...]] = ("team", "enterprise")
_PRICE = re.compile(r"price_[0-9A-Za-z]{1,200}")
_ANY_PRICE = re.compile(r"[!-~]{1,250}")  # old ones are called as their owner liked
_SUBSCRIPTION = re.compile(r"sub_[0-9A-Za-z]{1,200}")
_CUSTOMER = re.compile(r"cus_[0-9A-Za-z]{1,200}")
_EVENT = re.compile(r"evt_[0-9A-Za-z_]{1,200}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CHECKOUTS: Final = frozenset({"checkout.session.completed", "checkout.session.async_payment_succeeded"})
_SUBSCRIPTIONS: Final = "customer.subscription."
_MOST_PRICES, _MOST_ITEMS = 20, 100


class Unreadable(Exception):
    """Stripe's answer is not of the shape that its reference gives."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What an event is about; None where it says nothing that matters here.

    Attributes:
        event_id: the same when Stripe sends the event again.
        kind: Stripe's type, such as `customer.subscription.updated`.
        org_id: the organisation that the subscription was bought for, as we told Stripe.
        subscription_id: which subscription to ask Stripe for.
    """

    event_id: str
    kind: str
    org_id: UUID | None
    subscription_id: str | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as Stripe tells it.

    Attributes:
        customer_id: who pays.
        org_id: what its metadata say; None when they name no organisation.
        status: Stripe's word.
        price_ids: of its items.
        period_ends_at: the last day that is paid for; None when no item tells.
        cancels_at: when it will end because somebody cancelled it.
    """

    id: str
    customer_id: str
    org_id: UUID | None
    status: str
    price_ids: tuple[str, ...]
    period_ends_at: datetime | None
    cancels_at: datetime | None


@dataclass(frozen=True, slots=True)
class Held:
    """What is stored about an organisation's customer and subscription.

    Attributes:
        customer_id: the organisation's customer at Stripe.
        subscription_id: the last subscription; None before the first.
        granted_plan: what that subscription grants now; None for nothing.
        version: grows with each change.
    """

    customer_id: str
    subscription_id: str | None = None
    status: str | None = None
    price_id: str | None = None
    granted_plan: Plan | None = None
    period_ends_at: datetime | None = None
    cancels_at: datetime | None = None
    version: int = 0

    @property
    def is_running(self) -> bool:
        """Whether there is a subscription that has not ended for good."""
        return self.subscription_id is not None and self.status not in ENDED


@dataclass(frozen=True, slots=True)
class Change:
    """What to store, and the plan that follows from it.

    Attributes:
        held: the row as it becomes; its version is left to the statement.
        plan: the organisation's plan afterwards.
    """

    held: Held
    plan: Plan


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing changes, and it is audited."""

    reason: Reason


def held_of(row: Mapping[str, Any] | None) -> Held | None:
    """Return a stored row as what it says."""
    return None if row is None else Held(**row)


# --- Settings ----------------------------------------------------------------------------------------------------------


def read_prices(text: str) -> Prices:
    """Read which price buys which plan: `{"price_…": "team"}`; empty for none, and then nothing is sold.

    Raises:
        ValueError: it is not that.
    """
    if not text:
        return MappingProxyType({})
    trouble = f"DW_STRIPE_PRICES must be a JSON object of price ids to plans ({', '.join(_SOLD)})"
    try:
        found = json.loads(text)
    except ValueError:
        raise ValueError(trouble) from None
    if not isinstance(found, dict) or not 0 < len(found) <= _MOST_PRICES:
        raise ValueError(trouble)
    prices: dict[str, Plan] = {}
    for price_id, name in found.items():
        plan = next((plan for plan in _SOLD if plan == name), None)
        if plan is None or not _PRICE.fullmatch(price_id):
            raise ValueError(trouble)
        prices[price_id] = plan
    return MappingProxyType(prices)


# --- What is shown -----------------------------------------------------------------------------------------------------


def warning_of(held: Held | None) -> Concern | None:
    """Return what somebody should look into; None for nothing."""
    return None if held is None or held.status is None else WARNINGS.get(held.status)


# --- What people ask for -----------------------------------------------------------------------------------------------


def check_price(price_id: str, prices: Prices) -> Plan:
    """Return the plan that a price buys.

    Raises:
        PriceUnknown: (422 `price_unknown`) it is not for sale.
    """
    plan = prices.get(price_id)
    if plan is None:
        raise PriceUnknown
    return plan


def check_room(held: Held | None) -> None:
    """Refuse a second subscription: the portal changes the one there is.

    Raises:
        SubscriptionExists: (409 `subscription_exists`).
    """
    if held is not None and held.is_running:
        raise SubscriptionExists(status=held.status)


def check_no_more_charges(held: Held | None) -> None:
    """Refuse to delete an organisation that would go on being charged.

    Raises:
        SubscriptionRuns: (409 `subscription_runs`) it has a subscription, and nobody cancelled it.
    """
    if held is not None and held.is_running and held.cancels_at is None:
        raise SubscriptionRuns(status=held.status)


def customer_form(org_id: UUID) -> list[tuple[str, str]]:
    """Return what a customer is made with: nothing but whose it is, so that a repeated call is the same call.

    Source: https://docs.stripe.com/api/customers/create
    """
    return [("metadata[org_id]", str(org_id))]


def checkout_form(org_id: UUID, customer_id: str, price_id: str, return_url: str) -> list[tuple[str, str]]:
    """Return what a checkout of one subscription is made with.

    Source: https://docs.stripe.com/api/checkout/sessions/create
    """
    return [
        ("mode", "subscription"),
        ("customer", customer_id),
        ("client_reference_id", str(org_id)),
        ("line_items[0][price]", price_id),
        ("line_items[0][quantity]", "1"),
        ("metadata[org_id]", str(org_id)),
        ("subscription_data[metadata][org_id]", str(org_id)),
        ("success_url", f"{return_url}?billing=done"),
        ("cancel_url", f"{return_url}?billing=cancelled"),
    ]


def portal_form(customer_id: str, return_url: str) -> list[tuple[str, str]]:
    """Return what a visit to the customer portal is made with.

    Source: https://docs.stripe.com/api/customer_portal/sessions/create
    """
    return [("customer", customer_id), ("return_url", return_url)]


# --- What Stripe says --------------------------------------------------------------------------------------------------


def read_notice(event: object) -> Notice:
    """Read what an event is about.

    Only which subscription of which organisation it names is taken from it: events come twice and in any order.

    Raises:
        Unreadable: it is no event.
    """
    body = _object(event)
    event_id, kind, about = body.get("id"), body.get("type"), _object(_object(body.get("data")).get("object"))
    if body.get("object") != "event" or not _is(event_id, _EVENT) or not isinstance(kind, str):
        raise Unreadable
    metadata = about.get("metadata")
    org_id = metadata.get("org_id") if isinstance(metadata, dict) else None
    subscription_id: object = None
    if kind.startswith(_SUBSCRIPTIONS):
        subscription_id = about.get("id")
    elif kind in _CHECKOUTS:
        org_id, subscription_id = about.get("client_reference_id"), about.get("subscription")
    found = str(subscription_id) if _is(subscription_id, _SUBSCRIPTION) else None
    return Notice(str(event_id), kind, _org_id(org_id), found)


def read_subscription(content: object) -> Subscription:
    """Read a subscription; nothing of how it is paid is looked at.

    Raises:
        Unreadable: a member is missing, or of another type.
    """
    body = _object(content)
    items = _object(body.get("items")).get("data")
    if not isinstance(items, list) or len(items) > _MOST_ITEMS:
        raise Unreadable
    found = [_object(item) for item in items]
    price_ids = [_object(item.get("price")).get("id") for item in found]
    ends = [item.get("current_period_end") for item in found]
    metadata = _object(body.get("metadata"))
    ended_by = body.get("cancel_at")
    period_ends_at = max((_time(end) for end in ends if end is not None), default=None)
    if ended_by is None and body.get("cancel_at_period_end") is True:
        cancels_at = period_ends_at
    else:
        cancels_at = None if ended_by is None else _time(ended_by)
    if not all(_is(price_id, _ANY_PRICE) for price_id in price_ids) or not isinstance(body.get("status"), str):
        raise Unreadable
    if not _is(body.get("id"), _SUBSCRIPTION) or not _is(body.get("customer"), _CUSTOMER):
        raise Unreadable
    return Subscription(
        id=body["id"],
        customer_id=body["customer"],
        org_id=_org_id(metadata.get("org_id")),
        status=body["status"],
        price_ids=tuple(str(price_id) for price_id in price_ids),
        period_ends_at=period_ends_at,
        cancels_at=cancels_at,
    )


def read_customer_id(content: object) -> str:
    """Read the id of a customer that was made.

    Raises:
        Unreadable: there is none.
    """
    found = _object(content).get("id")
    if not _is(found, _CUSTOMER):
        raise Unreadable
    return str(found)


def read_page_url(content: object) -> str:
    """Read where the browser is to go: a page of Stripe's.

    Raises:
        Unreadable: there is no address, or it is not https.
    """
    found = _object(content).get("url")
    if not isinstance(found, str) or not found.startswith("https://") or len(found) > 4096:  # noqa: PLR2004  # as browsers take
        raise Unreadable
    return found


def to_ask_for(held: Held | None, subscription_id: str) -> list[str]:
    """Return which subscriptions Stripe is asked for: before another one, the one that is held, as it may have ended."""
    if held is None or held.subscription_id is None or not held.is_running:
        return [subscription_id]
    return list(dict.fromkeys((held.subscription_id, subscription_id)))


# --- What follows ------------------------------------------------------------------------------------------------------


def decide(held: Held | None, found: Subscription, org_id: UUID, plan: Plan, prices: Prices) -> Change | Refusal | None:
    """Decide what a subscription means for an organisation.

    Args:
        held: the locked row; None when no customer was ever made for the organisation.
        found: the subscription as Stripe tells it now.
        org_id: the organisation that the event named.
        plan: its plan.
        prices: which price buys which plan.

    Returns:
        What to store; a refusal; None when there is nothing to do.
    """
    if held is None:
        return Refusal("customer_unknown")
    if (refusal := _stranger(held, found, org_id)) is not None:
        return refusal
    if held.subscription_id not in {None, found.id}:
        if found.status in ENDED or (held.is_running and found.status not in GRANTING):
            return None  # an older subscription, or one that nobody has paid for
        if held.is_running:
            return Refusal("second_subscription")
    granted: Plan | None = None
    if found.status in GRANTING:
        granted = prices.get(found.price_ids[0]) if len(found.price_ids) == 1 else None
        if granted is None:
            return Refusal("price_unknown")
    becomes = Held(
        customer_id=held.customer_id,
        subscription_id=found.id,
        status=found.status,
        price_id=found.price_ids[0] if len(found.price_ids) == 1 else None,
        granted_plan=granted,
        period_ends_at=found.period_ends_at,
        cancels_at=None if found.status in ENDED else found.cancels_at,
        version=held.version,
    )
    return None if becomes == held else Change(becomes, _plan_after(held.granted_plan, granted, plan))


def _stranger(held: Held, found: Subscription, org_id: UUID) -> Refusal | None:
    if found.org_id != org_id:
        return Refusal("org_mismatch")
    if held.customer_id != found.customer_id:
        return Refusal("customer_mismatch")
    return None if found.status in STATUSES else Refusal("status_unknown")


def _plan_after(before: Plan | None, granted: Plan | None, plan: Plan) -> Plan:
    """Move the plan from where the subscription put it; what a person set by hand is never lowered."""
    if before == granted:
        return plan
    wanted = granted or _FREE
    if plan == (before or _FREE):
        return wanted
    return max(plan, wanted, key=PLANS.index)


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable
    return value


def _is(value: object, form: re.Pattern[str]) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _org_id(value: object) -> UUID | None:
    return UUID(str(value)) if _is(value, _UUID) else None


def _time(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 36:
        raise Unreadable
    return datetime.fromtimestamp(value, UTC)
