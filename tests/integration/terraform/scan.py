"""checkov over the code and over the plan of the example environment: `python -m tests.integration.terraform.scan` (`make terraform-scan`).

Installs checkov where it is missing. A check that does not apply is skipped in the code, beside what it is about, with its reason.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from infra.supply_chain.results import Finding
from infra.supply_chain.scanners.infrastructure import CHECKOV, scanned
from tests.support.terraform import SOURCES, Applied, Copy, providers_kept, why_no_terraform


def scan_code(root: Path = SOURCES) -> tuple[list[Finding], int]:
    """Scan every module and environment as it is written."""
    return scanned(root, "--framework", "terraform", "--directory", str(root))


def scan_plan(example: Applied, root: Path) -> tuple[list[Finding], int]:
    """Scan the plan of the example environment; what the code skips is skipped here too.

    Args:
        example: planned.
        root: the copy of `terraform/` that was planned.
    """
    file = root.parent / "plan.json"
    file.write_text(json.dumps(example.settled_plan), encoding="utf-8")
    options = ("--framework", "terraform_plan", "--file", str(file), "--repo-root-for-plan-enrichment", str(root))
    return scanned(root, *options)


def main() -> int:
    """Scan and say what was found; 1 when a check failed."""
    CHECKOV.install()
    findings, passed = scan_code()
    if reason := why_no_terraform():
        sys.stdout.write(f"the plan is not scanned: {reason}\n")
    else:
        with tempfile.TemporaryDirectory() as home, providers_kept() as told:
            copy = Copy(Path(home), told)
            more, also = scan_plan(Applied(copy), copy.root)
        findings, passed = findings + more, passed + also
    for item in findings:
        sys.stdout.write(f"{item.shown()}\n")
    sys.stdout.write(f"{passed} checks passed, {len(findings)} failed\n")
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
