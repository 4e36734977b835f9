"""Requests against a bare Functions Framework hello: cold start to the first reply, and an authenticated tenant read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx

from local_emulator import cli
from local_emulator.ports import reserve_port
from local_emulator.topology import Options

from .result import Result

ROOT = Path(__file__).parents[2]
_HELLO = "def hello(request):\n    return 'hello'\n"
_KEYS = "from functions.keys.main import keys\n"
_ROUNDS, _THREADS, _SECONDS = 5, 8, 4.0


def measure_cold_start() -> list[Result]:
    """Start hello and keys in turn; from the start of the process to the first reply."""
    with tempfile.TemporaryDirectory() as folder:
        pairs = [
            (_first_reply(Path(folder), "hello", _HELLO), _first_reply(Path(folder), "keys", _KEYS))
            for _ in range(_ROUNDS)
        ]
    ratio = median(ours / hello for hello, ours in pairs)
    hello, ours = (median(pair[side] for pair in pairs) for side in (0, 1))
    measured = f"{ours:.2f} s, {hello:.2f} s"
    return [Result("cold start of keys to its first reply", "hello", measured, ratio, "at most 1.5", ratio <= 1.5)]


def measure_tenant_read() -> list[Result]:
    """Read a list of API keys with an API key, straight from the function's process, beside hello on as many threads."""
    with tempfile.TemporaryDirectory() as folder, _emulator(ROOT / ".local" / "bench") as emulator:
        keys = next(item["port"] for item in emulator["processes"] if item["name"] == "keys")
        ours = f"http://127.0.0.1:{keys}/api/v2/orgs/{emulator['org_id']}/api-keys"
        headers = {"x-api-key": emulator["api_keys"]["read"]}
        with _process(Path(folder), "hello", _HELLO, threads=40) as hello:
            pairs = [(_throughput(f"{hello}/", {}), _throughput(ours, headers)) for _ in range(3)]
    ratio = median(our / bare for bare, our in pairs)
    bare, our = (median(pair[side] for pair in pairs) for side in (0, 1))
    measured = f"{our:.0f}/s, {bare:.0f}/s"
    return [Result("authenticated tenant read", "hello", measured, ratio, "at least 0.30", ratio >= 0.30)]


def _first_reply(folder: Path, name: str, source: str) -> float:
    began = time.perf_counter()
    with _process(folder, name, source, threads=8):
        return time.perf_counter() - began


@contextmanager
def _process(folder: Path, name: str, source: str, *, threads: int) -> Iterator[str]:
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
def _emulator(data_dir: Path) -> Iterator[dict[str, object]]:
    cli.up(Options(data_dir=data_dir, port=reserve_port()))
    try:
        yield json.loads((data_dir / "emulator.json").read_text("utf-8"))
    finally:
        cli.main(["down", "--data-dir", str(data_dir)])


def _throughput(url: str, headers: dict[str, str]) -> float:
    """Count good replies per second over a few seconds, on keep-alive connections."""
    stop, counts = time.monotonic() + _SECONDS, [0] * _THREADS

    def work(number: int) -> None:
        with httpx.Client(headers=headers, timeout=10, trust_env=False) as client:
            while time.monotonic() < stop:
                client.get(url).raise_for_status()
                counts[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / _SECONDS
