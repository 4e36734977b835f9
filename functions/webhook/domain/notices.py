"""Notices: what an organisation's events say to people. Decides what is told, in plain text; stores and sends nothing.

Texts in a notice come from clouds, plans and people of the organisation. Each is in one line, cut, and without secrets; whoever
writes a message escapes them for where it goes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.reports.text import visible
from shared.rules.levels import Level, highest, rank
from shared.security.redact import redact_text

MOST_CONTENT_BYTES = 40_000
_MOST_GROUPS, _MOST_EXAMPLES, _MOST_FACTS = 20, 3, 10
_GROUPS_OF_SEVERAL = 5
_MOST_TITLE, _MOST_TEXT = 200, 160
SCAN_DONE, ANALYSIS_CREATED, KEY_LEAKED = "scan:scan:done", "analyze:analysis:created", "keys:api_key:leaked"
CHANNEL_DISABLED = "webhook:channel:disabled"
_SEVERITIES: Mapping[str, Level] = {
    KEY_LEAKED: "critical",
    CHANNEL_DISABLED: "high",
    "webhook:delivery:failed": "medium",
}
# An organisation whose channel leads to a config of its own would never stop; what comes of a delivery has events of its own.
UNTOLD = frozenset({"webhook:delivery:handled"})
_HIDDEN = frozenset({"event", "places"})


@dataclass(frozen=True, slots=True)
class Group:
    """One cause over many resources: what one rule found, with how many there are and the first few of them."""

    rule: str
    severity: Level
    kind: str
    count: int
    examples: tuple[str, ...]

    @classmethod
    def restored(cls, found: Mapping[str, Any]) -> Group:
        """Return one that was stored."""
        return cls(found["rule"], found["severity"], found["kind"], found["count"], tuple(found["examples"]))


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that people are told.

    Attributes:
        event_id: of the event that says so.
        event: its kind, `source:subject:action`.
        severity: `none` where the event has none.
        title: one line.
        account_id, account: the cloud account that it is about; empty for none.
        groups: worst first; `more_groups` were left out.
        facts: names to values.
        link: where the rest stands; ours.
        occurred_at: ISO 8601.
    """

    event_id: str
    event: str
    severity: Level
    title: str
    link: str
    occurred_at: str
    account_id: str = ""
    account: str = ""
    groups: tuple[Group, ...] = ()
    more_groups: int = 0
    facts: Mapping[str, str] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    @classmethod
    def restored(cls, found: Mapping[str, Any]) -> Notice:
        """Return one that was stored."""
        groups = tuple(Group.restored(each) for each in found["groups"])
        known: dict[str, Any] = {each.name: found[each.name] for each in fields(cls) if each.name in found}
        known["groups"] = groups
        return cls(**known)

    def cut(self, groups: int) -> Notice:
        """Return it with no more than so many groups."""
        left_out = max(len(self.groups) - groups, 0)
        return replace(self, groups=self.groups[:groups], more_groups=self.more_groups + left_out)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a notice comes from.

    Attributes:
        root: URL of the organisation's calls, without a trailing slash.
    """

    event_id: str
    payload: Mapping[str, Any]
    root: str
    now: datetime

    @property
    def event(self) -> str:
        """The event's kind."""
        return str(self.payload.get("event", ""))[:_MOST_TITLE]


def plain(text: object, most: int = _MOST_TEXT) -> str:
    """Return a text that may be told: one line, cut, without secrets."""
    return visible(redact_text(str(text), has_people=True), most)


