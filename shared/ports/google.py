"""What the Google implementations of all ports share: channels to the emulator and deadlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import grpc

_DEADLINE_SECONDS = 5.0


def deadline_seconds() -> float:
    """Return how long a call to a Google service may take; past that the caller gets a 503."""
    return _DEADLINE_SECONDS


def insecure_channel(endpoint: str) -> grpc.Channel:
    """Open a plaintext gRPC channel to the emulator; the boot guard refuses such an endpoint in production."""
    import grpc

    return grpc.insecure_channel(endpoint)
