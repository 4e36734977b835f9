"""Bulk requests: read, ordered by what refers to what, and resolved as they run. Source: RFC 7644 section 3.7."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from .errors import BulkTooLarge, CircularReference, InvalidPath, InvalidSyntax, InvalidValue, ReferenceUnknown
from .schemas import RESOURCE_SCHEMAS, ResourceSchema
from .values import check_schemas, member

BULK_URN: Final = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_RESPONSE_URN: Final = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
MOST_OPERATIONS: Final = 100
MOST_PAYLOAD_BYTES: Final = 1_048_576
_MOST_NAME: Final = 256
_PREFIX: Final = "bulkId:"

Method = Literal["POST", "PUT", "PATCH", "DELETE"]
_METHODS: Final[Mapping[str, Method]] = {"POST": "POST", "PUT": "PUT", "PATCH": "PATCH", "DELETE": "DELETE"}


@dataclass(frozen=True, slots=True)
class BulkOperation:
    """One operation of a bulk request.

    Attributes:
        index: its place in the request, from 0.
        schema: type of the resource.
        resource_id: as it was sent, `bulkId:…` perhaps; None for POST.
        bulk_id: what others call the resource that a POST makes.
        version: tag that the resource must have, as `If-Match`.
        data: the body; None for DELETE.
    """

    index: int
    method: Method
    schema: ResourceSchema
    resource_id: str | None = None
    bulk_id: str | None = None
    version: str | None = None
    data: object = None


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """A bulk request.

    Attributes:
        fail_on_errors: after so many errors nothing more is done; None: whatever happens, everything is tried.
    """

    operations: tuple[BulkOperation, ...]
    fail_on_errors: int | None = None


def parse_bulk(body: object, size_bytes: int) -> BulkRequest:
    """Read a bulk request.

    Args:
        body: the JSON.
        size_bytes: of the body as it came.

    Raises:
        BulkTooLarge: (413) more than `MOST_OPERATIONS`, or than `MOST_PAYLOAD_BYTES`.
        InvalidSyntax: (400 `invalidSyntax`) not a BulkRequest message.
        InvalidPath: (400 `invalidPath`) a path leads to no type of resource.
        InvalidValue: (400 `invalidValue`) a bulkId is missing or there twice.
    """
    if size_bytes > MOST_PAYLOAD_BYTES:
        raise BulkTooLarge(f"a bulk request has at most {MOST_PAYLOAD_BYTES} bytes")
    if not isinstance(body, Mapping):
        raise InvalidSyntax("the body is a JSON object")
    check_schemas(body, BULK_URN)
    operations, fail_on_errors = member(body, "Operations"), member(body, "failOnErrors")
    if not isinstance(operations, list):
        raise InvalidSyntax("Operations is a list")
    if len(operations) > MOST_OPERATIONS:
        raise BulkTooLarge(f"a bulk request has at most {MOST_OPERATIONS} operations")
    if fail_on_errors is not None and (
        isinstance(fail_on_errors, bool) or not isinstance(fail_on_errors, int) or fail_on_errors < 1
    ):
        raise InvalidSyntax("failOnErrors is a whole number from 1")
    found = tuple(_read(operation, index) for index, operation in enumerate(operations))
    names = [operation.bulk_id for operation in found if operation.bulk_id is not None]
    if len(set(names)) != len(names):
        raise InvalidValue("a bulkId is there twice")
    return BulkRequest(found, fail_on_errors)


def _read(operation: object, index: int) -> BulkOperation:
    where = f"Operations[{index}]"
    if not isinstance(operation, Mapping):
        raise InvalidSyntax(f"{where} is an object")
    word = member(operation, "method")
    method = _METHODS.get(word.upper()) if isinstance(word, str) else None
    if method is None:
        raise InvalidSyntax(f"{where}.method is POST, PUT, PATCH or DELETE")
    bulk_id, version = _text(operation, "bulkId", where), _text(operation, "version", where)
    schema, resource_id = _place(_text(operation, "path", where), where)
    if (method == "POST") != (resource_id is None):
        raise InvalidPath(f"{where}.path is the type's for POST, and a resource's for other methods")
    if method == "POST" and bulk_id is None:
        raise InvalidValue(f"{where} makes a resource, so it needs a bulkId")
    data = member(operation, "data")
    if method != "DELETE" and not isinstance(data, Mapping):
        raise InvalidSyntax(f"{where}.data is an object")
    return BulkOperation(index, method, schema, resource_id, bulk_id, version, None if method == "DELETE" else data)


def _text(operation: Mapping[str, object], name: str, where: str) -> str | None:
    found = member(operation, name)
    if found is not None and (not isinstance(found, str) or len(found) > _MOST_NAME):
        raise InvalidSyntax(f"{where}.{name} is a text of at most {_MOST_NAME} characters")
    return found or None


def _place(path: str | None, where: str) -> tuple[ResourceSchema, str | None]:
    parts = (path or "").strip("/").split("/")
    schema = next((one for one in RESOURCE_SCHEMAS if one.endpoint.strip("/").lower() == parts[0].lower()), None)
    if schema is None or len(parts) > 2:
        raise InvalidPath(f"{where}.path is /Users or /Groups, with an id behind it or without")
    return schema, parts[1] if len(parts) > 1 else None


@dataclass
class BulkRun:
    """The course of one bulk request: `for operation in run.steps()`, each followed by `done` or `failed`.

    An operation that refers to a resource which a POST of the same request makes comes after it; otherwise the request's order holds.
    """

    request: BulkRequest
    made: dict[str, str] = field(default_factory=dict)
    errors: int = 0
    answers: dict[int, dict[str, object]] = field(default_factory=dict)

    def steps(self) -> Iterator[BulkOperation]:
        """Yield the operations in the order they are done, until `failOnErrors` is reached; their references are not resolved yet."""
        for index in _order(self.request.operations):
            if self.request.fail_on_errors is not None and self.errors >= self.request.fail_on_errors:
                return
            yield self.request.operations[index]

    def resolve(self, operation: BulkOperation) -> BulkOperation:
        """Put the ids of resources where the operation names bulkIds.

        Raises:
            CircularReference: (409) the named one waits for this one.
            ReferenceUnknown: (409 `invalidValue`) it was not made, or nobody makes it.
        """
        data = _replaced(operation.data, self._id_of)
        resource_id = operation.resource_id
        if resource_id is not None:
            resource_id = _replaced(resource_id, self._id_of)
        return BulkOperation(
            operation.index, operation.method, operation.schema, resource_id, operation.bulk_id, operation.version, data
        )

    def _id_of(self, bulk_id: str) -> str:
        if bulk_id in self.made:
            return self.made[bulk_id]
        maker = next((one for one in self.request.operations if one.bulk_id == bulk_id and one.method == "POST"), None)
        if maker is not None and maker.index not in self.answers:
            raise CircularReference(f"the resource {bulk_id} waits for this operation")
        raise ReferenceUnknown(f"no resource was made as {bulk_id}")

    def done(
        self,
        operation: BulkOperation,
        status: int,
        location: str,
        *,
        resource_id: str | None = None,
        version: str | None = None,
    ) -> None:
        """Keep that an operation succeeded.

        Args:
            operation: from `steps`.
            status: e.g. 201.
            location: address of the resource.
            resource_id: of the resource that a POST made.
            version: its tag.
        """
        if operation.method == "POST" and operation.bulk_id is not None and resource_id is not None:
            self.made[operation.bulk_id] = resource_id
        answer = self._answer(operation, status) | {"location": location}
        self.answers[operation.index] = answer if version is None else answer | {"version": version}

    def failed(
        self, operation: BulkOperation, status: int, response: Mapping[str, object], location: str | None = None
    ) -> None:
        """Keep that an operation was refused.

        Args:
            operation: from `steps`.
            status: of the error.
            response: the error message.
            location: address of the resource; None for POST.
        """
        self.errors += 1
        answer = self._answer(operation, status) | {"response": dict(response)}
        self.answers[operation.index] = answer if location is None else answer | {"location": location}

    def _answer(self, operation: BulkOperation, status: int) -> dict[str, object]:
        answer: dict[str, object] = {"method": operation.method, "status": str(status)}
        return answer if operation.bulk_id is None else {**answer, "bulkId": operation.bulk_id}

    def body(self) -> dict[str, object]:
        """Return the BulkResponse message: what was done, in the request's order."""
        return {"schemas": [BULK_RESPONSE_URN], "Operations": [self.answers[index] for index in sorted(self.answers)]}


