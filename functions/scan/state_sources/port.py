"""What every source of states can do, and the caps that hold for each of them. Fetches nothing by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from ..cloud_access.calling import MOST_STATE_BYTES
from ..errors import StateTooLarge

MOST_STATES: Final = 5000  # of one source
MOST_LISTED: Final = 200_000  # of whatever lies under its prefix
MOST_NAME_CHARACTERS: Final = 1024
SUFFIX: Final = ".tfstate"


@dataclass(frozen=True, slots=True)
class Found:
    """A state that a listing shows.

    Attributes:
        name: key, object, blob or workspace.
        version: the same text as `Fetched.version` while the state stays as it is; None when the listing does not say.
    """

    name: str
    version: str | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A state as it was fetched.

    Attributes:
        content: at most `MOST_STATE_BYTES`.
        version: what `StateSource.fetch` is to be given the next time; None when the source names no versions.
    """

    content: bytes
    version: str | None


class StateSource(Protocol):
    """One place that holds states. Safe to share between threads; reads only, and never locks a state."""

    def find(self, prefix: str) -> Iterator[Found]:
        """List what begins with a prefix, page by page, in any order.

        Raises:
            StateUnreachable: (422 `state_unreachable`) the source says no; names the permission when that is missing.
            EgressRefused: (422 `egress_refused`) its address must not be called.
        """
        ...

    def fetch(self, name: str, known: str | None) -> Fetched | None:
        """Fetch one state; None when it is still the known version.

        Args:
            name: as `find` says it, or as people do.
            known: the version that was taken before.

        Raises:
            StateUnreachable: (422 `state_unreachable`) there is none, or the source says no.
            StateTooLarge: (413 `state_too_large`).
            EgressRefused: (422 `egress_refused`) its address must not be called.
        """
        ...


def is_state(name: str, suffix: str) -> bool:
    """Say whether a listed name is a state's: locks and backups lie beside them.

    Args:
        name: of an object.
        suffix: how states' names end; the `azurerm` backend writes a workspace's name behind it.

    Source: Terraform, backend `azurerm`, `backend_state.go` (`env:`).
    """
    last = name.rpartition("/")[2]
    head, colon, _ = last.partition("env:")
    return len(name) <= MOST_NAME_CHARACTERS and (last.endswith(suffix) or bool(colon and head.endswith(suffix)))


def within_cap(size_bytes: int) -> None:
    """Refuse a state by its announced or true size.

    Raises:
        StateTooLarge: (413 `state_too_large`).
    """
    if size_bytes > MOST_STATE_BYTES:
        raise StateTooLarge(limit_bytes=MOST_STATE_BYTES)
