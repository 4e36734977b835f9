"""What the Google implementations of all ports share: clients, their channels, deadlines, and what a failure means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from .clock import SystemClock
from .errors import ServiceAway
from .kept import Kept

if TYPE_CHECKING:
    import grpc
    from google.api_core.retry import Retry

_DEADLINE_SECONDS = 5.0
# Source: https://grpc.github.io/grpc/core/group__grpc__arg__keys.html
_CHANNEL_OPTIONS: Sequence[tuple[str, int]] = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),  # or a service that is back would be left alone for up to two minutes
    ("grpc.min_reconnect_backoff_ms", 5000),  # for how long one attempt to connect may go on
    ("grpc.use_local_subchannel_pool", 1),  # a new client gets a connection of its own
)
_Client = TypeVar("_Client")
_T = TypeVar("_T")


class _Transport(Protocol):
    @classmethod
    def create_channel(cls, host: str = ..., **options: Any) -> grpc.Channel: ...


class GoogleService(Generic[_Client]):
    """One Google service, as its port calls it.

    The client is built with the first call and not before: for that it needs an identity, which is asked for over the
    network. One that cannot be built is tried again, and one whose call ran out of time is given up: its connection may be
    dead without knowing it, and would keep every later call waiting in vain.
    """

    def __init__(self, name: str, build: Callable[[], _Client]) -> None:
        """Set up; connects to nothing.

        Args:
            name: as callers see it when it is away.
            build: makes the client.
        """
        self._name = name
        self._build = build
        self._client = Kept(name, self._built, SystemClock())

    def call(self, ask: Callable[[_Client], _T]) -> _T:
        """Ask something of the service.

        Raises:
            ServiceAway: (503 `service_away`) it did not answer, or not in time.
        """
        from google.api_core.exceptions import DeadlineExceeded, GoogleAPICallError, RetryError

        client = self._client.get()
        try:
            return ask(client)
        except DeadlineExceeded as error:
            self._client.forget(client)
            raise ServiceAway(self._name) from error
        except (GoogleAPICallError, RetryError) as error:
            raise ServiceAway(self._name) from error

    def _built(self) -> _Client:
        from google.auth.exceptions import GoogleAuthError

        try:
            return self._build()
        except (GoogleAuthError, OSError) as error:
            raise ServiceAway(self._name) from error


def deadline_seconds() -> float:
    """Return how long a call to a Google service may take; past that the caller gets a 503."""
    return _DEADLINE_SECONDS


def retry_within_deadline() -> Retry:
    """Return how calls are tried again: the clients' own policies go on for a minute and more, whatever the time limit.

    Source: https://googleapis.dev/python/google-api-core/latest/retry.html
    """
    from google.api_core.retry import Retry, if_transient_error

    return Retry(predicate=if_transient_error, initial=0.1, maximum=1.0, multiplier=2.0, timeout=_DEADLINE_SECONDS)


def open_channel(endpoint: str, transport: type[_Transport]) -> grpc.Channel | Callable[..., grpc.Channel]:
    """Return the channel of a client's transport, or what opens it.

    Args:
        endpoint: `host:port` of the emulator, in plaintext (the boot guard refuses one in production); empty for Google.
        transport: the transport's class, which knows where Google is and who we are.
    """
    import grpc

    if endpoint:
        return grpc.insecure_channel(endpoint, options=_CHANNEL_OPTIONS)

    def opened(host: str, *, options: Sequence[tuple[str, int]] = (), **more: Any) -> grpc.Channel:
        return transport.create_channel(host, options=[*options, *_CHANNEL_OPTIONS], **more)

    return opened
