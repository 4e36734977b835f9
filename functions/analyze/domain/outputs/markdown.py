"""An analysis as Markdown, for a comment on a pull request or a job's summary. Pure.

Everything in it that comes from a plan, from people or from a model is written so that it cannot act (`shared/reports/markdown.py`).
GitHub takes 65,536 characters: what is worst is told in full, what does not fit in one line each, and then how many more there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from shared.reports.markdown import cell, code, fence, html_code, html_prose, prose
from shared.reports.text import shown, visible
from shared.rules.levels import SEVERITIES

from .sentences import WHOLE_PLAN, accepted_of, attributes_of, findings_of, is_stopped, more

MOST_CHARACTERS: Final = 65_000
MARK: Final = "<!-- driftwise: plan analysis -->"  # by which whoever posts it finds the comment again
_MILD: Final = "low"
_MODEL, _TEMPLATE = "model", "template"
_MOST_ROWS = 15
_MOST_DETAILED = 60
_MOST_MILD = 50
_MOST_EVIDENCE = 5
_MOST_ADDRESS, _MOST_VALUE, _MOST_WORDS = 300, 300, 600
_DETAILED_PART = 0.8  # of the room for findings; the rest is for those in one line each
_ROOM_FOR_COUNT = 400  # headings by severity, a fold, and how many are left out
_EFFECTS: Final[Mapping[str, str]] = {
    "reverted": "is set back",
    "replaced": "is set back, and the resource made again for it",
    "deleted": "goes with the resource",
    "recreated": "is made again",
}


def to_markdown(answer: Mapping[str, Any]) -> str:
    """Write an analysis as Markdown of at most 65,000 characters.

    Args:
        answer: as `outputs` says.
    """
    level = answer["risk_level"]
    title = f"{MARK}\n\n## DriftWise: {'no' if level == 'none' else level} risk\n\n"
    return f"{title}{to_section(answer, MOST_CHARACTERS - size_of(title) - 1)}\n"


def to_section(answer: Mapping[str, Any], most: int) -> str:
    """Write an analysis without mark and title, to stand below others.

    Args:
        answer: as `outputs` says.
        most: how long it may be; findings give way, what stands around them does not, so it may come out longer.
    """
    head = "\n\n".join(_head(answer))
    tail = "\n\n".join(_tail(answer))
    room = most - size_of(head) - size_of(tail) - _ROOM_FOR_COUNT
    middle = "\n\n".join(_findings(answer, room))
    return "\n\n".join(part for part in (head, middle, tail) if part)


def _head(answer: Mapping[str, Any]) -> Iterator[str]:
    yield prose(answer["summary"], _MOST_WORDS)
    yield from _told(answer)
    findings = findings_of(answer)
    fail_on = answer.get("fail_on")
    if fail_on is not None:
        number = sum(is_stopped(item, fail_on) for item in findings)
        reach = (
            "nothing reaches it" if not number else f"{_count(number, 'finding')} reach{'es' if number == 1 else ''} it"
        )
        yield f"> {'**Stopped.** ' if number else ''}The gate is at **{fail_on}**; {reach}."
    if findings:
        numbers = [sum(item["severity"] == severity for item in findings) for severity in SEVERITIES]
        yield "\n".join(
            (
                _row(severity.capitalize() for severity in SEVERITIES),
                _row(":-:" for _ in SEVERITIES),
                _row(f"**{number}**" if number else "0" for number in numbers),
            )
        )


def _told(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a model wrote about the plan; the templates' own sentences say what stands here anyway."""
    narrative = answer.get("narrative") or {}
    pieces = [piece["text"] for piece in narrative.get("summary", ()) if piece["author"] == _MODEL]
    yield from (prose(piece, 2 * _MOST_WORDS) for piece in pieces[:_MOST_ROWS])


