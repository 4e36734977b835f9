"""What a narrative is made from: the rules' verdict and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from shared.rules.levels import Level
from shared.rules.rule import Evidence, Finding
from shared.security.passages import UNSEEN, mark_unseen
from shared.security.redact import redact, redact_text

Subject: TypeAlias = Literal["plan", "drift"]

_MOST_NAME = 200
_MOST_READ = 4_000
_MOST_SENTENCE = 600
_MOST_VALUE = 120


@dataclass(frozen=True, slots=True)
class Facts:
    """The verdict on one plan, as the organisation's policy left it, or on one drift.

    Attributes:
        subject: what was judged.
        level: the level that is answered.
        findings: worst first.
        counts: action word -> number of managed resources.
        uncovered: type -> how many changes no rule looks into.
        noise: how many changes only spell a value differently.
        notes: what the reader of the plan noted.
    """

    level: Level
    findings: tuple[Finding, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    uncovered: Mapping[str, int] = field(default_factory=dict)
    noise: int = 0
    notes: tuple[str, ...] = ()
    subject: Subject = "plan"


def name(text: str) -> str:
    """Return a name out of a plan as it stands in a sentence: on one line, bounded, without secrets, between backquotes.

    An address on the internet is written so that no program makes a link of it.
    """
    return _quoted(text, _MOST_NAME)


def value(found: Any) -> str:
    """Return a value out of a plan as it stands in a sentence."""
    text = found if isinstance(found, str) else json.dumps(redact(found), ensure_ascii=False, default=str)
    return _quoted(text, _MOST_VALUE)


def change(item: Evidence) -> str:
    """Say what a rule saw in one sentence; nothing for the resource as a whole, which the title speaks of."""
    if not item.path:
        return ""
    if item.before is None:
        return f"{name(item.path)} becomes {value(item.after)}."
    if item.after is None:
        return f"{name(item.path)} was {value(item.before)} and is taken away."
    return f"{name(item.path)} goes from {value(item.before)} to {value(item.after)}."


def told(text: str) -> str:
    """Return a sentence of a rule, which may be a customer's own and may hold names out of a plan, as it may be shown."""
    line = " ".join(redact_text(mark_unseen(text[:_MOST_READ]).replace(UNSEEN, "")).split())
    cut = line if len(line) <= _MOST_SENTENCE else f"{line[:_MOST_SENTENCE]}…"
    closed = cut if not cut or cut[-1] in ".!?:…" else f"{cut}."
    return closed.replace("://", "[:]//")


def texts_of(found: Finding) -> Iterator[str]:
    """Yield every text of a finding: what a claim about it may name."""
    yield from (found.address, found.type, found.title, found.reason, found.remedy, found.note, found.flag, found.rule)
    for item in found.evidence:
        yield item.path
        yield from _texts(item.before)
        yield from _texts(item.after)


def _quoted(text: str, most: int) -> str:
    clean = redact_text(mark_unseen(text[:_MOST_READ]).replace(UNSEEN, ""))
    line = " ".join(clean.replace("`", "'").split())
    cut = line if len(line) <= most else f"{line[:most]}…"
    return f"`{cut.replace('://', '[:]//')}`"


def _texts(found: Any) -> Iterator[str]:
    waiting = [found]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting.extend([*item.keys(), *item.values()])
        elif isinstance(item, list | tuple):
            waiting.extend(item)
        elif item is not None:
            yield json.dumps(item) if isinstance(item, bool | int | float) else str(item)
