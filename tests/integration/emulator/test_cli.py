"""The commands as a person uses them: each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from local_emulator.records import DataDirectory, Running, start_time
from local_emulator.topology import EMULATOR_ROOT

from .trees import write_tree

LIGHT = ("--only", "redis")


def run(command: str, data_dir: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local_emulator", command, "--data-dir", str(data_dir), *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        cwd=EMULATOR_ROOT,
        env={**os.environ, **environment},
    )


def up(data_dir: Path, *arguments: str) -> dict[str, Any]:
    done = run("up", data_dir, "--port", "0", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads((data_dir / "emulator.json").read_text())
    return found


def running(data_dir: Path) -> Running:
    found = DataDirectory(data_dir).read_running()
    assert found is not None
    return found


def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def get(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=10) as reply:
        found: dict[str, Any] = json.loads(reply.read())
    return found


@pytest.fixture
def place() -> Iterator[Path]:
    """Room for data directories that the database's user may enter; whatever runs on them is ended."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory
        for data_dir in directory.glob("data*"):
            run("down", data_dir)


def test_a_second_up_is_refused_and_the_first_goes_on(place: Path) -> None:
    data_dir = place / "data"
    found = up(data_dir, *LIGHT)
    second = run("up", data_dir, "--port", "0", *LIGHT)
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert f"an emulator already runs on {data_dir}: stop it with 'down'" in second.stderr
    assert run("status", data_dir).returncode == 0
    assert stat.S_IMODE((data_dir / "emulator.json").stat().st_mode) == 0o600
    assert found["redis"].startswith("redis://127.0.0.1:")


def test_two_emulators_run_side_by_side_and_end_apart(place: Path) -> None:
    one, two = up(place / "data1", *LIGHT), up(place / "data2", *LIGHT)
    assert one["redis"] != two["redis"]
    assert run("down", place / "data1").returncode == 0
    assert run("status", place / "data1").returncode == 1
    status = run("status", place / "data2")
    assert status.returncode == 0
    assert "redis" in status.stdout
    assert "healthy" in status.stdout


def test_a_port_in_use_is_one_clear_line(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run("up", place / "data", "--port", str(port), "--only", "gateway")
    assert done.returncode == 1
    assert done.stderr == f"error: port {port} is in use: choose another one with --port\n"
    assert DataDirectory(place / "data").read_running() is None


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--only", "nobody"), "--only: there is no nobody; there are"),
        (("--postgres", "url"), "--postgres url needs DATABASE_URL"),
        (("--postgres", "docker"), "the tool docker is missing"),
        (("--suite", "/nowhere/suite.yaml"), "/nowhere/suite.yaml is wrong"),
    ],
)
def test_what_is_missing_is_named(place: Path, arguments: tuple[str, ...], line: str) -> None:
    only = () if "--only" in arguments or "docker" in arguments else LIGHT
    only = ("--only", "postgres") if "docker" in arguments else only
    done = run("up", place / "data", "--port", "0", *only, *arguments, PATH=str(place), DATABASE_URL="")
    assert done.returncode == 1
    assert line in done.stderr.splitlines()[0]


def test_down_and_status_say_it_when_nothing_runs(place: Path) -> None:
    assert "no emulator runs on" in run("status", place / "data").stdout
    done = run("down", place / "data")
    assert done.returncode == 0
    assert "no emulator runs on" in done.stdout


def test_a_stale_record_hurts_nobody(place: Path) -> None:
    data_dir = place / "data"
    up(data_dir, *LIGHT)
    file = data_dir / "run" / "processes.json"
    record = json.loads(file.read_text())
    assert run("down", data_dir).returncode == 0
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        for process in (record["supervisor"], *record["children"]):
            process["pid"] = bystander.pid  # the system has given the ids away
            process["started_at"] -= 3600
        file.write_text(json.dumps(record))
        assert "gone" in run("status", data_dir).stdout
        up(data_dir, *LIGHT)
        assert run("down", data_dir).returncode == 0
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("next_command", ["down", "up"])
def test_a_supervisor_that_was_killed_leaves_nothing_for_good(place: Path, next_command: str) -> None:
    data_dir = place / "data"
    up(data_dir, *LIGHT)
    before = running(data_dir)
    os.kill(before.supervisor.pid, signal.SIGKILL)
    until(lambda: not before.supervisor.is_alive())
    status = run("status", data_dir)
    assert status.returncode == 1
    assert "the supervisor is gone" in status.stdout
    assert "healthy" in status.stdout  # redis still runs
    if next_command == "down":
        assert run("down", data_dir).returncode == 0
    else:
        up(data_dir, *LIGHT)
    assert all(start_time(child.pid) is None for child in before.children)


