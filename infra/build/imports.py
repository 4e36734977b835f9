"""What Python sources import, read from their syntax: nothing is executed.

Imports inside functions count, imports for type checkers only do not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """One imported module.

    Attributes:
        module: dotted name that is surely a module, e.g. `google.cloud`.
        member: what is taken from it, itself a module or not, e.g. `kms_v1`; empty for a plain import.
        place: file and line.
    """

    module: str
    member: str
    place: str

    @property
    def names(self) -> tuple[str, ...]:
        """Dotted names that the import may mean, the most exact first."""
        return (f"{self.module}.{self.member}", self.module) if self.member else (self.module,)

    @property
    def top_level(self) -> str:
        """The first part of the name."""
        return self.module.partition(".")[0]


def absolute_imports(sources: Mapping[str, bytes]) -> list[Import]:
    """List the absolute imports of every Python source, sorted.

    Args:
        sources: file name to content; other files than `*.py` are passed over.
    """
    found: set[Import] = set()
    for name, content in sources.items():
        if name.endswith(".py"):
            found.update(_imports(ast.parse(content, name), name))
    return sorted(found)


def _imports(node: ast.AST, file: str) -> Iterator[Import]:
    for child in _children(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, "", f"{file}:{child.lineno}") for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.level == 0 and child.module:
            yield from (Import(child.module, alias.name, f"{file}:{child.lineno}") for alias in child.names)
        yield from _imports(child, file)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the children of a node; of `if TYPE_CHECKING:` only what runs."""
    if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
        yield from node.orelse
    else:
        yield from ast.iter_child_nodes(node)
