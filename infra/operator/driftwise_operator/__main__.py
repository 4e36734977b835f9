"""The operator as a process: `python -m driftwise_operator`."""

from __future__ import annotations

import asyncio
import signal
import sys

from . import VERSION
from .cluster import Cluster
from .health import serve
from .log import log
from .operator import Health, Operator
from .report import Sender
from .settings import Settings, load


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Work until told to stop."""
    health = Health()
    cluster, sender = Cluster(settings), Sender(settings, on_answer=health.told)
    server = await serve(health, settings.health_port)
    log("info", "operator started", version=VERSION, kinds=len(settings.kinds))
    try:
        await Operator(settings, cluster, sender, health).run(stop)
    finally:
        server.close()
        await cluster.close()
        await sender.close()
        log("info", "operator ended")


async def _main(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(settings, stop)


def main() -> int:
    """Start; returns the exit status."""
    try:
        settings = load()
        settings.digest_key()
        settings.api_key()
    except (ValueError, OSError) as error:
        log("critical", "operator cannot start", cause=str(error))
        return 1
    asyncio.run(_main(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
