"""Clocks of processes that are set while these run."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import pytest

from local_emulator.clocks import Clocks, set_clock, sweep
from local_emulator.processes import Process
from tests.chaos.subject import clock_library

TELLING = """
import sys, time
from datetime import datetime, UTC
for _ in sys.stdin:
    print(datetime.now(UTC).isoformat(), time.monotonic(), flush=True)
"""


def ask(process: subprocess.Popen[str]) -> tuple[timedelta, float]:
    """Return how far a process's clock is ahead of ours, and what its monotonic clock says."""
    stdin, stdout = _pipes(process)
    stdin.write("\n")
    stdin.flush()
    now, monotonic = stdout.readline().split()
    return datetime.fromisoformat(now) - datetime.now(UTC), float(monotonic)


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def test_a_clock_is_set_forth_and_back_while_its_process_runs(tmp_path: Path) -> None:
    missing: dict[str, str] = {}
    library = clock_library(missing)
    if library is None:
        pytest.skip(missing["clocks"])
    wish = Process("teller", lambda: [sys.executable, "-c", TELLING], environment=lambda: {"KEPT": "yes"})
    given = Clocks(library, tmp_path / "clocks").give(wish)
    assert given.prepare is not None
    given.prepare()
    environment = given.environment()
    assert environment["KEPT"] == "yes"
    near = timedelta(seconds=30)
    with subprocess.Popen(
        given.command(), env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        off, last = ask(process)
        assert abs(off) < near
        for seconds in (3600, -7200, 0):
            set_clock(tmp_path / "clocks", "teller", seconds)
            time.sleep(1.2)  # the process looks once a second
            off, monotonic = ask(process)
            assert abs(off - timedelta(seconds=seconds)) < near
            assert last <= monotonic < last + 30, "a clock that never goes back was set"
            last = monotonic
        left = list(Path("/dev/shm").glob(f"*faketime*_{process.pid}"))  # noqa: S108  # where the library puts it
        process.kill()
    assert left, "the library keeps nothing any more: the sweep can go"
    sweep()
    assert not any(path.exists() for path in left)
