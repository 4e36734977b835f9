"""Who changed what and when, as Resource Graph remembers it for fourteen days (`resourcechanges`, `resourcecontainerchanges`).

Reads and tells; which drift a change explains is decided elsewhere.
Source: Azure Resource Graph documentation, "Get resource changes" (properties of a change, change actor).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias, cast

from ...types.azure import BY_ARM
from ...types.azure.ids import key_of
from ...types.azure.mapping import Row, at, camel
from .client import Arm, quoted
from .graph import rows_of

HISTORY: Final = timedelta(days=14)
DELIVERY: Final = timedelta(minutes=5)  # "should be available in less than five minutes"
MOST_TARGETS: Final = 100  # asked about in one query, which keeps it far below what Resource Graph takes
_MOMENT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
_MOST_TEXT: Final = 500
_MOST_VALUE: Final = 4000
_MOST_PATHS: Final = 500
_ID = re.compile(r"/[A-Za-z0-9/._()$|@ -]{1,2000}")

ChangeKind: TypeAlias = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """One property that changed.

    Attributes:
        path: in ARM's spelling, e.g. `properties.hardwareProfile.vmSize`, `tags.team`.
        before, after: as Azure writes them; None for a property that was not there.
    """

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """One change of one resource.

    Attributes:
        id: of the record.
        target: key of the resource.
        target_type: its ARM type in lower case.
        kind: what happened to it.
        at: when Azure saw it, aware, UTC.
        actor: who did it: a mail address, an application's id; None when Azure does not know.
        actor_type: `User`, `Application`, `System`; None when unknown.
        client: through what, e.g. `Azure Portal`.
        operation: e.g. `Microsoft.Compute/virtualMachines/write`.
        correlation_id: common to everything that one deployment did.
        changes: the properties; empty for what was made or deleted.
        is_truncated: Azure cut off values, or further properties were left out.
    """

    id: str
    target: str
    target_type: str
    kind: ChangeKind
    at: datetime
    actor: str | None
    actor_type: str | None
    client: str | None
    operation: str | None
    correlation_id: str | None
    changes: tuple[PropertyChange, ...]
    is_truncated: bool

    def attributes(self) -> frozenset[str]:
        """Return the Terraform attributes whose place in ARM changed, whatever type of this ARM type it is."""
        found: set[str] = set()
        for mapped in BY_ARM.get(self.target_type, ()):
            for name, item in mapped.attributes.items():
                path = f"properties.{camel(name)}" if item.path is None else item.path
                if path and path != "properties" and any(_is_about(change.path, path) for change in self.changes):
                    found.add(name)
        return frozenset(found)


def read_changes(
    arm: Arm, subscription: str, targets: Sequence[str], since: datetime, until: datetime
) -> Iterator[ResourceChange]:
    """Yield the changes of some resources in a span of time, in no order.

    Args:
        arm: signed in.
        subscription: its id.
        targets: ARM ids, at most `MOST_TARGETS`; what is no ARM id is left out.
        since: aware; the first moment.
        until: aware; the last one.

    Raises:
        CallFailed: Resource Graph does not tell.
        ValueError: too many targets.
    """
    if len(targets) > MOST_TARGETS:
        raise ValueError(f"more than {MOST_TARGETS} targets")
    known = [target for target in targets if _ID.fullmatch(target)]
    for table, names in _by_table(known):
        query = (
            f"{table} | extend changedAt = todatetime(properties.changeAttributes.timestamp) "
            f"| where changedAt between (datetime({since:{_MOMENT}}) .. datetime({until:{_MOMENT}})) "
            f"| where tostring(properties.targetResourceId) in~ ({', '.join(map(quoted, names))}) "
            "| project id, properties | order by id asc"
        )
        for row in rows_of(arm, subscription, query):
            found = change_of(row)
            if found is not None:
                yield found


def _by_table(targets: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the tables that know some of the targets: what happens to a group of resources is in one of its own."""
    resources = [target for target in targets if "/providers/" in target.lower()]
    containers = [target for target in targets if "/providers/" not in target.lower()]
    for table, names in (("resourcechanges", resources), ("resourcecontainerchanges", containers)):
        if names:
            yield table, names


def change_of(row: Row) -> ResourceChange | None:
    """Read one record; None for one that does not say what changed, how or when."""
    properties = row.get("properties")
    target, kind = key_of(at(properties, "targetResourceId")), str(at(properties, "changeType") or "").lower()
    when = _time(at(properties, "changeAttributes.timestamp"))
    if target is None or kind not in {"create", "update", "delete"} or when is None:
        return None
    details = at(properties, "changes")
    changes = details if isinstance(details, Mapping) else {}
    attributes = at(properties, "changeAttributes")
    return ResourceChange(
        id=str(row.get("id") or "")[:_MOST_VALUE],
        target=target,
        target_type=str(at(properties, "targetResourceType") or "").lower(),
        kind=cast("ChangeKind", kind),
        at=when,
        actor=_text(at(attributes, "changedBy")),
        actor_type=_text(at(attributes, "changedByType")),
        client=_text(at(attributes, "clientType")),
        operation=_text(at(attributes, "operation")),
        correlation_id=_text(at(attributes, "correlationId")),
        changes=tuple(_property(str(path), item) for path, item in list(changes.items())[:_MOST_PATHS]),
        is_truncated=len(changes) > _MOST_PATHS
        or any(str(at(item, "isTruncated")).lower() == "true" for item in changes.values()),
    )


def _property(path: str, item: Any) -> PropertyChange:
    return PropertyChange(path[:_MOST_TEXT], _value(at(item, "previousValue")), _value(at(item, "newValue")))


def _value(found: Any) -> str | None:
    """Read one side; Azure writes `null` as a text where there was nothing."""
    if found is None or str(found) in {"", "null"}:
        return None
    return str(found)[:_MOST_VALUE]


def _text(found: Any) -> str | None:
    text = str(found)[:_MOST_TEXT] if isinstance(found, str) else ""
    return None if text.strip().lower() in {"", "unspecified", "unknown"} else text


def _time(found: Any) -> datetime | None:
    try:
        when = datetime.fromisoformat(str(found))
    except ValueError:
        return None
    return when if when.tzinfo else None


def _is_about(changed: str, path: str) -> bool:
    """Say whether a changed property lies at a path or below it, or holds it."""
    one, other = changed.lower().replace("[", "."), path.lower()
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
