"""A server that speaks the Redis protocol, in memory, for the rate limiter.

Run as `python -m local_emulator.redis_server --port 6379`. Loopback only; its data ends with it.
"""

from __future__ import annotations

import argparse

from fakeredis import TcpFakeServer
from fakeredis._clients import _tcp_server

from .ports import HOST
from .stopping import serve_until_told


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description="A Redis-protocol server for the local emulator")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    # Only the end of the process ends a connection from this side; asking each a hundred times a second whether to end kept a core busy.
    _tcp_server._POLL_INTERVAL = 1.0  # noqa: SLF001  # there is no switch for it
    TcpFakeServer.allow_reuse_address = True
    server = TcpFakeServer((HOST, arguments.port), server_type="redis", server_version=(7, 4))
    server.daemon_threads = True  # a limiter that keeps its connection open does not keep the process alive
    serve_until_told(server)


if __name__ == "__main__":
    main()
