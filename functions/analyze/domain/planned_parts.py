"""The parts that one pull request is planned in: directories, workspaces, projects. Which analyses its comment shows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from shared.rules.levels import rank

from .code_hosts import choose, place_of

MOST_SHOWN: Final = 20
COLUMNS: Final = ("project", "directory", "workspace")
_ONLY_WORKSPACE: Final = "default"  # Terraform's name for the workspace of who uses none


def part_of(ci: Mapping[str, Any] | None) -> dict[str, str]:
    """Return which part of a repository a plan is of, in one form: `./prod/` is `prod`, and the workspace `default` is none.

    Args:
        ci: what the CI system told.
    """
    told = {name: str((ci or {}).get(name) or "").strip() for name in COLUMNS}
    segments = [segment for segment in told["directory"].split("/") if segment not in {"", "."}]
    workspace = "" if told["workspace"] == _ONLY_WORKSPACE else told["workspace"]
    return {**told, "directory": "/".join(segments), "workspace": workspace}


def label_of(part: Mapping[str, Any]) -> str:
    """Return how a part is called, e.g. `network: envs/prod (blue)`; empty for the only one."""
    place = part["directory"]
    if part["project"]:
        place = f"{part['project']}: {place}" if place else part["project"]
    if part["workspace"]:
        place = f"{place} ({part['workspace']})" if place else part["workspace"]
    return str(place)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a comment shows.

    Attributes:
        rows: the latest analysis of each part, worst first.
        left_out: how many more parts there are, at least.
    """

    rows: Sequence[Mapping[str, Any]]
    left_out: int

    @property
    def ids(self) -> list[UUID]:
        """The analyses that are shown."""
        return [row["id"] for row in self.rows]


def select(
    rows: Sequence[Mapping[str, Any]],
    asked: Mapping[str, Any],
    host_id: UUID,
    hosts: Sequence[Mapping[str, Any]],
) -> Selection:
    """Choose what the comment of a pull request shows.

    Args:
        rows: the latest analysis of each part of pull requests with this name and number, newest first.
        asked: the analysis that is to be shown; not necessarily among them.
        host_id: the connection that the comment is written by.
        hosts: rows of connections that are used: two hosts may know a repository of the same name.
    """
    kept = [row for row in rows if row["id"] == asked["id"] or _is_of(row, host_id, hosts)]
    if part_key(asked) not in {part_key(row) for row in kept}:
        kept.insert(0, asked)
    shown = kept[:MOST_SHOWN]
    ordered = sorted(shown, key=lambda row: (-rank(row["risk_level"]), label_of(row)))
    return Selection(ordered, len(kept) - len(shown))


def is_superseded(rows: Sequence[Mapping[str, Any]], asked: Mapping[str, Any], selection: Selection) -> bool:
    """Say whether a newer analysis of the same part takes the place of the one that is asked for; that one has a message of its own.

    Args:
        rows: as in `select`.
        asked: as in `select`.
        selection: made by it.
    """
    newer = next((row for row in rows if part_key(row) == part_key(asked)), None)
    return newer is not None and newer["id"] != asked["id"] and newer["id"] in selection.ids


def part_key(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what tells one part from another."""
    return tuple(row[name] for name in COLUMNS)


def _is_of(row: Mapping[str, Any], host_id: UUID, hosts: Sequence[Mapping[str, Any]]) -> bool:
    place = place_of(row["ci"])
    host = choose(hosts, place) if place else None
    return host is not None and host["id"] == host_id
