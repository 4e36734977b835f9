"""Expressions in CEL (Common Expression Language) over one change of a plan: what they may say, and what they cost. See ADR-0021."""

from .evaluation import Change as Change
from .evaluation import Outcome as Outcome
from .evaluation import Program as Program
from .evaluation import compile_expression as compile_expression
from .evaluation import describe_plan as describe_plan
from .limits import BUDGET_NANOSECONDS as BUDGET_NANOSECONDS
from .limits import MOST_CHARACTERS as MOST_CHARACTERS
from .limits import MOST_NANOSECONDS as MOST_NANOSECONDS
from .limits import ExpressionRefused as ExpressionRefused
