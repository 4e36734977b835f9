"""Who made a drift in Google Cloud, by Cloud Audit Logs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ..domain import audit_logs
from ..domain.attribution import HISTORY, Answer, HistoryRefused, Question
from ..readers.gcp.logs import AuditLogs


@dataclass(slots=True)
class GoogleHistory:
    """The audit logs below one parent.

    Attributes:
        logs: asks for entries.
        parent: what is scanned.
        refused: what a project refused speaks for all of it; it is not asked for each item.
    """

    logs: AuditLogs
    parent: str
    refused: dict[str, HistoryRefused] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """Return how often the logs were asked for."""
        return self.logs.requests

    def explain(self, question: Question, now: datetime) -> Answer | None:
        """Return the best explanation.

        Raises:
            HistoryRefused: there is none, and why.
        """
        place = audit_logs.place_of(question, self.parent)
        if place in self.refused:
            raise self.refused[place]
        names = audit_logs.names_of(question)
        try:
            events = list(self.logs.events(place, names, since=now - HISTORY, until=question.seen_at))
        except HistoryRefused as error:
            if error.reason != "throttled":
                self.refused[place] = error
            raise
        return audit_logs.choose(question, events)
