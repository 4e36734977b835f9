"""Ignore rules: which drift an organisation chose not to see. Decides, stores nothing.

Everything that a rule names must fit; what is worse than the rule's `most_severity` is shown all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.rules.globs import matches
from shared.rules.levels import Severity, rank

MOST_RULES = 200
PATTERNS = ("type_pattern", "address_pattern", "cloud_id_pattern", "tag_pattern", "path_pattern")


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """One rule; a pattern that is None says nothing.

    Attributes:
        tag_pattern: over `key=value` of each tag of the live resource.
        path_pattern: over the attribute's path, which only a change has.
        most_severity: the worst that it hides.
    """

    id: UUID
    type_pattern: str | None
    address_pattern: str | None
    cloud_id_pattern: str | None
    tag_pattern: str | None
    path_pattern: str | None
    most_severity: Severity

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> IgnoreRule:
        """Make a rule of a row."""
        return cls(id=row["id"], most_severity=row["most_severity"], **{name: row[name] for name in PATTERNS})

    def covers(self, item: Mapping[str, Any], tags: Mapping[str, str]) -> bool:
        """Say whether an item is hidden.

        Args:
            item: `type address cloud_id path severity`.
            tags: of the live resource; none for one that is missing.
        """
        if rank(item["severity"]) > rank(self.most_severity):
            return False
        wanted = (
            (self.type_pattern, item["type"]),
            (self.address_pattern, item["address"]),
            (self.cloud_id_pattern, item["cloud_id"]),
            (self.path_pattern, item["path"]),
        )
        if not all(pattern is None or (text is not None and matches(pattern, text)) for pattern, text in wanted):
            return False
        return self.tag_pattern is None or any(
            matches(self.tag_pattern, f"{key}={value}") for key, value in tags.items()
        )


def covering(rules: Sequence[IgnoreRule], item: Mapping[str, Any], tags: Mapping[str, str]) -> UUID | None:
    """Return the first rule that hides an item; None when it is shown."""
    return next((rule.id for rule in rules if rule.covers(item, tags)), None)


def marked(
    items: Iterable[Mapping[str, object]],
    rules: Sequence[IgnoreRule],
    tags_of: Mapping[tuple[str, str], Mapping[str, str]],
) -> list[dict[str, object]]:
    """Return the rows of a comparison, each with the rule that hides it.

    Args:
        items: as `records.drift_row` makes them.
        rules: those that hold.
        tags_of: tags of live resources by type and key.
    """
    return [
        {**item, "ignore_rule_id": covering(rules, item, tags_of.get((str(item["type"]), str(item["key"])), {}))}
        for item in items
    ]
