"""What a subscription at Stripe means for an organisation: what it grants, what may change the plan, what is refused.

Pure: it asks Stripe nothing and stores nothing. An event only says that something may have changed; what counts is the
subscription as Stripe tells it when it is asked anew (ADR-0047).
Source: https://docs.stripe.com/billing/subscriptions/overview (statuses)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from shared.security.plans import PLANS, Plan

from ..errors import PriceUnknown, SubscriptionExists, SubscriptionRuns
from .stripe_objects import Subscription

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
_MOST_PRICES = 20


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
        plan: Plan | None = next((plan for plan in _SOLD if plan == name), None)
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
    wanted: Plan = granted or _FREE
    if plan == (before or _FREE):
        return wanted
    return plan if PLANS.index(plan) >= PLANS.index(wanted) else wanted
