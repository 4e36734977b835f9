"""What a filter is once it is read: a tree whose names are resolved and whose values are of their attributes' types."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .schemas import Target

Operator = Literal["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]
Scalar = str | bool | int | float | datetime


@dataclass(frozen=True, slots=True)
class Comparison:
    """`userName eq "bjensen"`; the value is of the attribute's type."""

    target: Target
    operator: Operator
    value: Scalar


@dataclass(frozen=True, slots=True)
class Present:
    """`title pr`: there is a value, and it is not empty."""

    target: Target


@dataclass(frozen=True, slots=True)
class NullTest:
    """`title eq null` and, with `is_null` false, `title ne null`: a comparison like others, so an empty text is not null."""

    target: Target
    is_null: bool


@dataclass(frozen=True, slots=True)
class ValuePath:
    """`emails[type eq "work" and value co "@x"]`: one element satisfies all; targets inside are sub-attributes of the same attribute."""

    target: Target
    inner: Filter


@dataclass(frozen=True, slots=True)
class Not:
    """`not (...)`."""

    inner: Filter


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of them."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """What an attribute that this type does not have answers, in a search over several types (RFC 7644 section 3.4.2.1)."""

    value: bool


Filter = Comparison | NullTest | Present | ValuePath | Not | And | Or | Constant
