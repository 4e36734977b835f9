"""The operations of a PATCH, read and taken apart: each step is one attribute's.

What Okta and Entra ID send is read here: `op` in any case; without a path, keys that are dotted (`name.givenName`), under a URN, or whole paths
with brackets; schemas that the type does not have are passed over, wherever they are named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from .errors import InvalidPath, InvalidSyntax, InvalidValue, NoTarget, TooMany
from .paths import Place, is_foreign, parse_path
from .schemas import ResourceSchema, Target
from .values import check_schemas, member

PATCH_URN: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MOST_OPERATIONS: Final = 1_000
Op = Literal["add", "replace", "remove"]
_OPS: Final[Mapping[str, Op]] = {"add": "add", "replace": "replace", "remove": "remove"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as it was sent.

    Attributes:
        path: None for the whole resource.
        value: None when there is none, or when it is `null`.
    """

    op: Op
    path: str | None = None
    value: object = None


@dataclass(frozen=True, slots=True)
class Step:
    """What one operation does to one attribute.

    Attributes:
        named: whether a path named it; what merely stands in a value is passed over where it is read-only.
    """

    op: Op
    place: Place
    value: object = None
    named: bool = True


@dataclass(frozen=True, slots=True)
class ExtensionRemoval:
    """The removal of a whole extension."""

    urn: str


def parse_patch(body: object) -> tuple[Operation, ...]:
    """Read the body of a PATCH.

    Raises:
        InvalidSyntax: (400 `invalidSyntax`) not a PatchOp message.
        InvalidValue: (400 `invalidValue`) an operation needs a value and has none.
        TooMany: (400 `tooMany`) more than `MOST_OPERATIONS`.
    """
    if not isinstance(body, Mapping):
        raise InvalidSyntax("the body is a JSON object")
    check_schemas(body, PATCH_URN)
    operations = member(body, "Operations")
    if not isinstance(operations, list) or not operations:
        raise InvalidSyntax("Operations is a list of at least one operation")
    if len(operations) > MOST_OPERATIONS:
        raise TooMany(f"a PATCH has at most {MOST_OPERATIONS} operations")
    return tuple(_read(operation, number) for number, operation in enumerate(operations))


def _read(operation: object, number: int) -> Operation:
    where = f"Operations[{number}]"
    if not isinstance(operation, Mapping):
        raise InvalidSyntax(f"{where} is an object")
    word, path = member(operation, "op"), member(operation, "path")
    op = _OPS.get(word.lower()) if isinstance(word, str) else None
    if op is None:
        raise InvalidSyntax(f"{where}.op is add, replace or remove")
    if path is not None and not isinstance(path, str):
        raise InvalidSyntax(f"{where}.path is a text")
    value = member(operation, "value")
    if op != "remove" and value is None and (op == "add" or not any(key.lower() == "value" for key in operation)):
        raise InvalidValue(f"{where} has no value")
    return Operation(op, path.strip() or None if path is not None else None, value)


def steps_of(operations: Sequence[Operation], schema: ResourceSchema) -> Iterator[Step | ExtensionRemoval]:
    """Take operations apart, in their order.

    Raises:
        InvalidPath: (400 `invalidPath`), InvalidFilter: (400 `invalidFilter`) a path is not right.
        InvalidValue: (400 `invalidValue`) a value without a path is no object.
        NoTarget: (400 `noTarget`) a removal without a path.
    """
    for operation in operations:
        yield from _steps(operation, schema)


def _steps(operation: Operation, schema: ResourceSchema) -> Iterator[Step | ExtensionRemoval]:
    op, path, value = operation.op, operation.path, operation.value
    urn = schema.urn if path is None else schema.urn_of(path)
    if path is not None and urn is None:
        if not is_foreign(path, schema):
            yield Step(op, parse_path(path, schema), value)
    elif urn is None:
        raise AssertionError("without a path it is the whole resource")
    elif op == "remove":
        if urn == schema.urn:
            raise NoTarget("a removal needs a path")
        yield ExtensionRemoval(urn)
    elif value is None:
        if urn != schema.urn:
            yield ExtensionRemoval(urn)
    elif isinstance(value, Mapping):
        yield from _members(op, value, schema, urn)
    else:
        raise InvalidValue("the value of an operation without a path is an object")


def _members(
    op: Op, value: Mapping[str, object], schema: ResourceSchema, urn: str
) -> Iterator[Step | ExtensionRemoval]:
    for key, part in value.items():
        below = schema.urn_of(key)
        if below is not None:
            yield from _steps(Operation(op, below, part), schema)
            continue
        target = schema.find(key, None, urn)
        place = Place(target) if target is not None else _read_key(key, schema, urn)
        if place is not None:
            yield Step(op, place, part, named=False)


def _read_key(key: str, schema: ResourceSchema, urn: str) -> Place | None:
    """Read a key that is a path; None for one that names nothing, which is passed over as in the body of a POST."""
    if is_foreign(key, schema) or not any(mark in key for mark in ".:["):
        return None
    if urn != schema.urn and ":" not in key.partition("[")[0]:
        key = f"{urn}:{key}"
    try:
        return parse_path(key, schema)
    except InvalidPath:
        return None


def whole(target: Target) -> Target:
    """Return the attribute without its sub-attribute."""
    return Target(target.urn, target.attribute)
