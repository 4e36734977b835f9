"""Changes to what cannot be changed in place: somebody deletes it and makes it again, with one thing different."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.aws_account import Clients, Mutation

from .calls import changed

Build = Callable[..., Mutation]


def again(service: str, remove: tuple[str, dict[str, Any]], make: str, base: dict[str, Any], address: str) -> Build:
    """Return a function that makes mutations of one resource: `(path, Argument=value, ...)`.

    Args:
        service: boto3 service name.
        remove: the call that deletes it, with its arguments.
        make: the call that creates it.
        base: arguments that create what the state declares.
        address: where the state declares it.
    """

    def build(path: str, **changes: Any) -> Mutation:
        def apply(clients: Clients, _target: dict[str, Any]) -> None:
            client = clients(service)
            getattr(client, remove[0])(**remove[1])
            getattr(client, make)(**{**base, **changes})

        return changed(address, path, apply)

    return build


def fixed(kind: str, *names: str) -> dict[str, str]:
    """Excuse attributes that AWS fixes with the creation."""
    return {f"{kind}.{name}": "fixed at creation" for name in names}


def unchanged_by_moto(kind: str, *names: str) -> dict[str, str]:
    """Excuse attributes that moto neither keeps nor changes."""
    return {f"{kind}.{name}": "moto does not keep or change it" for name in names}
