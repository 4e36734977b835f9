"""Requests against a bare Functions Framework hello: cold start to the first reply, and an authenticated tenant read."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

from .result import Result
from .running import HELLO, ROOT, emulator, process, throughput

_KEYS = "from functions.keys.main import keys\n"
_ROUNDS = 5


def measure_cold_start() -> list[Result]:
    """Start hello and keys in turn; from the start of the process to the first reply."""
    with tempfile.TemporaryDirectory() as folder:
        pairs = [
            (_first_reply(Path(folder), "hello", HELLO), _first_reply(Path(folder), "keys", _KEYS))
            for _ in range(_ROUNDS)
        ]
    ratio = median(ours / hello for hello, ours in pairs)
    hello, ours = (median(pair[side] for pair in pairs) for side in (0, 1))
    measured = f"{ours:.2f} s, {hello:.2f} s"
    return [Result("cold start of keys to its first reply", "hello", measured, ratio, "at most 1.5", ratio <= 1.5)]


def measure_tenant_read() -> list[Result]:
    """Read a list of API keys with an API key, straight from the function's process, beside hello on as many threads."""
    with tempfile.TemporaryDirectory() as folder, emulator(ROOT / ".local" / "bench") as found:
        keys = next(item["port"] for item in found["processes"] if item["name"] == "keys")
        ours = f"http://127.0.0.1:{keys}/api/v2/orgs/{found['org_id']}/api-keys"
        headers = {"x-api-key": found["api_keys"]["read"]}
        with process(Path(folder), "hello", HELLO, threads=40) as hello:
            pairs = [(throughput(f"{hello}/", {}), throughput(ours, headers)) for _ in range(3)]
    ratio = median(our / bare for bare, our in pairs)
    bare, our = (median(pair[side] for pair in pairs) for side in (0, 1))
    measured = f"{our:.0f}/s, {bare:.0f}/s"
    return [Result("authenticated tenant read", "hello", measured, ratio, "at least 0.30", ratio >= 0.30)]


def _first_reply(folder: Path, name: str, source: str) -> float:
    began = time.perf_counter()
    with process(folder, name, source, threads=8):
        return time.perf_counter() - began
