"""People, as those see them who run the platform: listed, switched off and on, made platform admin, deleted."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from shared.data.errors import RowInUse
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.paging import page
from shared.http.reply import Reply
from shared.security.actor import Role

from ..domain import members as member_domain
from ..domain import platform as domain
from ..errors import UserBusy
from ..models.platform import ChangeUser, MembershipView, UserDetailView, UserQuery, UserView
from ..queries import members, orgs
from ..queries import platform as queries
from ..wiring import AuthDeps
from .members import take_out


def list_users(call: Call, deps: AuthDeps) -> Reply:
    """List people with an account, newest first."""
    query = call.query(UserQuery)
    filters = query.model_dump(include={"search", "is_platform_admin", "is_disabled"})
    with deps.db.unit_in(None, call.actor) as tx:
        rows = queries.list_users(tx, after_id=query.after_id(), most=query.limit + 1, **filters)
    return Reply.ok(page(rows, query, UserView.model_validate))


def get_user(call: Call, deps: AuthDeps) -> Reply:
    """Show one person and the organisations they belong to."""
    user_id = call.path_uuid("user_id")
    with deps.db.unit_in(None, call.actor) as tx:
        row = queries.get_user(tx, user_id)
    memberships = [MembershipView(**item) for item in queries.list_memberships(deps.db, user_id)]
    return Reply.ok(UserDetailView(memberships=memberships, **row))


def change_user(call: Call, deps: AuthDeps) -> Reply:
    """Switch an account off or on, make somebody a platform admin or no longer one.

    Switching off ends every session in the same transaction, and with it the keys that the person made.
    """
    user_id, wish, now = call.path_uuid("user_id"), call.body(ChangeUser), deps.clock.now()
    with deps.db.unit_in(None, call.actor) as tx:
        admins, row = queries.lock_admins(tx), queries.lock_user(tx, user_id)
        is_admin = row["is_platform_admin"] if wish.is_platform_admin is None else wish.is_platform_admin
        is_disabled = row["disabled_at"] is not None if wish.is_disabled is None else wish.is_disabled
        domain.change_user(admins, UUID(call.actor.id), user_id, is_kept=is_admin and not is_disabled)
        disabled_at = (row["disabled_at"] or now) if is_disabled else None
        queries.set_user(tx, user_id, is_platform_admin=is_admin, disabled_at=disabled_at)
        if is_admin != row["is_platform_admin"]:
            tx.audit_platform(f"auth:platform_admin:{'made' if is_admin else 'unmade'}", "user", user_id)
        if is_disabled != (row["disabled_at"] is not None):
            _tell_switched(tx, user_id, now, is_disabled=is_disabled)
    return Reply.ok(UserView.model_validate({**row, "is_platform_admin": is_admin, "disabled_at": disabled_at}))


def delete_user(call: Call, deps: AuthDeps) -> Reply:
    """Delete a person who is not the only owner of a live organisation.

    The account is switched off first, so that it can join nothing any more; then each organisation lets the person go, in a
    transaction and an audit log of its own. What was interrupted goes on when the call is repeated.
    """
    user_id = call.path_uuid("user_id")
    memberships = queries.list_memberships(deps.db, user_id)
    domain.delete_user(memberships)
    _switch_off(call, deps, user_id)
    for membership in memberships:
        _leave(call, deps, membership["org_id"], user_id)
    with deps.db.unit_in(None, call.actor) as tx:
        try:
            queries.delete_user(tx, user_id)
        except RowInUse as error:
            raise UserBusy from error
        tx.audit_platform("auth:user:deleted", "user", user_id, orgs_left=len(memberships))
    return Reply.no_content()


def _switch_off(call: Call, deps: AuthDeps, user_id: UUID) -> None:
    now = deps.clock.now()
    with deps.db.unit_in(None, call.actor) as tx:
        admins, row = queries.lock_admins(tx), queries.lock_user(tx, user_id)
        domain.change_user(admins, UUID(call.actor.id), user_id, is_kept=False)
        if row["disabled_at"] is None:
            queries.set_user(tx, user_id, is_platform_admin=row["is_platform_admin"], disabled_at=now)
            _tell_switched(tx, user_id, now, is_disabled=True)


def _leave(call: Call, deps: AuthDeps, org_id: UUID, user_id: UUID) -> None:
    """Take a person out of one organisation; one that is live keeps an owner, whatever happened since it was asked."""
    with deps.db.unit_in(org_id, call.actor) as tx:
        org, member = orgs.lock_any_org(tx), members.find_member(tx, user_id)
        if member is None:
            return
        if org["deleted_at"] is None:
            others = members.count_owners(tx, but_id=user_id)
            member_domain.remove(Role.OWNER, Role.named(member["role"]), other_owners=others)
        take_out(tx, member, "auth:member:removed", deps.clock.now())


def _tell_switched(tx: UnitOfWork, user_id: UUID, now: datetime, *, is_disabled: bool) -> None:
    if is_disabled:
        tx.audit_platform(
            "auth:user:disabled", "user", user_id, sessions_ended=queries.end_sessions(tx, user_id, now=now)
        )
    else:
        tx.audit_platform("auth:user:enabled", "user", user_id)
