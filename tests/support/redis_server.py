"""The emulator's Redis-protocol server inside a test, and one that takes connections and never answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fakeredis import TcpFakeServer


class _Server(TcpFakeServer):  # type: ignore[misc]
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def redis_server(port: int = 0) -> Iterator[str]:
    """Run an empty server; yields its URL."""
    server = _Server(("127.0.0.1", port), server_type="redis", server_version=(7, 4))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"redis://127.0.0.1:{server.server_address[1]}/0"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def silent_server() -> Iterator[str]:
    """Run a server that takes every connection and says nothing."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    taken.append(listener.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for item in taken:
                item.close()
            thread.join(5)


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
