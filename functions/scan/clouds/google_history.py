"""Who made a drift in Google Cloud, by Cloud Audit Logs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ..domain import audit_logs
from ..domain.attribution import HISTORY, Answer, HistoryRefused, Question
from ..domain.trail import TrailEvent
from ..readers.gcp.logs import MOST_PLACES, AuditLogs

MOST_PROJECTS: Final = 1000
"""So many projects are asked about a resource of which only they know whose it is: ten calls of the fifty a minute."""


@dataclass(slots=True)
class GoogleHistory:
    """The audit logs below one parent.

    Attributes:
        logs: asks for entries.
        parent: what is scanned.
        projects: those that the last scan saw below it.
        refused: what a place refused speaks for all of it; it is not asked for each item.
    """

    logs: AuditLogs
    parent: str
    projects: Sequence[str] = ()
    refused: dict[tuple[str, ...], HistoryRefused] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """Return how often the logs were asked for."""
        return self.logs.requests

    def explain(self, question: Question, now: datetime) -> Answer | None:
        """Return the best explanation.

        Raises:
            HistoryRefused: there is none, and why.
        """
        for places in self._places(question):
            events = list(self._events(places, question, now))
            if events:  # a resource lies in one project, so that no other one knows of it
                return audit_logs.choose(question, events)
        return None

    def _places(self, question: Question) -> Iterator[tuple[str, ...]]:
        """Yield whose logs are asked: the resource's project; of a bucket, whose name tells none, all projects, some at a time."""
        place = audit_logs.place_of(question, self.parent)
        is_told = place != self.parent or self.parent.startswith("projects/")
        if is_told or not audit_logs.is_in_some_project(question):
            yield (place,)
            return
        if len(self.projects) > MOST_PROJECTS:
            raise HistoryRefused("limit_reached")
        for first in range(0, len(self.projects), MOST_PLACES):
            yield tuple(self.projects[first : first + MOST_PLACES])

    def _events(self, places: tuple[str, ...], question: Question, now: datetime) -> Iterator[TrailEvent]:
        if places in self.refused:
            raise self.refused[places]
        names = audit_logs.names_of(question)
        try:
            yield from self.logs.events(places, names, since=now - HISTORY, until=question.seen_at)
        except HistoryRefused as error:
            if error.reason != "throttled":
                self.refused[places] = error
            raise
