"""An authenticated tenant read beside a bare Functions Framework hello, limiter and tracing on."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from local_emulator.ports import is_listening, reserve_port

from .emulator import ROOT, emulator
from .result import Result

_HELLO = "def hello(request):\n    return 'hello'\n"
_ROUNDS, _THREADS, _SECONDS = 5, 8, 4.0


def measure_tenant_read() -> list[Result]:
    """Read a list of API keys with an API key, straight from the function's process, beside hello on as many threads."""
    with tempfile.TemporaryDirectory() as folder, emulator() as running:
        keys = next(item["port"] for item in running["processes"] if item["name"] == "keys")
        ours = f"http://127.0.0.1:{keys}/api/v2/orgs/{running['org_id']}/api-keys"
        headers = {"x-api-key": running["api_keys"]["read"]}
        with _hello(Path(folder)) as hello:
            pairs = [(_throughput(f"{hello}/", {}), _throughput(ours, headers)) for _ in range(_ROUNDS)]
    ratio = median(our / bare for bare, our in pairs)
    bare, our = (median(pair[side] for pair in pairs) for side in (0, 1))
    measured = f"{our:.0f}/s, {bare:.0f}/s"
    return [Result("authenticated tenant read", "hello", measured, ratio, "at least 0.30", ratio >= 0.30)]


@contextmanager
def _hello(folder: Path) -> Iterator[str]:
    """Run the bare function, in the environment that the emulator's functions run in; yields its address."""
    file = folder / "hello.py"
    file.write_text(_HELLO, "utf-8")
    port = reserve_port()
    command = [sys.executable, "-m", "functions_framework", "--source", str(file), "--target", "hello"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "THREADS": "40", "XDG_RUNTIME_DIR": str(folder)}
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        ends_at = time.monotonic() + 60
        while not is_listening(port):
            if process.poll() is not None or time.monotonic() > ends_at:
                raise RuntimeError("hello did not come up")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _throughput(url: str, headers: Mapping[str, str]) -> float:
    """Count good replies per second over a few seconds, on keep-alive connections."""
    counts, failures = [0] * _THREADS, []
    stop = time.monotonic() + _SECONDS

    def work(number: int) -> None:
        try:
            for _ in _replies(url, headers, stop):
                counts[number] += 1
        except (OSError, RuntimeError) as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(counts) / _SECONDS


def _replies(url: str, headers: Mapping[str, str], stop: float) -> Iterator[None]:
    """Send one request after the other. A client of few lines, as any library takes longer than the hello it would measure."""
    parts = urlsplit(url)
    lines = [
        f"GET {parts.path} HTTP/1.1",
        f"host: {parts.netloc}",
        *(f"{name}: {text}" for name, text in headers.items()),
    ]
    request = "\r\n".join([*lines, "accept: */*", "", ""]).encode()
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.monotonic() < stop:
            connection.sendall(request)
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(65536)
                if not piece:
                    raise RuntimeError(f"{url} ended the connection")
                head += piece
            head, _, body = head.partition(b"\r\n\r\n")
            if b" 200 " not in head[:16]:
                raise RuntimeError(f"{url} answers {head[:40]!r}")
            left = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]) - len(body)
            while left > 0:
                left -= len(connection.recv(65536))
            yield
