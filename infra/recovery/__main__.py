"""Recovery, step by step: `python -m infra.recovery STEP`. Runbook: infra/runbooks/restore-database.md.

The database is named by DATABASE_URL, as its owner: `postgresql://OWNER@127.0.0.1:5432/driftwise` behind the Cloud SQL Auth Proxy.
Ends with 0 when all is well, with 1 when something failed or a check found a problem, with 2 when it was called wrongly.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from pg8000 import native

from infra.deploy.rollout import DeploymentError
from shared.http.errors import AppError
from shared.ports.object_store import GoogleObjectStore
from shared.settings import Settings

from .bringing import bring_over
from .checks import check
from .cloning import Restore
from .closing import close, reopen
from .cloud_sql import CloudSql
from .credentials import end_credentials
from .errors import RecoveryError
from .findings import Finding
from .owner import owner_database
from .switching import Switch

ROOT = Path(__file__).parents[2]
ANCHORS = "audit-anchors"


def moment(text: str) -> datetime:
    """Read a moment.

    Raises:
        argparse.ArgumentTypeError: it is none, or does not say its time zone.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if found.tzinfo is None:
        raise argparse.ArgumentTypeError("say the time zone: 2026-11-26T10:15:00Z")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Do one step; returns the exit status."""
    options = _parser().parse_args(arguments)
    step: Callable[[argparse.Namespace], int] = options.step
    try:
        return step(options)
    except (RecoveryError, DeploymentError, AppError, native.DatabaseError, native.InterfaceError, OSError) as error:
        sys.stderr.write(f"recovery: {error or type(error).__name__}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.recovery", description=(__doc__ or "").split("\n")[0])
    steps = parser.add_subparsers(required=True, metavar="STEP")
    close_step = steps.add_parser("close", help="let nobody but the owner use DATABASE_URL")
    close_step.set_defaults(step=_close)
    reopen_step = steps.add_parser("reopen", help="take that back")
    reopen_step.set_defaults(step=_reopen)
    restore = steps.add_parser("restore", help="make a Cloud SQL instance of what another one was at a moment")
    restore.add_argument("--project", required=True)
    restore.add_argument("--source", required=True, help="the instance")
    restore.add_argument("--target", required=True, help="name of the new instance")
    restore.add_argument("--to", type=moment, help="the moment, with its time zone (default: the latest there is)")
    restore.add_argument("--deleted-at", type=moment, help="when the source was deleted, if it was")
    restore.set_defaults(step=_restore)
    bring = steps.add_parser(
        "bring-over", help="audit entries and ended rights, from SOURCE_DATABASE_URL into DATABASE_URL"
    )
    bring.set_defaults(step=_bring_over)
    end = steps.add_parser("end-credentials", help="end what the restore brought back to life in DATABASE_URL")
    end.add_argument("--to", type=moment, help="the moment that was restored to (default: the end)")
    end.add_argument("--all-keys", action="store_true", help="API keys and directories' tokens too: the source is lost")
    end.set_defaults(step=_end_credentials)
    checks = steps.add_parser("check", help="whether DATABASE_URL may serve")
    checks.add_argument("--project", required=True, help="project of the bucket of anchors")
    checks.add_argument("--storage-endpoint", default="", help="URL of the emulator's Cloud Storage")
    checks.add_argument("--restored-at", type=moment, help="when the restore was made: older sessions must have ended")
    checks.set_defaults(step=_check)
    switch = steps.add_parser("switch", help="let the suite use another Cloud SQL instance")
    switch.add_argument("--project", required=True)
    switch.add_argument("--instance", required=True)
    switch.add_argument("--environment", type=Path, default=ROOT / "terraform" / "envs" / "example")
    switch.set_defaults(step=_switch)
    return parser


def _close(_options: argparse.Namespace) -> int:
    with owner_database(_url("DATABASE_URL")) as database:
        ended = close(database)
    print(f"closed: {ended} connections ended; functions answer 503 database_away")
    return 0


def _reopen(_options: argparse.Namespace) -> int:
    with owner_database(_url("DATABASE_URL")) as database:
        reopen(database)
    print("open")
    return 0


def _restore(options: argparse.Namespace) -> int:
    restore = Restore(CloudSql(options.project), options.source, options.target, time.sleep)
    restore.run(options.to, options.deleted_at)
    return 0


def _bring_over(_options: argparse.Namespace) -> int:
    with owner_database(_url("SOURCE_DATABASE_URL")) as source, owner_database(_url("DATABASE_URL")) as restored:
        return _tell(bring_over(source, restored))


def _end_credentials(options: argparse.Namespace) -> int:
    with owner_database(_url("DATABASE_URL")) as database:
        for line in end_credentials(database, point=options.to, with_keys=options.all_keys):
            print(line)
    return 0


def _check(options: argparse.Namespace) -> int:
    anchors = GoogleObjectStore(Settings(project=options.project, storage_endpoint=options.storage_endpoint), ANCHORS)
    with owner_database(_url("DATABASE_URL")) as database:
        return _tell(check(database, anchors, options.restored_at))


def _switch(options: argparse.Namespace) -> int:
    Switch(options.environment, options.project, options.instance).apply()
    return 0


def _tell(findings: Iterable[Finding] | Iterator[Finding]) -> int:
    problems = 0
    for finding in findings:
        print(finding.line())
        problems += finding.is_problem
    print(f"{problems} problems" if problems else "no problem")
    return 1 if problems else 0


def _url(variable: str) -> str:
    found = os.environ.get(variable, "")
    if not found:
        sys.stderr.write(f"recovery: set {variable} to the owner's URL\n")
        raise SystemExit(2)
    return found


if __name__ == "__main__":
    sys.exit(main())
