"""The emulator that measurements run against: one at a time, in a folder of its own, ended with the block."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local_emulator import cli
from local_emulator.ports import reserve_port
from local_emulator.topology import Options

ROOT = Path(__file__).parents[2]


@contextmanager
def emulator() -> Iterator[dict[str, Any]]:
    """Run a whole emulator; yields what its `emulator.json` says."""
    data_dir = ROOT / ".local" / "bench"
    cli.up(Options(data_dir=data_dir, port=reserve_port()))
    try:
        yield json.loads((data_dir / "emulator.json").read_text("utf-8"))
    finally:
        cli.main(["down", "--data-dir", str(data_dir)])
