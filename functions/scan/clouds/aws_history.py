"""Who made a drift in AWS, by CloudTrail's event history: region by region and name by name, until one call explains it for sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..domain import attribution as domain
from ..domain.attribution import HistoryRefused
from ..domain.trail import TrailEvent
from ..domain.trail_calls import calls_for
from ..readers.aws.trail import LookupKey, Trail


@dataclass(slots=True)
class AwsHistory:
    """The event history of one account.

    Attributes:
        trail: asks CloudTrail.
        regions: of the scan.
        refused: what a region refused speaks for all of it; it is not asked for each item.
    """

    trail: Trail
    regions: Sequence[str]
    refused: dict[str, HistoryRefused] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """Return how often CloudTrail was asked."""
        return self.trail.requests

    def explain(self, question: domain.Question, now: datetime) -> domain.Answer | None:
        """Return the best explanation.

        Raises:
            HistoryRefused: there is none, and why.
        """
        by_name: list[tuple[LookupKey, str]] = [("ResourceName", name) for name in domain.names_of(question)]
        by_call: list[tuple[LookupKey, str]] = [("EventName", name) for name in calls_for(question.type, question.kind)]
        best: domain.Answer | None = None
        seen: list[TrailEvent] = []
        for region in domain.regions_of(question, self.regions, self.trail.partition):
            if region in self.refused:
                raise self.refused[region]
            for key, value in (*by_name, *by_call):
                try:
                    pages = self.trail.pages(region, key, value, since=now - domain.HISTORY, until=question.seen_at)
                    for page in pages:
                        seen += page
                        best = domain.choose(question, seen)
                        if best is not None and best.confidence == "exact":
                            return best
                except HistoryRefused as error:
                    if error.reason != "throttled":
                        self.refused[region] = error
                    raise
        return best
