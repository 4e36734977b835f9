"""What measurements run: a function in a process, a whole emulator, work on many threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from local_emulator import cli
from local_emulator.ports import reserve_port
from local_emulator.topology import Options

ROOT = Path(__file__).parents[2]
HELLO = "def hello(request):\n    return 'hello'\n"
THREADS = 8
_SECONDS = 4.0


@contextmanager
def process(folder: Path, name: str, source: str, *, threads: int) -> Iterator[str]:
    """Run one Functions Framework process until the block ends; yields its address once it replies."""
    file = folder / f"{name}.py"
    file.write_text(source, "utf-8")
    port = reserve_port()
    command = [
        "-m",
        "functions_framework",
        "--source",
        str(file),
        "--target",
        name,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DW_ENV": "emulator",
        "DW_FUNCTION": name,
        "THREADS": str(threads),
    }
    process = subprocess.Popen(
        [sys.executable, *command], env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{address}/_health", timeout=5).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.01)
        else:
            return
    process.kill()
    errors = process.stderr.read().decode() if process.stderr else ""
    raise RuntimeError(f"{address} did not come up:\n{errors[-2000:]}")


@contextmanager
def emulator(data_dir: Path) -> Iterator[dict[str, Any]]:
    """Run a whole emulator until the block ends; yields what its `emulator.json` says."""
    cli.up(Options(data_dir=data_dir, port=reserve_port()))
    try:
        yield json.loads((data_dir / "emulator.json").read_text("utf-8"))
    finally:
        cli.main(["down", "--data-dir", str(data_dir)])


def throughput(url: str, headers: dict[str, str]) -> float:
    """Count good replies per second over a few seconds, on keep-alive connections."""

    def worker(_number: int) -> Callable[[], object]:
        client = httpx.Client(headers=headers, timeout=10, trust_env=False)
        return lambda: client.get(url).raise_for_status()

    return rate(worker)


def rate(worker: Callable[[int], Callable[[], object]], *, threads: int = THREADS) -> float:
    """Count how often work gets done per second over a few seconds.

    Args:
        worker: called once for each thread, with its number; returns what the thread does over and over; what answers False
            did not get done.
        threads: how many.

    Raises:
        Exception: what the work of any thread raised.
    """
    works = [worker(number) for number in range(threads)]
    stop = time.monotonic() + _SECONDS

    def repeat(work: Callable[[], object]) -> int:
        count = 0
        while time.monotonic() < stop:
            count += work() is not False
        return count

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(repeat, works)) / _SECONDS
