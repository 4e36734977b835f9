"""What a model is asked, and what it is told: the worst findings, without secrets, inside the envelope."""

from __future__ import annotations

import json
from typing import Any, Final

from shared.ports.clock import Entropy
from shared.ports.language_model import Prompt
from shared.rules.rule import Finding
from shared.security.passages import Passage, wrap
from shared.security.redact import redact

from .claims import MOST_ASKED, SCHEMA, SCHEMA_NAME
from .facts import Facts

MOST_OUTPUT_TOKENS: Final = 8_000
_MOST_EVIDENCE = 5
_MOST_TEXT = 400

INSTRUCTIONS: Final = """\
You explain to engineers what a set of fixed rules found in a Terraform plan that is about to be applied, or in a difference \
("drift") between what Terraform declares and what really runs; the data says which. The rules have decided \
what is found and how bad it is. You do not judge, you explain what happens and what to do about it.

Write one JSON document with two lists:
- "summary": up to four objects with "findings" (ids of the findings that the sentence rests on) and "text" (one sentence: \
what these findings mean together).
- "explanations": one object for each finding with "finding" (its id), "why" (at most two sentences: what happens to this \
resource, by its evidence, and whom that hurts) and "action" (at most two sentences: what to check or change).

Write plain English sentences. Name only resources, attributes, values and numbers that stand in the finding itself, spelled as there, \
between backquotes. No other formatting, no lists, no links, no addresses of sites, no commands, no code. Do not say how severe \
anything is, and do not say of anything that it is safe, harmless, expected or approved: the rules did not say so. Leave out a \
finding that you have nothing to say about. Every id must be one of those in the data, letter by letter."""


def ask_about(facts: Facts, entropy: Entropy) -> Prompt:
    """Make the question about a verdict.

    What is not needed to explain findings is not sent: no values that are sensitive, nothing about who asks.

    Args:
        facts: at least one finding.
        entropy: draws the envelope's marker.
    """
    found = "\n".join(_line(item) for item in facts.findings[:MOST_ASKED])
    numbers = {"level": facts.level, "changes": dict(facts.counts), "findings_in_all": len(facts.findings)}
    wrapped = wrap(
        INSTRUCTIONS, [Passage(facts.subject.capitalize(), json.dumps(numbers)), Passage("Findings", found)], entropy
    )
    return Prompt(wrapped.system, wrapped.user, SCHEMA, SCHEMA_NAME, MOST_OUTPUT_TOKENS)


def _line(found: Finding) -> str:
    """Write a finding as JSON on one line."""
    told: dict[str, Any] = {
        "id": found.id,
        "flag": found.flag,
        "resource": found.address,
        "type": found.type,
        "title": found.title,
        "reason": found.reason,
        "remedy": found.remedy,
        "note": found.note,
        "evidence": [
            {"path": item.path, "before": _cut(item.before), "after": _cut(item.after)}
            for item in found.evidence[:_MOST_EVIDENCE]
        ],
    }
    return json.dumps(redact(told), ensure_ascii=False, default=str)


def _cut(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(redact(value), ensure_ascii=False, default=str)
    return value if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}…"
