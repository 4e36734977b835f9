"""Changes that an asset feed tells of: when they start a scan, which of them one scan answers, and what still waits afterwards.

Decides, stores nothing. A feed keeps no list of changes, only how far they go: a scan reads the whole account, so all that counts
is whether one began late enough after the last change. That makes a burst one scan, and a message that comes again nothing at all.
Source: ADR-0043.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from shared.security.plans import SHORTEST_INTERVALS

VOLATILE: Final = timedelta(seconds=120)
"""For how long after a change the inventory may still tell what was before it."""
NOTED_EVERY: Final = timedelta(seconds=5)
"""Changes so close behind one that is noted are not noted by themselves; whoever waits, waits for them too."""
SETTLED: Final = VOLATILE + NOTED_EVERY
LONGEST_WAIT: Final = timedelta(minutes=10)
"""How long changes that follow on each other hold a scan off."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Changes that wait for a scan.

    Attributes:
        since: when the first of them was told.
        changed_at: the latest of them, but for those within `NOTED_EVERY`.
        due_at: when the scan starts.
    """

    since: datetime
    changed_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """What is left once a scan has begun that reads what was changed.

    Attributes:
        read_until: changes until then were there to be read.
        left: what changed too shortly before, and waits for the next scan; None when nothing did.
    """

    read_until: datetime
    left: Pending | None


def take_change(feed: Mapping[str, Any], published_at: datetime, *, now: datetime, plan: str) -> Pending | None:
    """Decide what a change does to a feed.

    Args:
        feed: its row: `pending_since changed_at read_until last_started_at`.
        published_at: when Google told of the change; the same however often the message comes.
        now: time of the decision.
        plan: of the organisation.

    Returns:
        What waits now; None when a scan that began, or that waits already, answers this change too.
    """
    changed_at = min(published_at, now)
    if feed["read_until"] is not None and changed_at <= feed["read_until"]:
        return None
    since = feed["pending_since"]
    if since is not None and changed_at <= feed["changed_at"] + NOTED_EVERY:
        return None
    return _pending(since or now, changed_at, feed["last_started_at"], plan)


def postponed(feed: Mapping[str, Any], *, now: datetime, plan: str) -> datetime | None:
    """Return until when a feed that is due has to wait after all; None when it has its turn.

    Changes may have followed since its time was set, and the plan may have been lowered.
    """
    due_at = _due_at(feed["pending_since"], feed["changed_at"], feed["last_started_at"], plan)
    return due_at if due_at > now else None


def is_answered(feed: Mapping[str, Any], began_at: datetime | None) -> bool:
    """Say whether a scan that began then, whoever started it, read everything that waits."""
    return began_at is not None and began_at >= feed["changed_at"] + SETTLED


def answer(feed: Mapping[str, Any], began_at: datetime, *, plan: str) -> Answered:
    """Decide what a scan that began answers.

    Args:
        feed: its row, with changes that wait.
        began_at: of the scan.
        plan: of the organisation.
    """
    read_until = began_at - VOLATILE
    if is_answered(feed, began_at):
        return Answered(read_until, None)
    return Answered(read_until, _pending(began_at, feed["changed_at"], began_at, plan))


def _pending(since: datetime, changed_at: datetime, last_started_at: datetime | None, plan: str) -> Pending:
    return Pending(since, changed_at, _due_at(since, changed_at, last_started_at, plan))


def _due_at(since: datetime, changed_at: datetime, last_started_at: datetime | None, plan: str) -> datetime:
    """Return when a scan starts: once changes have settled, after ten minutes of them at the latest, never more often than the plan has it."""
    settled_at = min(changed_at + SETTLED, since + LONGEST_WAIT)
    if last_started_at is None:
        return settled_at
    return max(settled_at, last_started_at + SHORTEST_INTERVALS[plan])
