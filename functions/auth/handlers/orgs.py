"""Organisations: listed, made, shown, renamed, deleted."""

from __future__ import annotations

from uuid import UUID

from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply

from ..domain import orgs as domain
from ..domain.billing import check_no_more_charges, held_of
from ..models.orgs import ChangeOrg, CreateOrg, OrgView
from ..queries import orgs as queries
from ..queries.billing import lock_subscription
from ..wiring import AuthDeps


def list_orgs(call: Call, deps: AuthDeps) -> Reply:
    """List the organisations of the person who calls; of a session that reaches one, that one."""
    query, bound_to = call.query(PageQuery), call.actor.bound_org_id
    rows = queries.list_orgs(
        deps.db, UUID(call.actor.id), bound_to=bound_to, after_id=query.after_id(), most=query.limit + 1
    )
    return Reply.ok(page(rows, query, OrgView.model_validate))


def create_org(call: Call, deps: AuthDeps) -> Reply:
    """Make an organisation; who makes it owns it."""
    wish = call.body(CreateOrg)
    domain.check_session(call.actor.bound_org_id)
    org_id = deps.entropy.uuid()
    with deps.db.unit_in(org_id, call.actor) as tx:
        row = queries.insert_org(tx, name=wish.name, owner_id=UUID(call.actor.id))
        tx.audit("auth:org:created", "org", org_id, name=wish.name)
    return Reply.created(OrgView(role="owner", **row))


def get_org(call: Call, deps: AuthDeps) -> Reply:
    """Show one organisation."""
    with deps.db.unit(call.actor) as tx:
        row = queries.get_org(tx)
    return Reply.ok(_view(call, row))


def change_org(call: Call, deps: AuthDeps) -> Reply:
    """Rename an organisation."""
    wish = call.body(ChangeOrg)
    with deps.db.unit(call.actor) as tx:
        row = queries.lock_org(tx)
        if wish.name != row["name"]:
            queries.set_name(tx, wish.name)
            tx.audit("auth:org:renamed", "org", call.org_id, old_name=row["name"], name=wish.name)
            tx.emit("org-events", {"event": "auth:org:renamed", "name": wish.name})
    return Reply.ok(_view(call, {**row, "name": wish.name}))


def delete_org(call: Call, deps: AuthDeps) -> Reply:
    """Delete an organisation: nobody gets in any more, no key works; for 30 days the platform can restore it."""
    with deps.db.unit(call.actor) as tx:
        row = queries.lock_org(tx)
        if deps.billing.is_enabled:
            check_no_more_charges(held_of(lock_subscription(tx)))
        end_org(tx, deps, row["name"])
    return Reply.no_content()


def end_org(tx: UnitOfWork, deps: AuthDeps, name: str) -> None:
    """Delete the organisation of a unit of work, which holds it; told in its own audit log and in the platform's."""
    now = deps.clock.now()
    queries.set_deleted_at(tx, now)
    ended = queries.end_bound_sessions(tx, user_id=None, now=now)
    tx.audit("auth:org:deleted", "org", tx.org_id, name=name, sessions_ended=ended)
    tx.audit_platform("auth:org:deleted", "org", tx.org_id)
    tx.emit("org-events", {"event": "auth:org:deleted"})


def _view(call: Call, row: dict[str, object]) -> OrgView:
    role = call.actor.role.name.lower() if call.actor.role else "viewer"
    return OrgView.model_validate({**row, "role": role}, extra="ignore")