def test_a_crashed_process_comes_back(place: Path) -> None:
    data_dir = place / "data"
    up(data_dir, *LIGHT)
    (before,) = running(data_dir).children
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: running(data_dir).children[0].pid != before.pid)
    until(lambda: run("status", data_dir).returncode == 0)
    assert running(data_dir).children[0].port == before.port


def test_ctrl_c_while_starting_leaves_nothing(place: Path) -> None:
    data_dir = place / "data"
    root = write_tree(place / "tree")
    (root / "functions" / "other" / "main.py").write_text("import time\n\ntime.sleep(600)\n")  # it never is ready
    suite = ("--root", str(root), "--suite", str(root / "suite.yaml"), "--only", "other")
    wanted = ("up", "--data-dir", str(data_dir), "--port", "0", *suite)
    command = [sys.executable, "-m", "local_emulator", *wanted]
    starting = subprocess.Popen(
        command, cwd=EMULATOR_ROOT, stdout=subprocess.PIPE, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # a shell's background job ignores it
    )  # fmt: skip
    until(lambda: (found := DataDirectory(data_dir).read_running()) is not None and found.children)
    before = running(data_dir)
    starting.send_signal(signal.SIGINT)
    starting.communicate(timeout=90)
    assert starting.returncode == 130
    assert not any(record.is_alive() for record in (before.supervisor, *before.children))
    assert DataDirectory(data_dir).read_running() is None


def test_a_function_that_cannot_be_imported_fails_the_start_with_its_reason(place: Path) -> None:
    root = write_tree(place / "tree")
    (root / "functions" / "other" / "main.py").write_text("import no_such_module_at_all\n")
    done = run("up", place / "data", "--port", "0", "--root", str(root), "--suite", str(root / "suite.yaml"))
    assert done.returncode == 1
    assert "error: other ended with code" in done.stderr
    assert "no_such_module_at_all" in done.stderr
    assert DataDirectory(place / "data").read_running() is None


def test_a_whole_suite_comes_up_serves_crashes_and_goes(place: Path) -> None:
    data_dir = place / "data"
    root = write_tree(place / "tree")
    found = up(data_dir, "--root", str(root), "--suite", str(root / "suite.yaml"))
    gateway = found["gateway"]
    settings = get(f"{gateway}/tiny/env")
    assert settings["DW_ENV"] == "emulator"
    assert settings["DW_FUNCTION"] == settings["DW_ENTRY_POINT"] == "tiny"
    assert settings["DW_PUBLIC_URL"] == gateway
    assert settings["DW_DATABASE_URL"] == found["databases"]["tiny_login"]
    assert settings["DW_KMS_ENDPOINT"] == found["google"]["grpc"]
    assert json.loads(settings["DW_OIDC_PROVIDERS"])[0]["issuer"] == found["idp"]["issuer"]
    assert "DW_DATABASE_URL" not in get(f"{gateway}/")
    assert get(f"{found['idp']['issuer']}/.well-known/openid-configuration")["issuer"] == found["idp"]["issuer"]
    names = {process["name"] for process in found["processes"]}
    assert names == {
        "postgres", "google", "redis", "dns", "collector", "moto", "customers", "idp", "tiny", "tiny_worker", "other", "scheduler", "gateway"
    }  # fmt: skip

    before = {child.name: child.pid for child in running(data_dir).children}
    crash = urllib.request.Request(f"{gateway}/things", data=b"{}", method="POST")
    with suppress(OSError, HTTPException):  # the reply may come, not come, or break off: the master dies meanwhile
        urllib.request.urlopen(crash, timeout=10).read()
    until(lambda: {child.name: child.pid for child in running(data_dir).children}["tiny"] != before["tiny"])
    until(lambda: run("status", data_dir).returncode == 0)
    assert get(f"{gateway}/tiny/env")["DW_FUNCTION"] == "tiny"

    children = running(data_dir).children
    assert run("down", data_dir).returncode == 0
    assert not any(child.is_alive() for child in children)
    assert not (data_dir / "emulator.json").exists()
    up(data_dir, "--root", str(root), "--suite", str(root / "suite.yaml"), "--only", "postgres")  # the data is kept
