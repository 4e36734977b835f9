"""Streams of events: how many one process holds open, for how long, and that who is no longer let in is shown nothing more.

A stream holds one of the server's threads (gunicorn has four for each processor). So there are few, each ends by itself after some
seconds, and the client comes back by itself with the id of the last event. Who finds no place polls the scan.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shared.http.errors import AppError
from shared.ports.clock import Clock
from shared.telemetry.log import logger

from .domain.progress import HEARTBEAT, Picture, retry_after
from .errors import StreamsBusy

MOST_STREAMS = 2
MOST_SECONDS = 25.0
HEARTBEAT_SECONDS = 10.0
LOOK_SECONDS = 2.0
_RETRY_MILLISECONDS = 1000
_RETRY_AFTER_SECONDS = 5
_log = logger("scan")


@dataclass(slots=True)
class Places:
    """The places of one process. One that nobody gave back in time, as its connection was lost, is free again."""

    clock: Clock
    most: int = MOST_STREAMS
    _taken: dict[int, float] = field(default_factory=dict)
    _last: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> int:
        """Take a place.

        Raises:
            StreamsBusy: (503 `streams_busy`) every place is taken.
        """
        now = self.clock.monotonic_seconds()
        with self._lock:
            self._taken = {place: ends for place, ends in self._taken.items() if ends > now}
            if len(self._taken) >= self.most:
                raise StreamsBusy("poll the scan, or come back", retry_after_seconds=_RETRY_AFTER_SECONDS)
            self._last += 1
            self._taken[self._last] = now + 2 * MOST_SECONDS
            return self._last

    def give(self, place: int) -> None:
        """Give a place back; once more changes nothing."""
        with self._lock:
            self._taken.pop(place, None)


class Stream:
    """One stream: an iterable that whoever sends it closes, also when it was never begun."""

    def __init__(self, places: Places, body: Iterator[bytes]) -> None:
        self._places = places
        self._place = places.take()
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._body)

    def close(self) -> None:
        """Give the place back."""
        self._places.give(self._place)


def follow(
    look: Callable[[], Picture], admit: Callable[[], None], clock: Clock, *, first: Picture, last_id: str | None
) -> Iterator[bytes]:
    """Yield a scan's pictures as they change, with heartbeats between them, until it is over or time is up.

    Args:
        look: reads the picture of now.
        admit: raises an `AppError` when the caller is no longer let in.
        clock: tells the time and waits.
        first: the picture of now, for a start.
        last_id: of the last event that the client has; it is not told again.
    """
    begun = said = clock.monotonic_seconds()
    yield retry_after(_RETRY_MILLISECONDS)
    picture = first
    try:
        while True:
            if picture.id != last_id:
                yield picture.written()
                last_id, said = picture.id, clock.monotonic_seconds()
            if picture.is_over or clock.monotonic_seconds() - begun >= MOST_SECONDS:
                return
            clock.sleep_seconds(LOOK_SECONDS)
            now = clock.monotonic_seconds()
            if now - said >= HEARTBEAT_SECONDS:
                yield HEARTBEAT
                said = now
            admit()  # a process remembers a key for three seconds, so a revoked one is dead after five
            picture = look()
    except AppError as error:  # the answer has begun: it can only end, and who comes back hears why
        _log.info("stream ended early", code=error.code)
