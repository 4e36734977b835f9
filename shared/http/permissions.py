"""Who may do what: every call of the product as a named permission. Routes say `may("api_keys:create")`.

The one table of roles and scopes; see ADR-0015, and `infra/permissions.md` for the routes beside it. A name is
`subject:action`. Scopes of keys follow from the role: `read` is worth a viewer, `write` a member, `admin` an admin. A narrow
scope (`report`) opens what names it and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from shared.security.actor import Role

from .access import Access

_ANYONE, _SIGNED_IN, _PERSON, _PLATFORM = Access.anyone(), Access.signed_in(), Access.human(), Access.platform()
_VIEWER, _MEMBER, _ADMIN = Access.member(Role.VIEWER), Access.member(Role.MEMBER), Access.member(Role.ADMIN)
_HUMAN_VIEWER, _HUMAN_ADMIN, _HUMAN_OWNER = (
    Access.human(Role.VIEWER),
    Access.human(Role.ADMIN),
    Access.human(Role.OWNER),
)
_FRESH_ADMIN, _FRESH_OWNER = Access.human(Role.ADMIN, fresh=True), Access.human(Role.OWNER, fresh=True)

_TABLE: Mapping[str, Access] = {
    # open: there is nothing to keep, or what is sent is itself the proof
    "health:read": _ANYONE,
    "pages:read": _ANYONE,
    "csp_reports:send": _ANYONE,
    "discovery:read": _ANYONE,
    "sign_in:begin": _ANYONE,
    "sign_in:finish": _ANYONE,
    "saml:sign_in": _ANYONE,
    "tokens:issue": _ANYONE,
    "terminals:begin": _ANYONE,
    "logout_notices:send": _ANYONE,
    "leak_reports:send": _ANYONE,
    "webhooks:send": _ANYONE,
    "asset_changes:send": _ANYONE,
    # of oneself
    "me:read": _SIGNED_IN,
    "sessions:read": _PERSON,
    "sessions:end": _PERSON,
    "terminals:approve": _PERSON,
    "orgs:list": _PERSON,
    "orgs:create": _PERSON,
    "invitations:accept": _PERSON,
    "slack_installs:finish": _PERSON,
    # of an organisation
    "org:read": _VIEWER,
    "org:change": _ADMIN,
    "org:delete": _FRESH_OWNER,
    "org:transfer": _FRESH_OWNER,
    "usage:read": _VIEWER,
    "members:read": _VIEWER,
    "members:change": _FRESH_ADMIN,
    "members:remove": _FRESH_ADMIN,
    "members:leave": _HUMAN_VIEWER,
    "invitations:read": _HUMAN_ADMIN,
    "invitations:create": _HUMAN_ADMIN,
    "invitations:revoke": _HUMAN_ADMIN,
    "sso:read": _VIEWER,
    "sso:change": _FRESH_ADMIN,
    "audit_log:read": _ADMIN,
    "audit_exports:read": _HUMAN_ADMIN,
    "audit_exports:create": _HUMAN_ADMIN,
    "audit_exports:delete": _HUMAN_ADMIN,
    "billing:read": _VIEWER,
    "billing:change": _HUMAN_OWNER,
    # of the platform
    "platform:read_audit_log": _PLATFORM,
    "platform:read_domains": _PLATFORM,
    "platform:change_domains": _PLATFORM,
    "platform:read_users": _PLATFORM,
    "platform:change_users": _PLATFORM,
    "platform:read_orgs": _PLATFORM,
    "platform:change_orgs": _PLATFORM,
    # keys
    "api_keys:read": _VIEWER,
    "api_keys:create": _HUMAN_ADMIN,
    "api_keys:rotate": _HUMAN_ADMIN,
    "api_keys:revoke": _HUMAN_ADMIN,
    # scan
    "cloud_accounts:read": _VIEWER,
    "cloud_accounts:create": _ADMIN,
    "cloud_accounts:change": _ADMIN,
    "cloud_accounts:delete": _ADMIN,
    "cloud_accounts:verify": _ADMIN,
    "federation:read": _VIEWER,
    "state_sources:read": _VIEWER,
    "state_sources:create": _ADMIN,
    "state_sources:change": _ADMIN,
    "state_sources:delete": _ADMIN,
    "state_sources:refresh": _ADMIN,
    "states:upload": _ADMIN,
    "scans:read": _VIEWER,
    "scans:start": _MEMBER,
    "scans:cancel": _MEMBER,
    "scans:compare": _MEMBER,
    "drift:read": _VIEWER,
    "drift:change": _MEMBER,
    "ignore_rules:read": _MEMBER,
    "ignore_rules:change": _ADMIN,
    "fixes:read": _VIEWER,
    "trends:read": _VIEWER,
    "schedules:read": _VIEWER,
    "schedules:change": _ADMIN,
    "schedules:run": _ADMIN,
    "operator_reports:send": Access.key("report"),
    # analyze
    "analyses:create": _MEMBER,
    "analyses:read": _VIEWER,
    "narratives:read": _VIEWER,
    "builtin_rules:read": _SIGNED_IN,
    "policy:read": _VIEWER,
    "policy:change": _HUMAN_ADMIN,
    "rules:read": _VIEWER,
    "rules:change": _ADMIN,
    "plan_noise:read": _VIEWER,
    "plan_noise:change": _ADMIN,
    "llm_config:read": _ADMIN,
    "llm_config:change": _ADMIN,
    "llm_usage:read": _ADMIN,
    "code_hosts:read": _ADMIN,
    "code_hosts:change": _ADMIN,
    # webhook
    "webhook_configs:read": _ADMIN,
    "webhook_configs:change": _ADMIN,
    "webhook_deliveries:read": _ADMIN,
    "webhook_deliveries:replay": _ADMIN,
    "notification_channels:read": _ADMIN,
    "notification_channels:change": _ADMIN,
    "slack_installs:begin": _HUMAN_ADMIN,
    # scim
    "scim:provision": Access.directory(),
    "scim_tokens:read": _HUMAN_ADMIN,
    "scim_tokens:create": _FRESH_ADMIN,
    "scim_tokens:delete": _FRESH_ADMIN,
    "scim_config:read": _VIEWER,
    "scim_config:change": _FRESH_ADMIN,
}
PERMISSIONS: Mapping[str, Access] = {name: replace(access, permission=name) for name, access in _TABLE.items()}


def may(permission: str) -> Access:
    """Return the rule of a permission.

    Raises:
        KeyError: there is no such permission, so that a route with a misspelt one does not load.
    """
    return PERMISSIONS[permission]
