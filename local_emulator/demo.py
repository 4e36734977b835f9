"""`make demo`: the main job, on a laptop, from nothing to a true drift report.

Starts the suite, puts an AWS account in place that a real `terraform apply` made (recorded), scans it and expects no drift,
changes the account behind Terraform's back, scans again and expects exactly those changes. Leaves the suite running.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import httpx
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from functions.scan.domain import reports

from . import cli
from .aws import ACCOUNT, REGION, recorded_state, replay
from .demo_changes import CHANGES
from .errors import EmulatorError
from .ports import require_free, reserve_port
from .topology import EMULATOR_ROOT, Options

FIXTURE = EMULATOR_ROOT / "tests" / "fixtures" / "aws" / "demo"
DEFAULT_DIRECTORY = Path(".local/demo")
_SCAN_SECONDS = 180.0
_STEPS = 6
_TRIES = 4
_FILE_WIDTH = 160  # columns of the report when it goes to a file or a CI log
_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "dim"}
_EXPORTS = {"report.md": "markdown", "report.sarif": "sarif", "report.csv": "csv"}

Finding = tuple[str, str, str]


class DemoError(Exception):
    """The demo did not end as it must; says what differs."""


@dataclass(frozen=True, slots=True)
class Suite:
    """The running suite as the demo drives it: over HTTP, as a signed-in owner."""

    http: httpx.Client
    org: str
    console: Console

    def send(self, method: str, path: str, **arguments: Any) -> Any:
        """Call the API; returns the JSON answer. Waits and tries again when it is told to (503 with Retry-After).

        Raises:
            DemoError: it answered with a problem.
        """
        for _ in range(_TRIES):
            reply = self.http.request(method, f"{self.org}{path}", **arguments)
            if reply.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(float(reply.headers.get("Retry-After", "1")))
        if reply.is_error:
            raise DemoError(f"{method} {path} answered {reply.status_code}: {reply.text[:500]}")
        return reply.json() if reply.content else None

    def text(self, path: str) -> str:
        """Fetch an export."""
        reply = self.http.get(f"{self.org}{path}")
        reply.raise_for_status()
        return reply.text

    def scan(self, account_id: str) -> dict[str, Any]:
        """Scan the account and wait for the outcome, with a progress bar."""
        scan = self.send("POST", "/scans", json={"account_id": account_id})
        deadline = time.monotonic() + _SCAN_SECONDS
        columns = (
            TextColumn("      "),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
        )
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task("pending", total=scan["shards_total"])
            while scan["status"] not in {"done", "failed", "cancelled"}:
                if time.monotonic() > deadline:
                    raise DemoError(f"the scan is still {scan['status']} after {_SCAN_SECONDS:.0f} s")
                time.sleep(0.1)
                scan = self.send("GET", f"/scans/{scan['id']}")
                progress.update(task, completed=scan["shards_done"], description=scan["status"])
        if scan["status"] != "done":
            raise DemoError(f"the scan ended as {scan['status']}: {scan['error_code']}")
        return dict(scan)

    def drift(self, scan_id: str) -> list[dict[str, Any]]:
        """Fetch all findings of a scan."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.send("GET", f"/scans/{scan_id}/drift?limit=200{cursor}")
            found.extend(page["items"])
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"


def main(arguments: Sequence[str]) -> int:
    """Run the demo; returns 0 only when the findings are exactly the changes that were made."""
    parsed = _parse(arguments)
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    began = time.monotonic()
    try:
        _run(parsed, console)
    except (DemoError, EmulatorError, httpx.HTTPError) as error:
        detail = getattr(error, "detail", "")
        console.print(Text(f"demo: {error}" + (f"\n{detail}" if detail else ""), style="bold red"))
        return 1
    except KeyboardInterrupt:
        return 130
    console.print(f"\nDone in {time.monotonic() - began:.0f} s. `make down` stops what is running.")
    return 0


def _run(parsed: argparse.Namespace, console: Console) -> None:
    directory: Path = parsed.directory.absolute()
    with _step(console, 1, "Starting the suite"):
        emulator = _start(directory, parsed.port, console)
    token = emulator["tokens"]["owner"]
    with httpx.Client(
        base_url=emulator["gateway"], headers={"Authorization": f"Bearer {token}"}, timeout=60.0, trust_env=False
    ) as http:
        suite = Suite(http, f"/api/v2/orgs/{emulator['org_id']}", console)
        with _step(console, 2, "Putting the AWS account in place (a recorded terraform apply)"):
            replay(emulator["aws_endpoint"], FIXTURE / "requests.jsonl.gz")
        with _step(console, 3, "Connecting the account and uploading its Terraform state"):
            account_id, resources = _connect(suite, recorded_state(FIXTURE / "state.json", emulator["aws_endpoint"]))
            console.print(f"      {resources} resources in the state")
        with _step(console, 4, "First scan: nothing was touched yet"):
            first = suite.scan(account_id)
            _expect(suite.drift(first["id"]), set())
            console.print(f"      no drift: {first['summary']['in_sync']} of {first['summary']['compared']} in sync")
        with _step(console, 5, f"Changing the account behind Terraform's back, in {len(CHANGES)} ways"):
            expected = _change(emulator["aws_endpoint"], console)
        with _step(console, 6, "Second scan"):
            second = suite.scan(account_id)
        rows = suite.drift(second["id"])
        _write_reports(suite, second, rows, directory)
    _show(console, rows)
    _expect(rows, expected)
    console.print(f"\n[bold green]Exactly the {len(expected)} findings that were caused, and nothing else.[/]\n")
    _show_places(console, emulator, second, directory)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local_emulator demo", description="From nothing to a true drift report.")
    parser.add_argument("--port", type=int, default=cli.DEFAULT_PORT, help="gateway port; another free one when in use")
    parser.add_argument("--directory", type=Path, default=DEFAULT_DIRECTORY, help="where reports and data go")
    return parser.parse_args(arguments)


