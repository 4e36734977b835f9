"""The one comment on a pull request that is planned in several parts: a table of all of them, then each in full as far as there is room. Pure.

GitHub takes 65,536 characters and GitLab 1,000,000: both get what fits into the smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from shared.reports.markdown import cell, html_code

from ..planned_parts import Selection, label_of
from .markdown import MARK, MOST_CHARACTERS, size_of, to_markdown, to_section

_MOST_LABEL, _COMMIT = 200, 7
_LEAST_ROOM: Final = 2_000  # less holds nothing of a section but its frame
_FRAME: Final = 700  # fold, heading and blank lines of one section, whatever its label is escaped to
_ROOM_FOR_END: Final = 200
_WHOLE: Final = "the repository"


def to_comment(selection: Selection, load: Callable[[UUID], Mapping[str, Any]]) -> str:
    """Write the comment: a single part as it always was, several one below the other, worst first.

    Args:
        selection: what is shown.
        load: reads an analysis in full, as `outputs` says; asked only for what is written in full, one at a time.
    """
    rows = selection.rows
    if len(rows) == 1 and not selection.left_out and not label_of(rows[0]):
        return to_markdown(load(rows[0]["id"]))
    parts = [*_head(rows, selection.left_out)]
    room = MOST_CHARACTERS - sum(size_of(part) + 2 for part in parts) - _ROOM_FOR_END
    untold = 0
    for number, row in enumerate(rows):
        share = room // (len(rows) - number)
        section = _section(row, load, share) if share >= _LEAST_ROOM else None
        if section is None:
            untold += 1
            continue
        parts.append(section)
        room -= size_of(section) + 2
    if untold:
        parts.append(f"There was no room for {untold} of them in full; the analyses themselves say all.")
    return "\n\n".join(parts) + "\n"


def _head(rows: Sequence[Mapping[str, Any]], left_out: int) -> Sequence[str]:
    level = rows[0]["risk_level"]
    plans = f"{len(rows)} plans" if len(rows) > 1 else "one plan"
    table = ["| Plan of | Risk | Commit | Analysis |", "| --- | --- | --- | --- |"]
    for row in rows:
        commit = str((row["ci"] or {}).get("commit_sha") or "")[:_COMMIT]
        gate = ", stopped" if row["is_refused"] else ""
        table.append(f"| {_named(row)} | **{row['risk_level']}**{gate} | {cell(commit)} | {cell(str(row['id']))} |")
    found = [MARK, f"## DriftWise: {'no' if level == 'none' else level} risk in {plans}", "\n".join(table)]
    if left_out:
        found.append(f"And at least {left_out} older plan{'s' if left_out > 1 else ''} of other parts.")
    return found


def _named(row: Mapping[str, Any]) -> str:
    return cell(label_of(row), _MOST_LABEL) if label_of(row) else _WHOLE


def _section(row: Mapping[str, Any], load: Callable[[UUID], Mapping[str, Any]], room: int) -> str | None:
    """Return one plan in full, folded; None when even its shortest form does not fit."""
    label = html_code(label_of(row), _MOST_LABEL) if label_of(row) else _WHOLE
    body = to_section(load(row["id"]), room - _FRAME)
    section = f"<details>\n<summary>{label}: {row['risk_level']} risk</summary>\n\n{body}\n\n</details>"
    return section if size_of(section) <= room else None
