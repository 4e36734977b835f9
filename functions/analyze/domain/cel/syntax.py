"""What an expression consists of, read from the checked syntax tree that the library gives out as bytes.

The bytes are a `cel.expr.CheckedExpr` in a `google.protobuf.Any`, in protobuf's wire format; just as much of it is read as is asked about.
Source: https://github.com/google/cel-spec, proto/cel/expr/{checked,syntax}.proto; https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .limits import ExpressionRefused

_MORE, _BITS = 0x80, 0x7F
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_VALUE_OF_ANY, _EXPR_OF_CHECKED = 2, 4
_CONST, _IDENT, _SELECT, _CALL, _LIST, _STRUCT, _COMPREHENSION = 3, 4, 5, 6, 7, 8, 9
_NULL, _TEXT = 1, 6


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal; `text` is None for everything but text."""

    text: str | None
    is_null: bool


@dataclass(frozen=True, slots=True)
class Ident:
    """A name."""

    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """A member of something; `is_test` for `has(…)`."""

    operand: Node
    field: str
    is_test: bool


@dataclass(frozen=True, slots=True)
class Apply:
    """A function or an operator with its arguments, the target of a method first."""

    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """A list or a map; `values` holds keys and values alike."""

    values: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """A macro, as the parser unfolds it: what it walks over, what it does once, and what with each element."""

    accumulator: str
    walked: Node
    once: tuple[Node, ...]
    each: tuple[Node, ...]


Node: TypeAlias = Constant | Ident | Select | Apply | Literal | Loop
_Field: TypeAlias = tuple[int, int | bytes]


def read_syntax(checked: bytes) -> Node:
    """Read the tree of a checked expression.

    Raises:
        ExpressionRefused: it makes a protobuf message, which there is no use for.
    """
    return _node(_message(_message(checked, _VALUE_OF_ANY), _EXPR_OF_CHECKED))


def _node(content: bytes) -> Node:
    for number, value in _fields(content):
        if not isinstance(value, bytes):
            continue  # the id
        if number == _CONST:
            return _constant(value)
        if number == _IDENT:
            return Ident(_text(value, 1))
        if number == _SELECT:
            is_test = any(found == (3, 1) for found in _fields(value))
            return Select(_node(_message(value, 1)), _text(value, 2), is_test)
        if number == _CALL:
            args = [item for which, item in _fields(value) if which in {1, 3} and isinstance(item, bytes)]
            return Apply(_text(value, 2), tuple(map(_node, args)))
        if number == _LIST:
            return Literal(
                tuple(_node(item) for which, item in _fields(value) if which == 1 and isinstance(item, bytes))
            )
        if number == _STRUCT:
            return _struct(value)
        if number == _COMPREHENSION:
            once, each = (tuple(_node(_message(value, which)) for which in group) for group in ((4, 7), (5, 6)))
            return Loop(_text(value, 3), _node(_message(value, 2)), once, each)
    raise ExpressionRefused("a kind of expression that is not known here")


def _constant(content: bytes) -> Constant:
    found = dict(_fields(content))
    text = found.get(_TEXT)
    return Constant(text.decode() if isinstance(text, bytes) else None, _NULL in found)


def _struct(content: bytes) -> Literal:
    if _text(content, 1):
        raise ExpressionRefused("messages are not made here; use a map")
    values: list[Node] = []
    for number, entry in _fields(content):
        if number == 2 and isinstance(entry, bytes):
            values.extend(_node(part) for which, part in _fields(entry) if which in {3, 4} and isinstance(part, bytes))
    return Literal(tuple(values))


def _message(content: bytes, wanted: int) -> bytes:
    for number, value in _fields(content):
        if number == wanted and isinstance(value, bytes):
            return value
    raise ExpressionRefused("the expression is not whole")


def _text(content: bytes, wanted: int) -> str:
    for number, value in _fields(content):
        if number == wanted and isinstance(value, bytes):
            return value.decode()
    return ""


def _fields(content: bytes) -> Iterator[_Field]:
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        kind = tag & 7
        if kind == _VARINT:
            number, at = _varint(content, at)
            yield tag >> 3, number
            continue
        if kind == _LENGTH:
            length, at = _varint(content, at)
        elif kind in {_EIGHT_BYTES, _FOUR_BYTES}:
            length = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ExpressionRefused("the expression cannot be read back")
        yield tag >> 3, content[at : at + length]
        at += length


def _varint(content: Sequence[int], at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & _BITS) << shift
        at, shift = at + 1, shift + 7
        if not byte & _MORE:
            return value, at
