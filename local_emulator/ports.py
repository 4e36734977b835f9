"""Free TCP ports on 127.0.0.1.

A port found by binding port 0 can be given to another program before its owner binds it. So the port is *reserved*: one
connection is opened to it and closed, which leaves it in TIME_WAIT; the kernel then hands it to nobody for a minute,
while a server that names it (with SO_REUSEADDR, as servers do) still gets it. A server that finds its port taken all
the same is started again on another one (`processes`).
"""

from __future__ import annotations

import errno
import socket

from .errors import EmulatorError

HOST = "127.0.0.1"


def reserve_port() -> int:
    """Return a free port that the kernel gives to no one else for about a minute."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((HOST, 0))
        server.listen(1)
        port: int = server.getsockname()[1]
        with socket.create_connection((HOST, port)):
            connection, _ = server.accept()
            connection.close()  # the side that closes first keeps the TIME_WAIT
    return port


def require_free(port: int, *, option: str) -> None:
    """Check a port that the user chose.

    Raises:
        EmulatorError: another program listens on it, or it may not be opened.
    """
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise EmulatorError(f"port {port} is in use: choose another one with {option}") from error
            raise EmulatorError(f"port {port} cannot be opened ({error.strerror}): see {option}") from error


def is_listening(port: int, *, timeout_seconds: float = 1.0) -> bool:
    """Say whether a server accepts connections on a port."""
    try:
        with socket.create_connection((HOST, port), timeout=timeout_seconds):
            return True
    except OSError:
        return False
