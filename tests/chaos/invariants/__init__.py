"""What must hold once faults are over and everything has settled, whatever happened: across all journeys, for every organisation.

Journeys compare what they were promised; this looks at everything else, from outside: the database as its owner, the logs, the
processes, the queue and every answer. It changes nothing but what the schedule `audit-anchors` changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ..violations import Violation
from . import answers, audit, doubled, logs, processes, remains, sealed, tenancy
from .remains import Open, wait_until_settled
from .world import World, world_of

__all__ = ["INVARIANTS", "Open", "Outcome", "World", "check_invariants", "examine", "wait_until_settled", "world_of"]

Check: TypeAlias = Callable[[World, Counter[str]], Iterator[str]]

INVARIANTS: Mapping[str, Check] = {
    "audit chains": audit.chains_are_whole,
    "audit anchors": audit.heads_are_anchored,
    "audit entries": audit.entries_stand_once,
    "database": audit.the_database_is_protected,
    "foreign words": tenancy.no_row_holds_a_foreign_word,
    "foreign ids": tenancy.no_row_names_a_foreign_row,
    "answers to others": tenancy.no_answer_showed_a_foreign_word,
    "left over": remains.nothing_is_left_over,
    "given up": remains.nothing_was_given_up_for_good,
    "deliveries": doubled.deliveries_came_in_once,
    "notifications": doubled.notifications_stand_once,
    "scans": doubled.shards_were_counted_once,
    "replies": doubled.replies_were_kept_whole,
    "packs": doubled.packs_have_their_parts,
    "organisations": doubled.organisations_were_made_once,
    "errors": answers.errors_are_typed,
    "waiting": answers.nobody_waited_too_long,
    "secrets in logs": logs.no_log_holds_a_secret,
    "log lines": logs.lines_are_whole,
    "exceptions": logs.no_exception_is_a_mistake,
    "processes": processes.everything_runs,
    "sealed values": sealed.sealed_values_open,
}
"""Name to check. A check yields what it found wrong, and counts what it looked at."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one invariant.

    Attributes:
        counts: what it looked at, e.g. `{"chains": 14, "entries": 1203}`; some of it is to be known and no violation.
    """

    name: str
    counts: Mapping[str, int]
    violations: tuple[Violation, ...]

    def line(self) -> str:
        """Return it as a line of the report."""
        looked = ", ".join(f"{number:,} {what}" for what, number in self.counts.items()) or "nothing there"
        return f"{self.name}: {looked}" + (f": {len(self.violations)} VIOLATIONS" if self.violations else "")


def examine(world: World) -> Iterator[Outcome]:
    """Check every invariant, one after the other; call it once everything has settled."""
    for name, check in INVARIANTS.items():
        counts: Counter[str] = Counter()
        found: list[str] = []
        try:
            found.extend(check(world, counts))
        except Exception as error:  # noqa: BLE001  # one that cannot be checked does not hold, and keeps no other from it
            found.append(f"could not be checked: {type(error).__name__}: {error}")
        yield Outcome(name, dict(counts), tuple(Violation(name, text) for text in found))


def check_invariants(world: World) -> Iterator[Violation]:
    """Yield what does not hold, as `examine`."""
    for outcome in examine(world):
        yield from outcome.violations
