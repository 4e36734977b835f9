"""Writes Terraform's language: values, attributes and blocks, in the layout of `terraform fmt`.

Source: HCL Native Syntax Specification, "Template Expressions" and "String Literals"; Terraform, "Style Guide".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True, slots=True)
class Raw:
    """An expression that is written as it is, e.g. `var.password`."""

    text: str


@dataclass(frozen=True, slots=True)
class Encoded:
    """A JSON document, written as `jsonencode(…)`."""

    value: object


@dataclass(frozen=True, slots=True)
class Block:
    """A nested block.

    Attributes:
        name: its type, with labels after it where it has some.
        body: what stands in it, in order.
    """

    name: str
    body: Sequence[tuple[str, object] | Block]


Body: TypeAlias = Sequence[tuple[str, object] | Block]


def quoted(text: str) -> str:
    """Write a text so that nothing in it is taken for an expression."""
    escaped = "".join(_ESCAPES.get(letter) or (letter if letter.isprintable() else _code(letter)) for letter in text)
    return '"' + escaped.replace("${", "$${").replace("%{", "%%{") + '"'


def value(found: object, indent: int = 0) -> str:
    """Write a value; `indent` is that of the line it begins on."""
    if isinstance(found, Raw):
        return found.text
    if isinstance(found, Encoded):
        return f"jsonencode({value(found.value, indent)})"
    if found is None:
        return "null"
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int | float):
        return json.dumps(found)
    if isinstance(found, Mapping):
        lines = [f"{_key(str(name))} = {value(item, indent + 2)}" for name, item in found.items()]
        return _lines(lines, "{", "}", indent, "")
    if isinstance(found, list | tuple):
        items = [value(item, indent + 2) for item in found]
        short = f"[{', '.join(items)}]"
        is_short = "\n" not in short and len(short) + indent < 100
        return short if is_short else _lines(items, "[", "]", indent, ",")
    return quoted(str(found))


def block(item: Block, indent: int = 0) -> str:
    """Write a block with all that stands in it."""
    space = " " * indent
    if not item.body:
        return f"{space}{item.name} {{}}"
    return f"{space}{item.name} {{\n{_body(item.body, indent + 2)}\n{space}}}"


def _body(body: Body, indent: int) -> str:
    space = " " * indent
    attributes = [entry for entry in body if isinstance(entry, tuple)]
    width = max((len(name) for name, _ in attributes), default=0)
    lines = [f"{space}{name.ljust(width)} = {value(item, indent)}" for name, item in attributes]
    blocks = [block(entry, indent) for entry in body if isinstance(entry, Block)]
    return "\n\n".join((["\n".join(lines)] if lines else []) + blocks)


def _lines(items: Sequence[str], start: str, end: str, indent: int, after: str) -> str:
    if not items:
        return start + end
    space = " " * (indent + 2)
    return start + "\n" + "".join(f"{space}{item}{after}\n" for item in items) + " " * indent + end


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) else quoted(name)


def _code(letter: str) -> str:
    number = ord(letter)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