@contextmanager
def _step(console: Console, number: int, title: str) -> Iterator[None]:
    console.print(f"[bold][{number}/{_STEPS}][/bold] {title} …")
    began = time.monotonic()
    yield
    console.print(f"      [dim]{time.monotonic() - began:.1f} s[/]")


def _start(directory: Path, port: int, console: Console) -> Any:
    """Start afresh: a demo that ran before is stopped and its data is thrown away."""
    data_dir = directory / "emulator"
    if data_dir.exists():
        cli.main(["down", "--data-dir", str(data_dir)])
        shutil.rmtree(data_dir)
    data_dir.mkdir(parents=True)
    try:
        require_free(port, option="--port")
    except EmulatorError:
        port = reserve_port()
        console.print(f"      the usual port is in use, taking {port}")
    return cli.up(Options(data_dir=data_dir, port=port))


def _connect(suite: Suite, state: bytes) -> tuple[str, int]:
    account = suite.send(
        "POST",
        "/cloud-accounts",
        json={
            "provider": "aws",
            "name": "Acme production",
            "external_account": ACCOUNT,
            "regions": [REGION],
            "auth": {"kind": "static_key", "access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "x" * 40},
        },
    )
    source = suite.send(
        "POST", "/state-sources", json={"account_id": account["id"], "kind": "upload", "name": "production"}
    )
    stored = suite.send("PUT", f"/state-sources/{source['id']}/state", content=state)
    return str(account["id"]), int(stored["resource_count"])


def _change(endpoint: str, console: Console) -> set[Finding]:
    make = _clients(endpoint)
    expected: set[Finding] = set()
    for change in CHANGES:
        expected |= set(change.expected(change.apply(make)))
        console.print(f"      • {change.story}")
    return expected


def _clients(endpoint: str) -> Callable[[str], Any]:
    session = boto3.Session("test", "test", region_name=REGION)  # the stand-in takes any credentials

    @cache
    def make(service: str) -> Any:
        return session.client(service, endpoint_url=endpoint)

    return make


def _findings(rows: Sequence[Mapping[str, Any]]) -> set[Finding]:
    return {(row["kind"], row["address"] or row["key"], row["path"] or "") for row in rows}


def _expect(rows: Sequence[Mapping[str, Any]], expected: set[Finding]) -> None:
    """Compare findings with what was done.

    Raises:
        DemoError: one is missing, or one too many.
    """
    found = _findings(rows)
    lines = [f"not found: {item}" for item in sorted(expected - found)]
    lines += [f"found, but nobody did it: {item}" for item in sorted(found - expected)]
    if lines:
        raise DemoError("the findings are not exactly the changes:\n  " + "\n  ".join(lines))


def _write_reports(suite: Suite, scan: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    report = {"scan": scan, "findings": rows}
    (directory / "report.json").write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    for name, form in _EXPORTS.items():
        (directory / name).write_text(suite.text(f"/scans/{scan['id']}/drift?format={form}"), "utf-8")


def _show(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    table = Table(title="\nDrift report", title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for name in ("severity", "kind"):
        table.add_column(name, no_wrap=True)
    for name in ("resource", "attribute", "in the state", "in the cloud"):
        table.add_column(name, overflow="fold")
    for row in reports.by_severity(rows):
        cells = (row["severity"], row["kind"], reports.name_of(row), row["path"] or "", *reports.values(row))
        table.add_row(*(Text(str(cell)) for cell in cells), style=_STYLES[row["severity"]])
    console.print(table, soft_wrap=False)


def _show_places(console: Console, emulator: Mapping[str, Any], scan: Mapping[str, Any], directory: Path) -> None:
    shown = Path(os.path.relpath(directory))
    places = {
        "reports": ", ".join(str(shown / name) for name in ("report.json", *_EXPORTS)),
        "console": f"{emulator['gateway']}/",
        "API": f"{emulator['gateway']}/api/v2/orgs/{emulator['org_id']}/scans/{scan['id']}/drift",
        "API key": f"{shown / 'emulator' / 'emulator.json'}, member api_keys.read; send it as x-api-key",
        "AWS": emulator["aws_endpoint"],
    }
    for label, value in places.items():
        console.print(f"  {label:<8} {value}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
