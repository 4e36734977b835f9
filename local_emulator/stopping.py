"""How a process of the emulator ends: when it is told to, and not before."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from socketserver import BaseServer
from threading import Event, Thread

_ENDS = (signal.SIGTERM, signal.SIGINT)


def when_told_to_stop() -> Event:
    """Return what is set once the process gets SIGTERM or SIGINT; called on the main thread, once."""
    stop = Event()
    on_signal(_ENDS, stop.set)
    return stop


def on_signal(numbers: tuple[signal.Signals, ...], do: Callable[[], None]) -> None:
    """Call something on a thread of its own once the process gets one of these signals; called on the main thread, once.

    Handlers in Python run on the main thread and between two of its steps. One that sets an event which that thread waits for is
    called too late when the signal reaches another thread, or this one just before it falls asleep; and never ends when it comes
    while the main thread holds the event's lock. What the C handler writes to a pipe is read in any case.

    Source: https://docs.python.org/3/library/signal.html#signal.set_wakeup_fd
    """
    heard, told = os.pipe()
    os.set_blocking(told, False)
    for number in numbers:
        signal.signal(number, _leave_to_the_pipe)
    signal.set_wakeup_fd(told)

    def listen() -> None:
        while os.read(heard, 1)[0] not in numbers:
            pass  # another signal that Python handles
        do()

    Thread(target=listen, name="signals", daemon=True).start()


def serve_until_told(server: BaseServer) -> None:
    """Serve until the process is told to stop; what is open then ends with the process."""
    stop = when_told_to_stop()
    Thread(target=server.serve_forever, daemon=True).start()
    stop.wait()


def _leave_to_the_pipe(*_: object) -> None:
    """A signal needs a handler to be written to the pipe."""
