"""The process table: what is started after what, how one knows that it is up, and how all of it ends.

Owns the children of one supervisor. A node of the table is a process or a step (work done in the supervisor once what it
needs is up). Each node starts as soon as everything it needs is ready, so independent ones start side by side. A child
leads a process group of its own, and stopping it ends the whole group. Must not know what the processes do.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from .errors import EmulatorError
from .ports import HOST, is_listening, reserve_port
from .postgres import Identity
from .records import DataDirectory, ProcessRecord, is_same_start, start_time

TAIL_LINES = 15
_UNWRITTEN_SECONDS = 0.5  # between attempts to write down who runs
_LONGEST_PAUSE_SECONDS = 5.0  # before a crashed process is started again
PORT_ATTEMPTS = 3
RESTART_WINDOW_SECONDS = 60.0
_POLL_SECONDS = 0.03
_OWN_IDENTITY = Identity()
_ADDRESS_IN_USE = (
    "address already in use",
    "address in use",
    "errno 98",
    "errno 48",
    "could not bind",
    "failed to bind",
)


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the table.

    Attributes:
        command: evaluated at each start, when `ports` of everything needed are known.
        needs: nodes that must be ready before it is started.
        ports: purposes; each gets a free port unless `fixed_ports` has one.
        environment: variables besides the supervisor's own.
        health_path: HTTP path on the first port that answers 200; None: all ports listen; without ports: it runs.
        prepare: run once, before the first start.
        restart_limit: how many crashes in a minute are answered by a new start.
        stage: on the way down, higher stages end first.
    """

    name: str
    command: Callable[[], Sequence[str]]
    needs: tuple[str, ...] = ()
    ports: tuple[str, ...] = ("main",)
    fixed_ports: Mapping[str, int] = field(default_factory=dict)
    environment: Callable[[], Mapping[str, str]] = dict
    directory: Path | None = None
    identity: Identity = _OWN_IDENTITY
    health_path: str | None = None
    prepare: Callable[[], None] | None = None
    restart_limit: int = 3
    ready_seconds: float = 60.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_grace_seconds: float = 8.0
    stage: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """Work that the supervisor does itself, once."""

    name: str
    run: Callable[[], None]
    needs: tuple[str, ...] = ()


Node: TypeAlias = Process | Step
Report: TypeAlias = Callable[[str, float], None]  # name of a node that became ready, seconds it took


class Ports:
    """The ports of all processes; a process keeps its own over a restart."""

    def __init__(self) -> None:
        self._ports: dict[str, dict[str, int]] = {}

    def assign(self, process: Process) -> dict[str, int]:
        """Choose every port of a process anew, except the fixed ones."""
        chosen = {purpose: process.fixed_ports.get(purpose) or reserve_port() for purpose in process.ports}
        self._ports[process.name] = chosen
        return chosen

    def of(self, name: str, purpose: str = "main") -> int:
        """Return one port."""
        return self._ports[name][purpose]

    def url(self, name: str, purpose: str = "main") -> str:
        """Return `http://127.0.0.1:port`."""
        return f"http://{HOST}:{self.of(name, purpose)}"

    def all_of(self, name: str) -> dict[str, int]:
        """Return the ports of one process by purpose."""
        return dict(self._ports[name])


class Child:
    """One process that was started, with the thread that watches it."""

    def __init__(self, process: Process, ports: dict[str, int], log_file: Path) -> None:
        self.process = process
        self.log_file = log_file
        self.ports = ports
        self.popen: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.crashes: deque[float] = deque()
        self.given_up = False

    def start(self) -> None:
        """Start it in a session of its own, its output appended to its log."""
        process = self.process
        try:
            command = list(process.command())
            with self.log_file.open("ab") as log:
                self.popen = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=process.directory,
                    env={**os.environ, **process.environment()},
                    start_new_session=True,
                    user=process.identity.user,
                    group=process.identity.group,
                    extra_groups=process.identity.extra_groups,
                )
        except FileNotFoundError as error:
            raise EmulatorError(f"{process.name}: the tool {error.filename} is missing") from error
        self.started_at = start_time(self.popen.pid) or 0.0

    def record(self) -> ProcessRecord | None:
        """Describe it for other commands; None before its first start."""
        if self.popen is None:
            return None
        process = self.process
        return ProcessRecord(
            name=process.name,
            pid=self.popen.pid,
            started_at=self.started_at,
            ports=self.ports,
            health_path=process.health_path,
            stop_signal=int(process.stop_signal),
            stage=process.stage,
        )

    def has_ended(self) -> bool:
        """Say whether it has no running process."""
        return self.popen is None or self.popen.poll() is not None


