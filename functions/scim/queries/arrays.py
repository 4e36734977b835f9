"""Arrays as PostgreSQL writes them: the driver converts ten thousand ids one by one, which costs more than all they are for."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID


def uuid_array(ids: Iterable[UUID] | Iterable[str]) -> str:
    """Return ids as the text of an array, for `cast(:ids as uuid[])`."""
    return "{" + ",".join(map(str, ids)) + "}"
