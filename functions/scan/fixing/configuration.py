"""The configuration of a resource that runs: what the provider's schema lets one set, with the values that run.

Owns what is left out: what only the provider computes, what is deprecated, what is null or empty. Secrets are never written; a
variable stands in their place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..domain.sealing import is_sealed
from ..types.provider_schema import AttributeSchema
from .hcl import Block, Body, Encoded, Raw, block

_NEVER = frozenset({"id", "tags_all", "timeouts"})
_EMPTY: tuple[object, ...] = (None, "", [], (), {})
_MOST_DEPTH = 12
_MEMBER = re.compile(r"(\w+)=")
_COMMENT = "# The value is a secret or hidden in the state, so that it is not written here: set it to what runs, or the plan changes it."


@dataclass(slots=True)
class Written:
    """What was written of one resource.

    Attributes:
        body: of the resource block.
        variables: name -> Terraform type of each variable that stands for a secret.
        hidden: paths of blocks that are hidden as a whole: no variable stands for a block.
    """

    body: list[tuple[str, object] | Block] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)


def resource_body(
    attributes: Mapping[str, object],
    schema: Mapping[str, AttributeSchema],
    *,
    prefix: str,
    left_out: frozenset[str] = frozenset(),
    present: Callable[[str], bool] = lambda _path: False,
    secrets: frozenset[str] = frozenset(),
    has_documents: bool = False,
) -> Written:
    """Write the body of a resource.

    Args:
        attributes: what runs, in the shape of the Terraform state.
        schema: what the provider says of the type.
        prefix: how names of variables begin.
        left_out: paths that are not written, e.g. `root_block_device.device_name`.
        present: tells of the path of a block whether its presence alone says something.
        secrets: paths whose values are never written, besides those that the provider calls sensitive.
        has_documents: texts may be JSON whose layout carries no meaning, and are written as `jsonencode(…)`.
    """
    written = Written()
    writer = _Writer(written, prefix, left_out, present, secrets, has_documents=has_documents)
    written.body = list(writer.body(attributes, schema, ()))
    return written


def missing_arguments(body: Body, schema: Mapping[str, AttributeSchema], above: str = "") -> list[str]:
    """Name what the provider demands and a body does not say, at all depths."""
    written = {(entry.name if isinstance(entry, Block) else entry[0]) for entry in body}
    found = [f"{above}{name}" for name, item in schema.items() if item.required and name not in written]
    for entry in body:
        item = schema.get(entry.name) if isinstance(entry, Block) else None
        if isinstance(entry, Block) and item is not None and item.members is not None:
            found += missing_arguments(entry.body, item.members, f"{above}{entry.name}.")
    return found


def variable_blocks(written: Written) -> list[str]:
    """Write the variables that stand for secrets."""
    return [
        f"{_COMMENT}\n" + block(Block(f'variable "{name}"', [("type", Raw(kind)), ("sensitive", True)]))
        for name, kind in written.variables.items()
    ]


class _Writer:
    def __init__(
        self,
        written: Written,
        prefix: str,
        left_out: frozenset[str],
        present: Callable[[str], bool],
        secrets: frozenset[str],
        *,
        has_documents: bool,
    ) -> None:
        self._written = written
        self._present = present
        self._secrets = secrets
        self._has_documents = has_documents
        self._prefix = prefix
        self._left_out = left_out

    def body(self, found: Mapping[str, Any], schema: Mapping[str, AttributeSchema], above: tuple[str, ...]) -> Body:
        plain: list[tuple[str, object] | Block] = []
        blocks: list[tuple[str, object] | Block] = []
        for name, item in schema.items():
            path = (*above, name)
            if name not in found or not self._is_written(item, found[name], path):
                continue
            if item.members is None:
                plain.append((name, self._value(item, found[name], path)))
            else:
                blocks += self._blocks(name, item, found[name], path)
        return [*plain, *blocks]

    def _is_written(self, item: AttributeSchema, found: object, path: tuple[str, ...]) -> bool:
        if item.is_computed_only or item.write_only or ".".join(path) in self._left_out:
            return False
        if not item.required and (item.deprecated or found in _EMPTY or (len(path) == 1 and path[0] in _NEVER)):
            return False
        return item.members is None or item.required or self._says_something(found, path)

    def _blocks(self, name: str, item: AttributeSchema, found: object, path: tuple[str, ...]) -> list[Block]:
        entries = found if isinstance(found, list | tuple) else [found]
        inner = item.members or {}
        if is_sealed(found):
            self._written.hidden.append(".".join(path))
        if len(path) > _MOST_DEPTH or is_sealed(found):
            return []
        return [
            Block(name, self.body(entry, inner, path))
            for entry in entries
            if isinstance(entry, Mapping) and (item.required or self._says_something(entry, path))
        ]

    def _says_something(self, found: object, path: tuple[str, ...]) -> bool:
        return self._present(".".join(path)) or not _is_hollow(found)

    def _value(self, item: AttributeSchema, found: object, path: tuple[str, ...]) -> object:
        if item.sensitive or is_sealed(found) or ".".join(path) in self._secrets:
            name = "_".join((self._prefix, *path))
            self._written.variables[name] = _type_of(item)
            return Raw(f"var.{name}")
        if found is None and item.kind == "string":
            return ""  # an argument that has to be there, and that the cloud leaves empty
        if item.kind == "string" and not self._has_documents and isinstance(found, str):
            return found
        return _converted(item.kind, item.element, found)


def _is_hollow(found: object) -> bool:
    """Say whether nothing is set in a block and all blocks within."""
    if isinstance(found, Mapping):
        return all(_is_hollow(item) for item in found.values())
    return all(_is_hollow(item) for item in found) if isinstance(found, list | tuple) else found in (None, "")


def _converted(kind: str, element: str, found: object) -> object:
    """Bring a value into the kind that the provider expects; readers keep some numbers and booleans as text."""
    if kind == "bool":
        return found if isinstance(found, bool) else str(found).lower() == "true"
    if kind == "number" and isinstance(found, str):
        number = float(found)
        return int(number) if number.is_integer() else number
    if kind == "number" and isinstance(found, float) and found.is_integer():
        return int(found)
    if kind in {"list", "set"} and isinstance(found, list | tuple):
        items = [_object(element, item) if element.startswith("{") else item for item in found]
        return sorted(items, key=str) if kind == "set" and all(isinstance(item, str) for item in items) else items
    if kind == "map" and isinstance(found, Mapping):
        return dict(sorted(found.items()))
    if kind == "string":
        return _text(found)
    return found


def _text(found: object) -> object:
    if isinstance(found, Mapping | list):
        return Encoded(found)
    if isinstance(found, bool):
        return "true" if found else "false"
    text = str(found)
    if text.startswith("{") and text.endswith("}"):
        try:
            return Encoded(json.loads(text))
        except ValueError:
            return text
    return text


def _object(element: str, found: object) -> object:
    """Write an object with every member that its type has, as Terraform demands of a block that is written as an attribute."""
    if not isinstance(found, Mapping):
        return found
    kinds = {match[1]: element[match.end()] for match in _MEMBER.finditer(element)}
    empty: Mapping[str, object] = {"L": [], "T": [], "M": {}, "n": 0, "b": False}
    return {name: empty.get(kind) if found.get(name) is None else found[name] for name, kind in kinds.items()}


def _type_of(item: AttributeSchema) -> str:
    return item.kind if item.kind in {"string", "number", "bool"} else "any"


def named(texts: Sequence[str]) -> str:
    """Make a Terraform name of the first text that gives one."""
    for text in texts:
        name = re.sub(r"[^a-z0-9_]+", "_", text.lower()).strip("_")[:60]
        if name:
            return name if name[0].isalpha() else f"r_{name}"
    return "imported"
