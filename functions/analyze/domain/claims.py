"""Which of a model's sentences are let through.

A claim is let through when every finding that it points at exists, when it names nothing that is not in those findings, when it is
plain English prose with nothing in it that had to be taken out, and when it says nothing that the rules did not say: not how bad
something is, not that it is harmless, not what to run. Everything else is dropped, and the template's text stands.

These are nets, not proofs: what holds without them is that level, severities, headline and evidence are never the model's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from shared.http.errors import MalformedRequest
from shared.http.strict_json import parse_json
from shared.rules.rule import Finding
from shared.security.sanitise import sanitise

from .facts import Facts, texts_of
from .prose import NOT_OURS_TO_SAY, OF_THE_LANGUAGE, PLAINER, SPECIFIC_BUT_COMMON, is_english

Dropped: TypeAlias = Literal["form", "finding", "shown", "language", "said", "severity", "grounds", "again", "many"]

MOST_ASKED = 30  # findings that a model is told about
MOST_ANSWER_CHARACTERS: Final = 100_000
_MOST_SUMMARY = 4
_MOST_READ = 2 * MOST_ASKED
_FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)
_TOKEN = re.compile(r"[^\s,;()\"]+")
_EDGE = ".:!?'`*"
_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?(?:-[A-Za-z]+(?:'[A-Za-z]+)?)*")
_SPLIT = re.compile(r"[^A-Za-z0-9_]+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_LEVELS = re.compile(r"\b(?:critical|high|severe|medium|moderate|low|minor|none|info|informational)(?:er|est)?\b")
_ABOUT_LEVELS = re.compile(
    r"\b(?:risk|severity|level|priority|impact|rating|rated|finding|issue|concern|danger|problem)s?\b"
)

_STRICT = ConfigDict(extra="forbid", strict=True)
_Text = Annotated[str, StringConstraints(min_length=10, max_length=600)]
_Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class _Claim(BaseModel):
    model_config = _STRICT

    findings: list[_Id]
    text: _Text


class _Explained(BaseModel):
    model_config = _STRICT

    finding: _Id
    why: _Text
    action: _Text


_TEXT = {"type": "string"}
SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["summary", "explanations"],
    "properties": {
        "summary": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["findings", "text"],
                "properties": {"findings": {"type": "array", "items": _TEXT}, "text": _TEXT},
            },
        },
        "explanations": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["finding", "why", "action"],
                "properties": {"finding": _TEXT, "why": _TEXT, "action": _TEXT},
            },
        },
    },
}
SCHEMA_NAME: Final = "plan_narrative"


class NoAnswer(ValueError):
    """The model's text is no document of the form that was asked for."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was let through.

    Attributes:
        summary: sentences about the plan.
        why, action: finding id -> text.
        dropped: reason -> how many texts.
    """

    summary: tuple[str, ...] = ()
    why: Mapping[str, str] = field(default_factory=dict)
    action: Mapping[str, str] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)


def accept(text: str, facts: Facts) -> Accepted:
    """Judge a model's answer, piece by piece.

    Args:
        text: as it came.
        facts: what the model was told; of its findings only those that it was told about count.

    Raises:
        NoAnswer: it is no JSON object with the two lists.
    """
    document = _document(text)
    judge = _Judge({item.id: item for item in facts.findings[:MOST_ASKED]})
    for item in document["explanations"][:_MOST_READ]:
        judge.explain(item)
    for item in document["summary"][:_MOST_READ]:
        judge.summarise(item)
    return Accepted(tuple(judge.summary), judge.why, judge.action, dict(judge.dropped))


class _Judge:
    """Reads one answer."""

    def __init__(self, findings: Mapping[str, Finding]) -> None:
        self._findings = findings
        self.summary: list[str] = []
        self.why: dict[str, str] = {}
        self.action: dict[str, str] = {}
        self.dropped: Counter[str] = Counter()

    def explain(self, item: object) -> None:
        try:
            told = _Explained.model_validate(item)
        except ValidationError:
            self.dropped["form"] += 1
            return
        found = self._findings.get(told.finding)
        if found is None:
            self.dropped["finding"] += 1
            return
        for texts, text in ((self.why, told.why), (self.action, told.action)):
            if found.id in texts:
                self.dropped["again"] += 1
            elif kept := self._kept(text, [found]):
                texts[found.id] = kept

    def summarise(self, item: object) -> None:
        try:
            claim = _Claim.model_validate(item)
        except ValidationError:
            self.dropped["form"] += 1
            return
        found = [self._findings[name] for name in claim.findings if name in self._findings]
        if not found or len(found) < len(claim.findings):
            self.dropped["finding"] += 1
        elif len(self.summary) >= _MOST_SUMMARY:
            self.dropped["many"] += 1
        elif kept := self._kept(claim.text, found):
            self.summary.append(kept)

    def _kept(self, text: str, findings: Sequence[Finding]) -> str:
        """Return the text as it is shown, empty when it is not let through."""
        kept, reason = judge_text(text, findings)
        if reason is not None:
            self.dropped[reason] += 1
        return kept


def judge_text(text: str, findings: Sequence[Finding]) -> tuple[str, Dropped | None]:
    """Return a text as it may be shown, or nothing and the reason.

    Args:
        text: the model's.
        findings: those that it points at.
    """
    names = {part for item in findings for text_ in texts_of(item) for part in (text_, *text_.split())}
    shown = sanitise(text, names | OF_THE_LANGUAGE)
    if shown.removed or not shown.blocks or any(block.kind == "item" for block in shown.blocks):
        return "", "shown"
    plain = " ".join(block.text.strip() for block in shown.blocks).translate(PLAINER)
    checks: tuple[tuple[Dropped, Callable[[], bool]], ...] = (
        ("language", lambda: is_english(plain)),
        ("said", lambda: NOT_OURS_TO_SAY.search(_folded(plain)) is None),
        ("severity", lambda: _names_no_level(plain)),
        ("grounds", lambda: _is_grounded(plain, names | OF_THE_LANGUAGE)),
    )
    failed: Dropped | None = next((reason for reason, holds in checks if not holds()), None)
    return ("" if failed else plain), failed


def _document(text: str) -> Mapping[str, list[Any]]:
    """Read the JSON document, which some models put between fences."""
    if len(text) > MOST_ANSWER_CHARACTERS:
        raise NoAnswer
    fenced = _FENCE.fullmatch(text)
    try:
        found = parse_json((fenced[1] if fenced else text).encode("utf-8", "replace"))
    except MalformedRequest as error:
        raise NoAnswer from error
    if not isinstance(found, dict) or not all(isinstance(found.get(name), list) for name in SCHEMA["required"]):
        raise NoAnswer
    return found


def _folded(text: str) -> str:
    """Return a text for patterns: lower case, no punctuation within words, one blank between them."""
    return " ".join(re.sub(r"[^a-z0-9.!?']+", " ", text.casefold().replace("n't", " not")).split())


def _names_no_level(text: str) -> bool:
    """Say whether a text leaves it to the rules how bad something is; also their own word is theirs to say."""
    sentences = _SENTENCE.split(_folded(text))
    return not any(_LEVELS.search(sentence) and _ABOUT_LEVELS.search(sentence) for sentence in sentences)


def _is_grounded(text: str, names: Collection[str]) -> bool:
    """Say whether every number and every name that is no plain word stands in what the text is about."""
    known = {part.lower() for name in names for part in (name.strip(_EDGE), *_SPLIT.split(name)) if part}
    for match in _TOKEN.finditer(text):
        token = match[0].strip(_EDGE).strip("[]")
        if not token or token in {"-", "--"} or _WORD.fullmatch(token):
            continue
        if token.lower() not in known and token.lower() not in SPECIFIC_BUT_COMMON:
            return False
    return True
