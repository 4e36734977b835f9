"""Scanners as programs: those of this environment, and those that have one of their own because they would conflict with it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import venv
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from .results import ScannerBroken, ScannerMissing

ROOT = Path(__file__).resolve().parents[2]
_REQUIREMENTS = Path(__file__).with_name("requirements")
_LONGEST_SECONDS = 900


def here(name: str) -> Path:
    """Return a program of this environment.

    Raises:
        ScannerMissing: it is not there.
    """
    found = Path(sys.executable).with_name(name)
    if not found.exists():
        raise ScannerMissing(f"{name} is not installed: `make setup`")
    return found


class Environment:
    """A scanner in an environment of its own, from a hashed requirements file of its name."""

    def __init__(self, name: str, home: Path = ROOT / ".local" / "scanners") -> None:
        """Set up; nothing is installed yet.

        Args:
            name: of the scanner, its program and its requirements file.
            home: where environments are made.
        """
        self._name = name
        self._file = _REQUIREMENTS / f"{name}.txt"
        self._folder = home / name
        self._marker = self._folder / "installed"

    def is_installed(self) -> bool:
        """Tell whether what the requirements file says is there."""
        return self._marker.is_file() and self._marker.read_text("utf-8") == self._digest()

    def install(self) -> None:
        """Make the environment, once per requirements file.

        Raises:
            ScannerMissing: it cannot be installed.
        """
        if self.is_installed():
            return
        venv.create(self._folder, with_pip=True, clear=True)
        pip = [str(self._folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run(
            [*pip, "--require-hashes", "--requirement", str(self._file)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise ScannerMissing(f"{self._name} cannot be installed: {done.stderr[-500:].strip()}")
        self._marker.write_text(self._digest(), "utf-8")

    def program(self) -> Path:
        """Return the program.

        Raises:
            ScannerMissing: it is not installed.
        """
        if not self.is_installed():
            raise ScannerMissing(f"{self._name} is not installed: `make supply-chain` installs it")
        return self._folder / "bin" / self._name

    def _digest(self) -> str:
        return hashlib.sha256(self._file.read_bytes()).hexdigest()


def run(
    command: list[str], place: Path, good: Collection[int] = (0,), environment: Mapping[str, str] | None = None
) -> str:
    """Run a scanner and return what it printed.

    Args:
        command: program and arguments.
        place: the folder to run it in.
        good: exit statuses of a run that came to its end.
        environment: variables beside those that are there.

    Raises:
        ScannerBroken: it ended otherwise, or took too long.
    """
    try:
        done = subprocess.run(
            command,
            cwd=place,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONGEST_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ScannerBroken(f"{Path(command[0]).name}: {error}") from error
    if done.returncode not in good:
        said = (done.stderr or done.stdout)[-1000:].strip()
        raise ScannerBroken(f"{Path(command[0]).name} ended with {done.returncode}: {said}")
    return done.stdout


def parsed(text: str, scanner: str) -> Any:  # noqa: ANN401 - JSON of another program
    """Read what a scanner printed as JSON.

    Raises:
        ScannerBroken: it is none.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ScannerBroken(f"{scanner} printed no JSON: {text[:200]!r}") from error
