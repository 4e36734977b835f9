"""Names to addresses, once per call. Decides nothing about them."""

from __future__ import annotations

import socket
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Thread
from typing import Final, Protocol

from .errors import EgressFailed, EgressTimeout

_MOST_LOOKUPS: Final = 32  # at once; one that hangs holds a thread until the system's resolver gives up
_NO_ADDRESS: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


class Resolver(Protocol):
    """Looks names up."""

    def resolve(self, host: str, *, timeout_seconds: float) -> tuple[str, ...]:
        """Return every address of a name, as text, in the order to be dialled; none when it has none.

        Args:
            host: a full domain name, ASCII, without the root's dot.
            timeout_seconds: how long the lookup may take.

        Raises:
            EgressFailed: (502 `egress_failed`) the name service does not answer.
            EgressTimeout: (504 `egress_timeout`) it answers too late.
        """
        ...


class SystemResolver:
    """The system's resolver, which knows no timeout of its own: a lookup that takes too long is left behind."""

    def __init__(self) -> None:
        self._free = BoundedSemaphore(_MOST_LOOKUPS)

    def resolve(self, host: str, *, timeout_seconds: float) -> tuple[str, ...]:
        if not self._free.acquire(blocking=False):
            raise EgressFailed("too many names are being looked up", retry_after_seconds=5)
        answers: SimpleQueue[tuple[str, ...] | OSError] = SimpleQueue()

        def look_up() -> None:
            try:
                answers.put(_look_up(host))
            except OSError as error:
                answers.put(error)
            finally:
                self._free.release()

        Thread(target=look_up, name="egress-lookup", daemon=True).start()
        try:
            answer = answers.get(timeout=timeout_seconds)
        except Empty as error:
            raise EgressTimeout from error
        if isinstance(answer, OSError):
            raise EgressFailed("the name cannot be looked up now", retry_after_seconds=5) from answer
        return answer


def _look_up(host: str) -> tuple[str, ...]:
    """Ask the system; the root's dot keeps it from trying the name inside its search domains first."""
    try:
        found = socket.getaddrinfo(f"{host}.", None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except socket.gaierror as error:
        if error.errno in _NO_ADDRESS:
            return ()
        raise
    except UnicodeError:  # the interpreter's own IDNA codec, on labels that DNS cannot carry
        return ()
    return tuple(dict.fromkeys(str(address[0]) for _, _, _, _, address in found))
