"""Entry point: `python -m local_emulator.google --data-dir DIR --port-file FILE`; SIGTERM or Ctrl-C stop it cleanly."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from local_emulator.google.config import Config
from local_emulator.google.server import GoogleServer, Ports
from local_emulator.stopping import when_told_to_stop


def main() -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="local_emulator.google", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="gRPC port, 0 = a free one")
    parser.add_argument("--http-port", type=int, default=0, help="HTTP port, 0 = a free one")
    parser.add_argument("--data-dir", type=Path, required=True, help="where keys, secrets and messages are kept")
    parser.add_argument("--port-file", type=Path, required=True, help="where the ports are written as JSON")
    parser.add_argument("--config", type=Path, default=None, help="JSON file, see config.py")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    stop = when_told_to_stop()
    try:
        server = GoogleServer(
            Ports(arguments.port, arguments.http_port), arguments.data_dir, Config.read(arguments.config)
        )
    except (OSError, RuntimeError, ValueError) as error:
        sys.stderr.write(f"local_emulator.google cannot start: {error}\n")
        return 1
    server.start(arguments.port_file)
    stop.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    sys.stderr.flush()
    os._exit(status)  # everything is closed: a thread of a call that never ends must not hold the process
