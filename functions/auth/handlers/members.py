"""Members of an organisation: listed, given another role, taken out, leaving; ownership handed over.

Each change first holds the organisation and then reads the roles anew: what the caller was when the request came in may not
be true any more, and of two owners who demote each other only one may succeed.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.access import authorise
from shared.http.call import Call
from shared.http.paging import PageQuery, page
from shared.http.permissions import may
from shared.http.reply import Reply
from shared.security.actor import Role

from ..domain import members as domain
from ..models.members import ChangeMember, MemberView, TransferOwnership
from ..queries import members as queries
from ..queries import orgs as org_queries
from ..wiring import AuthDeps


def list_members(call: Call, deps: AuthDeps) -> Reply:
    """List who belongs to the organisation, and with which role."""
    query = call.query(PageQuery)
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_members(tx, after_id=query.after_id(), most=query.limit + 1, skipped=query.offset)
    return Reply.ok(page(rows, query, MemberView.of))


def change_member(call: Call, deps: AuthDeps) -> Reply:
    """Give a member another role; never above one's own, and an owner always stays.

    Keys that the member made lose what the member lost, at once.
    """
    user_id, wanted = call.path_uuid("user_id"), Role.named(call.body(ChangeMember).role)
    with deps.db.unit(call.actor) as tx:
        actor, member = _lock(tx, call, user_id)
        present = Role.named(member["role"])
        others = queries.count_owners(tx, but_id=user_id)
        domain.change_role(Role.named(actor["role"]), present, wanted, other_owners=others)
        if wanted is not present:
            _set_role(tx, user_id, present, wanted, deps.clock.now())
    return Reply.ok(MemberView.of({**member, "role": wanted.name.lower()}))


def remove_member(call: Call, deps: AuthDeps) -> Reply:
    """Take a member out of the organisation. Everybody may take themselves out; for others it takes a freshly signed-in admin."""
    user_id, now = call.path_uuid("user_id"), deps.clock.now()
    is_leaving = str(user_id) == call.actor.id
    if not is_leaving:
        authorise(may("members:remove"), call.actor, now)
    with deps.db.unit(call.actor) as tx:
        actor, member = _lock(tx, call, user_id)
        present = Role.named(member["role"])
        others = queries.count_owners(tx, but_id=user_id)
        domain.remove(Role.named(actor["role"]), present, other_owners=others)
        take_out(tx, member, "auth:member:left" if is_leaving else "auth:member:removed", now)
    return Reply.no_content()


def transfer_ownership(call: Call, deps: AuthDeps) -> Reply:
    """Hand the ownership to another member; who hands it over becomes an admin."""
    wish, actor_id, now = call.body(TransferOwnership), UUID(call.actor.id), deps.clock.now()
    with deps.db.unit(call.actor, call.idempotency) as tx:
        actor, member = _lock(tx, call, wish.user_id)
        domain.check_reach(Role.named(actor["role"]), Role.OWNER)
        domain.transfer(is_same=wish.user_id == actor_id, is_disabled=member["is_disabled"])
        queries.set_role(tx, wish.user_id, "owner")
        queries.set_role(tx, actor_id, "admin")
        queries.revoke_invitations_of(tx, actor_id, roles=domain.roles_above(Role.ADMIN), now=now)
        tx.audit("auth:ownership:transferred", "user", wish.user_id, from_user=actor_id, old_role=member["role"])
        tx.emit("org-events", {"event": "auth:ownership:transferred", "user_id": str(wish.user_id)})
        return tx.settle(Reply.ok(MemberView.of({**member, "role": "owner"})))


def take_out(tx: UnitOfWork, member: Row, action: str, now: datetime) -> None:
    """Take a person out of the organisation that a unit of work holds, with what hung on the membership."""
    user_id = member["id"]
    queries.delete_member(tx, user_id)
    ended = org_queries.end_bound_sessions(tx, user_id=user_id, now=now)
    revoked = queries.revoke_invitations_of(tx, user_id, roles=domain.roles_above(None), now=now)
    facts = {"role": member["role"], "sessions_ended": ended, "invitations_revoked": revoked}
    tx.audit(action, "user", user_id, **facts)
    tx.emit("org-events", {"event": action, "user_id": str(user_id), "role": member["role"]})


def _lock(tx: UnitOfWork, call: Call, user_id: UUID) -> tuple[Row, Row]:
    """Hold the organisation; returns who calls and who is meant, as they are now."""
    org_queries.lock_org(tx)
    return queries.get_member(tx, UUID(call.actor.id)), queries.get_member(tx, user_id)


def _set_role(tx: UnitOfWork, user_id: UUID, present: Role, wanted: Role, now: datetime) -> None:
    names = {"old_role": present.name.lower(), "role": wanted.name.lower()}
    queries.set_role(tx, user_id, names["role"])
    lost = domain.roles_above(wanted if wanted >= Role.ADMIN else None)
    revoked = queries.revoke_invitations_of(tx, user_id, roles=lost, now=now)
    tx.audit("auth:member:role_changed", "user", user_id, invitations_revoked=revoked, **names)
    tx.emit("org-events", {"event": "auth:member:role_changed", "user_id": str(user_id), **names})
