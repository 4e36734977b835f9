"""Answers: a fault may refuse a call, in words that a client can act on, and in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from local_emulator.routing import Routes, Target
from shared.http.scim_errors import ROOT as SCIM_ROOT

from ..calls import Call
from .world import World

_BUSY = frozenset({429, 503})
_FAULTS = frozenset({502, 503, 504})  # of ours, or of somebody behind us: a client may ask again
_SLACK_SECONDS = 6.0  # the gateway's time to connect, and a machine that does much else
_UNKNOWN_SECONDS = 5.0  # of a path that nobody answers
_EXAMPLES = 20


def errors_are_typed(world: World, counts: Counter[str]) -> Iterator[str]:
    """No call failed for a mistake of ours; every error says what it is, and every refusal for now when to come again.

    No answer at all is what a client must live with.
    """
    for call in world.calls.all():
        counts["calls"] += 1
        if call.status == 0:
            counts["without an answer"] += 1
        elif call.status >= 400:
            counts[f"{call.status} {call.code}".rstrip()] += 1
            yield from (f"{told(call)}: {problem}" for problem in _problems(call))


def nobody_waited_too_long(world: World, counts: Counter[str]) -> Iterator[str]:
    """Nobody waited longer than the platform lets a call of that path go on."""
    routes = Routes(world.suite)
    late: list[str] = []
    longest = 0.0
    for call in world.calls.all():
        counts["calls"] += 1
        longest = max(longest, call.took_seconds)
        if call.took_seconds > (limit := _limit_seconds(routes, call)) + _SLACK_SECONDS:
            late.append(f"{told(call)}: took {call.took_seconds:.1f} s, and the platform gives it {limit:g} s")
    counts["seconds at most"] = round(longest)
    yield from late[:_EXAMPLES]
    if len(late) > _EXAMPLES:
        yield f"and {len(late) - _EXAMPLES} more"


def told(call: Call) -> str:
    """Name a call so that its log line is found."""
    code = f" {call.code}" if call.code else ""
    return f"{call.method} {call.path}: {call.status}{code}, request {call.request_id}"


def _problems(call: Call) -> Iterator[str]:
    if call.status >= 500 and call.status not in _FAULTS:
        yield "a mistake of ours"
    if not call.is_typed:
        yield "the error is no problem document"
    elif not call.code and not urlsplit(call.path).path.startswith(SCIM_ROOT):
        yield "the problem has no code"
    if call.status in _BUSY and not call.has_retry_after:
        yield "it does not say when to come again"


def _limit_seconds(routes: Routes, call: Call) -> float:
    target = routes.find(call.method, urlsplit(call.path).path)
    return float(target.timeout_seconds) if isinstance(target, Target) else _UNKNOWN_SECONDS
