"""Who is calling, once authenticated, and what the roles and scopes are worth."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Literal, TypeAlias
from uuid import UUID


class Role(IntEnum):
    """Roles in an organisation; a higher one includes all lower ones."""

    VIEWER = 1
    MEMBER = 2
    ADMIN = 3
    OWNER = 4

    @classmethod
    def named(cls, name: str) -> Role:
        """Return the role of this name, e.g. `admin`."""
        return cls[name.upper()]


Scope: TypeAlias = Literal["read", "write", "admin", "report"]
SCOPE_ROLES: dict[str, Role] = {"read": Role.VIEWER, "write": Role.MEMBER, "admin": Role.ADMIN}
NARROW_SCOPES: dict[str, Role] = {"report": Role.MEMBER}
"""Scopes that open the calls that name them and nothing else, worth no role; each with the least role of who may hold it."""

ActorKind: TypeAlias = Literal["anonymous", "human", "key", "scim", "event"]


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller of one request or event.

    Attributes:
        kind: how it proved itself.
        id: user id, key id, id of a directory's token, or sender; empty for anonymous.
        org_id: the organisation it acts in; None before one is known.
        role: for people, the role in that organisation; for keys, what the widest scope is worth, None when all are narrow.
        scopes: scopes of a key.
        email, name: of a person.
        is_platform_admin: a person who runs the platform.
        signed_in_at: when the person last proved who they are.
        plan: plan of the organisation.
        session_id: of a person who signed in here.
        bound_org_id: the one organisation that the session reaches, when that one's own identity provider vouched.
        is_sso_required: the organisation takes nobody of this role who did not sign in by its own identity provider.
    """

    kind: ActorKind = "anonymous"
    id: str = ""
    org_id: UUID | None = None
    role: Role | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)
    email: str = ""
    name: str = ""
    is_platform_admin: bool = False
    signed_in_at: datetime | None = None
    plan: str = "free"
    session_id: UUID | None = None
    bound_org_id: UUID | None = None
    is_sso_required: bool = False

    @property
    def is_human(self) -> bool:
        """Whether a signed-in person calls."""
        return self.kind == "human"
