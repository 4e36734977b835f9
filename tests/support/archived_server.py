"""Servers whose log is archived, which a test destroys and restores: the emulator's PostgreSQL with `infra/recovery/archive.py`."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from infra.recovery.archive import archive_settings, base_backup_command, prepare_restore, write_settings
from local_emulator.ports import reserve_port
from local_emulator.postgres import Embedded, _binaries, identity, scratch_directory, with_database
from shared.data.migrations import connect
from tests.support.restartable_server import RestartableServer
from tests.support.waiting import wait_until

DATABASE = "driftwise"


@dataclass
class ArchivedPlace:
    """A server with an archive, a base backup, and the servers that were restored from them.

    Attributes:
        root: everything lies in it.
        password: the owner's, on every one of these servers.
        source: the server that runs from the beginning.
    """

    root: Path
    password: str
    source: RestartableServer
    _restored: list[RestartableServer] = field(default_factory=list)

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    @property
    def backup(self) -> Path:
        return self.root / "backup"

    @property
    def url(self) -> str:
        """The owner's URL of the source's database."""
        return with_database(self.source.url, DATABASE)

    def take_base_backup(self) -> None:
        """Copy the running source."""
        parts = urlsplit(self.source.url)
        bare = urlunsplit(parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}"))
        who = identity(self.source.backend.run_as)
        subprocess.run(
            base_backup_command(_binaries(), bare, self.backup), check=True, capture_output=True, cwd="/",
            env={**os.environ, "PGPASSWORD": unquote(parts.password or "")},
            user=who.user, group=who.group, extra_groups=who.extra_groups,
        )  # fmt: skip

    def archive_everything(self) -> None:
        """Close the present segment of the log and wait until it is archived."""
        with closing(connect(self.source.url)) as owner:
            name = owner.run("select pg_walfile_name(pg_switch_wal())")[0][0]
            wait_until((self.archive / name).exists, f"segment {name} is archived")

    def destroy_source(self) -> None:
        """Lose the source as a broken disk does: no goodbye, no data."""
        process = self.source.process
        assert process is not None
        process.kill()
        process.wait(20)
        self.source.process = None
        shutil.rmtree(self.source.backend.directory)

    def restore(self, point: datetime | None) -> str:
        """Restore base backup and archive into a server of its own; returns the owner's URL of its database."""
        data = self.root / f"restored-{len(self._restored)}"
        shutil.copytree(self.backup, data, symlinks=True)
        prepare_restore(data, self.archive, point)
        # What the restored server writes is no part of the old one's archive.
        write_settings(data, {"archive_mode": "off"})
        _give(data, self.source.backend.run_as)
        backend = Embedded(data, password=self.password, durable=False)
        server = RestartableServer(backend, reserve_port(), self.root / f"{data.name}.log")
        self._restored.append(server)
        server.start()
        url = with_database(server.url, DATABASE)
        with closing(connect(url)) as owner:
            wait_until(lambda: owner.run("select not pg_is_in_recovery()")[0][0], "the restored server serves")
        return url

    def stop(self) -> None:
        """Stop every server."""
        for server in (self.source, *self._restored):
            server.stop()


@contextmanager
def archived_place() -> Iterator[ArchivedPlace]:
    """Run a source that archives; stopped and removed with the block."""
    with tempfile.TemporaryDirectory(prefix="driftwise-recovery-", dir=scratch_directory()) as name:
        root = Path(name)
        backend = Embedded(root / "cluster", password=secrets.token_urlsafe(24), durable=False)
        (root / "archive").mkdir()
        _give(root, backend.run_as)
        root.chmod(0o711)
        backend.prepare()
        write_settings(backend.directory, archive_settings(root / "archive"))
        place = ArchivedPlace(root, backend.password, RestartableServer(backend, reserve_port(), root / "log"))
        place.source.start()
        try:
            yield place
        finally:
            place.stop()


def _give(folder: Path, user: str | None) -> None:
    if user is not None:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, user)
    if folder.name.startswith("restored"):
        folder.chmod(0o700)
