"""Entry point: `python -m local_emulator.customers --google-port N --azure-port N`; SIGTERM or Ctrl-C stop it."""

from __future__ import annotations

import argparse
import logging
import sys
from threading import Thread

from local_emulator.stopping import when_told_to_stop

from .azure import Azure
from .google import GoogleCloud
from .server import CloudServer


def main() -> int:
    """Serve both clouds until told to stop."""
    parser = argparse.ArgumentParser(prog="local_emulator.customers", description=__doc__)
    parser.add_argument("--google-port", type=int, default=0, help="where Google Cloud listens, 0 = a free port")
    parser.add_argument("--azure-port", type=int, default=0, help="where Azure listens, 0 = a free port")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = when_told_to_stop()
    azure = Azure()
    try:
        servers = [CloudServer(arguments.google_port, GoogleCloud()), CloudServer(arguments.azure_port, azure)]
    except OSError as error:
        sys.stderr.write(f"local_emulator.customers cannot start: {error}\n")
        return 1
    for server in servers:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    stop.wait()
    for server in servers:
        server.faults.clear()
        server.shutdown()
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
