"""A scan's progress as server-sent events. Pure text.

Every event is the whole picture, and its id a digest of that picture: who comes back with the id of the last one misses nothing that
counts and is told nothing twice. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

CONTENT_TYPE: Final = "text/event-stream"
OVER: Final = frozenset({"done", "failed", "cancelled"})
HEARTBEAT: Final = b": still here\n\n"
_ID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Picture:
    """A scan as it stands.

    Attributes:
        id: the same for the same picture.
        is_over: nothing will change any more.
    """

    id: str
    data: str
    is_over: bool

    def written(self) -> bytes:
        """Return it as an event: `progress`, or `end` for the last one."""
        name = "end" if self.is_over else "progress"
        return f"id: {self.id}\nevent: {name}\ndata: {self.data}\n\n".encode()


def picture_of(scan: Mapping[str, Any], working: Sequence[Mapping[str, Any]]) -> Picture:
    """Return the picture of a scan.

    Args:
        scan: `id status shards_total shards_done resources error_code summary`.
        working: shards that are being read: `service region`.
    """
    is_over = scan["status"] in OVER
    body: dict[str, Any] = {
        "id": str(scan["id"]),
        "status": scan["status"],
        "shards_total": scan["shards_total"],
        "shards_done": scan["shards_done"],
        "resources": scan["resources"],
        "working": [] if is_over else [f"{shard['service']} {shard['region']}" for shard in working],
        "error_code": scan["error_code"],
    }
    if is_over:
        body["summary"] = scan["summary"]
    data = json.dumps(body, separators=(",", ":"), sort_keys=True)  # one line: JSON writes line breaks as \n
    return Picture(hashlib.sha256(data.encode()).hexdigest()[:_ID_LENGTH], data, is_over)


def retry_after(milliseconds: int) -> bytes:
    """Return how long a client waits before it connects again."""
    return f"retry: {milliseconds}\n\n".encode()
