"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a check.

    Attributes:
        check: which one.
        text: what it found.
        is_problem: whether the database must not serve like this; otherwise it is to be known, and told to whom it is about.
    """

    check: str
    text: str
    is_problem: bool = True

    def line(self) -> str:
        """Return it as it is printed."""
        return f"{'PROBLEM' if self.is_problem else 'known'}  {self.check}: {self.text}"
