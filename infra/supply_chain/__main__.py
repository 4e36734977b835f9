"""Checks the supply chain: `python -m infra.supply_chain [--quick] [--allow-not-run] [check ...]`.

Ends with 0 when everything passed, with 1 when anything failed, with 3 when something was not run. Runbook: infra/runbooks/supply-chain.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from . import accepted
from .checks import CHECKS, Check, run
from .results import FAILED_STATUS, Result, ScannerMissing, status, table

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Run the checks and say what they came to; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.supply_chain", description="Check the supply chain.")
    parser.add_argument("--quick", action="store_true", help="only what takes a few seconds")
    parser.add_argument("--allow-not-run", action="store_true", help="end with 0 although something could not be run")
    parser.add_argument("--tree", type=Path, default=ROOT, help="the tree to check (default: this one)")
    parser.add_argument("checks", nargs="*", metavar="check", choices=[[], *(check.name for check in CHECKS)])
    options = parser.parse_args(arguments)
    chosen = [check for check in CHECKS if check.name in options.checks or not options.checks]
    if options.quick:
        chosen = [check for check in chosen if check.quick]
    try:
        stands = accepted.read(accepted.FILE.read_text("utf-8"))
    except accepted.AcceptedError as error:
        sys.stderr.write(f"{accepted.FILE.name}: {error}\n")
        return FAILED_STATUS
    results = list(_results(chosen, options.tree.resolve(), stands))
    sys.stdout.write(table(results))
    return status(results, allow_not_run=options.allow_not_run)


def _results(chosen: list[Check], root: Path, stands: list[accepted.Accepted]) -> Iterator[Result]:
    today = datetime.now(UTC).date()
    for check in chosen:
        sys.stderr.write(f"{check.name} ...\n")
        _install(check)
        yield run(check, root, stands, today)


def _install(check: Check) -> None:
    """Install a scanner that has an environment of its own; that it cannot be is what its check then says."""
    if check.environment is None:
        return
    try:
        check.environment.install()
    except ScannerMissing as missing:
        sys.stderr.write(f"{check.name}: {missing}\n")


if __name__ == "__main__":
    sys.exit(main())
