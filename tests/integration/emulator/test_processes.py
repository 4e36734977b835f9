"""The process table: order, health, failures, crashes, and an end that leaves nothing."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local_emulator.errors import EmulatorError
from local_emulator.ports import is_listening, require_free, reserve_port
from local_emulator.processes import Node, Ports, Process, Step, Table
from local_emulator.records import DataDirectory, ProcessRecord, start_time

SERVER = "import http.server, sys; http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()"  # noqa: E501
FAMILY = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)']); time.sleep(300)"  # noqa: E501
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(300)"
)

Make = Callable[..., Table]


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    directory = DataDirectory(tmp_path / "data")
    directory.create(open_to_others=False)
    return directory


@pytest.fixture
def ports() -> Ports:
    return Ports()


@pytest.fixture
def make(data: DataDirectory, ports: Ports) -> Iterator[Make]:
    tables: list[Table] = []

    def build(*nodes: Node, on_change: Callable[[], None] = lambda: None) -> Table:
        table = Table(nodes, data, ports=ports, on_change=on_change)
        tables.append(table)
        return table

    yield build
    for table in tables:
        table.stop()


def python(name: str, code: str, **rest: object) -> Process:
    options: dict[str, object] = {"ports": (), **rest}
    return Process(name, lambda: [sys.executable, "-c", code], **options)  # type: ignore[arg-type]


def server(ports: Ports, name: str = "server", **rest: object) -> Process:
    command = lambda: [sys.executable, "-c", SERVER, str(ports.of(name))]  # noqa: E731
    return Process(name, command, health_path="/", **rest)  # type: ignore[arg-type]


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def only(table: Table) -> ProcessRecord:
    (record,) = table.records()
    return record


def test_what_is_needed_is_ready_first_and_the_rest_runs_side_by_side(make: Make, ports: Ports) -> None:
    order: list[str] = []
    meeting = threading.Barrier(2, timeout=5)

    def side(name: str) -> Step:
        def run() -> None:
            meeting.wait()  # each waits for the other: one after the other they would never pass
            order.append(name)

        return Step(name, run, needs=("server",))

    table = make(
        Step("last", lambda: order.append("last"), needs=("left", "right")),
        side("left"),
        side("right"),
        server(ports, prepare=lambda: order.append("prepare")),
    )
    reported: list[str] = []
    table.start(lambda name, _seconds: reported.append(name))
    assert order[0] == "prepare"
    assert order[-1] == "last"
    assert reported[0] == "server"
    assert reported[-1] == "last"


def test_a_process_that_ends_while_starting_is_named_with_the_end_of_its_log(make: Make) -> None:
    table = make(
        python("broken", "import sys; print('first'); print('no such thing: x.conf'); sys.exit(3)", ports=("main",)),
        Step("never", lambda: pytest.fail("what it needs is not there"), needs=("broken",)),
    )
    with pytest.raises(EmulatorError, match="broken ended with code 3") as caught:
        table.start()
    assert "no such thing: x.conf" in caught.value.detail


def test_a_process_that_never_answers_is_named(make: Make) -> None:
    table = make(python("silent", "import time; time.sleep(300)", ports=("main",), ready_seconds=0.3))
    with pytest.raises(EmulatorError, match="silent did not come up within 0 s"):
        table.start()


def test_a_missing_tool_is_named(make: Make) -> None:
    with pytest.raises(EmulatorError, match="the tool no-such-tool is missing"):
        make(Process("odd", lambda: ["no-such-tool"], ports=())).start()


def test_a_failing_step_stops_the_start(make: Make) -> None:
    def fail() -> None:
        raise LookupError("nothing there")

    with pytest.raises(EmulatorError, match="seeds failed: LookupError: nothing there"):
        make(Step("seeds", fail), Step("after", lambda: None, needs=("seeds",))).start()


def test_a_port_that_was_taken_meanwhile_is_replaced(make: Make, ports: Ports) -> None:
    with socket.socket() as thief:
        taken: list[int] = []

        def take() -> None:
            taken.append(ports.of("server"))
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            thief.bind(("127.0.0.1", taken[0]))
            thief.listen()

        make(server(ports, prepare=take)).start()
        assert ports.of("server") != taken[0]


def test_a_crashed_process_comes_back_on_its_port_and_stays_down_past_its_limit(
    make: Make, ports: Ports, data: DataDirectory
) -> None:
    table = make(server(ports, restart_limit=1))
    table.start()
    first = only(table)
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: only(table).pid != first.pid)
    second = only(table)
    assert second.ports == first.ports
    assert "starting it again (1 of 1)" in data.log_file("server").read_text()
    os.kill(second.pid, signal.SIGKILL)
    until(lambda: "it stays down" in data.log_file("server").read_text())
    assert not only(table).is_alive()


def test_a_crashed_process_comes_back_while_the_disk_is_full_and_is_written_down_afterwards(
    make: Make, ports: Ports
) -> None:
    is_full, written = threading.Event(), list[int]()

    def write_down() -> None:
        if is_full.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(only(table).pid)

    table = make(server(ports), on_change=write_down)
    table.start()
    (first,) = written
    is_full.set()
    os.kill(first, signal.SIGKILL)
    until(lambda: only(table).pid != first and is_listening(only(table).port or 0))
    assert written == [first]
    is_full.clear()
    until(lambda: written == [first, only(table).pid])
    os.kill(written[-1], signal.SIGKILL)
    until(lambda: len(written) == 3)


def test_the_end_takes_the_whole_family(make: Make) -> None:
    table = make(python("family", FAMILY))
    table.start()
    parent = psutil.Process(only(table).pid)
    until(parent.children)
    child = parent.children()[0]
    table.stop()
    assert start_time(parent.pid) is None
    until(lambda: start_time(child.pid) is None)


def test_who_does_not_listen_is_killed_after_the_grace(make: Make, data: DataDirectory) -> None:
    table = make(python("stubborn", STUBBORN, stop_grace_seconds=0.3))
    table.start()
    until(lambda: "deaf" in data.log_file("stubborn").read_text())
    pid = only(table).pid
    began = time.monotonic()
    table.stop()
    assert 0.3 <= time.monotonic() - began < 3
    assert start_time(pid) is None


def test_front_processes_end_before_what_they_stand_on(make: Make, data: DataDirectory) -> None:
    said = "import signal, sys, time; print('up', flush=True); signal.signal(signal.SIGTERM, lambda *_: (print(time.monotonic(), flush=True), sys.exit()))\nwhile True: time.sleep(1)"  # noqa: E501
    table = make(python("backend", said, stage=0), python("front", said, stage=2))
    table.start()
    for name in ("backend", "front"):
        until(lambda name=name: "up" in data.log_file(name).read_text())  # type: ignore[misc]
    time.sleep(0.1)  # between the line and the handler
    table.stop()
    ended = {name: float(data.log_file(name).read_text().split()[-1]) for name in ("backend", "front")}
    assert ended["front"] < ended["backend"]


def test_a_table_with_a_circle_or_an_unknown_need_is_refused(make: Make) -> None:
    with pytest.raises(ValueError, match="unknown needs: nobody"):
        make(Step("a", lambda: None, needs=("nobody",)))
    with pytest.raises(ValueError, match="a circle of needs: a, b"):
        make(Step("a", lambda: None, needs=("b",)), Step("b", lambda: None, needs=("a",)))


def test_a_record_of_an_id_that_now_belongs_to_somebody_else_is_not_alive() -> None:
    mine = start_time(os.getpid())
    assert mine is not None
    record = ProcessRecord("x", os.getpid(), mine - 3600, {}, None, int(signal.SIGTERM), 0)
    assert not record.is_alive()


def test_a_reserved_port_is_not_given_away_and_can_be_opened() -> None:
    port = reserve_port()
    for _ in range(50):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            assert other.getsockname()[1] != port
    require_free(port, option="--port")
    with socket.create_server(("127.0.0.1", port)), pytest.raises(EmulatorError, match=f"port {port} is in use"):
        require_free(port, option="--port")


def test_only_one_holds_a_data_directory(data: DataDirectory) -> None:
    lock = data.lock()
    with pytest.raises(EmulatorError, match="already runs"):
        data.lock()
    assert data.is_locked()
    lock.close()
    assert not data.is_locked()
