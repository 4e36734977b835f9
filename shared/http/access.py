"""Access rules: who may call a route. Deny by default: a route without a rule does not load."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from shared.security.actor import NARROW_SCOPES, SCOPE_ROLES, Actor, Role
from shared.security.errors import (
    FreshLoginRequired,
    HumanRequired,
    KeyRequired,
    NotFound,
    PlatformAdminRequired,
    RoleRequired,
    ScopeRequired,
    SsoRequired,
    Unauthenticated,
)

Who: TypeAlias = Literal["anyone", "signed_in", "member", "human", "key", "platform", "scim", "event"]

_FRESH = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Access:
    """One rule.

    Attributes:
        who: `anyone` (no credential, or a signature that the handler checks), `signed_in` (a person or key, no
            organisation in the path), `member` (a person or key of the path's organisation), `human` (the same, people
            only), `key` (keys only), `platform` (platform admins), `scim` (the path's organisation's directory), `event` (an authenticated push from the queue or the scheduler).
        role: least role; for keys the scope that is worth as much.
        is_fresh: the sign-in must be at most 15 minutes old.
        event: name of the subscription or schedule.
        scope: of a key, a narrow one that it must have; a key without it is refused whatever else it may do.
        permission: its name in `shared.http.permissions`; empty for events.
    """

    who: Who
    role: Role | None = None
    is_fresh: bool = False
    event: str = ""
    scope: str = ""
    permission: str = ""

    @classmethod
    def anyone(cls) -> Access:
        """Let everybody in; say in the route's docstring why that is right."""
        return cls("anyone")

    @classmethod
    def signed_in(cls) -> Access:
        """Let every person and key in, in no organisation in particular."""
        return cls("signed_in")

    @classmethod
    def member(cls, role: Role) -> Access:
        """Let people of at least this role in, and keys whose scope is worth it."""
        return cls("member", role)

    @classmethod
    def human(cls, role: Role | None = None, *, fresh: bool = False) -> Access:
        """Let signed-in people in, of at least this role when the path names an organisation; never keys."""
        return cls("human", role, fresh)

    @classmethod
    def key(cls, scope: str) -> Access:
        """Let keys in that have this narrow scope; never people.

        Raises:
            KeyError: there is no such narrow scope.
        """
        if scope not in NARROW_SCOPES:
            raise KeyError(scope)
        return cls("key", scope=scope)

    @classmethod
    def platform(cls) -> Access:
        """Let platform admins in."""
        return cls("platform")

    @classmethod
    def directory(cls) -> Access:
        """Let the directory of the path's organisation in, by a SCIM token; nobody else."""
        return cls("scim")

    @classmethod
    def from_event(cls, event: str) -> Access:
        """Let the queue or the scheduler in."""
        return cls("event", event=event)


def authorise(access: Access, actor: Actor, now: datetime) -> None:
    """Decide whether an authenticated caller may go on.

    Raises:
        Unauthenticated: (401) nobody is signed in.
        NotFound: (404) not a member of this organisation: its existence is not told.
        HumanRequired, KeyRequired, ScopeRequired, RoleRequired, SsoRequired, FreshLoginRequired,
        PlatformAdminRequired: (403).
    """
    if access.who == "anyone":
        return
    if actor.kind == "anonymous" or any((access.who == kind) != (actor.kind == kind) for kind in ("event", "scim")):
        raise Unauthenticated
    if access.who == "platform":
        if not (actor.is_human and actor.is_platform_admin):
            raise PlatformAdminRequired
    elif access.who == "key" and actor.kind != "key":
        raise KeyRequired
    elif actor.kind == "key" and access.who != "human":
        _check_narrow(access, actor)
    elif access.role is not None and actor.role is None and actor.kind != "key":
        raise NotFound
    if access.role is not None and actor.is_sso_required:
        raise SsoRequired
    if access.who == "human" and not actor.is_human:
        raise HumanRequired
    if access.role is not None and actor.role is not None and actor.role < access.role:
        _refuse_role(access.role, actor)
    if access.is_fresh and (actor.signed_in_at is None or now - actor.signed_in_at > _FRESH):
        raise FreshLoginRequired("this call needs a sign-in of the last 15 minutes", max_age_seconds=900)


def _check_narrow(access: Access, actor: Actor) -> None:
    """Keep narrow scopes and all others apart: neither stands in for the other."""
    if access.scope:
        if access.scope not in actor.scopes:
            raise ScopeRequired(required_scope=access.scope, scopes=sorted(actor.scopes))
    elif actor.role is None:
        _refuse_role(access.role or Role.VIEWER, actor)


def _refuse_role(role: Role, actor: Actor) -> None:
    if actor.kind == "key":
        needed = next((name for name, worth in SCOPE_ROLES.items() if worth >= role), "none")
        raise ScopeRequired(required_scope=needed, scopes=sorted(actor.scopes))
    raise RoleRequired(required_role=role.name.lower())
