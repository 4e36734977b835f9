"""The commands: `up`, `down`, `status`, and `demo`, which is `demo.main`."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from infra.suite import SUITE_FILE

from .errors import EmulatorError
from .processes import is_healthy, stop_records, tail
from .records import DataDirectory, ProcessRecord
from .supervisor import options_argument
from .topology import EMULATOR_ROOT, Options

DEFAULT_DATA_DIR = Path(".local")
DEFAULT_PORT = 8080
_STOP_SECONDS = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["demo"]:
        return int(importlib.import_module("local_emulator.demo").main(words[1:]))
    parsed = _parser().parse_args(words)
    try:
        return int(parsed.run(parsed))
    except EmulatorError as error:
        _complain(str(error), error.detail)
        return 1


def up(options: Options) -> dict[str, object]:
    """Start an emulator and return what `emulator.json` says once it is up.

    Raises:
        EmulatorError: it did not come up; nothing of it is left running.
    """
    options = replace(  # the supervisor has another working directory
        options,
        data_dir=options.data_dir.absolute(),
        suite_file=options.suite_file.absolute(),
        root=options.root.absolute(),
        providers_file=None if options.providers_file is None else options.providers_file.absolute(),
    )
    data = DataDirectory(options.data_dir)
    data.create(open_to_others=os.geteuid() == 0)
    if data.is_locked():
        raise EmulatorError(
            f"an emulator already runs on {data.path}: stop it with 'down', or choose another --data-dir"
        )
    log_file = data.log_file("supervisor")
    with log_file.open("wb") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "local_emulator.supervisor", options_argument(options)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=EMULATOR_ROOT,
            start_new_session=True,
        )
    try:
        return _follow(supervisor, log_file)
    except KeyboardInterrupt:
        print("stopping ...", flush=True)
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait()
        raise


def _follow(supervisor: subprocess.Popen[bytes], log_file: Path) -> dict[str, object]:
    """Print the supervisor's progress until it is ready."""
    began = time.monotonic()
    if supervisor.stdout is None:
        raise ValueError("the supervisor's output must be a pipe")
    for line in supervisor.stdout:
        event = json.loads(line)
        if event["event"] == "up":
            print(f"{time.monotonic() - began:6.1f} s  {event['name']:<18} up in {event['seconds']:.1f} s", flush=True)
        elif event["event"] == "note":
            print(event["message"], flush=True)
        elif event["event"] == "failed":
            supervisor.wait()
            raise EmulatorError(event["message"], event["detail"])
        else:
            print(f"{time.monotonic() - began:6.1f} s  everything is up", flush=True)
            found: dict[str, object] = event["emulator"]
            supervisor.returncode = 0  # it is left running on purpose: no warning when this object goes
            return found
    supervisor.wait()
    raise EmulatorError("the supervisor ended while starting", tail(log_file))


def _up(parsed: argparse.Namespace) -> int:
    only = tuple(name.strip() for name in parsed.only.split(",") if name.strip())
    options = Options(
        data_dir=parsed.data_dir.absolute(),
        port=parsed.port,
        postgres=parsed.postgres,
        only=only,
        suite_file=parsed.suite,
        root=parsed.root,
        providers_file=parsed.oidc_providers,
        has_model=parsed.model,
        has_links=parsed.links,
        is_tireless=parsed.tireless,
        clock_library=None if parsed.clock_library is None else parsed.clock_library.absolute(),
    )
    try:
        found = up(options)
    except KeyboardInterrupt:
        return 130
    print()
    identity = found["idp"]
    issuer = identity["issuer"] if isinstance(identity, dict) else None
    for label, value in (
        ("DriftWise", found["gateway"]),
        ("sign-in", issuer),
        ("AWS", found["aws_endpoint"]),
        ("logs", options.data_dir / "logs"),
        ("tokens, keys, URLs", options.data_dir / "emulator.json"),
    ):
        if value is not None:
            print(f"{label:<20}{value}")
    return 0


def _down(parsed: argparse.Namespace) -> int:
    data = DataDirectory(parsed.data_dir)
    running = data.read_running()
    if running is None:
        print(f"no emulator runs on {data.path}")
        return 0
    began = time.monotonic()
    if running.supervisor.is_alive():
        os.kill(running.supervisor.pid, signal.SIGTERM)
        while running.supervisor.is_alive():
            if time.monotonic() - began > _STOP_SECONDS:
                os.kill(running.supervisor.pid, signal.SIGKILL)
                break
            time.sleep(0.05)
    leftovers = data.read_running()
    if leftovers is not None:  # the supervisor was killed before it could end them
        stop_records(leftovers.children)
        data.forget_running()
    print(f"stopped in {time.monotonic() - began:.1f} s")
    return 0


def _status(parsed: argparse.Namespace) -> int:
    data = DataDirectory(parsed.data_dir)
    running = data.read_running()
    if running is None:
        print(f"no emulator runs on {data.path}")
        return 1
    rows = [(record, health(record)) for record in (running.supervisor, *running.children)]
    print(f"{'name':<20}{'pid':>8}{'port':>8}  health")
    for record, found in rows:
        print(f"{record.name:<20}{record.pid:>8}{record.port or '-':>8}  {found}")
    if not running.supervisor.is_alive():
        print("the supervisor is gone: 'down' ends what it left, 'up' starts anew")
    return 0 if all(found in {"healthy", "running"} for _, found in rows) else 1


def health(record: ProcessRecord) -> str:
    """Say how a process is: `gone`, `running` (it has no port), `healthy` or `not answering`."""
    if not record.is_alive():
        return "gone"
    if not record.ports:
        return "running"
    return "healthy" if is_healthy(record.health_path, record.ports) else "not answering"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local_emulator",
        description="The whole suite on a laptop.",
        epilog="'demo' takes its own options.",
    )
    commands = parser.add_subparsers(required=True, metavar="up|demo|down|status")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--data-dir", type=Path, default=DEFAULT_DATA_DIR, metavar="DIR", help="where its state lies (default: .local)"
    )
    start = commands.add_parser("up", parents=[common], help="start everything and leave it running")
    start.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port of the gateway, 0 for a free one (default: 8080)"
    )
    start.add_argument("--postgres", choices=("embedded", "docker", "url"), default="embedded")
    start.add_argument(
        "--only", default="", metavar="NAME,NAME", help="these processes or functions, and what they need"
    )
    start.add_argument(
        "--oidc-providers", type=Path, metavar="FILE",
        help="sign-in providers besides the emulator's own: a JSON list as DW_OIDC_PROVIDERS, each with its client_secret",
    )  # fmt: skip
    start.add_argument("--model", action="store_true", help="a language model stub that explains plans")
    start.add_argument("--links", action="store_true", help="links between functions and back ends that can be cut")
    start.add_argument("--tireless", action="store_true", help="start crashed processes again, however often")
    start.add_argument(
        "--clock-library", type=Path, metavar="FILE", help="libfaketime's shared object: clocks that can be set"
    )
    start.add_argument("--suite", type=Path, default=SUITE_FILE, metavar="FILE", help=argparse.SUPPRESS)
    start.add_argument("--root", type=Path, default=EMULATOR_ROOT, metavar="DIR", help=argparse.SUPPRESS)
    start.set_defaults(run=_up)
    commands.add_parser("down", parents=[common], help="stop everything").set_defaults(run=_down)
    commands.add_parser("status", parents=[common], help="show what runs").set_defaults(run=_status)
    commands.add_parser("demo", help="show what DriftWise does on a made-up AWS account")
    return parser


def _complain(message: str, detail: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    for line in detail.splitlines():
        print(f"  | {line}", file=sys.stderr)
