"""What comes in with a request, kept within bounds of size and time: its head, its body, and what is left of a refused body.

Owns every cap that holds before a handler sees anything, but for those inside JSON (`strict_json`).
"""

from __future__ import annotations

import io
import threading
import time
import zlib
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from .errors import (
    BodyTooLarge,
    BodyTooSlow,
    HeadersTooLarge,
    MalformedRequest,
    MediaTypeUnsupported,
    UriTooLong,
)

if TYPE_CHECKING:
    from flask import Request

_MOST_PATH_BYTES = 4 * 1024
_MOST_QUERY_BYTES = 8 * 1024  # a provider's code and state come back in one
_MOST_HEADERS = 64
_MOST_HEADER_BYTES = 24 * 1024
_PIECE_BYTES = 64 * 1024  # one large read would be held three times over while the server puts it together
_MIB = 1024 * 1024
_MOST_DRAINED_BYTES = 36 * _MIB  # past the largest cap of any call: who sends a little too much gets to read why
_DRAIN_SECONDS = 2.0
_TICK_SECONDS = 0.1
_GZIP = 16 + zlib.MAX_WBITS


class _Connection(Protocol):
    def shutdown(self, how: int, /) -> None: ...


@dataclass(eq=False, slots=True)
class _Reading:
    connection: _Connection
    ends_at: float
    is_over: bool = False


class _Watch:
    """Ends the reading side of connections whose time is over. One thread, which sleeps while nobody reads.

    A time limit on the socket would not do: it starts again with every byte, and the server below reads on until a piece
    is whole. The writing side stays open for the answer.
    """

    def __init__(self) -> None:
        self._readings: set[_Reading] = set()
        self._lock = threading.Lock()
        self._has_work = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def within(self, connection: _Connection, seconds: float) -> Generator[_Reading]:
        """Let what is read inside see the end of the stream once the time is over."""
        reading = _Reading(connection, time.monotonic() + seconds)
        with self._lock:
            self._readings.add(reading)
            self._has_work.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="body-watch", daemon=True)
                self._thread.start()
        try:
            yield reading
        finally:
            with self._lock:
                self._readings.discard(reading)

    def _run(self) -> None:
        while self._has_work.wait():
            time.sleep(_TICK_SECONDS)
            now = time.monotonic()
            with self._lock:
                if not self._readings:
                    self._has_work.clear()
                for reading in [item for item in self._readings if item.ends_at <= now]:
                    reading.is_over = True
                    with suppress(OSError):  # the other side was faster
                        reading.connection.shutdown(0)  # SHUT_RD; `socket` itself is not needed for one number


_watch = _Watch()


@contextmanager
def _limited(request: Request, seconds: float) -> Generator[_Reading | None]:
    """Bound the time of reading where the server shows its socket; in tests without a server there is none."""
    connection = request.environ.get("gunicorn.socket")
    if connection is None:
        yield None
        return
    with _watch.within(connection, seconds) as reading:
        yield reading


def read_head(request: Request) -> dict[str, str]:
    """Check the sizes of the request line and of the headers, and that the path is the one that was asked for.

    Returns:
        The headers, lower-case names.

    Raises:
        MalformedRequest: (400 `malformed_request`) a header moved the request to another path than the front door saw.
        UriTooLong: (414 `uri_too_long`).
        HeadersTooLarge: (431 `headers_too_large`).
    """
    if request.environ.get(
        "SCRIPT_NAME"
    ):  # gunicorn takes it from a header when the connection comes from this machine
        raise MalformedRequest("SCRIPT_NAME is not taken")
    if len(request.path.encode()) > _MOST_PATH_BYTES:
        raise UriTooLong(limit_bytes=_MOST_PATH_BYTES)
    if len(request.query_string) > _MOST_QUERY_BYTES:
        raise UriTooLong(limit_bytes=_MOST_QUERY_BYTES)
    headers = {name.lower(): value for name, value in request.headers.items()}
    if len(headers) > _MOST_HEADERS:
        raise HeadersTooLarge(limit_headers=_MOST_HEADERS)
    if sum(map(len, headers)) + sum(map(len, headers.values())) > _MOST_HEADER_BYTES:
        raise HeadersTooLarge(limit_bytes=_MOST_HEADER_BYTES)
    return headers


