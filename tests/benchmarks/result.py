"""One line of the bench."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """A measured ratio.

    Attributes:
        what, against: the two things that were measured in turn.
        measured: both medians, with units.
        ratio: what / against.
        bar: what it should be, in words.
        is_met: whether it is.
    """

    what: str
    against: str
    measured: str
    ratio: float
    bar: str
    is_met: bool
