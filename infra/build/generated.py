"""What every writer of a generated file does with its text: write it, or say that the committed one is stale."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def write_or_check(file: Path, text: str, module: str, arguments: list[str] | None) -> int:
    """Write a generated file, or with `--check` only compare it with what is there.

    Args:
        file: where it belongs.
        text: what it should be.
        module: who is run to write it, e.g. `infra.build.openapi`.
        arguments: of the command line; the process's own when None.

    Returns:
        The exit status: 1 when the file is stale.
    """
    name = file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else file.name
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=f"Write {name}.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is stale")
    options = parser.parse_args(arguments)
    if not options.check:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    elif not file.exists() or file.read_text(encoding="utf-8") != text:
        sys.stderr.write(f"{name} is stale: run `python -m {module}` and commit it\n")
        return 1
    return 0
