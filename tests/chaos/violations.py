"""What the campaign reports: a promise that was not kept, and which check saw it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One promise that does not hold.

    Attributes:
        check: what was checked, e.g. `keys: lost`.
        text: what was found, with ids and without secrets.
    """

    check: str
    text: str
