"""What a noise rule is judged by: a state file and replies of AWS, through the whole engine but the network.

The state is parsed, the readers read canned replies, the real type table compares. No helper of a rule is called alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from botocore.exceptions import ClientError

from functions.scan.domain.comparison import Sides, compare
from functions.scan.domain.resources import LiveResource
from functions.scan.domain.state import parse_state
from functions.scan.readers.aws import SERVICES
from functions.scan.readers.aws.base import Scope, collect
from functions.scan.types.aws import SPECS

ACCOUNT, REGION = "123456789012", "us-east-1"

Attributes: TypeAlias = dict[str, Any]
Found: TypeAlias = set[tuple[str, str, str]]
Replies: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """One comparison.

    Attributes:
        name: what it is about, in the user's words.
        declared: (type, attributes) of each resource in the state; the address is `<type>.x`, then `<type>.x1` and so on.
        live: what the readers yield.
        shows: exactly the drift: (kind, address or key, path or "").
    """

    name: str
    declared: tuple[tuple[str, Attributes], ...]
    live: tuple[LiveResource, ...]
    shows: Found = field(default_factory=set)


@dataclass(frozen=True)
class Family:
    """One family of rules of the field.

    Attributes:
        id: stable name; middlewares of the first generation carry their number.
        source: what the field knows about it, in one line.
        handled: where and how DriftWise does, or why it does not need to.
        folds: cases that must show nothing.
        changes: real changes beside them, which must show.
    """

    id: str
    source: str
    handled: str
    folds: tuple[Case, ...] = ()
    changes: tuple[Case, ...] = ()


def fold(name: str, declared: object, live: object) -> Case:
    """A case that shows nothing."""
    return Case(name, _declared(declared), _live(live))


def change(name: str, declared: object, live: object, *shows: tuple[str, str, str]) -> Case:
    """A case that shows exactly this."""
    assert shows, f"{name}: a change shows something"
    return Case(name, _declared(declared), _live(live), set(shows))


def one(kind: str, state: Attributes, same: Attributes, other: Attributes, *paths: str) -> dict[str, tuple[Case, ...]]:
    """A fold and a change of one resource: `same` is the live side that means the state, `other` the one that does not."""
    key = SPECS[kind].key(state)
    assert key is not None, f"{kind}: the state holds no key"
    declared, address = (kind, state), f"{kind}.x"
    shown = [("changed", address, path) for path in paths]
    return {
        "folds": (fold(f"{kind}: another spelling", declared, live(kind, key, **same)),),
        "changes": (change(f"{kind}: another meaning", declared, live(kind, key, **other), *shown),),
    }


def live(kind: str, key: str, **attributes: Any) -> LiveResource:
    """A resource as a reader yields it."""
    return LiveResource(kind, key, REGION, attributes, f"arn:aws:{kind}:{key}")


def read(kind: str, **replies: Any) -> tuple[LiveResource, ...]:
    """Read a type with its real reader from canned replies: operation -> reply, or what makes it from the arguments."""
    scope = Scope(ACCOUNT, REGION, "aws", lambda _service: _Client(replies))
    listings = [item for service in SERVICES for item in service.listings if kind in item.types]
    found = [item for listing in listings for item in collect(listing, scope)]
    assert found == [item for item in found if isinstance(item, LiveResource)], found
    return tuple(item for item in found if isinstance(item, LiveResource))


def refused(code: str) -> Callable[..., Any]:
    """A reply that is an error of this code."""

    def raise_it(**_arguments: object) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": code}}, "Any")

    return raise_it


def found_in(case: Case) -> Found:
    """Run the engine over a case."""
    content = json.dumps(
        {"version": 4, "serial": 1, "lineage": "l", "terraform_version": "1.9.0", "resources": _resources(case)}
    )
    state = parse_state(content.encode(), SPECS)
    sides = Sides(ACCOUNT, frozenset({REGION, "global"}), state.declared, case.live)
    return {(item.kind, item.address or item.key, item.path or "") for item in compare(sides, SPECS)}


def _resources(case: Case) -> list[Attributes]:
    counts: dict[str, int] = {}
    found = []
    for kind, attributes in case.declared:
        number = counts[kind] = counts.get(kind, -1) + 1
        name = f"x{number}" if number else "x"
        instance = {"schema_version": 0, "attributes": attributes}
        found.append({"mode": "managed", "type": kind, "name": name, "provider": "p", "instances": [instance]})
    return found


def _declared(value: Any) -> tuple[tuple[str, Attributes], ...]:
    return (value,) if value and isinstance(value[0], str) else tuple(value)


def _live(value: Any) -> tuple[LiveResource, ...]:
    return (value,) if isinstance(value, LiveResource) else tuple(value)


class _Client:
    """A boto3 client whose every operation has a canned reply; one without has an empty one."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    def can_paginate(self, _operation: str) -> bool:
        return False

    def get_paginator(self, operation: str) -> _Pages:
        return _Pages(self, operation)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        reply = self._replies.get(operation, {})
        return reply if callable(reply) else lambda **_arguments: reply


class _Pages:
    def __init__(self, client: _Client, operation: str) -> None:
        self._client = client
        self._operation = operation

    def paginate(self, **arguments: object) -> list[Any]:
        return [getattr(self._client, self._operation)(**arguments)]