def _order(operations: Sequence[BulkOperation]) -> list[int]:
    """Order operations so that what is referred to is made first; in a circle, somebody comes too early, and `resolve` refuses that."""
    makers = {one.bulk_id: one.index for one in operations if one.method == "POST"}
    waits = [[makers[name] for name in _references(one) if name in makers] for one in operations]
    order, seen = list[int](), set[int]()
    for root in range(len(operations)):
        open_ones = [(root, iter(waits[root]))] if root not in seen else []
        seen.add(root)
        while open_ones:
            index, rest = open_ones[-1]
            following = next((one for one in rest if one not in seen), None)
            if following is None:
                order.append(index)
                open_ones.pop()
            else:
                seen.add(following)
                open_ones.append((following, iter(waits[following])))
    return order


def _references(operation: BulkOperation) -> list[str]:
    found: list[str] = []

    def note(bulk_id: str) -> str:
        found.append(bulk_id)
        return bulk_id

    _replaced(operation.data, note)
    _replaced(operation.resource_id, note)
    return found


def _replaced(value: Any, id_of: Callable[[str], str]) -> Any:
    """Replace every `bulkId:…` in a value; depth is bounded by the reader of the body."""
    if isinstance(value, str):
        return id_of(value.removeprefix(_PREFIX)) if value.startswith(_PREFIX) else value
    if isinstance(value, list):
        return [_replaced(one, id_of) for one in value]
    if isinstance(value, Mapping):
        return {name: _replaced(one, id_of) for name, one in value.items()}
    return value
