"""Logs: no secret in any, every line of the suite's own processes whole, and no exception that is a mistake in the code."""

from __future__ import annotations

import base64
import builtins
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from shared.telemetry.log import LINES_LOST

from .world import World

_LEAST_SECRET = 8  # characters; shorter ones are found everywhere
_PIECE = 8  # bytes
_NOTE = "--- emulator "
_SERVER_LINE = re.compile(r"\[\d{4}-\d\d-\d\d [^]]+\] \[\d+\] \[([A-Z]+)\] ")  # gunicorn's own
_TRACEBACK = "Traceback (most recent call last):"
_FRAME = re.compile(r'  File "([^"]+)", line (\d+), in ')
_TYPE = re.compile(r"(?:\w+\.)*(\w+)(?::|$)")
_UNTYPED = "unexpected error"  # what the border could only answer with 500
MISTAKES = frozenset(
    name
    for kind in (
        ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, NotImplementedError,
        RecursionError, SyntaxError, TypeError,
    )
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, kind)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception in a log.

    Attributes:
        kind: name of its class, without the module.
        place: file and line of the last frame, as far as they stand there.
        is_untyped: nobody expected it.
        told: what tells the line from others.
    """

    kind: str
    place: str
    is_untyped: bool
    told: str


def no_log_holds_a_secret(world: World, counts: Counter[str]) -> Iterator[str]:
    """No log of any process holds a secret, as it is or encoded as JSON, URL, base64 or hexadecimal digits."""
    secrets = sorted(world.calls.secrets())
    counts["secrets"] = len(secrets)
    yield from (
        f"secret {place} is too short to be looked for" for place, one in enumerate(secrets) if len(one) < _LEAST_SECRET
    )
    wanted = {
        form: (place, name)
        for place, secret in enumerate(secrets)
        if len(secret) >= _LEAST_SECRET
        for name, form in forms(secret.encode()).items()
    }
    index = _index(wanted)
    for process, path in world.log_files().items():
        content = path.read_bytes()
        counts["logs"] += 1
        counts["bytes"] += len(content)
        for form in _candidates(content, index):
            if (at := content.find(form)) >= 0:
                place, name = wanted[form]
                line = content.count(b"\n", 0, at) + 1
                yield f"{process}, line {line}: secret {place} of {len(secrets)}, {name}"


def lines_are_whole(world: World, counts: Counter[str]) -> Iterator[str]:
    """Every line of the suite's own processes is one JSON object with a severity, and none is CRITICAL.

    A line may be cut off where its process was killed; the server that runs the functions writes some of its own, in its own way.
    """
    for process, path in world.function_logs().items():
        lines = _lines(path)
        counts["lines"] += len(lines)
        before: str | None = ""
        for place, line in enumerate(lines):
            severity = _severity(lines, place)
            counts[severity or "foreign"] += 1
            begins_foreign = severity is None and before is not None  # the rest belongs to it: a traceback, as a rule
            if begins_foreign or "CRITICAL" in (severity or ""):
                yield f"{process}, line {place + 1}: {line[:300]}"
            before = severity


def no_exception_is_a_mistake(world: World, counts: Counter[str]) -> Iterator[str]:
    """No exception of the suite's own processes is a mistake in the code, and none took the border by surprise.

    Faults raise exceptions that have names for them: how often each came is to be known. What a typed one was made of counts as the
    typed one.
    """
    wrong: dict[tuple[str, str, str], list[Raised]] = {}
    for process, path in world.function_logs().items():
        for raised in exceptions(_lines(path)):
            counts[raised.kind] += 1
            if raised.is_untyped or raised.kind in MISTAKES:
                wrong.setdefault((process, raised.kind, raised.place), []).append(raised)
    for (process, kind, place), found in wrong.items():
        yield f"{process}: {len(found)} times {kind} at {place}, first {found[0].told}"


def forms(secret: bytes) -> dict[str, bytes]:
    """Return a secret in every form that is looked for; as base64 however it stands against the groups of three bytes."""
    found = {
        "plain": secret,
        "JSON": json.dumps(secret.decode())[1:-1].encode(),
        "URL-encoded": quote(secret, safe="").encode(),
        "hexadecimal": secret.hex().encode(),
    }
    for shift in range(3):
        inner = secret[shift : shift + (len(secret) - shift) // 3 * 3]
        found[f"base64 + {shift}"] = base64.b64encode(inner)
        found[f"base64url + {shift}"] = base64.urlsafe_b64encode(inner)
    return {name: form for name, form in found.items() if len(form) >= _LEAST_SECRET}


def _index(wanted: Iterable[bytes]) -> dict[bytes, set[bytes]]:
    """Return what of each form must stand at a multiple of its length, wherever the form stands; "" for what is too short for it.

    Taken from a form's end, as secrets of a kind begin alike.
    """
    found: dict[bytes, set[bytes]] = {}
    for form in wanted:
        begins = range(len(form) - 2 * _PIECE + 1, len(form) - _PIECE + 1)
        pieces = [form[begin : begin + _PIECE] for begin in begins] if begins[0] >= 0 else [b""]
        for piece in pieces:
            found.setdefault(piece, set()).add(form)
    return found


def _candidates(content: bytes, index: Mapping[bytes, set[bytes]]) -> set[bytes]:
    """Return the forms that may stand in a content; it is long, and there are thousands of forms."""
    found = set(index.get(b"", ()))
    for begin in range(0, len(content), _PIECE):
        if (piece := content[begin : begin + _PIECE]) in index:
            found |= index[piece]
    return found


def exceptions(lines: list[str]) -> Iterator[Raised]:
    """Yield the exceptions in log lines: those in records, and those that were printed past the log."""
    for place, line in enumerate(lines):
        found = read(line)
        if found is not None and isinstance(found.get("exception"), str):
            told = f"{found.get('message')}, request {found.get('request_id', '')} at {found.get('time', '')}"
            yield _raised(found["exception"], is_untyped=found.get("message") == _UNTYPED, told=told)
        elif found is None and line.startswith(_TRACEBACK):
            block = [line, *_until_type(lines[place + 1 :])]
            yield _raised("\n".join(block), is_untyped=True, told=f"line {place + 1}")


def read(line: str) -> dict[str, Any] | None:
    """Return a line's record; None when it is none."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8", "replace").split("\n") if line]