class Table:
    """Starts the nodes, keeps the processes up, stops them."""

    def __init__(
        self,
        nodes: Iterable[Node],
        data: DataDirectory,
        *,
        ports: Ports,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Assign the ports; starts nothing.

        Args:
            nodes: in the order in which `records` lists them.
            data: where the logs go.
            ports: filled here; the nodes' commands read it.
            on_change: called after a child was started, with nothing held.
        """
        self._nodes = {node.name: node for node in nodes}
        self._data = data
        self._ports = ports
        self._on_change = on_change
        self._children: dict[str, Child] = {}
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._failure: EmulatorError | None = None
        _check(self._nodes)
        for node in self._nodes.values():
            if isinstance(node, Process):
                child = Child(node, ports.assign(node), data.log_file(node.name))
                self._children[node.name] = child

    def start(self, report: Report = lambda _name, _seconds: None) -> None:
        """Start everything; return when every node is ready.

        Raises:
            EmulatorError: a node did not come up; what was started is still running, call `stop`.
        """
        ready = {name: threading.Event() for name in self._nodes}
        threads = [
            threading.Thread(target=self._bring_up, args=(node, ready, report), name=node.name, daemon=True)
            for node in self._nodes.values()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failure is not None:
            raise self._failure
        if self._stopping.is_set():
            raise EmulatorError("stopped while starting")

    def interrupt(self) -> None:
        """Make a `start` that is under way give up; call `stop` after it."""
        self._stopping.set()

    def stop(self) -> None:
        """End every process group, the highest stage first: the stop signal, then SIGKILL after the grace."""
        self._stopping.set()
        with self._lock:
            records = [record for child in self._children.values() if (record := child.record()) is not None]
        graces = {child.process.name: child.process.stop_grace_seconds for child in self._children.values()}
        stop_records(records, graces)
        for child in self._children.values():
            if child.popen is not None:
                child.popen.wait()

    def records(self) -> tuple[ProcessRecord, ...]:
        """Describe the children, in the order of the table."""
        with self._lock:
            return tuple(record for child in self._children.values() if (record := child.record()) is not None)

    def _bring_up(self, node: Node, ready: Mapping[str, threading.Event], report: Report) -> None:
        for need in node.needs:
            while not ready[need].wait(0.1):
                if self._stopping.is_set():
                    return
        began = time.monotonic()
        try:
            if isinstance(node, Step):
                if self._stopping.is_set():
                    return
                node.run()
            else:
                self._start_process(self._children[node.name])
        except EmulatorError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 (a step may fail in any way; the user must see it and nothing hang)
            self._fail(EmulatorError(f"{node.name} failed: {type(error).__name__}: {error}"))
        else:
            if not self._stopping.is_set():
                report(node.name, time.monotonic() - began)
                ready[node.name].set()

    def _fail(self, error: EmulatorError) -> None:
        with self._lock:
            if self._failure is None and not self._stopping.is_set():
                self._failure = error
        self._stopping.set()

    def _start_process(self, child: Child) -> None:
        process = child.process
        child.log_file.unlink(missing_ok=True)
        if process.prepare is not None:
            process.prepare()
        for attempt in range(1, PORT_ATTEMPTS + 1):
            if not self._launch(child):
                return
            try:
                self._wait_until_healthy(child)
            except EmulatorError as error:
                taken = any(sign in error.detail.lower() for sign in _ADDRESS_IN_USE)
                if not taken or process.fixed_ports or attempt == PORT_ATTEMPTS:
                    raise
                child.ports = self._ports.assign(process)
                child.log_file.unlink(missing_ok=True)
            else:
                break
        threading.Thread(target=self._watch, args=(child,), name=f"watch-{process.name}", daemon=True).start()

    def _launch(self, child: Child) -> bool:
        """Start a child unless everything is being stopped; under the lock, so that `stop` sees every child."""
        with self._lock:
            if self._stopping.is_set():
                return False
            child.start()
        while True:
            try:
                self._on_change()
            except OSError:  # a full disk: the child runs, and is written down as soon as there is room
                if self._stopping.wait(_UNWRITTEN_SECONDS):
                    return False
            else:
                return True

    def _wait_until_healthy(self, child: Child) -> None:
        process = child.process
        deadline = time.monotonic() + process.ready_seconds
        while not self._stopping.is_set():
            if child.has_ended():
                code = child.popen.returncode if child.popen is not None else None
                raise EmulatorError(f"{process.name} ended with code {code} while starting", tail(child.log_file))
            if is_healthy(process.health_path, child.ports):
                return
            if time.monotonic() > deadline:
                raise EmulatorError(
                    f"{process.name} did not come up within {process.ready_seconds:.0f} s", tail(child.log_file)
                )
            time.sleep(_POLL_SECONDS)

    def _watch(self, child: Child) -> None:
        """Start a crashed process again, up to its limit in a minute; after that it stays down."""
        process = child.process
        while child.popen is not None:
            code = child.popen.wait()
            if self._stopping.is_set():
                return
            end_group(child.popen.pid, child.started_at)  # workers of a dead master must not keep the port
            now = time.monotonic()
            child.crashes.append(now)
            while child.crashes and now - child.crashes[0] > RESTART_WINDOW_SECONDS:
                child.crashes.popleft()
            crashes = len(child.crashes)
            if crashes > process.restart_limit:
                note(child.log_file, f"ended with code {code}; crash {crashes} in a minute, it stays down")
                child.given_up = True
                return
            note(child.log_file, f"ended with code {code}; starting it again ({crashes} of {process.restart_limit})")
            if self._stopping.wait(min(_LONGEST_PAUSE_SECONDS, 0.2 * 2 ** min(crashes - 1, 10))) or not self._launch(
                child
            ):
                return


def is_healthy(health_path: str | None, ports: Mapping[str, int]) -> bool:
    """Ask a process whether it is up: its health path, or whether its ports listen."""
    if health_path is None:
        return all(is_listening(port) for port in ports.values())
    port = next(iter(ports.values()))
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}{health_path}", timeout=5.0) as reply:  # noqa: S310 (http)
            return bool(reply.status == 200)  # noqa: PLR2004 (HTTP OK)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def stop_records(records: Sequence[ProcessRecord], grace_seconds: Mapping[str, float] | None = None) -> list[str]:
    """End processes by their records, the highest stage first; used by the supervisor and after its death.

    Args:
        records: what may still run; a process that is not the recorded one is left alone.
        grace_seconds: by name, from the stop signal to SIGKILL; 8 where it says nothing.

    Returns:
        The names of those that had to be killed.
    """
    graces = grace_seconds or {}
    killed: list[str] = []
    for stage in sorted({record.stage for record in records}, reverse=True):
        members = [record for record in records if record.stage == stage]
        alive = [record for record in members if record.is_alive()]
        for record in alive:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(record.pid, record.stop_signal)
        began = time.monotonic()
        while alive:
            alive = [record for record in alive if record.is_alive()]
            late = [record for record in alive if time.monotonic() - began > graces.get(record.name, 8.0)]
            for record in late:
                end_group(record.pid, record.started_at)
                killed.append(record.name)
            alive = [record for record in alive if record not in late]
            if alive:
                time.sleep(_POLL_SECONDS)
        for record in members:
            end_group(record.pid, record.started_at)
    return killed


def end_group(leader: int, started_at: float) -> None:
    """Kill what is left of the process group that a child of ours led.

    A group keeps its id from being given away for as long as a member lives, also after its leader's end. So a live
    process of that id is either the leader itself, or a stranger, and then no member of the group is left.
    """
    found = start_time(leader)
    if found is not None and not is_same_start(found, started_at):
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def tail(file: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log."""
    try:
        with file.open("rb") as log:
            log.seek(max(0, file.stat().st_size - 16_384))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def note(file: Path, message: str) -> None:
    """Write a line of the emulator's own into a process's log."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S")
    with suppress(OSError), file.open("a", encoding="utf-8") as log:
        log.write(f"--- emulator {stamp}: {message}\n")


def _check(nodes: Mapping[str, Node]) -> None:
    """Refuse a table with an unknown need or a circle."""
    done: set[str] = set()
    left = dict(nodes)
    while left:
        free = [name for name, node in left.items() if set(node.needs) <= done]
        if not free:
            unknown = sorted({need for node in left.values() for need in node.needs} - set(nodes))
            names = ", ".join(unknown or sorted(left))
            raise ValueError(f"{'unknown needs' if unknown else 'a circle of needs'}: {names}")
        for name in free:
            done.add(name)
            del left[name]
