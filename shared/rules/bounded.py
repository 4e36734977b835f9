"""Rules that give up openly: what is too large to be compared in bounded time is unknown, never "safe"."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from .plan import Change, Plan
from .policies import is_too_long
from .rule import Judge, Match, seen
from .values import raw


def policy_rule(judge: Judge, paths: Sequence[str]) -> Callable[[Change, Plan], Iterator[Match]]:
    """Make the function of a rule about policy documents: one that is too long to be compared is unknown.

    Args:
        judge: what to say about policies of any sensible length.
        paths: where the policies are.
    """

    def judged(change: Change, plan: Plan) -> Iterator[Match]:
        sides = (change.before, change.after) if change.after is not None else ()
        long = [side for side in sides if is_too_long(side, paths)]
        if long:
            tops = dict.fromkeys(path.split(".", 1)[0] for path in paths)
            named = [top for top in tops if any(raw(side, top) is not None for side in long)]
            yield Match(
                tuple(seen(top, raw(change.before, top), raw(change.after, top)) for top in named), is_unknown=True
            )
        else:
            yield from judge(change, plan)

    return judged
