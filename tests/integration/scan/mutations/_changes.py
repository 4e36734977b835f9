"""Short forms that the mutation tables of the EC2 family share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.aws_account import CREATED, Clients, Mutation

Attributes = dict[str, Any]


def changed(address: str, path: str, apply: Callable[[Any, Attributes], object], service: str = "ec2") -> Mutation:
    """One attribute of one declared resource changes; the client of `service` makes the change."""
    return Mutation(address, {("changed", address, path)}, lambda call, target: _nothing(apply(call(service), target)))


def ec2_tag(address: str, id_attribute: str = "id") -> Mutation:
    """Somebody tags an EC2 resource."""

    def apply(client: Any, target: Attributes) -> object:
        return client.create_tags(Resources=[target[id_attribute]], Tags=[{"Key": "Extra", "Value": "1"}])

    return changed(address, "tags.Extra", apply)


def missing(address: str, apply: Callable[[Any, Attributes], object], service: str = "ec2") -> Mutation:
    """One declared resource is deleted."""
    return Mutation(address, {("missing", address, "")}, lambda call, target: _nothing(apply(call(service), target)))


def unmanaged(
    near: str, kind: str, apply: Callable[[Any, Attributes], str], service: str = "ec2", *also: tuple[str, str, str]
) -> Mutation:
    """One more resource of a type appears; `apply` returns its key. `near` is a declared resource it uses."""

    def create(call: Clients, target: Attributes) -> object:
        return apply(call(service), target)

    return Mutation(near, {("unmanaged", CREATED, ""), *also}, create, also=(kind,))


def _nothing(_reply: object) -> None:
    return None
