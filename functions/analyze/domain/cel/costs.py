"""What an expression looks at, and the most that one evaluation can cost: computed, so that the same plan always gives the same answer.

The bound is in nanoseconds, measured generously (ADR-0021). A clock would end the same evaluation at one time and not at another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from .limits import MOST_ITERATIONS, MOST_NESTING, MOST_NODES, ExpressionRefused
from .patterns import pattern_size
from .syntax import Apply, Constant, Ident, Literal, Loop, Node, Select

CHANGE_MEMBERS = frozenset({
    "address", "type", "name", "mode", "module", "provider", "actions", "before", "after", "reason", "replace_paths",
    "previous_address", "is_import", "is_create", "is_update", "is_delete", "is_replace", "destroys", "deposed", "deferred",
})  # fmt: skip
PLAN_MEMBERS = frozenset({"terraform_version", "format_version", "changes_total", "counts"})
SIDES = ("before", "after")
_STEP, _WALK, _REGEX, _REGEX_STATE, _REGEX_BYTE = 100, 100, 10_000, 1_500, 10
# Operators that look at no more than what they are given: truth, numbers, one member.
_CHEAP = frozenset({
    "_&&_", "_||_", "!_", "_?_:_", "_-_", "-_", "_*_", "_/_", "_%_", "_[_]", "@not_strictly_false", "type", "dyn", "bool",
})  # fmt: skip
_COMPARING = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "startsWith", "endsWith"})
_ADD, _IN, _MATCHES = "_+_", "@in", "matches"

Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """How large the values are that an expression looks at.

    Attributes:
        longest: characters of the longest text.
        widest: members of the widest list or map.
        text: characters of all texts.
        values: all values.
    """

    longest: int = 0
    widest: int = 0
    text: int = 0
    values: int = 0


@dataclass(slots=True)
class Facts:
    """What is known of an expression before it is evaluated.

    Attributes:
        paths: what it reads of `before` and `after`, the side first, without duplicates.
        whole: sides that it reads in a way that does not name the attribute.
        nodes, deep, walks, scans, states: by depth of macros: steps; calls that may look at everything; calls that walk over one
            list; calls that look at one text; states of regular expressions.
        patterns: calls of `matches`, by depth of macros.
        adds: additions that may make texts and lists longer.
        widest, literal: members of the widest literal; characters of all literal texts.
        tops: by side, the top-level attributes; from `close` on.
        is_fixed: what it costs does not hang on the values; from `close` on.
    """

    paths: dict[Path, None] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    nodes: list[int] = field(default_factory=lambda: [0] * (MOST_NESTING + 1))
    deep: list[int] = field(default_factory=lambda: [0] * (MOST_NESTING + 1))
    walks: list[int] = field(default_factory=lambda: [0] * (MOST_NESTING + 1))
    scans: list[int] = field(default_factory=lambda: [0] * (MOST_NESTING + 1))
    states: list[int] = field(default_factory=lambda: [0] * (MOST_NESTING + 1))
    patterns: list[int] = field(default_factory=lambda: [0] * (MOST_NESTING + 1))
    literal: int = 0
    adds: int = 0
    widest: int = 0
    tops: dict[str, frozenset[str]] = field(default_factory=dict)
    is_fixed: bool = False

    def attributes(self, side: str) -> tuple[str, ...]:
        """Return the paths below one side, as rules write them."""
        return tuple(dict.fromkeys(".".join(path[1:]) for path in self.paths if path[0] == side))

    def close(self) -> None:
        """Work out what is asked at every evaluation, once nothing is added any more."""
        self.tops = {side: frozenset(path[1] for path in self.paths if path[0] == side) for side in SIDES}
        self.is_fixed = not any((*self.scans, *self.deep, *self.walks, *self.patterns, *self.nodes[1:]))

    def bound(self, size: Size) -> int:
        """Return the most nanoseconds that one evaluation over values of a size can take; of any size when it `is_fixed`."""
        cost = (70 + self.nodes[0]) * _STEP  # entering and leaving, and what looks at no value
        if self.is_fixed:
            return cost
        growth = (self.adds + 1) ** (MOST_NESTING + 1) if self.adds else 1
        longest, text = max(size.longest, self.literal) * growth, (size.text + self.literal) * growth
        everything = text + _WALK * size.values * growth
        cost += everything  # what it looks at is handed over
        widest = max(size.widest, self.widest, 1) * growth
        for depth in range(MOST_NESTING + 1):
            once = (
                (self.nodes[depth] * _STEP if depth else 0)
                + self.scans[depth] * longest
                + self.deep[depth] * everything
                + self.walks[depth] * widest * _WALK
                + self.patterns[depth] * (_REGEX + _REGEX_BYTE * longest)
                + self.states[depth] * _REGEX_STATE
            )
            cost += once * min(MOST_ITERATIONS, widest**depth)
        return cost


def learn(tree: Node) -> Facts:
    """Read what is to be known of an expression off its tree.

    Raises:
        ExpressionRefused: it is too large or nested too deeply, names what is not there, or looks for a pattern that it computes.
    """
    facts = Facts()
    _learn(tree, 0, facts, frozenset())
    if sum(facts.nodes) > MOST_NODES:
        raise ExpressionRefused(f"an expression has at most {MOST_NODES} parts")
    facts.close()
    return facts


def _learn(node: Node, depth: int, facts: Facts, accumulators: frozenset[str]) -> None:
    if depth > MOST_NESTING:
        raise ExpressionRefused(f"macros stand in each other at most {MOST_NESTING} deep")
    facts.nodes[depth] += 1
    path = _path(node)
    if path is not None:
        _note_path(path, facts, is_test=isinstance(node, Select) and node.is_test)
        return
    if isinstance(node, Apply):
        if _is_about_presence(node, facts):
            return
        _count(node, depth, facts, accumulators)
    if isinstance(node, Constant):
        facts.literal += len(node.text or "")
    if isinstance(node, Literal):
        facts.widest = max(facts.widest, len(node.values))
    inner = accumulators | {node.accumulator} if isinstance(node, Loop) else accumulators
    for child, is_inside in _children(node):
        _learn(child, depth + is_inside, facts, inner)


def _children(node: Node) -> Iterator[tuple[Node, bool]]:
    if isinstance(node, Select):
        yield node.operand, False
    elif isinstance(node, Apply):
        yield from ((item, False) for item in node.args)
    elif isinstance(node, Literal):
        yield from ((item, False) for item in node.values)
    elif isinstance(node, Loop):
        yield from ((item, False) for item in (node.walked, *node.once))
        yield from ((item, True) for item in node.each)


def _path(node: Node) -> Path | None:
    """Return what a chain of members names, from `change` or `plan` on; None when it is no such chain."""
    if isinstance(node, Ident):
        return (node.name,) if node.name in {"change", "plan"} else None
    if isinstance(node, Select):
        above = _path(node.operand)
        return None if above is None else (*above, node.field)
    if isinstance(node, Apply) and node.function == "_[_]" and isinstance(node.args[1], Constant):
        above, key = _path(node.args[0]), node.args[1].text
        return None if above is None or key is None else (*above, key)
    return None


def _note_path(path: Path, facts: Facts, *, is_test: bool) -> None:
    root, *members = path
    known = CHANGE_MEMBERS if root == "change" else PLAN_MEMBERS
    if members and members[0] not in known:
        raise ExpressionRefused(f"`{root}` has no member `{members[0][:50]}`; it has {', '.join(sorted(known))}")
    if root == "plan":
        return
    if not members:
        facts.whole.update(SIDES)
    elif members[0] in SIDES and len(members) > 1:
        named = [members[0]]
        for member in members[1:]:
            if "." in member and len(named) > 1:
                break  # rules write a path with dots between its members
            named.append(member)
        facts.paths[tuple(named)] = None
    elif members[0] in SIDES and not is_test:
        facts.whole.add(members[0])


def _is_about_presence(node: Apply, facts: Facts) -> bool:
    """Take in `"name" in change.after` and `change.before == null`, which look at no value."""
    if node.function == _IN and isinstance(node.args[0], Constant) and node.args[0].text is not None:
        path = _path(node.args[1])
        if path is not None and len(path) == 2 and path[1] in SIDES:
            _note_path((*path, node.args[0].text), facts, is_test=True)
            return True
    if node.function in {"_==_", "_!=_"} and any(isinstance(item, Constant) and item.is_null for item in node.args):
        paths = [_path(item) for item in node.args]
        return any(path is not None and len(path) == 2 and path[0] == "change" and path[1] in SIDES for path in paths)
    return False


def _count(node: Apply, depth: int, facts: Facts, accumulators: frozenset[str]) -> None:
    has_constant = any(isinstance(item, Constant) for item in node.args)
    if node.function == _MATCHES:
        pattern = node.args[-1]
        if not isinstance(pattern, Constant) or pattern.text is None:
            raise ExpressionRefused("the regular expression of `matches` stands in the expression as text")
        facts.patterns[depth] += 1
        facts.states[depth] += pattern_size(pattern.text)
    elif node.function == _ADD:
        if not (isinstance(node.args[0], Ident) and node.args[0].name in accumulators):
            facts.adds += 0 if any(isinstance(item, Constant) and item.text is None for item in node.args) else 1
            facts.scans[depth] += 1
    elif node.function == _IN and isinstance(node.args[0], Constant):
        facts.walks[depth] += 1
    elif node.function == _IN or (node.function in _COMPARING and not has_constant):
        facts.deep[depth] += 1
    elif node.function not in _CHEAP and node.function not in _COMPARING:
        facts.scans[depth] += 1
