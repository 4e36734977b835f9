"""The data directory: where everything lies, who runs, and the lock that lets one emulator use it.

Owns the files that outlive a command: `lock`, `run/processes.json`, `emulator.json`, `run/credentials.json`. A process
is known by its id *and* its start time, so that an id which the system has given to another program is left alone.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import psutil

from .errors import EmulatorError

_CLOCK_STEP_SECONDS = 10  # the start time is counted from the boot time, which moves when the clock is set


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """One child of the supervisor, as written to disk.

    Attributes:
        started_at: the system's start time of the process (seconds), which tells a reused id.
        ports: purpose to port.
        health_path: HTTP path that answers 200, or None when a listening port is enough.
        stop_signal: what asks it to end.
        stage: processes of a higher stage are stopped first.
    """

    name: str
    pid: int
    started_at: float
    ports: dict[str, int]
    health_path: str | None
    stop_signal: int
    stage: int

    @property
    def port(self) -> int | None:
        """Return its first port."""
        return next(iter(self.ports.values()), None)

    def is_alive(self) -> bool:
        """Say whether this very process still runs (a zombie does not)."""
        found = start_time(self.pid)
        return found is not None and is_same_start(found, self.started_at)


@dataclass(frozen=True, slots=True)
class Running:
    """The supervisor and its children; `supervisor` has no ports."""

    supervisor: ProcessRecord
    children: tuple[ProcessRecord, ...]


class DataDirectory:
    """Names and files of one data directory."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"
        self.run = self.path / "run"
        self.emulator_file = self.path / "emulator.json"
        self.dns_records = self.path / "dns_records.json"  # written by whoever wants to prove a domain
        self._processes_file = self.run / "processes.json"
        self._credentials_file = self.run / "credentials.json"

    def create(self, *, open_to_others: bool) -> None:
        """Make the directories.

        Args:
            open_to_others: whether another system user must be able to pass through (PostgreSQL, when run as root).
        """
        try:
            for folder in (self.path, self.logs, self.run):
                folder.mkdir(parents=True, exist_ok=True)
            for folder in (self.logs, self.run):
                folder.chmod(0o700)
            self.path.chmod(0o711 if open_to_others else 0o700)
        except OSError as error:
            raise EmulatorError(f"{self.path} cannot be used: {error.strerror}; choose another --data-dir") from error

    def log_file(self, name: str) -> Path:
        """Return the log of one process."""
        return self.logs / f"{name}.log"

    def lock(self) -> TextIO:
        """Take the directory for this process; the lock ends with the returned file.

        Raises:
            EmulatorError: another emulator holds it.
        """
        file = (self.path / "lock").open("a", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise EmulatorError(
                f"an emulator already runs on {self.path}: stop it with 'down', or choose another --data-dir"
            ) from error
        return file

    def is_locked(self) -> bool:
        """Say whether an emulator holds the directory."""
        if not (self.path / "lock").exists():
            return False
        try:
            self.lock().close()
        except EmulatorError:
            return True
        return False

    def write_running(self, running: Running) -> None:
        """Record the supervisor and its children."""
        write_private(self._processes_file, asdict(running))

    def read_running(self) -> Running | None:
        """Return what was recorded last, or None."""
        found = _read(self._processes_file)
        if found is None:
            return None
        try:
            return Running(
                supervisor=ProcessRecord(**found["supervisor"]),
                children=tuple(ProcessRecord(**child) for child in found["children"]),
            )
        except (KeyError, TypeError):
            return None

    def forget_running(self) -> None:
        """Remove the records of a run that has ended."""
        self._processes_file.unlink(missing_ok=True)
        self.emulator_file.unlink(missing_ok=True)

    def password(self, name: str) -> str:
        """Return a random password that is kept for the life of the directory."""
        known = _read(self._credentials_file) or {}
        if name not in known:
            known[name] = secrets.token_urlsafe(24)
            write_private(self._credentials_file, known)
        return str(known[name])


def start_time(pid: int) -> float | None:
    """Return when a live process started, or None when there is none (a zombie is none)."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None


def is_same_start(one: float, other: float) -> bool:
    """Say whether two readings of a start time are of one process."""
    return abs(one - other) < _CLOCK_STEP_SECONDS


def write_private(file: Path, content: Mapping[str, Any]) -> None:
    """Write JSON that only its owner can read, at once: a reader sees the old text or the new one."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as text:
            json.dump(content, text, indent=2)
            text.write("\n")
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
