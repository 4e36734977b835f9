"""How mutations are written down: one API call with arguments taken from the changed instance, and what it must show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.aws_account import CREATED, Clients, Mutation

Apply = Callable[[Clients, dict[str, Any]], Any]


def call(service: str, operation: str, *names: str, **arguments: Any) -> Apply:
    """Make one call; `names` are `Argument=attribute` pairs filled from the target."""

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        filled = {name: target[attribute] for name, attribute in (pair.split("=") for pair in names)}
        getattr(clients(service), operation)(**filled, **arguments)

    return apply


def create(service: str, operation: str, member: str, **arguments: Any) -> Apply:
    """Make one call that creates something; its key is the named member of the reply (dots reach into objects)."""

    def apply(clients: Clients, _target: dict[str, Any]) -> str:
        found = getattr(clients(service), operation)(**arguments)
        for name in member.split("."):
            found = found[name]
        return str(found)

    return apply


def changed(address: str, path: str, apply: Apply) -> Mutation:
    return Mutation(address, {("changed", address, path)}, apply)


def missing(address: str, apply: Apply) -> Mutation:
    return Mutation(address, {("missing", address, "")}, apply)


def unmanaged(kind: str, apply: Apply, key: str = CREATED) -> Mutation:
    return Mutation("", {("unmanaged", key, "")}, apply, also=(kind,))
