"""The narrative: what a plan does, what is wrong with it and what to do, in sentences. Complete without a language model.

Level, severities and the headline always come from the rules. A model's sentences take the place of the template's one by
one, and only those that `claims` lets through.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from shared.rules.levels import SEVERITIES, Level, Severity
from shared.rules.rule import Finding

from .claims import Accepted
from .facts import Facts, change, name, told

Author: TypeAlias = Literal["template", "model"]
Source: TypeAlias = Literal["template", "platform", "own"]

MOST_EXPLAINED = 100
_MOST_NAMED = 3
_MOST_LISTED = 20
_MOST_EVIDENCE = 3
_NOUNS: Mapping[str, str] = {
    "create": "made", "update": "changed in place", "replace": "replaced", "delete": "destroyed", "forget": "forgotten",
    "read": "read", "no-op": "left as they are",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """Some sentences, and who wrote them."""

    text: str
    author: Author = "template"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is said about one finding.

    Attributes:
        finding: its id.
        severity: the rules', whoever wrote the rest.
        address: of the resource; empty for the plan as a whole.
        why: what happens and why that is bad.
        action: what to do.
    """

    finding: str
    severity: Severity
    address: str
    why: Piece
    action: Piece


@dataclass(frozen=True, slots=True)
class Narrative:
    """All of it.

    Attributes:
        level: the rules'.
        headline: one sentence, always ours.
        summary: what is worth knowing first.
        explanations: one for each finding, worst first, 100 at most.
        not_judged: what nothing can be said about, and why.
        reverted: which changes made by hand the plan undoes.
        source: whose model wrote what the template did not.
        model: its vendor and name; empty when none was asked.
        note: why no model had a say, when one might have had.
        dropped: how many of the model's texts were not let through.
    """

    level: Level
    headline: str
    summary: tuple[Piece, ...]
    explanations: tuple[Explanation, ...]
    not_judged: tuple[str, ...]
    reverted: tuple[str, ...]
    source: Source = "template"
    model: str = ""
    note: str = ""
    dropped: int = 0

    def noting(self, note: str) -> Narrative:
        """Return the same with a note."""
        return replace(self, note=note)

    def told_by(self, accepted: Accepted, source: Source, model: str) -> Narrative:
        """Return the same in a model's words where they were let through."""
        told = tuple(
            replace(
                item,
                why=Piece(accepted.why[item.finding], "model") if item.finding in accepted.why else item.why,
                action=Piece(accepted.action[item.finding], "model")
                if item.finding in accepted.action
                else item.action,
            )
            for item in self.explanations
        )
        summary = (self.summary[0], *(Piece(text, "model") for text in accepted.summary), *self.summary[1:])
        return replace(
            self, summary=summary, explanations=told, source=source, model=model, dropped=sum(accepted.dropped.values())
        )


def write(facts: Facts) -> Narrative:
    """Write the narrative of a verdict by the templates alone."""
    return Narrative(
        level=facts.level,
        headline=_headline(facts),
        summary=tuple(Piece(text) for text in _summary(facts)),
        explanations=tuple(map(_explanation, facts.findings[:MOST_EXPLAINED])),
        not_judged=_listed(_not_judged(facts)),
        reverted=_listed(_reverted(facts)) if facts.subject == "plan" else (),
    )


def _headline(facts: Facts) -> str:
    number = len(facts.findings)
    if not number:
        return f"No rule objects to this {facts.subject}."
    worst = sum(item.severity == facts.level for item in facts.findings)
    if not worst:  # the organisation's policy moved the level
        return f"This {facts.subject}'s risk is {facts.level}, with {_count(number, 'finding')}."
    of = f", {worst} of them {facts.level}" if number > 1 else ""
    return f"This {facts.subject}'s risk is {facts.level}, with {_count(number, 'finding')}{of}."


def _summary(facts: Facts) -> Iterator[str]:
    if facts.subject == "plan":
        yield _counted(facts.counts)
    by_severity: dict[Severity, list[Finding]] = {severity: [] for severity in SEVERITIES}
    for item in facts.findings:
        by_severity[item.severity].append(item)
    for severity, found in by_severity.items():
        titles = Counter(item.title for item in found).most_common(_MOST_NAMED)
        for title, number in titles:
            places = [name(item.address) for item in found if item.title == title and item.address]
            yield f"{severity.capitalize()}: {told(title)} {_named(places, number)}".rstrip()
        left = len({item.title for item in found}) - len(titles)
        if left:
            yield f"{severity.capitalize()}: {_count(left, 'further kind')} of finding, listed below."
    if facts.noise:
        yield f"{_count(facts.noise, 'change')} only spell a value differently."
    if not facts.findings:
        yield "That no rule objects says nothing about what no rule looks at."
    if len(facts.findings) > MOST_EXPLAINED:
        yield f"The {MOST_EXPLAINED} worst of {len(facts.findings)} findings are explained."


def _counted(counts: Mapping[str, int]) -> str:
    acted = {word: number for word, number in counts.items() if word != "no-op" and number}
    if not acted:
        return "No resource changes."
    parts = [
        f"{number} {_NOUNS.get(word, _NOUNS['replace'] if '+' in word else 'changed')}"
        for word, number in acted.items()
    ]
    return f"{_count(sum(acted.values()), 'resource')}: {', '.join(parts)}."


def _explanation(found: Finding) -> Explanation:
    seen = [change(item) for item in found.evidence[:_MOST_EVIDENCE]]
    more = len(found.evidence) - _MOST_EVIDENCE
    if more > 0:
        seen.append(f"{more} more of the kind.")
    where = f"{name(found.address)}: " if found.address else ""
    why = " ".join(filter(None, [f"{where}{told(found.title)}", told(found.note), *seen, told(found.reason)]))
    return Explanation(found.id, found.severity, found.address, Piece(why), Piece(told(found.remedy)))


def _not_judged(facts: Facts) -> Iterator[str]:
    for kind, number in facts.uncovered.items():
        yield f"{name(kind)}, {_count(number, 'change')}: no rule looks into resources of this type."
    for item in facts.findings:
        if item.flag == "unknown-value":
            paths = ", ".join(name(seen.path or "the resource") for seen in item.evidence[:_MOST_NAMED])
            yield f"{name(item.address)}: {paths} is known only after the apply, so nothing is said about it."
    yield from (f"About the plan: {told(name(note))}" for note in facts.notes)


def _reverted(facts: Facts) -> Iterator[str]:
    for item in facts.findings:
        if item.flag == "drift-reverted":
            seen = " ".join(change(evidence) for evidence in item.evidence[:_MOST_EVIDENCE])
            yield f"{name(item.address)} was changed outside of Terraform, and the apply undoes it. {seen}".rstrip()


def _listed(texts: Iterator[str]) -> tuple[str, ...]:
    found = list(texts)
    more = len(found) - _MOST_LISTED
    return (*found[:_MOST_LISTED], f"{more} more.") if more > 0 else tuple(found)


def _named(places: Sequence[str], number: int) -> str:
    if not places:
        return ""
    shown = ", ".join(dict.fromkeys(places[:_MOST_NAMED]))
    return f"{shown} and {number - _MOST_NAMED} more." if number > _MOST_NAMED else f"{shown}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
