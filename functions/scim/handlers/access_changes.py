"""Who belongs to the organisation because its directory says so, and what ends when it says so no longer.

Changes nothing of a person but the membership of this one organisation: names, addresses and other organisations are not a
directory's business. Every caller holds the organisation (`queries.memberships.hold_org`) before it reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.unit_of_work import UnitOfWork

from ..errors import LastOwner
from ..queries import memberships as queries

_PEOPLE_PER_ENTRY = 100


def let_in(tx: UnitOfWork, scim_user_id: UUID, user_id: UUID) -> None:
    """Make the person behind a resource a member, with the role that the person's groups give."""
    if queries.find_role(tx, user_id) is not None:
        give_roles(tx, [scim_user_id])
        return
    role = queries.wanted_role(tx, scim_user_id)
    if role is None:
        return
    queries.insert_member(tx, user_id, role)
    tx.audit("scim:member:joined", "user", user_id, role=role, resource_id=scim_user_id)
    tx.emit("org-events", {"event": "scim:member:joined", "user_id": str(user_id), "role": role})


def take_out(tx: UnitOfWork, people: set[UUID], scim_user_id: UUID, now: datetime) -> None:
    """Take the people behind a resource out of the organisation, with all that hung on their membership.

    Their sessions that reach this organisation alone end, their API keys of it are revoked, and so are the invitations that
    they made; all of it in the caller's transaction.

    Raises:
        LastOwner: (403 `last_owner`).
    """
    for user_id in sorted(people):
        role = queries.find_role(tx, user_id)
        if role == "owner" and queries.count_other_owners(tx, user_id) == 0:
            raise LastOwner
        if role is not None:
            queries.delete_member(tx, user_id)
        ended = queries.end_sessions(tx, user_id)
        keys = queries.revoke_keys(tx, user_id, now=now)
        invitations = queries.revoke_invitations(tx, user_id, now=now)
        for key in keys:
            tx.audit("scim:api_key:revoked", "api_key", key["id"], name=key["name"], made_by=user_id)
        if role is None and not ended and not keys:
            continue
        facts = {"role": role, "sessions_ended": ended, "keys_revoked": len(keys), "invitations_revoked": invitations}
        tx.audit("scim:member:removed", "user", user_id, resource_id=scim_user_id, **facts)
        tx.emit("org-events", {"event": "scim:member:removed", "user_id": str(user_id), "role": role})


def give_roles(tx: UnitOfWork, scim_user_ids: Sequence[UUID]) -> int:
    """Give the people behind these resources the roles of their groups; returns how many changed. Owners stay owners."""
    if not scim_user_ids:
        return 0
    changed = queries.set_roles(tx, scim_user_ids)
    by_change: dict[tuple[str, str], list[str]] = {}
    for row in changed:
        by_change.setdefault((row["old_role"], row["role"]), []).append(str(row["user_id"]))
    for (old_role, role), user_ids in sorted(by_change.items()):
        user_ids.sort()
        for start in range(0, len(user_ids), _PEOPLE_PER_ENTRY):
            part = user_ids[start : start + _PEOPLE_PER_ENTRY]
            tx.audit("scim:members:role_changed", "user", part[0], old_role=old_role, role=role, user_ids=part)
    return len(changed)
