"""checkov, in an environment of its own: it would pull hundreds of packages into ours."""

from __future__ import annotations

import json
import subprocess
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CHECKOV = "checkov==3.2.499"
HOME = ROOT / ".local" / "checkov"
_MARKER = HOME / "installed"


@dataclass(frozen=True, order=True)
class Finding:
    """One failed check."""

    check: str
    resource: str
    file: str
    name: str


def is_installed() -> bool:
    """Tell whether this version is there."""
    return _MARKER.is_file() and _MARKER.read_text("utf-8") == CHECKOV


def install() -> None:
    """Make checkov's environment, once per version."""
    if is_installed():
        return
    venv.create(HOME, with_pip=True, clear=True)
    subprocess.run([str(HOME / "bin" / "pip"), "install", "--quiet", CHECKOV], check=True)
    _MARKER.write_text(CHECKOV, "utf-8")


def command(*options: str) -> list[str]:
    """Return checkov's command, which asks nothing of its vendor."""
    return [str(HOME / "bin" / "checkov"), "--output", "json", "--quiet", "--compact", "--skip-download", *options]


def scan(*options: str, place: Path = ROOT) -> tuple[list[Finding], int]:
    """Run checkov; returns what failed, and how many checks passed.

    Raises:
        RuntimeError: it did not run to its end.
    """
    done = subprocess.run(command(*options), cwd=place, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"checkov ended with {done.returncode}: {done.stderr[-3000:]}")
    found: Any = json.loads(done.stdout)
    reports: Sequence[Any] = found if isinstance(found, list) else [found]
    failed = [item for report in reports for item in report.get("results", {}).get("failed_checks", ())]
    passed = sum(report.get("summary", {}).get("passed", 0) for report in reports)
    return sorted(
        Finding(item["check_id"], item["resource"], item["file_path"], item["check_name"]) for item in failed
    ), passed
