"""What a Terraform provider says about each of its types: which attributes there are, of which shape, and who sets them.

Owns the reading of a `schema.xz`, which `infra.build` writes: a line about the provider, then one line per type: name, tab, JSON object.
There an attribute is `"flags:type"` and a nested block is `[mode, fewest, most, members]`. Nothing is read before the first
question; a type is parsed when it is asked for.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TypeAlias, cast

_MOST_BYTES = 16 * 1024 * 1024  # of a file's text; the largest has a fifth of it
_MOST_PARSED = 64  # types of a provider kept in parsed form; the largest has thousands of blocks

_Members: TypeAlias = Mapping[str, object]
_KINDS = {"s": "string", "n": "number", "b": "bool", "y": "dynamic", "L": "list", "T": "set", "M": "map", "{": "object"}
_MODES = {"L": "list", "T": "set", "M": "map", "1": "single"}


@dataclass(frozen=True, slots=True)
class AttributeSchema:
    """One attribute or nested block of a type.

    Attributes:
        kind: `string`, `number`, `bool`, `dynamic`, `list`, `set`, `map`, `object`; `single` for a block of which there is one.
        element: the provider's own spelling of the elements of a collection, terse (`s` text, `n` number, `Ls` list of text).
        required, optional, computed: who sets it; both optional and computed when the provider fills in what is left out.
        sensitive: the provider never shows its value.
        write_only: it is sent and never stored.
        deprecated: the provider asks not to use it any more.
        fewest, most: bounds on the number of blocks; 0 for none.
        members: of a nested block, its attributes and blocks; None for an attribute.
    """

    kind: str
    element: str = ""
    required: bool = False
    optional: bool = False
    computed: bool = False
    sensitive: bool = False
    write_only: bool = False
    deprecated: bool = False
    fewest: int = 0
    most: int = 0
    members: Mapping[str, AttributeSchema] | None = None

    @property
    def is_computed_only(self) -> bool:
        """Whether no configuration can set it. A block can always be set when one of its members can."""
        if self.members is None:
            return self.computed and not self.optional and not self.required
        return bool(self.members) and all(member.is_computed_only for member in self.members.values())


class ProviderSchema:
    """The schema of one release of a provider.

    Attributes:
        file: where it lies.
        provider: its source address without the host, e.g. `hashicorp/aws`.
        version: of the release.
    """

    def __init__(self, file: Path, provider: str, version: str) -> None:
        """Note where it lies; reads nothing."""
        self.file = file
        self.provider = provider
        self.version = version
        self._parsed = lru_cache(maxsize=_MOST_PARSED)(self._parse)

    def attribute_schema(self, kind: str) -> Mapping[str, AttributeSchema] | None:
        """Return the attributes and blocks of a type by name; None when the provider has no such type."""
        return self._parsed(kind) if kind in self.lines else None

    def known_types(self) -> frozenset[str]:
        """Return the types that the provider has."""
        return frozenset(self.lines)

    @cached_property
    def known_count(self) -> int:
        """How many types the provider has; reads no further than the first line."""
        with lzma.open(self.file) as file:
            return int(json.loads(file.readline(_MOST_BYTES))["types"])

    def sensitive_paths(self, kind: str) -> frozenset[tuple[str, ...]]:
        """Return the paths of a type whose values the provider calls sensitive, e.g. `("broker", "password")`."""
        return frozenset(_sensitive(self.attribute_schema(kind) or {}, ()))

    @cached_property
    def lines(self) -> Mapping[str, str]:
        """The file, by type.

        Raises:
            ValueError: it is not the schema of this release, or larger than it can be.
        """
        with lzma.open(self.file) as file:
            content = file.read(_MOST_BYTES + 1)
        head, _, rest = content.decode().partition("\n")
        if len(content) > _MOST_BYTES or json.loads(head).get("version") != self.version:
            raise ValueError(f"{self.file.name} is not the schema of {self.provider} {self.version}")
        return dict(line.split("\t", 1) for line in rest.splitlines())

    def _parse(self, kind: str) -> Mapping[str, AttributeSchema]:
        return _members_of(json.loads(self.lines[kind]))


def _sensitive(members: Mapping[str, AttributeSchema], above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, item in members.items():
        if item.sensitive:
            yield (*above, name)
        elif item.members is not None:
            yield from _sensitive(item.members, (*above, name))


def _members_of(found: Mapping[str, object]) -> dict[str, AttributeSchema]:
    return {name: _attribute(item) if isinstance(item, str) else _block(item) for name, item in found.items()}


def _attribute(text: str) -> AttributeSchema:
    flags, _, kind = text.partition(":")
    return AttributeSchema(
        kind=_KINDS[kind[0]],
        element=kind[1:],
        required="r" in flags,
        optional="o" in flags,
        computed="c" in flags,
        sensitive="!" in flags,
        write_only="w" in flags,
        deprecated="d" in flags,
    )


def _block(item: object) -> AttributeSchema:
    mode, fewest, most, members = cast("tuple[str, int, int, _Members]", item)
    return AttributeSchema(
        kind=_MODES[mode],
        required=fewest > 0,
        optional=fewest == 0,
        fewest=fewest,
        most=most,
        members=_members_of(members),
    )
