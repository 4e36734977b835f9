"""Compiling and evaluating expressions by cel-expr-python, Google's own implementation for C++ (ADR-0021).

The library is loaded at the first use: most analyses need it not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from shared.rules import plan as rules
from shared.rules.values import dotted

from .costs import SIDES, Facts, Size, learn
from .limits import MOST_CHARACTERS, MOST_NANOSECONDS, ExpressionRefused
from .syntax import read_syntax
from .values import Attributes, storable

if TYPE_CHECKING:
    from cel_expr_python import cel

_NO_SIZE = Size()
_ENDLESS = 2**63
_MOST_SAID = 200
_MOST_PROGRAMS = 2_000

Kind: TypeAlias = Literal["matched", "not_matched", "does_not_apply", "failed", "too_costly"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one evaluation.

    Attributes:
        kind: `does_not_apply` when it asks for `before` or `after` of a change that has none.
        message: what went wrong; empty when nothing did.
    """

    kind: Kind
    message: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled expression. Safe to share between threads."""

    facts: Facts
    expression: cel.Expression

    def bound(self, change: Change) -> int:
        """Return the most nanoseconds that an evaluation can take; endless ones when it looks at more than may be handed over."""
        if self.facts.is_fixed and not change.has_refused:
            return self.facts.bound(_NO_SIZE)
        size = change.size_for(self.facts)
        return _ENDLESS if size is None else self.facts.bound(size)

    def evaluate(self, change: Change, bound: int | None = None) -> Outcome:
        """Evaluate over one change; whatever happens is an outcome.

        Args:
            change: the change.
            bound: of `bound`, when it is known already.
        """
        if (self.bound(change) if bound is None else bound) > MOST_NANOSECONDS:
            return Outcome("too_costly", "the values it looks at are too large for what it does with them")
        try:
            value = self.expression.eval(change.activation)
            found = value.value()
        except Exception as error:  # noqa: BLE001  # the library raises what it likes; nothing of it may end the analysis
            return self._failed(change, f"{error}")
        if isinstance(found, bool):
            return Outcome("matched" if found else "not_matched")
        kind = value.type().name()
        return self._failed(change, str(found) if kind == "ERROR" else f"it gives {kind.lower()}, not true or false")

    def _failed(self, change: Change, message: str) -> Outcome:
        asked = {path[0] for path in self.facts.paths}
        if any(change.is_without(side) for side in asked):
            return Outcome("does_not_apply")
        return Outcome("failed", " ".join(message.split())[:_MOST_SAID])


class Change:
    """One change as expressions see it, made once for all of them."""

    def __init__(self, change: rules.Change, plan: Mapping[str, Any], facts: Facts) -> None:
        """Prepare a change.

        Args:
            change: the change.
            plan: see `describe_plan`.
            facts: what all the expressions together look at; nothing else is handed over.
        """
        self._change = change
        self._sides = {side: Attributes.of(getattr(change, side), facts, side) for side in SIDES}
        shown = {
            **{name: storable(str(getattr(change, name) or "")) for name in _TEXTS},
            **{name: bool(getattr(change, name)) for name in _FLAGS},
            **{name: None if (text := getattr(change, name)) is None else storable(text) for name in _OPTIONAL},
            **{side: found.values for side, found in self._sides.items()},
            "actions": [storable(action) for action in change.actions],
            "replace_paths": [storable(dotted(path)) for path in change.replace_paths[:1_000]],
        }
        self._own = len(change.address), min(len(change.replace_paths), 1_000), len(change.address) * 4, 50
        self.has_refused = any(found.refused for found in self._sides.values())
        self.activation = _environment().Activation({"change": shown, "plan": dict(plan)})

    def is_without(self, side: str) -> bool:
        """Say whether the change has no such side."""
        return getattr(self._change, side) is None

    def size_for(self, facts: Facts) -> Size | None:
        """Return how large the values are that an expression looks at; None when one is too large to be handed over."""
        longest, widest, text, values = self._own
        for side, found in self._sides.items():
            if side in facts.whole:
                widest = max(widest, len(found.sizes))
            for name in found.chosen(facts, side):
                size = found.sizes.get(name)
                if size is None:
                    if name in found.refused:
                        return None
                    continue
                longest, widest = max(longest, size.longest), max(widest, size.widest)
                text, values = text + size.text, values + size.values
        return Size(longest, widest, text, values)


_TEXTS = ("address", "type", "name", "mode", "module", "provider")
_FLAGS = ("is_import", "is_create", "is_update", "is_delete", "is_replace", "destroys")
_OPTIONAL = ("reason", "previous_address", "deposed", "deferred")


def describe_plan(plan: rules.Plan, counts: Mapping[str, int]) -> dict[str, Any]:
    """Return what expressions see of a plan."""
    return {
        "terraform_version": storable(plan.terraform_version),
        "format_version": storable(plan.format_version),
        "changes_total": len(plan.changes),
        "counts": {storable(name): number for name, number in counts.items()},
    }


@lru_cache(maxsize=_MOST_PROGRAMS)
def compile_expression(text: str) -> Program:
    """Compile an expression; the same text is compiled once per process.

    Raises:
        ExpressionRefused: with what is wrong, and where.
    """
    if len(text) > MOST_CHARACTERS:
        raise ExpressionRefused(f"an expression has at most {MOST_CHARACTERS} characters")
    if storable(text) != text:
        raise ExpressionRefused("an expression is text without half of a surrogate pair")
    environment = _environment()
    try:
        expression = environment.compile(text)
    except Exception as error:  # noqa: BLE001  # the library's own, of no common type
        raise ExpressionRefused(_said(str(error))) from None
    kind = expression.return_type().name()
    if kind not in {"BOOL", "DYN"}:
        raise ExpressionRefused(f"it gives {kind.lower()}, not true or false")
    return Program(learn(read_syntax(expression.serialize())), expression)


@lru_cache(maxsize=1)
def _environment() -> cel.Env:
    from cel_expr_python import cel

    return cel.NewEnv(variables={"change": cel.Type.DYN, "plan": cel.Type.DYN})


def _said(message: str) -> str:
    """Return the library's message without the marks it puts around."""
    first = message.partition("\n")[0]
    for prefix in ("INVALID_ARGUMENT: ", "CANCELLED: ", "ERROR: ", "<input>:"):
        first = first.removeprefix(prefix)
    return " ".join(first.replace(" (in container '')", "").split())[:300]
