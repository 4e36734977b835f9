"""The type tables of all clouds: which one a Terraform type is looked up in. A table is put together at the first question.

Owns the names by which types belong to a cloud; the tables themselves stand in `types/<cloud>/`. Must not do I/O but read a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TypeAlias

from ..domain.resources import Declared
from ..domain.specs import KeyRule, TypeSpec, placing

Table: TypeAlias = Mapping[str, TypeSpec]


@cache
def aws() -> Table:
    """Return the rules of the types that are compared in AWS."""
    from .aws import SPECS

    return SPECS


@cache
def google() -> Table:
    """Return the rules of the types that are compared in Google Cloud."""
    from .gcp import specs
    from .gcp.places import placed

    return {name: placing(spec, placed) for name, spec in specs().items()}


@cache
def azure() -> Table:
    """Return the rules of the types that are compared in Azure; of other names of a type only that the thing is there."""
    from .azure import DECLARABLE as TYPES
    from .azure.places import placed

    return {name: placing(spec, placed) for name, spec in TYPES.items()}


@cache
def kubernetes() -> Table:
    """Return the rules of the types that are compared in a Kubernetes cluster, those of other providers included."""
    from .kubernetes import specs

    return specs()


@cache
def aws_declarable() -> Table:
    """Return the rules by which a state's resources of AWS are told apart."""
    from .aws import DECLARABLE as TYPES

    return TYPES


@cache
def google_declarable() -> Table:
    """Return the same for Google Cloud: what no mapping covers is known by the path in its id."""
    from .gcp.places import path_key, placed

    return _OrByKey(google(), path_key, placed)


@cache
def azure_declarable() -> Table:
    """Return the same for Azure: what no mapping covers is known by its ARM id."""
    from .azure.ids import arm_key
    from .azure.places import placed

    return _OrByKey(azure(), arm_key, placed)


class _OrByKey(dict[str, TypeSpec]):
    """A table that knows how a type that it does not hold is matched."""

    def __init__(self, known: Table, key: KeyRule, placed: Callable[[Declared], Declared]) -> None:
        super().__init__(known)
        self._key = key
        self._placed = placed

    def __missing__(self, name: str) -> TypeSpec:
        return placing(TypeSpec(name, {}, key=self._key), self._placed)


class _ByPrefix(Mapping[str, TypeSpec]):
    """One table out of several, asked by the beginning of a type's name: a state may declare things of many clouds."""

    def __init__(self, tables: Mapping[str, Callable[[], Table]]) -> None:
        self._tables = tables

    def __getitem__(self, name: str) -> TypeSpec:
        make = self._tables.get(name.partition("_")[0])
        if make is None:
            raise KeyError(name)
        return make()[name]

    def __iter__(self) -> Iterator[str]:
        return (name for begin, make in self._tables.items() for name in make() if name.startswith(f"{begin}_"))

    def __len__(self) -> int:
        return sum(1 for _ in self)


_IN_CLUSTERS = dict.fromkeys(("kubernetes", "kubectl", "helm"), kubernetes)
COMPARED: Table = _ByPrefix({"aws": aws, "google": google, "azurerm": azure, "azapi": azure, **_IN_CLUSTERS})
"""Types with compared attributes: what is kept of a state."""
DECLARABLE: Table = _ByPrefix(
    {
        "aws": aws_declarable,
        "google": google_declarable,
        "azurerm": azure_declarable,
        "azapi": azure_declarable,
        **_IN_CLUSTERS,
    }
)
"""Types whose resources a state can be matched by."""
