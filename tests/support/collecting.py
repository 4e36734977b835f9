"""The emulator's collector, inside the test's own process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from local_emulator.collector import CollectorServer


@contextmanager
def running_collector() -> Iterator[CollectorServer]:
    """Run a collector until the block ends."""
    server = CollectorServer(0)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def address_of(server: CollectorServer) -> str:
    """Return what `DW_OTLP_ENDPOINT` is to be."""
    return f"http://127.0.0.1:{server.server_address[1]}"
