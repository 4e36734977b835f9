"""Processes: whatever was killed runs again, and answers."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator

from local_emulator.cli import health
from local_emulator.records import ProcessRecord

from .world import World

_WELL = frozenset({"healthy", "running"})
_GIVEN_UP = b"it stays down"
_STARTED_AGAIN = b"starting it again"
_NOTE = b"--- emulator "


def everything_runs(world: World, counts: Counter[str]) -> Iterator[str]:
    """Every process that the emulator began with runs and is healthy, and the emulator gave up starting none."""
    running = world.data.read_running()
    if running is None:
        yield "the emulator does not run: it keeps no record of processes"
        return
    records = {record.name: record for record in (running.supervisor, *running.children)}
    described = json.loads(world.data.emulator_file.read_bytes())
    for name in sorted({item["name"] for item in described["processes"]} - records.keys()):
        yield f"{name} is not there any more"
    for name, record in records.items():
        counts["processes"] += 1
        if (found := _health(record, world.patience_seconds)) not in _WELL:
            yield f"{name} is {found} (pid {record.pid})"
    for name, path in world.log_files().items():
        notes = [line for line in path.read_bytes().splitlines() if line.startswith(_NOTE)]
        counts["starts after an end"] += sum(_STARTED_AGAIN in line for line in notes)
        yield from (f"{name}: {line.decode(errors='replace')}" for line in notes if _GIVEN_UP in line)


def _health(record: ProcessRecord, patience_seconds: float) -> str:
    """Say how a process is; one that is busy may take a while to say so, and one that is gone does not come back under its id."""
    ends_at = time.monotonic() + patience_seconds
    while True:
        found = health(record)
        if found in _WELL or not record.is_alive() or time.monotonic() >= ends_at:
            return found
        time.sleep(0.5)
