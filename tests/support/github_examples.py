"""Payloads that GitHub sent, as the npm package `@octokit/webhooks-examples` collects them, and what fuzzing makes of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from hypothesis import strategies as st

from .peers import PEERS, require_peer

_PACKAGE = "@octokit/webhooks-examples"
_LEAST = 300  # of them there are; a package that has fewer is not the one that was pinned
_MOST_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Example:
    """One payload.

    Attributes:
        event: GitHub's name for it, which comes in `X-GitHub-Event`.
        source: where it was sent from: github.com, or a version of GitHub's server.
    """

    event: str
    source: str
    payload: Any

    @property
    def body(self) -> bytes:
        """The payload as bytes."""
        return json.dumps(self.payload, separators=(",", ":")).encode()

    @property
    def kind(self) -> str:
        """What we call the event."""
        action = self.payload.get("action")
        return f"{self.event}.{action}" if action else self.event


@cache
def github_examples(source: str | None = None) -> tuple[Example, ...]:
    """Return every payload, each once; of one source when given. Skips the test where the package is not installed."""
    require_peer(_PACKAGE)
    found: dict[tuple[str, str], Example] = {}
    for index in sorted((PEERS / "node_modules" / _PACKAGE).glob("*/index.json")):
        if source not in {None, index.parent.name}:
            continue
        for event in json.loads(index.read_bytes()):
            for payload in event["examples"]:
                example = Example(event["name"], index.parent.name, payload)
                found.setdefault((example.event, example.body.decode()), example)
    assert len(found) >= _LEAST, f"{len(found)} payloads"
    return tuple(found.values())


# --- What fuzzing makes of them ----------------------------------------------------------------------------------------

_ODD_TEXTS = (
    "x" * 300_000, "\x00", "\ud800", "\u202e}{", "'; drop table webhook.deliveries_in; --", "${jndi:ldap://x}", "\r\nx-a: b", "A" * 201,
    "%s%n{}", "é" * 50_000, "",
)  # fmt: skip
_ODD_VALUES: tuple[object, ...] = (
    None, True, 0, -1, 2**63, 10**400, 1e308, -0.0, [], {}, [[]], {"": {}}, list(range(5_000)), {str(n): n for n in range(5_000)},
    *_ODD_TEXTS,
)  # fmt: skip
_ODD_TOKENS = (b"1e999", b"NaN", b"-Infinity", b"0x1", b"01", b"9" * 5_000, b"tru", b'"\\ud800"', b'"\\u0000"', b"'a'", b"//", b"\xff\xfe", b"\xed\xa0\x80")  # fmt: skip
_DEPTHS = (10, 60, 200, 5_000, 100_000)


def _places(node: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    items: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from _places(value, (*path, key))


def _put(payload: Any, path: tuple[str | int, ...], value: object) -> Any:
    """Return a copy of a payload with another value in one place."""
    if not path:
        return value
    copied = dict(payload) if isinstance(payload, dict) else list(payload)
    copied[path[0]] = _put(payload[path[0]], path[1:], value)
    return copied


def _as_bytes(payload: object) -> bytes:
    return json.dumps(payload).encode("utf-8", "surrogatepass")


def _marked(payload: Any, path: tuple[str | int, ...], token: bytes) -> bytes:
    """Return a payload with raw bytes in one place, JSON or not."""
    return _as_bytes(_put(payload, path, "\x1amark")).replace(b'"\\u001amark"', token)


@st.composite
def mutated(draw: st.DrawFn, examples: tuple[Example, ...]) -> tuple[Example, bytes]:
    """Draw a payload and what became of it: cut, types swapped, nested deep, blown up, doubled, broken; 1 MiB at most."""
    example = draw(st.sampled_from(examples))
    places = list(_places(example.payload))
    body = example.body
    for way in draw(st.lists(st.sampled_from(sorted(_WAYS)), min_size=1, max_size=2)):
        payload: Any = example.payload
        path = draw(
            st.sampled_from(places[: 1 + len(places) // draw(st.sampled_from((1, 4, 20)))])
        )  # the top more often
        body = cast("bytes", _WAYS[way](draw, payload, path, body))
    return example, body[:_MOST_BYTES]


def _cut(draw: st.DrawFn, _payload: Any, _path: tuple[str | int, ...], body: bytes) -> bytes:
    begin, end = sorted((draw(st.integers(0, len(body))), draw(st.integers(0, len(body)))))
    return draw(st.sampled_from((body[:end], body[begin:], body[:begin] + body[end:])))


def _swap(draw: st.DrawFn, payload: Any, path: tuple[str | int, ...], _body: bytes) -> bytes:
    return _as_bytes(_put(payload, path, draw(st.sampled_from(_ODD_VALUES))))


def _nest(draw: st.DrawFn, payload: Any, path: tuple[str | int, ...], _body: bytes) -> bytes:
    depth, (opening, closing) = draw(st.sampled_from(_DEPTHS)), draw(st.sampled_from(((b"[", b"]"), (b'{"a":', b"}"))))
    return _marked(payload, path, opening * depth + b"0" + closing * draw(st.sampled_from((depth, depth - 1, 0))))


def _token(draw: st.DrawFn, payload: Any, path: tuple[str | int, ...], _body: bytes) -> bytes:
    return _marked(payload, path, draw(st.sampled_from(_ODD_TOKENS)))


def _double(draw: st.DrawFn, payload: Any, _path: tuple[str | int, ...], body: bytes) -> bytes:
    name = draw(st.sampled_from(sorted(payload))) if isinstance(payload, dict) and payload else "action"
    return body[:-1] + b"," + json.dumps(name).encode() + b":" + draw(st.sampled_from((b"7", b'"again"'))) + b"}"


def _flip(draw: st.DrawFn, _payload: Any, _path: tuple[str | int, ...], body: bytes) -> bytes:
    flipped = bytearray(body or b"x")
    for _ in range(draw(st.integers(1, 8))):
        flipped[draw(st.integers(0, len(flipped) - 1))] = draw(st.integers(0, 255))
    return bytes(flipped)


def _grow(draw: st.DrawFn, _payload: Any, _path: tuple[str | int, ...], body: bytes) -> bytes:
    filler = draw(st.sampled_from((b" ", b"[", b"\x00", b'{"a":', b'"', b"\\u0000", b"a=b&", b"%7B")))
    return draw(st.sampled_from((b"", body))) + filler * (_MOST_BYTES // len(filler))


_WAYS: dict[str, Any] = {
    "cut": _cut, "swap": _swap, "nest": _nest, "token": _token, "double": _double, "flip": _flip, "grow": _grow,
}  # fmt: skip
