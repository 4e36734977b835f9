"""Writes `infra/docs/drawings.md` from `infra/suite.yaml`: `python -m infra.build.drawings [--check]`.

The drawings are Mermaid (https://mermaid.js.org/syntax/flowchart.html), which code hosts show as pictures.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

from infra.suite import Function, Suite, load_suite

from .generated import ROOT, write_or_check

FILE = ROOT / "infra" / "docs" / "drawings.md"
_HEAD = """# Drawings

Made from [`suite.yaml`](../suite.yaml) by `python -m infra.build.drawings`; a test fails when they are stale. What they mean stands in
[architecture.md](architecture.md).
"""


def drawings_text(suite: Suite) -> str:
    """Return the drawings of a suite as Markdown."""
    parts = (
        _HEAD,
        _section("Who calls what", _calls(suite)),
        _section("What each function may use", _uses(suite)),
        _section("Events", _events(suite)),
        _schedules(suite),
    )
    return "\n".join(parts)


def _section(title: str, lines: Iterable[str]) -> str:
    return "\n".join((f"## {title}\n", "```mermaid", "flowchart LR", *(f"  {line}" for line in lines), "```", ""))


def _calls(suite: Suite) -> Iterator[str]:
    """Draw who comes in through the edge, and what each of the functions behind it speaks to."""
    yield 'internet(["browsers, CI jobs, webhook senders, identity providers, operators"]) -->|HTTPS| edge["load balancer and Cloud Armor"]'
    yield 'queue["Pub/Sub"]'
    yield 'clock["Cloud Scheduler"]'
    yield 'database[("PostgreSQL")]'
    yield 'outside(["customers\' clouds, code hosts, models, receivers"])'
    for function in suite.functions.values():
        for entry in function.entry_points.values():
            yield f"edge --> {entry.name}" if entry.trigger == "http" else f"queue -->|push, OIDC| {entry.name}"
            if function.database:
                yield f"{entry.name} -->|{function.database.login}| database"
            if function.internet:
                yield f"{entry.name} -->|egress guard| outside"
    for entry_point in sorted({schedule.entry_point for schedule in suite.schedules.values()}):
        yield f"clock -->|OIDC| {entry_point}"


def _uses(suite: Suite) -> Iterator[str]:
    """Draw which keys, secrets and buckets a function has rights on."""
    for function in suite.functions.values():
        yield f'{function.name}["{function.name}"]'
        for kind, names, word in _rights(function):
            for name in names:
                shape = {"kms": f'{{{{"{name}"}}}}', "secret": f'("{name}")', "bucket": f'[("{name}")]'}[kind]
                yield f"{function.name} -->|{word}| {kind}-{name}{shape}"


def _rights(function: Function) -> Iterator[tuple[str, Sequence[str], str]]:
    yield "kms", function.kms_keys, "key"
    yield "secret", function.secrets, "reads"
    yield "secret", function.rotates, "adds versions"
    yield "bucket", function.buckets, "adds, reads"


def _events(suite: Suite) -> Iterator[str]:
    """Draw who publishes to which topic, and who is called with what lies there."""
    for topic in suite.topics:
        yield f'topic-{topic}>"{topic}"]'
    for function in suite.functions.values():
        for topic in function.publishes:
            yield f"{function.name} --> topic-{topic}"
    for subscription in suite.subscriptions.values():
        yield f"topic-{subscription.topic} -->|{subscription.max_delivery_attempts} tries| {subscription.entry_point}"
        if subscription.dead_letter_topic:
            yield f"topic-{subscription.topic} -.->|given up| topic-{subscription.dead_letter_topic}"


def _schedules(suite: Suite) -> str:
    rows = [
        f"| `{item.name}` | {item.every_seconds} s | `{item.entry_point}` | `{item.path}` |"
        for item in suite.schedules.values()
    ]
    head = ("## Schedules\n", "| schedule | wanted every | who is called | path |", "|---|---|---|---|")
    after = (
        "Cloud Scheduler calls once a minute at most; what wants to be called more often is called each minute there."
    )
    return "\n".join((*head, *rows, "", after, ""))


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or only say whether it is what it should be; returns the exit status."""
    return write_or_check(FILE, drawings_text(load_suite()), "infra.build.drawings", arguments)


if __name__ == "__main__":
    sys.exit(main())
