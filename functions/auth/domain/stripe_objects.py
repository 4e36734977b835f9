"""What is sent to Stripe, and what of its answers and events is read. Shapes only: what follows from them says `billing`.

Source: https://docs.stripe.com/api/events/object, https://docs.stripe.com/api/subscriptions/object,
  https://docs.stripe.com/api/checkout/sessions/object
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

_ANY_PRICE = re.compile(r"[!-~]{1,250}")  # old ones are called as their owner liked
_SUBSCRIPTION = re.compile(r"sub_[0-9A-Za-z]{1,200}")
_CUSTOMER = re.compile(r"cus_[0-9A-Za-z]{1,200}")
_EVENT = re.compile(r"evt_[0-9A-Za-z_]{1,200}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CHECKOUTS: Final = frozenset({"checkout.session.completed", "checkout.session.async_payment_succeeded"})
_SUBSCRIPTIONS: Final = "customer.subscription."
_MOST_ITEMS, _MOST_URL = 100, 4096


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


# --- What is sent ------------------------------------------------------------------------------------------------------


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


# --- What comes back ---------------------------------------------------------------------------------------------------


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
    if not isinstance(found, str) or not found.startswith("https://") or len(found) > _MOST_URL:
        raise Unreadable
    return found


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
