"""What an organisation pays for: shown, bought, changed. Paying itself happens on Stripe's pages.

Nothing here changes a plan: what was bought is told by Stripe's events (`billing_events`).
"""

from __future__ import annotations

import hashlib

from shared.http.call import Call
from shared.http.reply import Reply

from ..domain import billing as domain
from ..errors import NoCustomer
from ..models.billing import BillingPageView, BillingView, CreateCheckout, PriceView
from ..queries import billing as queries
from ..queries import orgs
from ..wiring import AuthDeps


def show_billing(call: Call, deps: AuthDeps) -> Reply:
    """Show what the organisation pays for, and what it could buy."""
    with deps.db.unit(call.actor) as tx:
        plan: str = orgs.get_org(tx)["plan"]
        held = domain.held_of(queries.find_subscription(tx))
    prices = deps.billing.prices
    view = BillingView(
        is_enabled=deps.billing.is_enabled,
        plan=plan,
        granted_plan=held.granted_plan if held else None,
        status=held.status if held else None,
        warning=domain.warning_of(held),
        has_portal=deps.billing.is_enabled and held is not None,
        period_ends_at=held.period_ends_at if held else None,
        cancels_at=held.cancels_at if held else None,
        prices=[PriceView(price_id=price_id, plan=bought) for price_id, bought in prices.items()],
    )
    return Reply.ok(view)


def begin_checkout(call: Call, deps: AuthDeps) -> Reply:
    """Open the page on which a plan is bought. An organisation that has a subscription changes it in the portal."""
    wish = call.body(CreateCheckout)
    deps.billing.require()
    plan = domain.check_price(wish.price_id, deps.billing.prices)
    with deps.db.unit(call.actor) as tx:
        tx.recall(call.idempotency)
        held = domain.held_of(queries.find_subscription(tx))
        domain.check_room(held)
    customer_id = held.customer_id if held else _make_customer(call, deps)
    url = deps.billing.open_checkout(
        call.org_id, customer_id, wish.price_id, _return_url(deps), _request_key(call, deps)
    )
    with deps.db.unit(call.actor, call.idempotency) as tx:
        orgs.lock_org(tx)
        domain.check_room(domain.held_of(queries.lock_subscription(tx)))
        tx.audit("auth:billing:checkout_begun", "org", call.org_id, price_id=wish.price_id, plan=plan)
        return tx.settle(Reply.created(BillingPageView(url=url), shown_once=("url",)))


def open_portal(call: Call, deps: AuthDeps) -> Reply:
    """Open the page on which the subscription is changed or cancelled, and on which invoices are."""
    deps.billing.require()
    with deps.db.unit(call.actor) as tx:
        tx.recall(call.idempotency)
        held = domain.held_of(queries.find_subscription(tx))
    if held is None:
        raise NoCustomer
    url = deps.billing.open_portal(held.customer_id, _return_url(deps), _request_key(call, deps))
    with deps.db.unit(call.actor, call.idempotency) as tx:
        tx.audit("auth:billing:portal_opened", "org", call.org_id)
        return tx.settle(Reply.created(BillingPageView(url=url), shown_once=("url",)))


def _make_customer(call: Call, deps: AuthDeps) -> str:
    """Make the organisation's customer, unless somebody else was faster; returns the one that is stored."""
    made = deps.billing.make_customer(call.org_id)
    with deps.db.unit(call.actor) as tx:
        if not queries.insert_customer(tx, made, deps.clock.now()):
            row = queries.find_subscription(tx)
            return made if row is None else str(row["customer_id"])
        tx.audit("auth:billing:customer_made", "org", call.org_id, customer_id=made)
    return made


def _return_url(deps: AuthDeps) -> str:
    return f"{deps.settings.public_url}/"


def _request_key(call: Call, deps: AuthDeps) -> str:
    """Return what tells Stripe a repeated request from a new one: as the caller's own key does, when there is one."""
    if call.idempotency is None:
        return str(deps.entropy.uuid())
    return hashlib.sha256(call.idempotency.fingerprint + call.idempotency.key.encode()).hexdigest()
