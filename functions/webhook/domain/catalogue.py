"""Every event that an organisation's functions put on `org-events`, and what people are told of it. Data, and how it is read.

`tests/conformance/test_event_catalogue.py` holds it against the code: no event is left out, and none stands here that nobody emits.
Severities say how much worse off an organisation is by it: `medium` for what makes DriftWise say less, `high` for who may get in or
hears nothing. `none` is routine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from shared.rules.levels import Level

_AUDIT_LOG = "/audit-log"
_MEMBER = re.compile(r"\{([a-z_]+)\}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is told of one event.

    Attributes:
        title: one sentence's worth, without what it happened to: that stands in the facts.
        severity: of the notice.
        link: below the organisation's calls, with ids of the event's payload in braces.
    """

    title: str
    severity: Level = "none"
    link: str = _AUDIT_LOG

    def link_of(self, payload: Mapping[str, Any]) -> str:
        """Return the link with its ids filled in; the audit log where one is missing or is no id."""
        for name in _MEMBER.findall(self.link):
            value = payload.get(name)
            if not isinstance(value, str) or _ID.fullmatch(value) is None:
                return _AUDIT_LOG
        return self.link.format_map(payload)


_MEMBERS, _INVITATIONS, _KEYS, _SSO = "/members", "/invitations", "/api-keys/{key_id}", "/sso-config"
_DIRECTORY, _EXPORT = "/scim-tokens", "/audit-exports/{export_id}"
_CUSTOM, _BUILTIN, _NOISE, _HOST = (
    "/custom-rules/{rule_id}", "/disabled-rules/{rule_id}", "/plan-noise", "/code-hosts/{host_id}",
)  # fmt: skip
_CHANNEL, _CONFIG, _DELIVERIES = (
    "/notification-channels/{channel_id}", "/webhook-configs/{config_id}", "/webhook-deliveries",
)  # fmt: skip
CATALOGUE: Mapping[str, Entry] = MappingProxyType({
    "auth:org:renamed": Entry("The organisation was renamed", link=""),
    "auth:org:deleted": Entry("The organisation was deleted", "high", ""),
    "auth:org:restored": Entry("The organisation was restored", link=""),
    "auth:org:plan_changed": Entry("The organisation's plan changed", link=""),
    "auth:ownership:transferred": Entry("The organisation has another owner", "medium", _MEMBERS),
    "auth:member:joined": Entry("A member joined", link=_MEMBERS),
    "auth:member:left": Entry("A member left", link=_MEMBERS),
    "auth:member:removed": Entry("A member was removed", link=_MEMBERS),
    "auth:member:role_changed": Entry("A member has another role", "low", _MEMBERS),
    "auth:invitation:created": Entry("Somebody was invited", link=_INVITATIONS),
    "auth:invitation:revoked": Entry("An invitation was taken back", link=_INVITATIONS),
    "auth:sso_config:changed": Entry("Single sign-on was changed", "high", _SSO),
    "auth:sso_config:deleted": Entry("Single sign-on was taken away", "high"),
    "auth:sso_config:metadata_changed": Entry("The identity provider published other metadata", "medium", _SSO),
    "auth:sso_domain:added": Entry("A domain was claimed for single sign-on", "low", _SSO),
    "auth:sso_domain:verified": Entry("A domain now signs in by the identity provider", "medium", _SSO),
    "auth:sso_domain:deleted": Entry("A domain no longer signs in by the identity provider", "medium", _SSO),
    "auth:audit_export:created": Entry("An audit export was asked for", "low", _EXPORT),
    "auth:audit_export:finished": Entry("An audit export is ready", link=_EXPORT),
    "auth:audit_export:failed": Entry("An audit export failed", "low", _EXPORT),
    "auth:audit_export:downloaded": Entry("An audit export was downloaded", "medium", _EXPORT),
    "auth:audit_export:deleted": Entry("An audit export was deleted", "low"),
    "scim:member:joined": Entry("The directory let a member in", link=_MEMBERS),
    "scim:member:removed": Entry("The directory took a member out", link=_MEMBERS),
    "scim:access_token:created": Entry("A token for the directory was made", "medium", _DIRECTORY),
    "scim:access_token:revoked": Entry("A token of the directory was revoked", "medium", _DIRECTORY),
    "keys:api_key:created": Entry("An API key was made", link=_KEYS),
    "keys:api_key:rotated": Entry("An API key was rotated", link=_KEYS),
    "keys:api_key:revoked": Entry("An API key was revoked", link=_KEYS),
    "keys:api_key:leaked": Entry("An API key was found in public and is revoked", "critical", "/api-keys"),
    "scan:scan:done": Entry("A scan is done", link="/scans/{scan_id}"),
    "scan:ignore_rule:created": Entry("Drift is no longer shown, by a rule", "medium", "/ignore-rules/{ignore_rule_id}"),
    "scan:ignore_rule:deleted": Entry("Drift that a rule hid is shown again", link="/ignore-rules"),
    "scan:schedule:disabled": Entry("A schedule of scans was switched off", "high", "/schedules/{schedule_id}"),
    "analyze:analysis:created": Entry("A plan was judged", link="/analyses/{analysis_id}"),
    "analyze:policy:changed": Entry("The policy that plans are judged by was changed", "medium", "/policy"),
    "analyze:rule:disabled": Entry("A built-in rule was switched off", "medium", _BUILTIN),
    "analyze:rule:enabled": Entry("A built-in rule was switched on again", link="/disabled-rules"),
    "analyze:custom_rule:created": Entry("A rule of your own was made", "low", _CUSTOM),
    "analyze:custom_rule:changed": Entry("A rule of your own was changed", "low", _CUSTOM),
    "analyze:custom_rule:deleted": Entry("A rule of your own was deleted", "medium"),
    "analyze:plan_noise:settings_changed": Entry("How noise in plans is treated was changed", "low", _NOISE),
    "analyze:plan_noise:suppressed": Entry("Differences in plans are no longer shown", "medium", _NOISE),
    "analyze:plan_noise:shown_again": Entry("Differences in plans are shown again", link=_NOISE),
    "analyze:code_host:created": Entry("A code host was connected", "low", _HOST),
    "analyze:code_host:changed": Entry("The connection to a code host was changed", "low", _HOST),
    "analyze:code_host:deleted": Entry("A code host was disconnected", "medium"),
    "analyze:llm_config:changed": Entry("Plans are explained by another language model", "medium", "/llm-config"),
    "analyze:llm_config:deleted": Entry("Your own language model was taken away", "low"),
    "webhook:config:created": Entry("A webhook was set up", link=_CONFIG),
    "webhook:config:changed": Entry("A webhook was changed", link=_CONFIG),
    "webhook:config:rotated": Entry("A webhook's secret was rotated", link=_CONFIG),
    "webhook:config:deleted": Entry("A webhook was removed"),
    "webhook:delivery:handled": Entry("A webhook's delivery was handled", link=_DELIVERIES),
    "webhook:delivery:failed": Entry("A webhook's delivery failed", "medium", _DELIVERIES),
    "webhook:channel:created": Entry("A notification channel was made", link=_CHANNEL),
    "webhook:channel:changed": Entry("A notification channel was changed", link=_CHANNEL),
    "webhook:channel:rotated": Entry("A notification channel's secret was rotated", link=_CHANNEL),
    "webhook:channel:deleted": Entry("A notification channel was removed"),
    "webhook:channel:disabled": Entry("A notification channel was switched off", "high", _CHANNEL),
})  # fmt: skip


def entry_of(event: str) -> Entry:
    """Return what is told of an event; of one that is not known (yet), as in the middle of a deployment, its name in words."""
    if (found := CATALOGUE.get(event)) is not None:
        return found
    source, _, rest = event.replace("_", " ").partition(":")
    return Entry(f"{source}: {rest.replace(':', ' ')}")
