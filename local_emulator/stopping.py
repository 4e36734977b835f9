"""How a process of the emulator ends: when it is told to, and not before."""

from __future__ import annotations

import signal
from socketserver import BaseServer
from threading import Event, Thread


def when_told_to_stop() -> Event:
    """Return what is set once the process gets SIGTERM or SIGINT; called on the main thread."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def serve_until_told(server: BaseServer) -> None:
    """Serve until the process is told to stop; what is open then ends with the process."""
    stop = when_told_to_stop()
    Thread(target=server.serve_forever, daemon=True).start()
    stop.wait()