def check_body_head(request: Request, limit_bytes: int, *, takes_gzip: bool) -> None:
    """Refuse a body by what its headers say, before anything of it is read.

    Raises:
        BodyTooLarge: (413 `body_too_large`) its declared length is over the cap.
        MediaTypeUnsupported: (415 `media_type_unsupported`) it is compressed, and this call takes no such body.
    """
    if (request.content_length or 0) > limit_bytes:
        raise BodyTooLarge(limit_bytes=limit_bytes)
    coding = _content_coding(request)
    if coding not in ({"", "gzip"} if takes_gzip else {""}):
        taken = "gzip" if takes_gzip else "identity"
        raise MediaTypeUnsupported(
            f"this body may not be compressed as {coding[:20]}" if takes_gzip else "send the body uncompressed",
            accept_encoding=taken,
        )


def read_body(request: Request, limit_bytes: int, *, seconds: float) -> bytes:
    """Read the body, within its cap and its time, uncompressed.

    Args:
        request: whose head was checked.
        limit_bytes: cap of what is sent, and of what comes out when that was compressed.
        seconds: for all of it; each MiB of the cap gives one more.

    Raises:
        BodyTooLarge: (413 `body_too_large`).
        BodyTooSlow: (408 `body_too_slow`).
        MalformedRequest: (400 `malformed_request`) it ended early, or is not compressed as it says.
    """
    with _limited(request, seconds + limit_bytes / _MIB) as reading:
        try:
            content = _read(request, limit_bytes)
        except MalformedRequest:
            _close_after_answer(request)
            if reading is not None and reading.is_over:
                raise BodyTooSlow from None
            raise
    return _inflate(content, limit_bytes) if content and _content_coding(request) == "gzip" else content


def drain(request: Request) -> None:
    """Take in a little of what is left of a body that was refused, without keeping it, so that the client gets to read the answer.

    The Functions Framework reads the rest after each reply, and whole: a refused body would fill the memory all the same.
    It finds nothing left. What was too much to take in ends with the connection.
    """
    left = _MOST_DRAINED_BYTES
    is_whole = False
    with suppress(Exception), _limited(request, _DRAIN_SECONDS) as reading:  # a body that breaks off is over
        while left > 0 and (piece := request.stream.read(_PIECE_BYTES)):
            left -= len(piece)
        is_whole = left > 0 and (reading is None or not reading.is_over)
    if not is_whole:
        _close_after_answer(request)
    request.stream = io.BytesIO()  # pyright: ignore[reportAttributeAccessIssue]  # a cached property can be set


def _close_after_answer(request: Request) -> None:
    """Make gunicorn close the connection.

    It counts a body that was cut short as read: what of it still comes would be taken for the next request.
    """
    body: Any = request.environ.get("wsgi.input")
    if hasattr(body, "failed"):
        body.failed = True


def _content_coding(request: Request) -> str:
    found = request.headers.get("Content-Encoding", "").strip().lower()
    return "" if found == "identity" else "gzip" if found == "x-gzip" else found


def _read(request: Request, limit_bytes: int) -> bytes:
    declared = request.content_length
    chunks: list[bytes] = []
    left = limit_bytes + 1
    try:
        while left > 0 and (chunk := request.stream.read(min(left, _PIECE_BYTES))):
            chunks.append(chunk)
            left -= len(chunk)
    except RequestEntityTooLarge:
        raise BodyTooLarge(limit_bytes=limit_bytes) from None
    except (ClientDisconnected, OSError):
        raise MalformedRequest("the body ended early") from None
    except Exception as error:  # the server's own parser: chunks that are not as they say, trailers that may not be
        raise MalformedRequest("the body is not framed as it says") from error
    if left <= 0:
        raise BodyTooLarge(limit_bytes=limit_bytes)
    content = b"".join(chunks)
    if declared is not None and len(content) != declared:  # gunicorn hands on half a body as if it were a whole one
        raise MalformedRequest("the body ended early")
    return content


def _inflate(content: bytes, limit_bytes: int) -> bytes:
    """Uncompress one gzip member; stops at the cap, whatever the content would grow to."""
    machine = zlib.decompressobj(_GZIP)
    try:
        found = machine.decompress(content, limit_bytes + 1)
    except zlib.error:
        raise MalformedRequest("the body is not gzip") from None
    if len(found) > limit_bytes:
        raise BodyTooLarge(limit_bytes=limit_bytes)
    if not machine.eof or machine.unused_data:
        raise MalformedRequest("the body is not one whole gzip member")
    return found
