"""Cold start: from the start of a process to its first reply, of a bundle beside a bare Functions Framework hello.

Each in an environment of its own that holds nothing but what it needs, compiled, as the platform makes it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from infra.build.bundle import build_bundles
from infra.build.distributions import Target, closure
from infra.build.lock import read_lock, requirements_text
from infra.suite import load_suite
from local_emulator.names import PROJECT
from tests.support.bundles import Installed, environment, get, install, serving, unpack

from .emulator import ROOT, emulator
from .result import Result

_HELLO = "def hello(request):\n    return 'hello'\n"
_ROUNDS = 7


@dataclass(frozen=True, slots=True)
class _Start:
    """What to start, and what to ask it."""

    bundle: Installed
    target: str
    variables: Mapping[str, str]
    path: str
    headers: Mapping[str, str]

    def seconds(self, place: Path) -> float:
        """Start it; returns how long its first reply took."""
        began = time.perf_counter()
        with serving(self.bundle, self.target, self.variables, place) as address:
            status, body = get(address + self.path, self.headers)
            took = time.perf_counter() - began
        if status != 200:
            raise RuntimeError(f"{self.target} answers {status}: {body!r}")
        return took


def measure() -> list[Result]:
    """Start hello and keys in turn, several times; keys to its health route, and to an authenticated read."""
    with tempfile.TemporaryDirectory() as name, emulator() as running:
        place = Path(name)
        hello, keys = _hello(place), _keys(place)
        variables = environment("keys", "keys", place)
        neighbours = dict.fromkeys(
            ("DW_KMS_ENDPOINT", "DW_SECRETS_ENDPOINT", "DW_PUBSUB_ENDPOINT"), running["google"]["grpc"]
        )
        neighbours |= {"DW_DATABASE_URL": running["databases"]["keys_login"], "DW_REDIS_URL": running["redis"]}
        neighbours |= {"DW_RATE_SCALE": "1000", "DW_PROJECT": PROJECT}
        path, key = f"/api/v2/orgs/{running['org_id']}/api-keys", {"x-api-key": running["api_keys"]["read"]}
        starts = (
            _Start(hello, "hello", {"PATH": variables["PATH"], "HOME": name, "XDG_RUNTIME_DIR": name}, "/", {}),
            _Start(keys, "keys", variables, "/_health", {}),
            _Start(keys, "keys", variables | neighbours, path, key),
        )
        for start in starts:
            start.seconds(place)  # the first start writes byte code and fills the disk's cache
        rounds = [[start.seconds(place) for start in starts] for _ in range(_ROUNDS)]
    return [
        _result("cold start of keys to its first reply", rounds, 1, "at most 1.5", 1.5),
        _result("to its first authenticated read", rounds, 2, "none", None),
    ]


def _result(what: str, rounds: list[list[float]], place: int, bar: str, most: float | None) -> Result:
    ratio = median(row[place] / row[0] for row in rounds)
    ours, hello = median(row[place] for row in rounds), median(row[0] for row in rounds)
    return Result(what, "hello", f"{ours:.2f} s, {hello:.2f} s", ratio, bar, most is None or ratio <= most)


def _hello(place: Path) -> Installed:
    """Make the bare hello: the locked framework, what it needs, and one file."""
    source = place / "hello"
    source.mkdir()
    (source / "main.py").write_text(_HELLO, "utf-8")
    pins = (item.pin for item in closure((), read_lock(ROOT / "requirements.txt"), {}, Target("3.11")))
    requirements = source / "requirements.txt"
    requirements.write_text(requirements_text(pins), "utf-8")
    return Installed(source, install(place / "hello-python", requirements, compiles=True))


def _keys(place: Path) -> Installed:
    build_bundles(load_suite(), ROOT, place / "dist", ["keys"])
    source = unpack(place / "dist" / "keys.zip", place / "keys")
    return Installed(source, install(place / "keys-python", source / "requirements.txt", compiles=True))
