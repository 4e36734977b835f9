"""Terraform, as it is written, by checkov: in an environment of its own, as it would pull hundreds of packages into ours.

A check that does not apply is skipped in the code, beside what it is about, with its reason. `make terraform-scan` scans the plan too.
Source: https://www.checkov.io/2.Basics/CLI%20Command%20Reference.html
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..results import Finding
from ..tools import Environment, parsed, run

CHECKOV = Environment("checkov")
_OPTIONS = ("--output", "json", "--quiet", "--compact", "--skip-download")


def scan(root: Path) -> list[Finding]:
    """Return each failed check below `terraform/`."""
    return scanned(root / "terraform", "--framework", "terraform", "--directory", str(root / "terraform"))[0]


def scanned(folder: Path, *options: str) -> tuple[list[Finding], int]:
    """Run checkov.

    Args:
        folder: where it runs.
        options: what it scans.

    Returns:
        What failed, sorted, and how many checks passed.
    """
    said = run(command(*options), folder, good=(0, 1), environment={"LOG_LEVEL": "CRITICAL"})
    found: Any = parsed(said, "checkov")
    reports: Sequence[Any] = found if isinstance(found, list) else [found]
    failed = [item for report in reports for item in report.get("results", {}).get("failed_checks", ())]
    passed = sum(int(report.get("summary", {}).get("passed", 0)) for report in reports)
    return sorted(_finding(folder, item) for item in failed), passed


def command(*options: str) -> list[str]:
    """Return checkov's command, which asks nothing of its vendor.

    Raises:
        ScannerMissing: checkov is not installed.
    """
    return [str(CHECKOV.program()), *_OPTIONS, *options]


def _finding(folder: Path, item: dict[str, Any]) -> Finding:
    line = (item.get("file_line_range") or [0])[0]
    return Finding(
        f"{folder.name}/{item['file_path'].lstrip('/')}",
        item["check_id"],
        f"{item['resource']}: {item['check_name']}",
        line,
    )
