"""Which rights an audit entry says were taken away, and how they are taken away again. Decides; reads and writes nothing.

A restore to a point in time brings back what was revoked since. Whatever takes a right away is audited, so the entries
after the point say what has to end again (ADR-0045).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal, TypeAlias

from shared.security.audit import Entry

from . import queries
from .owner import WorkRole

Where: TypeAlias = WorkRole | Literal["owner"]


@dataclass(frozen=True, slots=True)
class Ending:
    """One right that ends again.

    Attributes:
        where: the role that a statement runs under; `owner` for what belongs to no organisation.
        sql: takes `target_id` and `at` or `role`, returns a row when it changed something.
        target_id: whose.
        values: the statement's other parameters.
    """

    where: Where
    sql: str
    target_id: str
    values: Mapping[str, str | datetime] = field(default_factory=dict)


_AT: Mapping[str, tuple[Where, str]] = {
    "keys:api_key:revoked": ("keys_work", queries.REVOKE_KEY),
    "keys:api_key:leaked": ("keys_work", queries.REVOKE_KEY),
    "keys:api_key:rotated": ("keys_work", queries.REVOKE_KEY),  # its successor is lost, and it may have leaked
    "scim:api_key:revoked": ("keys_work", queries.REVOKE_KEY),
    "scim:access_token:revoked": ("scim_work", queries.REVOKE_DIRECTORY),
    "auth:org:deleted": ("auth_work", queries.DELETE_ORG),
    "auth:user:disabled": ("owner", queries.DISABLE_USER),
    "auth:user:deleted": ("owner", queries.DISABLE_USER),  # and deleted again by a platform admin
}
_WHOSE: Mapping[str, tuple[Where, str]] = {
    "auth:member:removed": ("auth_work", queries.REMOVE_MEMBER),
    "auth:member:left": ("auth_work", queries.REMOVE_MEMBER),
    "scim:member:removed": ("auth_work", queries.REMOVE_MEMBER),
    "auth:platform_admin:unmade": ("owner", queries.UNMAKE_ADMIN),
    "auth:domain:removed": ("owner", queries.REMOVE_DOMAIN),
}
_ROLES = frozenset({"auth:member:role_changed", "auth:ownership:transferred", "scim:members:role_changed"})
AGAIN = frozenset(_AT) | frozenset(_WHOSE) | _ROLES

BY_ITSELF: Mapping[str, str] = MappingProxyType(
    {
        "auth:session:revoked": "every session ends",
        "auth:session:others_revoked": "every session ends",
        "auth:session:ended_by_provider": "every session ends",
        "auth:session:reuse_detected": "every session ends",
        "auth:terminal:denied": "every device grant is forgotten",
        "auth:invitation:revoked": "every open invitation ends",
        "auth:org:purged": "it was deleted 30 days before, so the hourly purge empties it again",
    }
)
BY_PEOPLE: Mapping[str, str] = MappingProxyType({
    "analyze:code_host:deleted": "delete the code host again",
    "analyze:custom_rule:deleted": "delete the rule again",
    "analyze:llm_config:deleted": "delete the model's configuration again",
    "analyze:plan_noise:shown_again": "delete the suppression again",
    "analyze:rule:disabled": "disable the rule again",
    "auth:audit_export:deleted": "delete the pack again, or let it be deleted after 7 days",
    "auth:secret:rotated": "keep the secret's older version enabled: hashes and digests of the restored rows name it",
    "auth:sso_config:deleted": "delete the identity provider's configuration again",
    "auth:sso_domain:deleted": "give the domain up again",
    "scan:asset_feed:deleted": "delete the feed again",
    "scan:cloud_account:deleted": "delete the account again",
    "scan:ignore_rule:deleted": "delete the ignore rule again",
    "scan:schedule:deleted": "delete the schedule again",
    "scan:schedule:disabled": "look why the schedule was switched off",
    "scan:state_source:deleted": "delete the state source again",
    "scim:group:deleted": "let the directory provision again",
    "scim:user:deleted": "let the directory provision again",
    "scim:user:deactivated": "let the directory provision again",
    "webhook:channel:deleted": "delete the channel again",
    "webhook:channel:disabled": "look why the channel was switched off",
    "webhook:channel:rotated": "rotate its secret again, with grace 0",
    "webhook:config:deleted": "delete the webhook again",
    "webhook:config:rotated": "rotate its secret again, with grace 0",
})  # fmt: skip
"""What only people can do again: the value is unknown here (a secret), or the deed is the organisation's own to decide."""


def endings(entry: Entry) -> Iterator[Ending]:
    """Yield the rights that an entry says were taken away; none for everything that gave some or changed other things."""
    event = entry.event
    if event.action in _AT:
        where, sql = _AT[event.action]
        yield Ending(where, sql, event.target_id, {"at": entry.at})
    elif event.action in _WHOSE:
        where, sql = _WHOSE[event.action]
        yield Ending(where, sql, event.target_id)
    elif event.action in _ROLES:
        facts: Mapping[str, object] = json.loads(event.facts)
        if event.action == "auth:ownership:transferred":
            people, role = [facts.get("from_user", "")], "admin"
        else:
            listed = facts.get("user_ids")
            people, role = listed if isinstance(listed, list) else [event.target_id], str(facts.get("role", ""))
        for person in people:
            yield Ending("auth_work", queries.LOWER_ROLE, str(person), {"role": role})
