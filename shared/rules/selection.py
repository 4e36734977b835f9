"""Which rules judge a plan: those built in and a customer's own, without those that are switched off."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache, lru_cache

from .families import RULES
from .rule import Rule
from .types import CONTAINERS, LOCAL


class Selection:
    """A set of rules, asked by type of resource; each type is looked up once."""

    def __init__(self, extra: Sequence[Rule] = (), disabled: Collection[str] = ()) -> None:
        """Choose the rules.

        Args:
            extra: a customer's own rules; their ids are none of the built-in ones, which is for the caller to see to.
            disabled: ids of rules that say nothing, also of those that look at the plan as a whole; unknown ids do nothing.
        """
        self._extra = tuple(extra)
        self._disabled = frozenset(disabled)
        self._rules: dict[str, tuple[Rule, ...]] = {}
        self._covered: dict[str, bool] = {}

    def rules_of(self, kind: str) -> tuple[Rule, ...]:
        """Return the rules about a type, in their order, the customer's own last."""
        if kind not in self._rules:
            own = (rule for rule in self._extra if _is_about(rule, kind))
            self._rules[kind] = tuple(rule for rule in (*_built_in(kind), *own) if self.holds(rule))
        return self._rules[kind]

    def covers(self, kind: str) -> bool:
        """Say whether a rule looks into resources of a type; rules about every type do not count."""
        if kind not in self._covered:
            is_named = any(_is_about(rule, kind, everything=False) for rule in self.rules_of(kind))
            # of a container, its deletion is all there is to look at
            self._covered[kind] = is_named or kind in CONTAINERS or any(fnmatchcase(kind, name) for name in LOCAL)
        return self._covered[kind]

    def holds(self, rule: Rule) -> bool:
        """Say whether a rule is not switched off."""
        return rule.id not in self._disabled


@lru_cache(maxsize=4096)
def _built_in(kind: str) -> tuple[Rule, ...]:
    exact, others = _index()
    found = {*exact.get(kind, ()), *(place for place in others if _is_about(RULES[place], kind))}
    return tuple(RULES[place] for place in sorted(found))


@cache
def _index() -> tuple[Mapping[str, Sequence[int]], Sequence[int]]:
    """Return type -> places of the rules that name it, and the places of rules with patterns: few rules have any."""
    exact: dict[str, list[int]] = {}
    others: list[int] = []
    for place, rule in enumerate(RULES):
        for name in rule.types:
            exact.setdefault(name, []).append(place)
        if any(_is_pattern(name) for name in rule.types):
            others.append(place)
    return exact, others


def _is_about(rule: Rule, kind: str, *, everything: bool = True) -> bool:
    """Say whether a rule is about a type; without `everything`, whether it names the type or a pattern of types."""
    if kind in rule.types or (everything and "*" in rule.types):
        return True
    return any(fnmatchcase(kind, name) for name in rule.types if name != "*" and _is_pattern(name))


def _is_pattern(name: str) -> bool:
    return any(letter in name for letter in "*?[")
