"""Two shapes that most rules have: a setting that is switched to a bad value, and a number that goes down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .levels import Severity
from .plan import Change, Plan
from .rule import EXPOSURES, Evidence, Flag, Match, Rule, seen, whole
from .texts import REASONS, REMEDIES
from .values import at, is_mark, is_object, number, raw, truth

Bad = Callable[[Any], bool]


def off(value: Any) -> bool:
    """The flag is off."""
    return truth(value) is False


def on(value: Any) -> bool:
    """The flag is on."""
    return truth(value) is True


def word(*words: str) -> Bad:
    """The text is one of these; case carries no meaning."""
    bad = frozenset(item.lower() for item in words)
    return lambda value: isinstance(value, str) and value.lower() in bad


def not_word(*words: str) -> Bad:
    """The text is none of these."""
    good = word(*words)
    return lambda value: isinstance(value, str) and not good(value)


def zero(value: Any) -> bool:
    """The number is zero."""
    return number(value) == 0


def never(_value: Any) -> bool:
    """Only its absence is bad."""
    return False


def rule_of(
    name: str, family: str, flag: Flag, severity: Severity, title: str, types: tuple[str, ...],
    judge: Callable[[Change, Plan], Iterator[Match]], *, paths: tuple[str, ...] = (), refs: tuple[str, ...] = (),
    also_unchanged: bool = False,
) -> Rule:  # fmt: skip
    """Make a rule with its flag's texts."""
    return Rule(
        name, family, flag, severity, title, REASONS[flag], REMEDIES[flag], types, judge, paths, refs, also_unchanged
    )


def switch(
    name: str, flag: Flag, severity: Severity, title: str, types: tuple[str, ...], path: str, bad: Bad, *,
    family: str, absent: bool = False, on_create: Severity | None = None, refs: tuple[str, ...] = (),
) -> Rule:  # fmt: skip
    """Make a rule that speaks when a setting becomes bad.

    Args:
        name: id of the rule.
        flag: its flag.
        severity: when a change makes the setting bad.
        title: what happened.
        types: resource types.
        path: the setting; with several values, one bad one is enough.
        bad: which value is bad.
        family: family of the rule.
        absent: whether null, an empty block or an empty list is bad.
        on_create: severity when something new is bad from the start; None says nothing then, nor about what stays bad.
        refs: references.
    """

    def judge(change: Change, _plan: Plan) -> Iterator[Match]:
        if change.after is None or not _speaks(change, path):
            return
        was, will = _is_bad(change.before, path, bad, absent=absent), _is_bad(change.after, path, bad, absent=absent)
        if not will:
            return
        evidence = (_evidence(change, path),)
        if change.before is None:
            if on_create is not None:
                yield Match(evidence, on_create)
        elif not was:
            yield Match(evidence)
        elif flag in EXPOSURES and on_create is not None and any(bad(value) for _, value in at(change.after, path)):
            yield Match(evidence, "low", "It is so already; this change keeps it.")

    return rule_of(name, family, flag, severity, title, types, judge, paths=(path,), refs=refs)


def lowering(
    name: str, flag: Flag, severity: Severity, title: str, types: tuple[str, ...], path: str, *,
    family: str, to_zero: Severity | None = None, forever: bool = False, refs: tuple[str, ...] = (),
) -> Rule:  # fmt: skip
    """Make a rule that speaks when a number goes down.

    Args:
        name: id of the rule.
        flag: its flag.
        severity: when it goes down.
        title: what happened.
        types: resource types.
        path: the number.
        family: family of the rule.
        to_zero: severity when nothing is left.
        forever: zero means without end, as in retention periods.
        refs: references.
    """

    def judge(change: Change, _plan: Plan) -> Iterator[Match]:
        if change.before is None or change.after is None:
            return
        was, will = _total(change.before, path, forever=forever), _total(change.after, path, forever=forever)
        if was is None or will is None or will >= was:
            return
        yield Match((_evidence(change, path),), to_zero if to_zero and will == 0 else None)

    return rule_of(name, family, flag, severity, title, types, judge, paths=(path,), refs=refs)


def gone(
    name: str, flag: Flag, severity: Severity, title: str, types: tuple[str, ...], *, family: str,
    refs: tuple[str, ...] = (),
) -> Rule:  # fmt: skip
    """Make a rule that speaks when a resource that exists to protect something is deleted without a successor."""

    def judge(change: Change, _plan: Plan) -> Iterator[Match]:
        if change.is_delete and change.deposed is None:
            yield Match((whole(change),))

    return rule_of(name, family, flag, severity, title, types, judge, refs=refs)


def _speaks(change: Change, path: str) -> bool:
    """Say whether either side has the setting at all; a version of the provider may not know it."""
    top = path.split(".", 1)[0]
    return any(is_object(side) and top in side for side in (change.before, change.after))


def _is_bad(document: object, path: str, bad: Bad, *, absent: bool) -> bool:
    if document is None:
        return False
    values = [value for _, value in at(document, path) if value is not None]
    if any(is_mark(value) for value in values):
        return False
    return any(bad(value) for value in values) if values else absent


def _total(document: object, path: str, *, forever: bool) -> float | None:
    found = [number(value) for _, value in at(document, path)]
    known = [value for value in found if value is not None]
    if not known or len(known) != len(found):
        return None
    return float("inf") if forever and known == [0] else sum(known)


def _evidence(change: Change, path: str) -> Evidence:
    before, after = at(change.before, path), at(change.after, path)
    if len(before) <= 1 and len(after) <= 1:
        where = next((place for place, _ in (*after, *before)), None)
        return seen(
            path if where is None else where, *(next((value for _, value in side), None) for side in (before, after))
        )
    top = path.split(".", 1)[0]
    return seen(top, raw(change.before, top), raw(change.after, top))
