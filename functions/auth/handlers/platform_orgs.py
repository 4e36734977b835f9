"""Organisations, as those see them who run the platform: listed, put on another plan, deleted, restored.

Nothing of what is in them is shown. Every change stands in the organisation's own audit log as well as in the platform's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.paging import page
from shared.http.reply import Reply

from ..domain import orgs as domain
from ..models.platform import ChangePlatformOrg, PlatformOrgQuery, PlatformOrgView
from ..queries import members, orgs
from ..queries import platform as queries
from ..wiring import AuthDeps
from .orgs import end_org


def list_platform_orgs(call: Call, deps: AuthDeps) -> Reply:
    """List all organisations, newest first; deleted ones too."""
    query = call.query(PlatformOrgQuery)
    rows = queries.list_all_orgs(
        deps.db, search=query.search, state=query.state, after_id=query.after_id(), most=query.limit + 1
    )
    return Reply.ok(page(rows, query, _view))


def get_platform_org(call: Call, deps: AuthDeps) -> Reply:
    """Show one organisation, deleted or not."""
    with deps.db.unit_in(call.path_uuid("target_org_id"), call.actor) as tx:
        row = _with_members(tx, orgs.lock_any_org(tx))
    return Reply.ok(_view(row))


def change_platform_org(call: Call, deps: AuthDeps) -> Reply:
    """Put an organisation on another plan, or restore a deleted one within 30 days.

    What is above a smaller plan's limits stays; only more of it is refused.
    """
    org_id, wish = call.path_uuid("target_org_id"), call.body(ChangePlatformOrg)
    with deps.db.unit_in(org_id, call.actor) as tx:
        row = orgs.lock_any_org(tx)
        if wish.is_deleted is False and row["deleted_at"] is not None:
            domain.restore(row, owners=members.count_owners(tx, but_id=None), now=deps.clock.now())
            orgs.set_deleted_at(tx, None)
            _tell(tx, "auth:org:restored", row["id"])
            row = {**row, "deleted_at": None}
        if wish.plan is not None and wish.plan != row["plan"]:
            domain.check_live(row)
            orgs.set_plan(tx, wish.plan)
            _tell(tx, "auth:org:plan_changed", row["id"], old_plan=row["plan"], plan=wish.plan)
            row = {**row, "plan": wish.plan}
        row = _with_members(tx, row)
    return Reply.ok(_view(row))


def delete_platform_org(call: Call, deps: AuthDeps) -> Reply:
    """Delete an organisation as its owner could; it can be restored for 30 days."""
    with deps.db.unit_in(call.path_uuid("target_org_id"), call.actor) as tx:
        row = orgs.lock_any_org(tx)
        domain.check_live(row)
        end_org(tx, deps, row["name"])
    return Reply.no_content()


def _tell(tx: UnitOfWork, action: str, org_id: object, **facts: object) -> None:
    tx.audit(action, "org", org_id, **facts)
    tx.audit_platform(action, "org", org_id, **facts)
    tx.emit("org-events", {"event": action, **facts})


def _with_members(tx: UnitOfWork, row: Row) -> Row:
    return {**row, "members": members.count_members(tx)}


def _view(row: Mapping[str, Any]) -> PlatformOrgView:
    return PlatformOrgView(purge_at=domain.purge_at(row), **row)
