"""Decisions about who belongs to an organisation with which role. Nobody reaches above themselves; an owner always stays."""

from __future__ import annotations

from shared.security.actor import Role

from ..errors import LastOwner, MemberDisabled, RoleAboveYours, SwitchedOff, TransferToSelf


def change_role(actor: Role, present: Role, wanted: Role, *, other_owners: int) -> None:
    """Decide whether a member gets another role; one's own may be lowered.

    Args:
        actor: role of who changes it, as it is now, not as it was when the request came in.
        present: the member's role.
        wanted: the role to give.
        other_owners: owners with a working account besides the member.

    Raises:
        RoleAboveYours: (403 `role_above_yours`).
        LastOwner: (409 `last_owner`).
    """
    check_reach(actor, present, wanted)
    _check_owner_stays(present, wanted, other_owners)


def remove(actor: Role, present: Role, *, other_owners: int) -> None:
    """Decide whether a member is taken out by somebody, or leaves; arguments and errors as `change_role`."""
    check_reach(actor, present)
    _check_owner_stays(present, None, other_owners)


def check_switched_on(*, is_switched_off: bool) -> None:
    """Keep out whom the organisation's directory has switched off, whichever door they come by.

    Raises:
        SwitchedOff: (403 `switched_off`).
    """
    if is_switched_off:
        raise SwitchedOff


def transfer(*, is_same: bool, is_disabled: bool) -> None:
    """Decide whether an owner may hand the ownership to a member.

    Raises:
        TransferToSelf: (409 `transfer_to_self`).
        MemberDisabled: (409 `member_disabled`) nobody would be left who can act.
    """
    if is_same:
        raise TransferToSelf
    if is_disabled:
        raise MemberDisabled


def check_reach(actor: Role, *roles: Role) -> None:
    """Decide whether somebody may deal with these roles.

    Raises:
        RoleAboveYours: (403 `role_above_yours`).
    """
    if max(roles) > actor:
        raise RoleAboveYours(your_role=actor.name.lower())


def roles_above(role: Role | None) -> list[str]:
    """Return the names of the roles above one; of all roles for None."""
    return [each.name.lower() for each in Role if role is None or each > role]


def _check_owner_stays(present: Role, wanted: Role | None, other_owners: int) -> None:
    if present is Role.OWNER and wanted is not Role.OWNER and other_owners == 0:
        raise LastOwner
