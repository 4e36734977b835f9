"""A loopback proxy in front of PostgreSQL that counts round trips and cuts connections where a test wants it.

Source: https://www.postgresql.org/docs/18/protocol-message-formats.html
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock, Thread
from urllib.parse import urlsplit, urlunsplit

_READY_FOR_QUERY = "Z"
_STARTUP = "startup"
_TLS_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")


@dataclass
class _Stream:
    """Takes one direction of a connection apart into its messages."""

    has_startup: bool
    rest: bytes = b""

    def feed(self, data: bytes) -> list[tuple[str, bytes]]:
        """Return (type, body) of each message that is complete now."""
        self.rest += data
        found: list[tuple[str, bytes]] = []
        while True:
            skipped = 0 if self.has_startup else 1
            if len(self.rest) < skipped + 4:
                return found
            size = skipped + int.from_bytes(self.rest[skipped : skipped + 4], "big")
            if len(self.rest) < size:
                return found
            name = _STARTUP if self.has_startup else chr(self.rest[0])
            found.append((name, self.rest[skipped + 4 : size]))
            self.has_startup, self.rest = False, self.rest[size:]


@dataclass
class Wire:
    """What went over the proxy.

    Attributes:
        url: the database's URL, by way of the proxy.
        connections: connections that were opened.
        round_trips: answers that ended with "ready for query", after the log-in.
        sent: messages of the client by type (Q: simple query, P: parse, B: bind, E: execute, S: sync …).
        queries: texts of the simple queries.
        lose_answer_to: a connection is cut, unanswered, as soon as a simple query that starts so was handed on.
    """

    url: str
    connections: int = 0
    round_trips: int = 0
    sent: Counter[str] = field(default_factory=Counter)
    queries: list[str] = field(default_factory=list)
    lose_answer_to: str | None = None
    _lock: Lock = field(default_factory=Lock)

    def reset(self) -> None:
        """Count from zero again."""
        with self._lock:
            self.connections = self.round_trips = 0
            self.sent.clear()
            self.queries.clear()

    def _note(self, messages: list[tuple[str, bytes]]) -> bool:
        """Count the client's messages; returns whether the answer is to be lost."""
        is_lost = False
        with self._lock:
            for name, body in messages:
                self.sent[name] += 1
                if name == "Q":
                    text = body.rstrip(b"\0").decode()
                    self.queries.append(text)
                    is_lost |= self.lose_answer_to is not None and text.startswith(self.lose_answer_to)
        return is_lost

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        with self._lock:
            self.connections += 1
        lost: list[bool] = []
        _refuse_encryption(client)
        Thread(target=self._pass_answers, args=(server, client, lost), daemon=True).start()
        stream = _Stream(has_startup=True)
        with suppress(OSError):
            while data := client.recv(65536):
                if self._note(stream.feed(data)):
                    lost.append(True)
                server.sendall(data)
        _shut(server)

    def _pass_answers(self, server: socket.socket, client: socket.socket, lost: list[bool]) -> None:
        stream = _Stream(has_startup=False)
        is_logged_in = False
        with suppress(OSError):
            while data := server.recv(65536):
                for name, _body in stream.feed(data):
                    if name == _READY_FOR_QUERY:
                        with self._lock:
                            self.round_trips += is_logged_in
                        is_logged_in = True
                if lost:
                    break  # the server has done it; the client will not hear of it
                client.sendall(data)
        _shut(client)


@contextmanager
def wire_to(url: str) -> Iterator[Wire]:
    """Put a proxy in front of a database."""
    parts = urlsplit(url)
    target = (parts.hostname or "127.0.0.1", parts.port or 5432)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        login = parts.netloc.rsplit("@", 1)[0]
        port = listener.getsockname()[1]
        wire = Wire(urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}")))
        open_sockets: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _address = listener.accept()
                    server = socket.create_connection(target)
                    open_sockets.extend((client, server))
                    Thread(target=wire._serve, args=(client, server), daemon=True).start()

        acceptor = Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield wire
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for item in open_sockets:
                _shut(item)
                item.close()
            acceptor.join(5)


def _refuse_encryption(client: socket.socket) -> None:
    """Answer a request for TLS, which drivers make first, with no: what is encrypted cannot be counted."""
    if client.recv(len(_TLS_REQUEST), socket.MSG_PEEK | socket.MSG_WAITALL) == _TLS_REQUEST:
        client.recv(len(_TLS_REQUEST))
        client.sendall(b"N")


def _shut(item: socket.socket) -> None:
    with suppress(OSError):
        item.shutdown(socket.SHUT_RDWR)
