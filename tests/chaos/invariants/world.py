"""Where the invariants look."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pg8000 import native

from infra.recovery.__main__ import ANCHORS
from infra.suite import Suite, load_suite
from local_emulator.names import PROJECT, REGION
from local_emulator.records import DataDirectory
from shared.data.migrations import connect
from shared.ports.key_manager import GoogleKeyManager, KeyManager
from shared.ports.object_store import GoogleObjectStore, ObjectStore
from shared.settings import Settings
from tests.support.running_suite import RunningSuite

from ..calls import Calls


@dataclass(frozen=True)
class World:
    """What is left after the faults.

    Attributes:
        owner_url: of the database, as its owner, past every fault.
        calls: everything that was asked, with its secrets and words.
        anchors: the bucket that heads of audit chains are kept in.
        keys: the KMS.
        data: the emulator's directory: logs, processes, the queue's file.
        tick: fires a schedule; None where nothing runs.
        patience_seconds: for how long work that is under way at the moment of the check may go on.
    """

    owner_url: str = field(repr=False)
    calls: Calls
    anchors: ObjectStore
    keys: KeyManager
    data: DataDirectory
    tick: Callable[[str], object] | None = None
    patience_seconds: float = 20.0

    @cached_property
    def suite(self) -> Suite:
        """The suite that runs."""
        return load_suite()

    @property
    def queue_file(self) -> Path:
        """What the queue still has to deliver."""
        return self.data.path / "google" / "pubsub.sqlite3"

    def log_files(self) -> dict[str, Path]:
        """Return the log of every process, by its name."""
        return {path.stem: path for path in sorted(self.data.logs.glob("*.log"))}

    def function_logs(self) -> dict[str, Path]:
        """Return the logs of the suite's own processes, by entry point."""
        names = {entry_point.name for entry_point in self.suite.entry_points()}
        return {name: path for name, path in self.log_files().items() if name in names}

    @contextmanager
    def owner(self) -> Generator[Owner]:
        """Connect as the database's owner; whatever row-level security would hide makes a statement fail."""
        with closing(connect(self.owner_url)) as connection:
            connection.run("set row_security = off")
            yield Owner(connection)


@dataclass(frozen=True, slots=True)
class Owner:
    """One connection of the owner."""

    connection: native.Connection

    def rows(self, sql: str, **values: object) -> list[dict[str, Any]]:
        """Run a statement and return its rows."""
        found = self.connection.run(sql, **values) or ()
        names = [column["name"] for column in self.connection.columns or ()]
        return [dict(zip(names, row, strict=True)) for row in found]

    def number(self, sql: str) -> int:
        """Run a statement that returns one number."""
        return sum(int(value) for row in self.rows(sql) for value in row.values())


def world_of(suite: RunningSuite, calls: Calls) -> World:
    """Return the world of a running emulator."""
    data = DataDirectory(suite.logs.parent)
    google = json.loads(data.emulator_file.read_bytes())["google"]
    settings = Settings(
        env="emulator", project=PROJECT, region=REGION, kms_endpoint=google["grpc"], storage_endpoint=google["http"]
    )
    return World(
        owner_url=suite.databases["owner"],
        calls=calls,
        anchors=GoogleObjectStore(settings, ANCHORS),
        keys=GoogleKeyManager(settings),
        data=data,
        tick=suite.tick,
    )
