"""Decisions about invitations: who may invite whom, what has become of an invitation, who may accept it.

A seat is taken when somebody accepts, so that is where the plan's limit holds whatever else happens. Inviting counts the open
invitations as well: nobody is invited to a seat that is promised to somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from shared.security.actor import Role
from shared.security.plans import Limit

from ..errors import AlreadyMember, InvitationEnded, InvitationForOther, InvitationUnknown, SeatLimitReached
from .members import check_reach

LIFETIME = timedelta(days=7)
TOKEN_PREFIX = "dwi_"  # noqa: S105  # a prefix

Status: TypeAlias = Literal["open", "accepted", "revoked", "expired", "void"]


def status_of(invitation: Mapping[str, Any], *, now: datetime) -> Status:
    """Say what has become of an invitation. `void`: who made it could not make it today, so it is worth nothing.

    Args:
        invitation: its row, with `maker_role`: the present role of who made it, None without a working account.
        now: time of the decision, aware UTC.
    """
    if invitation["accepted_at"] is not None:
        return "accepted"
    if invitation["revoked_at"] is not None:
        return "revoked"
    if invitation["expires_at"] <= now:
        return "expired"
    maker_role = invitation["maker_role"]
    if maker_role is None or Role.named(maker_role) < max(Role.named(invitation["role"]), Role.ADMIN):
        return "void"
    return "open"


def invite(
    actor: Role, wanted: Role, replaced: Mapping[str, Any] | None, seats: Limit, *, is_member: bool, members: int, promised: int
) -> None:  # fmt: skip
    """Decide whether somebody may be invited.

    Args:
        actor: role of who invites, as it is now.
        wanted: role to invite to.
        replaced: the open invitation of the same address, which this one takes the place of.
        seats: the plan's limit.
        is_member: whether somebody with this address belongs to the organisation.
        members: how many do.
        promised: open invitations of other addresses.

    Raises:
        RoleAboveYours: (403 `role_above_yours`).
        AlreadyMember: (409 `already_member`).
        SeatLimitReached: (402 `seat_limit_reached`).
    """
    check_reach(actor, wanted, *([Role.named(replaced["role"])] if replaced else []))
    if is_member:
        raise AlreadyMember
    if seats.is_reached(members + promised):
        raise SeatLimitReached(seats, members + promised)


def revoke(actor: Role, invitation: Mapping[str, Any], *, now: datetime) -> None:
    """Decide whether an invitation is taken back; one that expired, or is void, still may be.

    Raises:
        InvitationEnded: (409 `invitation_ended`).
        RoleAboveYours: (403 `role_above_yours`).
    """
    status = status_of(invitation, now=now)
    if status in {"accepted", "revoked"}:
        raise InvitationEnded(reason=status)
    check_reach(actor, Role.named(invitation["role"]))


def accept(
    invitation: Mapping[str, Any] | None, email: str, seats: Limit, *, is_member: bool, members: int, now: datetime
) -> Mapping[str, Any]:
    """Decide whether a person may take up an invitation, and return it; whose it is decides before anything is told about it.

    Args:
        invitation: its locked row, as for `status_of`.
        email: that the person signed in with, vouched for by the provider.
        seats: the plan's limit.
        is_member: whether the person belongs to the organisation already.
        members: how many do.
        now: time of the decision, aware UTC.

    Raises:
        InvitationUnknown: (404 `invitation_unknown`).
        InvitationForOther: (403 `invitation_for_other`).
        InvitationEnded: (409 `invitation_ended`).
        AlreadyMember: (409 `already_member`).
        SeatLimitReached: (402 `seat_limit_reached`).
    """
    if invitation is None:
        raise InvitationUnknown
    if invitation["email"].lower() != email.lower():
        raise InvitationForOther
    status = status_of(invitation, now=now)
    if status != "open":
        raise InvitationEnded(reason=status)
    if is_member:
        raise AlreadyMember
    if seats.is_reached(members):
        raise SeatLimitReached(seats, members)
    return invitation