def _explained(answer: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return what is said about each finding, by its id."""
    return {item["finding"]: item for item in (answer.get("narrative") or {}).get("explanations", ())}


def _by_model(explanation: Mapping[str, Any], part: str) -> str:
    """Return a model's sentences, empty when it has none."""
    piece = explanation.get(part) or {}
    return piece["text"] if piece.get("author") == _MODEL else ""


def _findings(answer: Mapping[str, Any], room: int) -> Iterator[str]:
    findings = findings_of(answer)
    if not findings:
        return
    yield "### Findings"
    explained = _explained(answer)
    grave = [item for item in findings if item["severity"] != _MILD]
    mild = [item for item in findings if item["severity"] == _MILD]
    detailed = list(
        _fitting(
            (_details(item, explained.get(item["id"], {})) for item in grave[:_MOST_DETAILED]),
            int(room * _DETAILED_PART),
        )
    )
    for number, block in enumerate(detailed):
        severity = grave[number]["severity"]
        if number == 0 or grave[number - 1]["severity"] != severity:
            yield f"#### {severity.capitalize()}"
        yield block
    room -= sum(size_of(block) + 2 for block in detailed)
    lines = list(_fitting((_line(item) for item in grave[len(detailed) :]), room))
    if lines:
        yield "\n".join(lines)
    room -= sum(size_of(line) + 1 for line in lines)
    few: list[str] = []
    if len(detailed) + len(lines) == len(grave):
        few = list(_fitting((_line(item) for item in mild[:_MOST_MILD]), room))
    if few:
        yield _folded(f"{_count(len(mild), 'finding')} of low severity", ["\n".join(few)])
    total = max(answer.get("findings_total", 0) - len(accepted_of(answer)), len(findings))
    left = total - len(detailed) - len(lines) - len(few)
    if left > 0:
        yield f"{more(left, 'finding')}; the analysis itself lists them."


def _details(finding: Mapping[str, Any], explanation: Mapping[str, Any]) -> str:
    """Return a finding in full; a model's sentences take the place of the rule's reason and remedy."""
    place = html_code(finding["address"], _MOST_ADDRESS) if finding["address"] else WHOLE_PLAN
    reason = _by_model(explanation, "why") or finding["reason"]
    remedy = _by_model(explanation, "action") or finding["remedy"]
    parts = [" ".join(prose(text, _MOST_WORDS) for text in (finding["note"], reason) if text)]
    if attributes_of(finding):
        parts.append("\n".join(fence(_evidence(finding), "diff")))
    if remedy:
        parts.append(f"**What to do:** {prose(remedy, _MOST_WORDS)}")
    if finding["references"]:
        parts.append(f"See also: {', '.join(code(item, _MOST_ADDRESS) for item in finding['references'][:_MOST_ROWS])}")
    if override := finding.get("override"):
        why = prose(override["reason"], _MOST_WORDS)
        rule = code(override["rule"], _MOST_ADDRESS)
        parts.append(f"Policy {rule} makes it {finding['severity']} instead of {override['severity_before']}: {why}")
    return _folded(f"{html_prose(finding['title'], _MOST_WORDS)}: {place}", parts)


def _evidence(finding: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a difference, attribute by attribute."""
    seen = attributes_of(finding)
    for item in seen[:_MOST_EVIDENCE]:
        yield f"@@ {visible(item['path'], _MOST_ADDRESS)} @@"
        if item["before"] is not None:
            yield f"- {shown(item['before'], _MOST_VALUE)}"
        if item["after"] is not None:
            yield f"+ {shown(item['after'], _MOST_VALUE)}"
    if len(seen) > _MOST_EVIDENCE:
        yield f"@@ {more(len(seen) - _MOST_EVIDENCE, 'attribute')} @@"


def _line(finding: Mapping[str, Any]) -> str:
    place = code(finding["address"], _MOST_ADDRESS) if finding["address"] else WHOLE_PLAN
    return f"- **{finding['severity']}**: {prose(finding['title'], _MOST_WORDS)}: {place}"


def _tail(answer: Mapping[str, Any]) -> Iterator[str]:
    yield from _drift(answer.get("drift") or ())
    yield from _unjudged(answer)
    yield from _accepted(accepted_of(answer))
    yield from _noise(answer.get("plan_noise") or {})
    version = f" · Terraform {code(answer['terraform_version'], 50)}" if answer.get("terraform_version") else ""
    name = f" {code(str(answer['id']), 50)}" if answer.get("id") else ""
    narrative = answer.get("narrative") or {}
    author = ""
    if narrative.get("source", _TEMPLATE) != _TEMPLATE:
        author = f" · findings and levels by rules, words by {code(narrative['model'], 100) or 'a language model'}"
    yield f"<sub>DriftWise analysis{name}{version}{author}</sub>"


def _drift(links: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    undone = [link for link in links if link["effect"] in _EFFECTS]
    if not undone:
        return
    yield f"### Drift that this plan undoes\n\n{_count(len(undone), 'change')} made outside of Terraform would be lost."
    rows = (
        (
            cell(link["address"], _MOST_ADDRESS),
            cell(link["path"], _MOST_ADDRESS) if link["path"] else "the resource",
            link["severity"],
            _EFFECTS[link["effect"]] + ("" if link["is_certain"] else ", if the address names the same resource"),
        )
        for link in undone[:_MOST_ROWS]
    )
    yield _table(("Resource", "Attribute", "Severity", "What happens"), rows)
    if len(undone) > _MOST_ROWS:
        yield more(len(undone) - _MOST_ROWS, "change")


def _unjudged(answer: Mapping[str, Any]) -> Iterator[str]:
    uncovered = list((answer.get("uncovered") or {}).items())
    lines = [
        f"- {code(kind, _MOST_ADDRESS)}: {_count(number, 'change')}; no rule looks into this type"
        for kind, number in uncovered
    ]
    lines += [
        f"- {code(address, _MOST_ADDRESS)}: check {prose(status, 100)}"
        for address, status in answer.get("checks") or ()
    ]
    lines += [f"- Note: {prose(note, _MOST_WORDS)}" for note in answer.get("notes") or ()]
    if lines:
        yield "### Not judged"
        yield "\n".join(_cut(lines, "line"))


def _accepted(accepted: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not accepted:
        return
    lines = [
        f"- {prose(item['title'], _MOST_WORDS)}: {code(item['address'], _MOST_ADDRESS) or WHOLE_PLAN}"
        f" ({prose((item.get('override') or {}).get('reason') or 'no reason given', _MOST_WORDS)})"
        for item in accepted
    ]
    yield _folded(f"{_count(len(accepted), 'finding')} accepted by policy", ["\n".join(_cut(lines, "finding"))])


def _noise(noise: Mapping[str, Any]) -> Iterator[str]:
    differences = noise.get("differences") or ()
    if not differences:
        return
    total = max(noise.get("differences_total", 0), len(differences))
    whole = noise.get("changes_only_noise", 0)
    apart = f": {_count(whole, 'change')} that would change nothing" if whole else ""
    heading = f"{_count(total, 'difference')} without effect{apart}"
    lines = [
        f"- {code(item['address'], _MOST_ADDRESS)} {code(item['attribute'], _MOST_ADDRESS)}: {prose(item['why'], _MOST_WORDS)}"
        for item in differences[:_MOST_ROWS]
    ]
    if total > _MOST_ROWS:
        lines.append(f"- {more(total - _MOST_ROWS, 'difference')}")
    yield _folded(heading, ["\n".join(lines)])


def _folded(heading: str, parts: Sequence[str]) -> str:
    """Return a block that opens on a click; its heading is HTML, its parts are Markdown."""
    return "\n\n".join((f"<details>\n<summary>{heading}</summary>", *(part for part in parts if part), "</details>"))


def _table(names: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    return "\n".join((_row(names), _row("---" for _ in names), *(_row(row) for row in rows)))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cut(lines: list[str], noun: str) -> list[str]:
    return lines if len(lines) <= _MOST_ROWS else [*lines[:_MOST_ROWS], f"- {more(len(lines) - _MOST_ROWS, noun)}"]


def _fitting(blocks: Iterable[str], room: int) -> Iterator[str]:
    """Yield blocks as long as there is room."""
    for block in blocks:
        room -= size_of(block) + 2
        if room < 0:
            return
        yield block


def size_of(text: str) -> int:
    """Return the length as GitHub counts it at worst: in units of UTF-16."""
    return len(text.encode("utf-16-le")) // 2


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
