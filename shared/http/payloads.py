"""What messages of the queue carry."""

from __future__ import annotations

from uuid import UUID

from .call import Call
from .errors import MalformedRequest


def id_of(call: Call, name: str) -> UUID:
    """Read an id out of an event's message.

    Raises:
        MalformedRequest: (400 `malformed_request`) there is none.
    """
    try:
        return UUID(str(call.event.payload[name]))  # type: ignore[union-attr]  # event routes always carry one
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise MalformedRequest(f"the message has no {name}") from error
