"""Builds the bundles: `python -m infra.build [--out dist] [function ...]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from infra.suite import SuiteError, load_suite

from .bundle import build_bundles
from .errors import BuildError

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Build and say what was built; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.build", description="Build one zip per function.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where to put them (default: dist)")
    parser.add_argument("functions", nargs="*", metavar="function", help="functions to build (default: all)")
    options = parser.parse_args(arguments)
    try:
        bundles = build_bundles(load_suite(), ROOT, options.out, options.functions)
    except (BuildError, SuiteError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for bundle in bundles:
        print(f"{bundle.sha256}  {bundle.size_bytes:>9}  {options.out / bundle.file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
