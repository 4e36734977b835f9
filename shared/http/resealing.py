"""The event route by which a function seals its columns anew, off the clock."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

from .access import Access
from .call import Call
from .reply import Reply
from .routes import Route

if TYPE_CHECKING:
    from shared.data.resealing import Resealer

_WORK_SECONDS = 150.0  # the scheduler waits 180 s for an answer and then asks again


class ResealingDeps(Protocol):
    """Clients of a function that owns sealed columns."""

    @property
    def resealer(self) -> Resealer:
        """Seals them anew."""
        ...


def tend_sealed_columns(call: Call, deps: ResealingDeps) -> Reply:
    """Open a run when rows are wrapped under an older KMS version than the present one, and carry on with all that are open.

    An operator's runs are rows too (infra/runbooks/envelope-key.md).
    """
    return Reply.ok(asdict(deps.resealer.tend(call.actor, seconds=_WORK_SECONDS)))


def resealing_route(schedule: str) -> Route[Any]:
    """Make the route of a schedule, e.g. `sealed-columns`."""
    return Route("POST", f"/_events/{schedule}", tend_sealed_columns, Access.from_event(schedule))
