"""Organisations."""

from __future__ import annotations

from uuid import UUID

from shared.http.call import Call
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply

from ..models.orgs import CreateOrg, OrgView
from ..queries import orgs as queries
from ..wiring import AuthDeps


def list_orgs(call: Call, deps: AuthDeps) -> Reply:
    """List the organisations of the person who calls."""
    query = call.query(PageQuery)
    rows = queries.list_orgs(deps.db, UUID(call.actor.id), after_id=query.after_id(), most=query.limit + 1)
    return Reply.ok(page(rows, query, OrgView.model_validate))


def create_org(call: Call, deps: AuthDeps) -> Reply:
    """Make an organisation; who makes it owns it."""
    wish = call.body(CreateOrg)
    org_id = deps.entropy.uuid()
    with deps.db.unit_in(org_id, call.actor) as tx:
        row = queries.insert_org(tx, name=wish.name, owner_id=UUID(call.actor.id))
        tx.audit("auth:org:created", "org", org_id, name=wish.name)
    return Reply.created(OrgView(role="owner", **row))


def get_org(call: Call, deps: AuthDeps) -> Reply:
    """Show one organisation."""
    with deps.db.unit(call.actor) as tx:
        row = queries.get_org(tx)
    return Reply.ok(OrgView(role=call.actor.role.name.lower() if call.actor.role else "viewer", **row))
