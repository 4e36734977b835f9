"""What the Google implementations of all ports share: channels to the emulator and deadlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import grpc
    from google.api_core.retry import Retry

_DEADLINE_SECONDS = 5.0


def deadline_seconds() -> float:
    """Return how long a call to a Google service may take; past that the caller gets a 503."""
    return _DEADLINE_SECONDS


def retry_within_deadline() -> Retry:
    """Return how calls are tried again: the clients' own policies go on for a minute and more, whatever the time limit.

    Source: https://googleapis.dev/python/google-api-core/latest/retry.html
    """
    from google.api_core.retry import Retry, if_transient_error

    return Retry(predicate=if_transient_error, initial=0.1, maximum=1.0, multiplier=2.0, timeout=_DEADLINE_SECONDS)


def insecure_channel(endpoint: str) -> grpc.Channel:
    """Open a plaintext gRPC channel to the emulator; the boot guard refuses such an endpoint in production."""
    import grpc

    return grpc.insecure_channel(endpoint)
