"""Bundles as the platform runs them: unpacked, in an environment that has their requirements and nothing else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 60.0


@dataclass(frozen=True)
class Installed:
    """A bundle, unpacked, and the Python that has its requirements."""

    source: Path
    python: Path


def unpack(bundle: Path, source: Path) -> Path:
    """Unpack a bundle; returns where it is."""
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(source)
    return source


def install(place: Path, requirements: Path, *, compiles: bool = False) -> Path:
    """Make an empty environment and install requirements into it, hashes checked; returns its Python.

    Args:
        place: of the environment.
        requirements: a hashed requirements file.
        compiles: also to byte code, as the platform does; a test that starts it once is faster without.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True, timeout=60)
    python = place / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-input"]
    command += ["--compile" if compiles else "--no-compile", "--require-hashes", "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, f"the requirements of a bundle cannot be installed:\n{done.stderr}"
    return python


def environment(name: str, entry_point: str, place: Path) -> dict[str, str]:
    """Return the settings of a process whose every neighbour is away; nothing of the test's own environment leaks in."""
    away = "127.0.0.1:9"
    return {
        "PATH": os.defpath,
        "HOME": str(place),
        "XDG_RUNTIME_DIR": str(place),
        "DW_ENV": "emulator",
        "DW_FUNCTION": name,
        "DW_ENTRY_POINT": entry_point,
        "DW_PROJECT": "driftwise-test",
        "DW_REGION": "europe-west1",
        "DW_PUBLIC_URL": "http://127.0.0.1",
        "DW_DATABASE_URL": f"postgresql://{name}_login:none@{away}/driftwise",
        "DW_JWKS_URL": f"http://{away}/jwks.json",
        **dict.fromkeys(("DW_KMS_ENDPOINT", "DW_SECRETS_ENDPOINT", "DW_PUBSUB_ENDPOINT"), away),
    }


@contextmanager
def serving(bundle: Installed, target: str, variables: Mapping[str, str], place: Path) -> Iterator[str]:
    """Run an entry point as the platform does; yields its address once it listens.

    Args:
        bundle: what to run.
        target: the entry point.
        variables: all that the process has in its environment.
        place: for its log.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(bundle.python), "-m", "functions_framework", "--target", target]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    log = place / f"{target}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=bundle.source, env=dict(variables), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _wait_for(process, port, log)
            yield f"http://127.0.0.1:{port}"
        except AssertionError as error:
            error.add_note(log.read_text(encoding="utf-8", errors="replace")[-4000:])
            raise
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def get(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """Send one request; returns status and body."""
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=dict(headers or {})), timeout=START_SECONDS
        ) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    ends_at = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, f"the bundle does not start: {log.name}"
        assert time.monotonic() < ends_at, "the bundle does not listen in time"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
