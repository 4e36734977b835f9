"""A queue in memory, for tests that look at what was published."""

from __future__ import annotations

import json
from collections.abc import Sequence
from threading import Lock

from shared.ports.errors import ServiceAway
from shared.ports.queue import Message


class MemoryQueue:
    """Keeps what was published, as a consumer would get it: through JSON and back.

    Attributes:
        topics: names that exist; None lets any name pass.
        is_away: set it to see what callers do without a queue.
    """

    def __init__(self, topics: frozenset[str] | None = None) -> None:
        self.topics = topics
        self.is_away = False
        self._published: list[tuple[str, Message]] = []
        self._lock = Lock()

    def publish(self, topic: str, messages: Sequence[Message]) -> None:
        copies = [
            Message(json.loads(json.dumps(item.payload)), dict(item.attributes), item.ordering_key) for item in messages
        ]
        if self.is_away or (copies and self.topics is not None and topic not in self.topics):
            raise ServiceAway("pubsub")
        with self._lock:
            self._published.extend((topic, item) for item in copies)

    def messages(self, topic: str) -> list[Message]:
        """Return what was published to a topic, oldest first."""
        with self._lock:
            return [item for name, item in self._published if name == topic]
