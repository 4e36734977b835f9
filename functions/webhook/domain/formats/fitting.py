"""A message of at most 20 kB: what does not fit is left out from the end, counted, and behind the link."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..notices import Notice, notices_in

MOST_BYTES = 20_000
_MOST_NOTICES = 20
_FEWER_GROUPS = (20, 10, 5, 2, 0)


@dataclass(frozen=True, slots=True)
class Message:
    """What one delivery says.

    Attributes:
        id: the delivery's, the same in every try.
        kind: of the event; of a digest `notification:digest:due`.
        notices: worst first.
        more: how many notices were left out.
    """

    id: str
    kind: str
    notices: tuple[Notice, ...]
    more: int = 0

    @property
    def title(self) -> str:
        """One line for all of it."""
        count = len(self.notices) + self.more
        return self.notices[0].title if count == 1 else f"{count} notices: {self.notices[0].title}"[:200]


Writer = Callable[[Message], bytes]


def message_of(delivery_id: object, kind: str, content: Mapping[str, Any]) -> Message:
    """Return what a stored delivery says."""
    return Message(str(delivery_id), kind, tuple(notices_in(content)), int(content["more"]))


def fitted(message: Message, write: Writer) -> Message:
    """Return as much of a message as fits when it is written."""
    smaller = message
    for smaller in _smaller(message):
        if len(write(smaller)) <= MOST_BYTES:
            break
    return smaller


def compact(value: object) -> bytes:
    """Return JSON as it is sent."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def lines_of(notice: Notice) -> Sequence[str]:
    """Return what a notice says below its title, one line each, plain text."""
    found = [
        f"{group.severity}: {group.rule}, {group.count} {group.kind}" + _examples(group.examples, group.count)
        for group in notice.groups
    ]
    if notice.more_groups:
        found.append(f"and {notice.more_groups} more rules")
    if not notice.groups:
        found += [f"{name}: {value}" for name, value in notice.facts.items()]
    return found


def _examples(examples: Sequence[str], count: int) -> str:
    if not examples:
        return ""
    return f" ({', '.join(examples)}{', …' if count > len(examples) else ''})"


def _smaller(message: Message) -> Iterator[Message]:
    """Yield a message, then ever less of it; the last one always fits."""
    kept = list(message.notices[:_MOST_NOTICES])
    more = message.more + len(message.notices) - len(kept)
    while len(kept) > 1:
        yield replace(message, notices=tuple(kept), more=more)
        kept.pop()
        more += 1
    for groups in _FEWER_GROUPS:
        yield replace(message, notices=(kept[0].cut(groups),), more=more)
    yield replace(message, notices=(replace(kept[0].cut(0), facts={}),), more=more)
