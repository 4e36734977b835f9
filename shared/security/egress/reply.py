"""What comes back from an outbound call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EgressResponse:
    """An answer, read whole. It was written by a stranger: never render it, never put it into an error.

    Attributes:
        status: 200 to 599.
        headers: names in lower case, repeated ones joined with a comma.
        content: the bytes as they came, never decompressed; `content-encoding` says when a server compressed them unasked.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