def _severity(lines: list[str], place: int) -> str | None:
    """Return the severity of a line's record, or what else the line is; None for what nobody should have written."""
    line = lines[place]
    found = read(line)
    if found is not None:
        return str(found["severity"]) if "severity" in found else None
    if (server := _SERVER_LINE.match(line)) is not None:
        return f"the server's {server[1]}"
    if line.startswith(_NOTE):
        return "the emulator's"
    is_told = _ends_a_life(lines, place) or _is_told_as_lost(lines, place)
    return "cut off" if line.startswith("{") and is_told else None


def _is_told_as_lost(lines: list[str], place: int) -> bool:
    """Say whether the next whole record tells that lines before it were lost: a full disk took only the beginning of this one."""
    following = next((found for line in lines[place + 1 :] if (found := read(line)) is not None), {})
    return following.get("message") == LINES_LOST


def _ends_a_life(lines: list[str], place: int) -> bool:
    """Say whether a line is the last one before its process ended; a record of the next one may stand on the rest of it."""
    return place + 1 == len(lines) or lines[place + 1].startswith(_NOTE) or _NOTE in lines[place]


def _until_type(lines: list[str]) -> Iterator[str]:
    """Yield the rest of a printed traceback: its frames are indented, the exception itself is not."""
    for line in lines:
        yield line
        if not line.startswith(" "):
            return


def _raised(text: str, *, is_untyped: bool, told: str) -> Raised:
    """Read the exception that came out at the end: the last traceback of a chain, its last frame and what follows it."""
    lines = text[max(text.rfind(_TRACEBACK), 0) :].split("\n")
    frames = [match for line in lines if (match := _FRAME.match(line))]
    kinds = [match[1] for line in lines[1:] if (match := _TYPE.match(line))]
    place = f"{frames[-1][1]}:{frames[-1][2]}" if frames else "nowhere"
    kind = kinds[0] if kinds else (_TYPE.match(lines[0]) or ["", "unknown"])[1]
    return Raised(kind, place, is_untyped, told)
