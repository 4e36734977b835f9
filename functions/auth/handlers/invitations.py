"""Invitations: made, listed, revoked, accepted. The token is shown once, to who invites; it is stored and told nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.data.errors import UniqueViolated
from shared.http.call import Call
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply
from shared.security.actor import Role
from shared.security.plans import limit_of

from ..domain import invitations as domain
from ..domain import orgs as org_domain
from ..domain.members import check_switched_on
from ..domain.sessions import hash_token, make_token
from ..errors import AlreadyMember, InvitationUnknown
from ..models.members import AcceptInvitation, CreateInvitation, InvitationView, NewInvitationView
from ..models.orgs import OrgView
from ..queries import members, orgs
from ..wiring import AuthDeps


def list_invitations(call: Call, deps: AuthDeps) -> Reply:
    """List invitations, newest first, with what has become of each."""
    query = call.query(PageQuery)
    with deps.db.unit(call.actor) as tx:
        rows = members.list_invitations(tx, after_id=query.after_id(), most=query.limit + 1, skipped=query.offset)
    return Reply.ok(page(rows, query, lambda row: InvitationView(**_shown(row, deps))))


def create_invitation(call: Call, deps: AuthDeps) -> Reply:
    """Invite somebody by e-mail address; the token is shown in this answer and never again.

    The one pending invitation of an address is replaced. Open invitations count as taken seats.
    """
    wish, now, actor_id = call.body(CreateInvitation), deps.clock.now(), UUID(call.actor.id)
    token = make_token(deps.entropy, domain.TOKEN_PREFIX)
    with deps.db.unit(call.actor, call.idempotency) as tx:
        org = orgs.lock_org(tx)
        actor = members.get_member(tx, actor_id)
        replaced = members.find_pending_invitation(tx, wish.email)
        domain.invite(
            Role.named(actor["role"]),
            Role.named(wish.role),
            replaced,
            limit_of("seats", org["plan"]),
            is_member=members.is_member_email(tx, wish.email),
            members=members.count_members(tx),
            promised=members.count_promised_seats(tx, but_email=wish.email, now=now),
        )
        if replaced is not None:
            members.set_invitation_revoked(tx, replaced["id"], now=now)
        invitation_id = members.insert_invitation(
            tx,
            email=wish.email,
            role=wish.role,
            token_hash=hash_token(token),
            invited_by=actor_id,
            expires_at=now + domain.LIFETIME,
        )
        told = {"email": wish.email, "role": wish.role}
        tx.audit("auth:invitation:created", "invitation", invitation_id, **told)
        tx.emit("org-events", {"event": "auth:invitation:created", "invitation_id": str(invitation_id), **told})
        view = NewInvitationView(token=token, **_shown(members.get_invitation(tx, invitation_id), deps))
        return tx.settle(Reply.created(view, shown_once=("token",)))


def revoke_invitation(call: Call, deps: AuthDeps) -> Reply:
    """Take an invitation back."""
    invitation_id, now = call.path_uuid("invitation_id"), deps.clock.now()
    with deps.db.unit(call.actor) as tx:
        orgs.lock_org(tx)
        actor = members.get_member(tx, UUID(call.actor.id))
        invitation = members.get_invitation(tx, invitation_id)
        domain.revoke(Role.named(actor["role"]), invitation, now=now)
        members.set_invitation_revoked(tx, invitation_id, now=now)
        tx.audit("auth:invitation:revoked", "invitation", invitation_id, email=invitation["email"])
        tx.emit("org-events", {"event": "auth:invitation:revoked", "invitation_id": str(invitation_id)})
    return Reply.no_content()


def accept_invitation(call: Call, deps: AuthDeps) -> Reply:
    """Join an organisation by the token of an invitation to the address that one signed in with."""
    wish, now, user_id = call.body(AcceptInvitation), deps.clock.now(), UUID(call.actor.id)
    found = members.find_by_token(deps.db, hash_token(wish.token))
    if found is None:
        raise InvitationUnknown
    org_domain.check_session(call.actor.bound_org_id, found["org_id"])
    with deps.db.unit_in(found["org_id"], call.actor) as tx:
        org = orgs.lock_org(tx)
        invitation = members.find_invitation(tx, found["invitation_id"])
        accepted = domain.accept(
            invitation,
            call.actor.email,
            limit_of("seats", org["plan"]),
            is_member=members.find_member(tx, user_id) is not None,
            members=members.count_members(tx),
            now=now,
        )
        check_switched_on(is_switched_off=members.is_switched_off(tx, user_id, call.actor.email))
        try:
            members.insert_member(tx, user_id, accepted["role"])
        except UniqueViolated as error:  # an identity provider brought the person in at this moment
            raise AlreadyMember from error
        members.set_invitation_accepted(tx, accepted["id"], now=now)
        tx.audit("auth:member:joined", "user", user_id, role=accepted["role"], invitation_id=accepted["id"])
        joined = {"user_id": str(user_id), "invitation_id": str(accepted["id"]), "role": accepted["role"]}
        tx.emit("org-events", {"event": "auth:member:joined", **joined})
    return Reply.ok(OrgView.model_validate({**org, "role": accepted["role"]}, extra="ignore"))


def _shown(row: Mapping[str, Any], deps: AuthDeps) -> dict[str, Any]:
    kept = {name: row[name] for name in InvitationView.model_fields if name != "status"}
    return {**kept, "status": domain.status_of(row, now=deps.clock.now())}
