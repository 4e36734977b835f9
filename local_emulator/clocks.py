"""Clocks that can be set: each process that is given one reads how far it is off from a file, while it runs.

libfaketime does it, below the C library, so that everything in a process goes by the wrong time: our code, its libraries, TLS. Clocks
that never go back (monotonic ones) stay right, as they do when a real clock is set.
Source: libfaketime 0.9.10, README, sections 4 and 8 (FAKETIME_TIMESTAMP_FILE, FAKETIME_CACHE_DURATION, FAKETIME_DONT_FAKE_MONOTONIC).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from .processes import Process

_SHARED = Path("/dev/shm")  # noqa: S108  # where the library keeps something for each process, and leaves it when one is killed
_LEFT = ("faketime_shm_", "sem.faketime_sem_")  # and the process's id


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of one emulator.

    Attributes:
        library: libfaketime's shared object.
        folder: a file for each process.
    """

    library: Path
    folder: Path

    def give(self, process: Process) -> Process:
        """Return a process with a clock that can be set; it is right at first."""
        file = self.folder / process.name
        old_environment, old_prepare = process.environment, process.prepare

        def prepare() -> None:
            if old_prepare is not None:
                old_prepare()
            self.folder.mkdir(mode=0o755, exist_ok=True)
            set_clock(self.folder, process.name, 0)

        def environment() -> Mapping[str, str]:
            return {
                **old_environment(),
                "LD_PRELOAD": str(self.library),
                "FAKETIME_TIMESTAMP_FILE": str(file),
                "FAKETIME_CACHE_DURATION": "0",  # looks once in each second; at every call it would cost 37 µs each time
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }

        return replace(process, environment=environment, prepare=prepare)


def set_clock(folder: Path, name: str, seconds: int) -> None:
    """Set the clock of one process, which goes by it within a second.

    Args:
        folder: of the clocks.
        name: of the process.
        seconds: how far ahead of the true time it is; negative for behind, 0 for right.
    """
    file = folder / name
    if not file.exists():
        file.touch()
        file.chmod(0o644)  # PostgreSQL may run as a user of its own
    with file.open("r+b", buffering=0) as place:  # in its place and always as long: a full disk has room for that
        place.write(b"%+08d\n" % seconds)


def sweep() -> None:
    """Remove what the library left of processes that were killed."""
    for prefix in _LEFT:
        for file in _SHARED.glob(f"{prefix}*"):
            number = file.name.removeprefix(prefix)
            if number.isdigit() and not psutil.pid_exists(int(number)):
                file.unlink(missing_ok=True)
