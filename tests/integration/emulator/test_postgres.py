"""The embedded PostgreSQL: TCP with passwords, a clean end, and what a crash leaves behind."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pg8000.exceptions
import pytest

from local_emulator import database, postgres
from local_emulator.errors import EmulatorError
from local_emulator.ports import reserve_port
from shared.data.urls import with_login

from .trees import MIGRATION


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that the server's user may enter, which pytest's own is not for root."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory


def start(backend: postgres.Embedded, port: int) -> subprocess.Popen[bytes]:
    who = postgres.identity(backend.run_as)
    return subprocess.Popen(
        backend.command(port), cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        user=who.user, group=who.group, extra_groups=who.extra_groups,
    )  # fmt: skip


def test_a_function_logs_in_over_tcp_with_its_own_password_only(place: Path) -> None:
    (place / "0001_roles.sql").write_text(MIGRATION)
    with postgres.temporary_cluster() as server_url:
        database.ensure_database(server_url, "tiny")
        database.ensure_database(server_url, "tiny")
        url = postgres.with_database(server_url, "tiny")
        database.migrate(url, place)
        database.enable_logins(url, {"tiny_login": "right-password"})
        with closing(database.connect(with_login(url, "tiny_login", "right-password"))) as connection:
            cursor = connection.cursor()
            cursor.execute("select current_user, current_setting('server_version_num')::int / 10000")
            assert list(cursor.fetchone()) == ["tiny_login", 18]
        with pytest.raises(pg8000.exceptions.Error, match="28P01"):
            database.connect(with_login(url, "tiny_login", "wrong"))
        with pytest.raises(EmulatorError, match="did not create the database role nobody_login"):
            database.enable_logins(url, {"nobody_login": "x"})
        with pytest.raises(EmulatorError, match="refuses"):
            database.wait_until_ready(with_login(url, "tiny_login", "wrong"))


def test_speed_settings_are_for_throw_away_clusters_only(place: Path) -> None:
    kept = postgres.Embedded(place / "kept", "secret")
    thrown_away = postgres.Embedded(place / "thrown", "secret", durable=False)
    assert not any("fsync" in part for part in kept.command(1))
    assert "fsync=off" in thrown_away.command(1)


def test_a_crash_of_the_emulator_leaves_nothing_in_the_way(place: Path) -> None:
    backend = postgres.Embedded(place / "cluster", "secret", durable=False)
    backend.prepare()
    port = reserve_port()
    server = start(backend, port)
    try:
        url = postgres.with_database(backend.owner_url(port), "postgres")
        database.wait_until_ready(url)
        backend.prepare()  # the emulator was killed, the server was not: the next start ends it
        assert server.wait(10) is not None
        file = backend.directory / "postmaster.pid"
        file.write_text(f"{os.getpid()}\n{backend.directory}\n")  # the id now belongs to somebody else
        backend.prepare()
        assert not file.exists()
        server = start(backend, port)
        database.wait_until_ready(url)
        server.kill()
        server.wait()
        backend.prepare()
        server = start(backend, port)
        database.wait_until_ready(url)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(10)


def test_an_initdb_that_was_cut_off_is_made_anew(place: Path) -> None:
    backend = postgres.Embedded(place / "cluster", "secret", durable=False)
    (backend.directory / "base").mkdir(parents=True)
    backend.prepare()
    assert (backend.directory / "PG_VERSION").exists()
    assert stat.S_IMODE(backend.directory.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives its server to another user")
def test_a_closed_directory_above_is_one_clear_line_and_stays_closed(place: Path) -> None:
    home = place / "home"
    home.mkdir(mode=0o700)
    with pytest.raises(EmulatorError, match=rf"may not enter {home} \(mode 0700\): run 'chmod o\+x {home}'"):
        postgres.Embedded(home / "data" / "cluster", "secret").prepare()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_database_of_ones_own_is_taken_from_the_environment(place: Path) -> None:
    url = "postgresql://me:p%40ss@db.example:6543/drift"
    backend = postgres.choose("url", place, "", {"DATABASE_URL": url})
    assert not backend.needs_process
    assert backend.owner_url(0) == url
    assert with_login(url, "scan_login", "a/b") == "postgresql://scan_login:a%2Fb@db.example:6543/drift"
    with pytest.raises(EmulatorError, match="--postgres url needs DATABASE_URL"):
        postgres.choose("url", place, "", {})


def test_docker_without_docker_is_one_clear_line(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(place))
    with pytest.raises(EmulatorError, match="the tool docker is missing"):
        postgres.choose("docker", place, "secret", {}).prepare()
