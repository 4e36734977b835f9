"""The process that owns all others: starts the table, stays, and ends it when told to.

Run by `up` in a session of its own. While starting it writes one JSON line for each event to its standard output and
closes it when everything is up. It holds the data directory's lock for its whole life.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import structlog

from .context import Context
from .errors import EmulatorError
from .processes import Table, stop_records
from .records import DataDirectory, ProcessRecord, Running, start_time, write_private
from .stopping import on_signal
from .topology import EMULATOR_ROOT, Options, Topology

_OUTPUT = threading.Lock()  # several nodes may become ready at once
_PIPE = sys.stdout  # what `up` reads; log lines of the suite's own code go to the other one, see below


def main() -> int:
    """Run one emulator; its options are the only argument, as JSON."""
    # shared code that the supervisor runs may log: standard output is for events alone
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    raw = json.loads(sys.argv[1])
    options = Options(
        data_dir=Path(raw["data_dir"]),
        port=raw["port"],
        postgres=raw["postgres"],
        only=tuple(raw["only"]),
        suite_file=Path(raw["suite_file"]),
        root=Path(raw["root"]),
        providers_file=None if raw["providers_file"] is None else Path(raw["providers_file"]),
        has_model=raw["has_model"],
        has_links=raw["has_links"],
        is_tireless=raw["is_tireless"],
        clock_library=None if raw["clock_library"] is None else Path(raw["clock_library"]),
    )
    data = DataDirectory(options.data_dir)
    try:
        lock = data.lock()
        return _supervise(options, data, lock)
    except EmulatorError as error:
        emit({"event": "failed", "message": str(error), "detail": error.detail})
        return 1


def emit(event: dict[str, object]) -> None:
    """Tell `up`; it may have gone away."""
    with _OUTPUT:
        try:
            _PIPE.write(json.dumps(event) + "\n")
            _PIPE.flush()
        except OSError:
            _close_output()


def _supervise(options: Options, data: DataDirectory, lock: TextIO) -> int:
    _stop_leftovers(data)
    topology = Topology(options, data, os.environ)
    topology.check()
    recorder = _Recorder(data)
    table = Table(topology.nodes(), data, ports=topology.ports, on_change=lambda: recorder.write(table))
    stop = threading.Event()

    def interrupt() -> None:
        stop.set()
        table.interrupt()

    on_signal((signal.SIGTERM, signal.SIGINT, signal.SIGHUP), interrupt)
    recorder.write(table)
    topology.write_upstreams()
    try:
        table.start(lambda name, seconds: emit({"event": "up", "name": name, "seconds": seconds}))
        context = topology.context()
        described = {**describe(context, table.records()), **_seed(context)}
        write_private(data.emulator_file, described)
        emit({"event": "ready", "emulator": described})
        _close_output()
        stop.wait()
    finally:
        table.interrupt()
        table.stop()
        data.forget_running()
        lock.close()
    return 0


class _Recorder:
    """Writes who runs; one writer at a time, so that an older list never replaces a newer one."""

    def __init__(self, data: DataDirectory) -> None:
        self._data = data
        self._lock = threading.Lock()
        pid = os.getpid()
        self._self = ProcessRecord(
            name="supervisor",
            pid=pid,
            started_at=start_time(pid) or 0.0,
            ports={},
            health_path=None,
            stop_signal=int(signal.SIGTERM),
            stage=0,
        )

    def write(self, table: Table) -> None:
        with self._lock:
            self._data.write_running(Running(self._self, table.records()))


def describe(context: Context, records: tuple[ProcessRecord, ...]) -> dict[str, object]:
    """Return what `emulator.json` tells, without the seeded parts."""
    has_identity_provider = "idp" in context.names
    return {
        "gateway": context.gateway_url if "gateway" in context.names else None,
        "databases": context.databases,
        "aws_endpoint": context.aws_endpoint,
        "customers": context.customers or None,
        "idp": {"issuer": context.issuer, "saml_metadata": f"{context.issuer}/saml/metadata"}
        if has_identity_provider
        else None,
        "redis": context.redis_url,
        "google": context.google or None,
        "links": context.links_url,
        "processes": [{"name": record.name, "pid": record.pid, "port": record.port} for record in records],
    }


def _seed(context: Context) -> dict[str, object]:
    """Let `seed` put the first organisation in; only into a whole emulator of this very suite."""
    whole = {entry_point.name for entry_point in context.suite.entry_points()} | {"google"}
    if context.root != EMULATOR_ROOT or context.owner_url is None or not whole <= context.names:
        return {}
    try:
        seed = importlib.import_module("local_emulator.seed")
    except ModuleNotFoundError as error:
        if error.name != "local_emulator.seed":
            raise
        return {}
    began = time.monotonic()
    try:
        seeded: dict[str, object] = seed.seed(context)
    except Exception as error:
        raise EmulatorError(f"the seeding failed: {type(error).__name__}: {error}") from error
    emit({"event": "up", "name": "seed", "seconds": time.monotonic() - began})
    return seeded


def _stop_leftovers(data: DataDirectory) -> None:
    """End what a supervisor that was killed left running; holding the lock, nothing else can own it."""
    running = data.read_running()
    if running is None:
        return
    alive = [child for child in running.children if child.is_alive()]
    if alive:
        emit({"event": "note", "message": f"ending {len(alive)} processes of an emulator that was killed"})
    stop_records(running.children)
    data.forget_running()


def _close_output() -> None:
    """Let go of the pipe to `up`."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def options_argument(options: Options) -> str:
    """Return the argument for `main`."""
    return json.dumps(asdict(options), default=str)


if __name__ == "__main__":
    sys.stdout = sys.stderr
    sys.exit(main())
