"""A loopback gate in front of a server, through which a test makes it go away, fall silent, dawdle or talk nonsense.

Knows no protocol: the same gate stands before PostgreSQL, Redis and gRPC.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Lock, Thread


@dataclass(eq=False)
class _Passage:
    """One connection through the gate.

    Attributes:
        is_dead: whatever is sent through it is lost, now and after: as when a router forgot it.
        late_seconds: how much later than sent its next answer comes, once.
    """

    client: socket.socket
    server: socket.socket | None = None
    is_dead: bool = False
    late_seconds: float = 0

    def end(self) -> None:
        """Reset both sides, so that nobody takes it for a polite good-bye."""
        for item in (self.client, self.server):
            if item is not None:
                with suppress(OSError):
                    item.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                with suppress(OSError):
                    item.shutdown(socket.SHUT_RDWR)
                item.close()


class Gate:
    """The gate; open at first. Each method changes what happens to connections that are there and to those that come."""

    def __init__(self, target: str) -> None:
        """Stand before a server.

        Args:
            target: its `host:port`.
        """
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._passages: set[_Passage] = set()
        self._lock = Lock()
        self._mode = "open"
        self._answer = b""
        self._late_seconds = 0.0
        self._listener = _listen(0)
        self.port = int(self._listener.getsockname()[1])
        Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    @property
    def address(self) -> str:
        """`host:port` of the gate."""
        return f"127.0.0.1:{self.port}"

    def open(self) -> None:
        """Let everything through again; connections that fell silent stay dead."""
        with self._lock:
            was_closed, self._mode = self._mode == "closed", "open"
            for passage in self._passages:
                passage.late_seconds = 0
        if was_closed:
            self._listener = _listen(self.port)
            Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def refuse(self) -> None:
        """End every connection and take no new one."""
        with self._lock:
            self._mode = "closed"
        _shut(self._listener)
        self._listener.close()
        self._end_all()

    def fall_silent(self) -> None:
        """Take connections and lose whatever is sent."""
        with self._lock:
            self._mode = "silent"
            for passage in self._passages:
                passage.is_dead = True

    def dawdle(self, seconds: float) -> None:
        """Let the next answer on each connection come late."""
        with self._lock:
            self._mode, self._late_seconds = "late", seconds
            for passage in self._passages:
                passage.late_seconds = seconds

    def answer(self, content: bytes) -> None:
        """Answer whatever is sent with these bytes, in place of the server."""
        with self._lock:
            self._mode, self._answer = "answering", content
        self._end_all()

    def close(self) -> None:
        """End everything."""
        self.refuse()

    def _end_all(self) -> None:
        with self._lock:
            found, self._passages = self._passages, set()
        for passage in found:
            passage.end()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        passage = _Passage(client)
        with self._lock:
            mode = self._mode
            passage.is_dead = mode == "silent"
            passage.late_seconds = self._late_seconds if mode == "late" else 0
            if mode != "closed":
                self._passages.add(passage)
        with suppress(OSError):
            if mode in {"open", "late"}:
                passage.server = socket.create_connection(self._target)
                Thread(target=self._pass_answers, args=(passage,), daemon=True).start()
            if mode != "closed":
                self._pass_questions(passage)
        passage.end()

    def _pass_questions(self, passage: _Passage) -> None:
        while data := passage.client.recv(65536):
            if passage.is_dead:
                continue
            if passage.server is not None:
                passage.server.sendall(data)
            else:
                passage.client.sendall(self._answer)

    def _pass_answers(self, passage: _Passage) -> None:
        server = passage.server
        with suppress(OSError):
            while server is not None and (data := server.recv(65536)):
                late_seconds, passage.late_seconds = passage.late_seconds, 0
                time.sleep(late_seconds)
                if not passage.is_dead:
                    passage.client.sendall(data)
        if not passage.is_dead:
            passage.end()


@contextmanager
def gate_before(target: str) -> Iterator[Gate]:
    """Run a gate for the length of a block."""
    gate = Gate(target)
    try:
        yield gate
    finally:
        gate.close()


def _listen(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), backlog=128)


def _shut(item: socket.socket) -> None:
    with suppress(OSError):
        item.shutdown(socket.SHUT_RDWR)
