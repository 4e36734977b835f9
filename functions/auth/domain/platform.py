"""Decisions about the people who run the platform, and about people as they see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any
from uuid import UUID

from shared.security.errors import PlatformAdminRequired

from ..errors import LastOwner, LastPlatformAdmin


def change_user(admins: AbstractSet[UUID], actor_id: UUID, user_id: UUID, *, is_kept: bool) -> None:
    """Decide whether a platform admin may change a person.

    Args:
        admins: who runs the platform now, with working accounts; locked.
        actor_id: who changes; may have lost the right since the request came in.
        user_id: who is changed.
        is_kept: whether the person would go on being a platform admin who can act, if they are one.

    Raises:
        PlatformAdminRequired: (403 `platform_admin_required`).
        LastPlatformAdmin: (409 `last_platform_admin`).
    """
    if actor_id not in admins:
        raise PlatformAdminRequired
    if not is_kept and admins <= {user_id}:
        raise LastPlatformAdmin


def delete_user(memberships: Sequence[Mapping[str, Any]]) -> None:
    """Decide whether a person may be deleted: every live organisation must be left with an owner.

    Raises:
        LastOwner: (409 `last_owner`) names the organisations.
    """
    alone = [str(item["org_id"]) for item in memberships if item["is_only_owner"] and item["deleted_at"] is None]
    if alone:
        raise LastOwner(org_ids=alone)
