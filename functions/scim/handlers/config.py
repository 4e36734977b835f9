"""Which roles the directory's groups give: shown and set by people."""

from __future__ import annotations

from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.reply import Reply
from shared.security.plans import has_feature, require_feature

from ..models.setup import GroupRole, PutScimConfig, ScimConfigView
from ..queries import config as queries
from ..queries import memberships
from .access_changes import give_roles
from .answers import base_url


def show_scim_config(call: Call, deps: Deps) -> Reply:
    """Show which roles the directory's groups give."""
    with deps.db.unit(call.actor) as tx:
        return Reply.ok(_view(tx, call, deps))


def put_scim_config(call: Call, deps: Deps) -> Reply:
    """Say which roles the directory's groups give; everybody whom the directory put in has theirs from then on.

    A group that is not there yet may be named. Owner is given by people alone, and whoever is owner stays it.
    """
    require_feature("scim", call.actor.plan)
    wish = call.body(PutScimConfig)
    roles = {item.group: item.role for item in wish.group_roles}
    with deps.db.unit(call.actor) as tx:
        memberships.hold_org(tx)
        queries.put_config(tx, default_role=wish.default_role, group_roles=roles, now=deps.clock.now())
        changed = give_roles(tx, memberships.list_linked_ids(tx))
        named = [f"{name}: {role}" for name, role in sorted(roles.items())]
        facts = {"default_role": wish.default_role, "group_roles": named, "roles_changed": changed}
        tx.audit("scim:config:changed", "org", call.org_id, **facts)
        return Reply.ok(_view(tx, call, deps))


def _view(tx: UnitOfWork, call: Call, deps: Deps) -> ScimConfigView:
    row = queries.find_config(tx)
    return ScimConfigView(
        scim_endpoint=base_url(call, deps) if has_feature("scim", call.actor.plan) else None,
        default_role=row["default_role"] if row else "viewer",
        group_roles=[GroupRole.model_validate(item) for item in queries.list_group_roles(tx)],
        updated_at=row["updated_at"] if row else None,
    )