def of_drift(source: Source, account: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Notice | None:
    """Tell of drift that a scan saw for the first time, grouped by rule; None when there is none.

    Args:
        source: the event.
        account: `id name provider external_account`.
        rows: one a group, worst first: `rule severity kind items examples`.
    """
    if not rows:
        return None
    groups = [
        Group(
            rule=plain(row["rule"]),
            severity=row["severity"],
            kind=row["kind"],
            count=int(row["items"]),
            examples=tuple(plain(each) for each in row["examples"][:_MOST_EXAMPLES]),
        )
        for row in sorted(rows, key=lambda row: (-rank(row["severity"]), -int(row["items"])))
    ]
    total = sum(group.count for group in groups)
    name = f"{plain(account['name'], 100)} ({account['provider']} {account['external_account']})"
    kinds = Counter[str]()
    for group in groups:
        kinds[group.kind] += group.count
    scan_id = source.payload.get("scan_id")
    made = Notice(
        event_id=source.event_id,
        event=source.event,
        severity=highest(group.severity for group in groups),
        title=f"{total} new drift {'item' if total == 1 else 'items'} in {name}"[:_MOST_TITLE],
        link=f"{source.root}/scans/{scan_id}/drift?format=markdown",
        occurred_at=source.now.isoformat(),
        account_id=str(account["id"]),
        account=name,
        groups=tuple(groups),
        facts={kind: str(count) for kind, count in sorted(kinds.items())},
    )
    return made.cut(_MOST_GROUPS)


def of_analysis(source: Source, row: Mapping[str, Any]) -> Notice:
    """Tell of a plan that was judged."""
    where = row["repository"] or "a plan"
    if row["repository"] and row["pull_request"]:
        where = f"{row['repository']}#{row['pull_request']}"
    facts = {"summary": row["summary"], "branch": row["branch"]}
    if row["is_refused"]:
        facts["gate"] = "refused: the risk reached the gate that was set"
    return _made(
        source,
        severity=row["risk_level"],
        title=f"Risk of {where}: {row['risk_level']}",
        link=f"{source.root}/analyses/{row['id']}?format=markdown",
        facts=facts,
    )


def of_leak(source: Source) -> Notice:
    """Tell of an API key that was found in public; it was revoked already."""
    places = source.payload.get("places")
    urls = [each.get("url", "") for each in places if isinstance(each, dict)] if isinstance(places, list) else []
    facts = {f"place {number}": url for number, url in enumerate(urls[:_MOST_EXAMPLES], 1)}
    return _made(
        source,
        severity="critical",
        title=f"API key {source.payload.get('name', '')} was found in public and is revoked",
        link=f"{source.root}/api-keys",
        facts=facts,
    )


def of_event(source: Source) -> Notice:
    """Tell of any other event, by its name and the plain facts in it."""
    words = source.event.replace("_", " ").split(":")
    facts = {
        name: value
        for name, value in source.payload.items()
        if name not in _HIDDEN and isinstance(value, str | int | float | bool)
    }
    return _made(
        source,
        severity=_SEVERITIES.get(source.event, "none"),
        title=f"{words[0]}: {' '.join(words[1:])}",
        link=f"{source.root}/audit-log",
        facts=facts,
    )


def of_disabled_channel(source: Source, name: str) -> Notice:
    """Tell that a channel was switched off, which is why this comes another way."""
    return of_event(replace(source, payload={"channel": name, **source.payload}))


def _made(source: Source, *, severity: Level, title: str, link: str, facts: Mapping[str, object]) -> Notice:
    return Notice(
        event_id=source.event_id,
        event=source.event,
        severity=severity,
        title=plain(title, _MOST_TITLE),
        link=link,
        occurred_at=source.now.isoformat(),
        facts={plain(name, 50): plain(value) for name, value in list(facts.items())[:_MOST_FACTS] if value != ""},
    )


# --- Several in one message --------------------------------------------------------------------------------------------


def content_of(notices: Sequence[Notice], more: int = 0) -> dict[str, Any]:
    """Return what a delivery holds: the worst first, as many as there is room for, and how many were left out."""
    ordered = sorted(notices, key=lambda notice: -rank(notice.severity))
    if len(ordered) > 1:
        ordered = [notice.cut(_GROUPS_OF_SEVERAL) for notice in ordered]
    while True:
        content = {"notices": [notice.stored() for notice in ordered], "more": more}
        has_more_to_lose = len(ordered) > 1 or ordered[0].groups
        if not has_more_to_lose or len(json.dumps(content, ensure_ascii=False).encode()) <= MOST_CONTENT_BYTES:
            return content
        if len(ordered) == 1:
            ordered = [ordered[0].cut(len(ordered[0].groups) - 1)]
        else:
            ordered.pop()
            more += 1


def collected(content: Mapping[str, Any], notice: Notice) -> dict[str, Any]:
    """Return what a delivery holds once it also tells of this."""
    return content_of([*notices_in(content), notice], int(content["more"]))


def notices_in(content: Mapping[str, Any]) -> list[Notice]:
    """Return what a delivery tells of."""
    return [Notice.restored(each) for each in content["notices"]]


def trial_notice(channel_id: UUID, root: str, now: datetime) -> Notice:
    """Make what a channel is told when somebody tries it."""
    return Notice(
        event_id=str(channel_id),
        event="webhook:channel:tested",
        severity="none",
        title="This is a test of a DriftWise notification channel",
        link=f"{root}/notification-channels",
        occurred_at=now.isoformat(),
    )
