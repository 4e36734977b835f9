"""The suite that the campaign runs against, and every way to disturb it.

Its data lies on a small file system of its own where one can be mounted, so that it can be filled; its processes have clocks that can be
set where libfaketime works. Where either is not so, those faults are not run, and the report says why.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from local_emulator import clocks
from local_emulator.postgres import scratch_directory
from local_emulator.records import DataDirectory, ProcessRecord
from tests.support.running_suite import RunningSuite, running_part

_DISK_BYTES = 1536 << 20  # the write-ahead log alone may take 1 GiB
_HOUR_SECONDS = 3600


@dataclass
class Subject:
    """A running suite that can be disturbed.

    Attributes:
        data_dir: of the emulator.
        has_disk: whether the data lies on a file system of its own, which can be filled.
        has_clocks: whether clocks can be set.
        missing: what cannot be done here, and why: `clocks` and `disk`.
    """

    suite: RunningSuite
    data_dir: Path
    has_disk: bool
    has_clocks: bool
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def described(self) -> dict[str, Any]:
        """What `emulator.json` says."""
        found: dict[str, Any] = json.loads((self.data_dir / "emulator.json").read_bytes())
        return found

    # Processes

    def records(self) -> dict[str, ProcessRecord]:
        """Return the processes by name."""
        running = DataDirectory(self.data_dir).read_running()
        return {} if running is None else {child.name: child for child in running.children}

    def kill(self, name: str) -> None:
        """End a process and all of its own, without a chance to clean up."""
        self._signal(name, signal.SIGKILL)

    def freeze(self, name: str) -> None:
        """Stop a process and all of its own where they are."""
        self._signal(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let them go on."""
        self._signal(name, signal.SIGCONT)

    def _signal(self, name: str, number: signal.Signals) -> None:
        record = self.records()[name]
        with suppress(psutil.NoSuchProcess):  # it has just ended, by another fault
            leader = psutil.Process(record.pid)
            for process in [leader, *leader.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(number)

    # What lies between them

    def switch_link(self, link: str, mode: str, share: float = 1.0) -> None:
        """Put a link into a mode of `local_emulator.links`; `share` is of the answers that `lossy` loses."""
        self._post(f"{self.described['links']}/_faults", {"link": link, "mode": mode, "share": share})

    def switch_google(self, service: str, mode: str) -> None:
        """Make a Google service answer that it is unavailable, or not."""
        self._post(f"{self.described['google']['http']}/_faults", {"service": service, "mode": mode})

    def switch_aws(self, mode: str) -> None:
        """Make EC2 of the customer's account fail."""
        fault: dict[str, object] = {"service": "ec2", "operation": "*", "mode": mode}
        self._post(f"{self.described['aws_endpoint']}/moto-api/faults", fault)

    def end_aws_faults(self) -> None:
        """Let it answer again."""
        httpx.delete(f"{self.described['aws_endpoint']}/moto-api/faults", trust_env=False).raise_for_status()

    @staticmethod
    def _post(url: str, document: dict[str, object]) -> None:
        httpx.post(url, json=document, timeout=30, trust_env=False).raise_for_status()

    # Clocks and disk

    def set_clock(self, name: str, seconds: int) -> None:
        """Set the clock of a process so far ahead of the true time; 0 for right."""
        clocks.set_clock(self.data_dir / "clocks", name, seconds)

    def fill_disk(self) -> None:
        """Take every byte that is left."""
        with (self.data_dir.parent / "ballast").open("wb", buffering=0) as ballast:
            for size in (1 << 20, 4096):
                with suppress(OSError):
                    while ballast.write(bytes(size)) == size:
                        pass

    def empty_disk(self) -> None:
        """Give it back."""
        (self.data_dir.parent / "ballast").unlink(missing_ok=True)


@contextmanager
def running_subject() -> Generator[Subject]:
    """Run a suite of the campaign's own; ended with the block."""
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="driftwise-chaos-", dir=scratch_directory()) as place:
        folder = Path(place)
        folder.chmod(0o711)
        with _small_disk(folder, missing):
            folder.chmod(0o711)
            options = ["--port", "0", "--links", "--tireless"]
            library = clock_library(missing)
            if library is not None:
                options += ["--clock-library", str(library)]
            try:
                with running_part(folder, *options) as suite:
                    yield Subject(suite, folder / "data", "disk" not in missing, library is not None, missing)
            finally:
                clocks.sweep()


@contextmanager
def _small_disk(folder: Path, missing: dict[str, str]) -> Generator[None]:
    """Mount a small file system in memory at a folder, where that may be done."""
    as_root = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    wish = f"size={_DISK_BYTES},mode=0711,uid={os.geteuid()}"
    command = [*as_root, "mount", "-t", "tmpfs", "-o", wish, "driftwise-chaos", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        reason = mounted.stderr.strip() if mounted.returncode else ""
    except FileNotFoundError as error:
        reason = f"there is no {error.filename}"
    if reason:
        missing["disk"] = f"no small file system can be mounted ({reason})"
        yield
        return
    try:
        yield
    finally:
        subprocess.run([*as_root, "umount", "--lazy", str(folder)], check=True)


def clock_library(missing: dict[str, str]) -> Path | None:
    """Return libfaketime, if it works here; otherwise say why it does not."""
    spec = importlib.util.find_spec("libfaketime")
    folders = spec.submodule_search_locations if spec is not None else None
    library = next((found for folder in folders or () for found in Path(folder).rglob("libfaketime.so.1")), None)
    if library is None:
        missing["clocks"] = "libfaketime is not installed, or not built for this system"
        return None
    environment = {**os.environ, "LD_PRELOAD": str(library), "FAKETIME": f"+{_HOUR_SECONDS}"}
    asked = [sys.executable, "-c", "import time; print(time.time())"]
    done = subprocess.run(asked, env=environment, capture_output=True, text=True, check=False)
    try:
        is_ahead = float(done.stdout) - time.time() > _HOUR_SECONDS / 2
    except ValueError:
        is_ahead = False
    if not is_ahead:
        missing["clocks"] = "libfaketime does not set the clock of a process here"
        return None
    return library
