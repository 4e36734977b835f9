"""Stripe's events: proven, then answered by asking Stripe anew. Nothing that stands in an event is believed but which one it is about.

Events come twice and in any order, and two may be at work at once. So the subscription is asked for, and what was told is stored
only when nothing was stored since before it was asked; otherwise it is asked for again. A call that fails answers 5xx, and
Stripe sends the event again for days.
Source: https://docs.stripe.com/webhooks (duplicates, order, retries, signatures), ADR-0047
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias
from uuid import UUID

from shared.data.errors import AlreadyHandled
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.errors import MalformedRequest
from shared.http.reply import Reply
from shared.http.strict_json import parse_json
from shared.security.actor import Actor
from shared.security.errors import NotFound
from shared.security.plans import Plan
from shared.telemetry.log import logger

from ..domain import billing as domain
from ..domain import stripe_objects
from ..errors import BillingBusy
from ..models.billing import StripeEventView
from ..queries import billing as queries
from ..queries import orgs
from ..wiring import AuthDeps

Outcome: TypeAlias = Literal["applied", "unchanged", "ignored", "already_processed", "refused"]

_STRIPE: Final = "stripe"
_EVENTS: Final = "stripe-events"
_ROUNDS: Final = 3
_log = logger("auth")


def take_stripe_event(call: Call, deps: AuthDeps) -> Reply:
    """Take one event of Stripe's. Open to anyone: what proves the sender is its signature over the body."""
    deps.billing.check_event(call.headers, call.content, deps.clock)
    try:
        notice = stripe_objects.read_notice(parse_json(call.content))
    except stripe_objects.Unreadable:
        raise MalformedRequest("this is no event of Stripe's") from None
    outcome: Outcome = "ignored"  # of something else, or of a subscription that was not bought here
    if notice.org_id is not None and notice.subscription_id is not None:
        try:
            outcome = _settle(notice, notice.org_id, notice.subscription_id, deps)
        except AlreadyHandled:
            outcome = "already_processed"
        except NotFound:
            outcome = _refuse_stranger(notice, deps)
    _log.info("stripe event taken", stripe_event=notice.event_id, kind=notice.kind[:100], outcome=outcome)
    return Reply.ok(StripeEventView(outcome=outcome))


def _settle(notice: stripe_objects.Notice, org_id: UUID, subscription_id: str, deps: AuthDeps) -> Outcome:
    """Ask Stripe and store what it tells, unless something was stored meanwhile: then ask again.

    Raises:
        AlreadyHandled: the event was settled before.
        NotFound: there is no such organisation.
        BillingBusy: (503 `billing_busy`) something was stored every time.
    """
    actor = Actor("event", _STRIPE, org_id)
    for _ in range(_ROUNDS):
        with deps.db.unit(actor) as tx:
            seen = domain.held_of(queries.find_subscription(tx))
        found = [deps.billing.fetch_subscription(wanted) for wanted in domain.to_ask_for(seen, subscription_id)]
        with deps.db.unit(actor) as tx:
            plan: Plan = orgs.lock_any_org(tx)["plan"]
            held = domain.held_of(queries.lock_subscription(tx))
            if held == seen:
                tx.claim_event(_EVENTS, notice.event_id)
                return _apply(tx, deps, notice, held, plan, found)
    raise BillingBusy


def _apply(
    tx: UnitOfWork, deps: AuthDeps, notice: stripe_objects.Notice, held: domain.Held | None, plan: Plan, found: list[stripe_objects.Subscription]
) -> Outcome:  # fmt: skip
    """Store what each subscription means, one after the other; what became of the last one is the event's outcome."""
    outcome: Outcome = "unchanged"
    for subscription in found:
        decision = domain.decide(held, subscription, UUID(str(tx.org_id)), plan, deps.billing.prices)
        if isinstance(decision, domain.Refusal):
            _refuse(tx, notice, subscription.id, decision.reason)
            outcome = "refused"
        elif decision is not None:
            _store(tx, deps, notice, held, plan, decision)
            held, plan, outcome = decision.held, decision.plan, "applied"
        else:
            outcome = "unchanged"
    return outcome


def _store(
    tx: UnitOfWork, deps: AuthDeps, notice: stripe_objects.Notice, held: domain.Held | None, plan: Plan, change: domain.Change
) -> None:  # fmt: skip
    becomes = change.held
    queries.set_subscription(
        tx,
        subscription_id=str(becomes.subscription_id),
        status=str(becomes.status),
        price_id=becomes.price_id,
        granted_plan=becomes.granted_plan,
        period_ends_at=becomes.period_ends_at,
        cancels_at=becomes.cancels_at,
        now=deps.clock.now(),
    )
    told = {
        "old_status": held.status if held else None,
        "status": becomes.status,
        "granted_plan": becomes.granted_plan,
        "price_id": becomes.price_id,
        "cancels_at": becomes.cancels_at.isoformat() if becomes.cancels_at else None,
    }
    by_event = {"stripe_event": notice.event_id, "kind": notice.kind[:100]}
    tx.audit("auth:billing:subscription_changed", "subscription", becomes.subscription_id, **told, **by_event)
    tx.emit("org-events", {"event": "auth:billing:subscription_changed", **told})
    if change.plan != plan:
        orgs.set_plan(tx, change.plan)
        plans = {"old_plan": plan, "plan": change.plan}
        tx.audit("auth:org:plan_changed", "org", tx.org_id, **plans, **by_event)
        tx.audit_platform("auth:org:plan_changed", "org", tx.org_id, **plans, **by_event)
        tx.emit("org-events", {"event": "auth:org:plan_changed", **plans})


def _refuse(tx: UnitOfWork, notice: stripe_objects.Notice, subscription_id: str, reason: domain.Reason) -> None:
    """Change nothing, and tell the organisation and the platform: somebody has to put it right at Stripe."""
    facts = {"reason": reason, "org_id": str(tx.org_id), "stripe_event": notice.event_id, "kind": notice.kind[:100]}
    tx.audit("auth:billing:refused", "subscription", subscription_id, **facts)
    tx.audit_platform("auth:billing:refused", "subscription", subscription_id, **facts)
    tx.emit("org-events", {"event": "auth:billing:refused", "reason": reason})
    _log.warning("stripe event refused", reason=reason, org_id=str(tx.org_id), stripe_event=notice.event_id)


def _refuse_stranger(notice: stripe_objects.Notice, deps: AuthDeps) -> Outcome:
    """Tell the platform of a subscription for an organisation that is none."""
    facts = {"reason": "org_unknown", "org_id": str(notice.org_id), "stripe_event": notice.event_id}
    with deps.db.unit(Actor("event", _STRIPE)) as tx:
        tx.audit_platform("auth:billing:refused", "subscription", notice.subscription_id, **facts)
    _log.warning("stripe event refused", reason="org_unknown", org_id=str(notice.org_id), stripe_event=notice.event_id)
    return "refused"
