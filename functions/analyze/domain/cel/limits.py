"""What an expression may be at most, and what is said about one that is more."""

from __future__ import annotations

MOST_CHARACTERS = 2_000
MOST_NODES = 300
MOST_NESTING = 2  # macros in macros: `a.all(x, b.all(y, …))`
MOST_PATTERN = 100
MOST_PATTERN_SIZE = 4_000
MOST_TEXT = 256 * 1024  # of what one expression looks at in one change
MOST_VALUES = 20_000
MOST_ITERATIONS = 10_000  # cel-cpp ends an evaluation there by itself
MOST_NANOSECONDS = 100_000_000  # of one evaluation, by the bound that is computed before it
BUDGET_NANOSECONDS = 25_000_000_000  # of all evaluations over one plan, by the same bound


class ExpressionRefused(Exception):
    """An expression that is not taken; `problem` says why, and where when that is known."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
