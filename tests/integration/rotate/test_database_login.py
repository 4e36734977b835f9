"""Replacing a login's password while functions work: real PostgreSQL with SCRAM, real Secret Manager client, real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import pytest
from google.api_core.exceptions import ServiceUnavailable
from pg8000 import native

from infra.rotate import database_login
from infra.rotate.database_login import RotationError, Rotator
from infra.rotate.vault import Vault
from local_emulator.database import connect as connect_plainly
from shared.data.connections import sqlstate
from shared.data.database import Database
from shared.data.migrations import connect
from shared.data.passwords import readable_versions
from shared.data.urls import with_login
from shared.ports.clock import SystemEntropy
from shared.ports.errors import ServiceAway
from shared.ports.secret_store import GoogleSecretStore
from shared.settings import Settings
from shared.testing.queue import MemoryQueue
from tests.support.database import ROOT, ClonedDatabase, DatabaseServer, actor_in, owner_without_powers, prepare_server
from tests.support.function_process import function_process
from tests.support.google_emulator import Emulator
from tests.support.restartable_server import RestartableServer, restartable_server
from tests.support.waiting import wait_until

PROJECT = "driftwise-local"
LOGIN = "keys_login"
NUMBERS = count(1)

# A function's process as far as the database goes: threads that open units of work and look things up, on a pool that
# opens every connection anew. Tells how often each has succeeded; on the end of its input, what failed.
WORKER = """
import json, sys, threading, time
from uuid import UUID
import shared.data.database as module
from shared.ports.secret_store import GoogleSecretStore
from shared.settings import load_settings
from shared.testing.queue import MemoryQueue
from tests.support.database import actor_in

module._RECYCLE_SECONDS = 0
settings = load_settings()
db = module.Database(settings, MemoryQueue(), GoogleSecretStore(settings))
actor, failures, done, is_over = actor_in(UUID(sys.argv[1])), [], [0] * 2, threading.Event()

def work(place):
    while not is_over.is_set():
        try:
            with db.unit(actor) as tx:
                tx.rows("select id from core.api_keys where org_id = :org_id")
            db.lookup("select 1 as up")
        except Exception as error:
            failures.append(repr(error))
        done[place] += 1

threads = [threading.Thread(target=work, args=(place,)) for place in range(2)]
for thread in threads:
    thread.start()
for _ in sys.stdin:  # in one write and on a line of its own: a log line is two writes, and this may come between
    sys.stdout.write(f"\\n{json.dumps(done)}\\n")
    sys.stdout.flush()
is_over.set()
for thread in threads:
    thread.join()
db.close()
print(json.dumps(failures), flush=True)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[RestartableServer]:
    with restartable_server() as found:
        yield found


@pytest.fixture(scope="module")
def databases(server: RestartableServer) -> DatabaseServer:
    return prepare_server(server.url)


@pytest.fixture
def database(databases: DatabaseServer) -> Iterator[ClonedDatabase]:
    with databases.clone() as clone:
        yield clone


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    running = Emulator(tmp_path_factory.mktemp("google"))
    yield running
    running.stop()


@dataclass
class Safe:
    """The secret of one test, whose first version is the login's password."""

    google: Emulator
    name: str = field(default_factory=lambda: f"database-password-{next(NUMBERS)}")

    @property
    def settings(self) -> Settings:
        return Settings(env="emulator", project=PROJECT, secrets_endpoint=self.google.endpoint)

    @property
    def store(self) -> GoogleSecretStore:
        return GoogleSecretStore(self.settings)

    @property
    def vault(self) -> Vault:
        return Vault(PROJECT, self.google.endpoint)

    def passwords(self) -> dict[int, str]:
        return {item.version: item.reveal() for item in readable_versions(self.store, self.name)}


@pytest.fixture
def safe(google: Emulator, databases: DatabaseServer) -> Safe:
    found = Safe(google)
    google.secrets().create_secret(
        parent=f"projects/{PROJECT}", secret_id=found.name, secret={"replication": {"automatic": {}}}
    )
    with closing(connect(databases.url)) as owner:  # whatever the test before made of it
        owner.run(f"alter role {LOGIN} login password '{databases.passwords[LOGIN]}'")
    found.vault.add(found.name, databases.passwords[LOGIN].encode())
    return found


def rotator(safe: Safe, owner_url: str, vault: Vault | None = None) -> Rotator:
    return Rotator(owner_url, LOGIN, safe.name, vault or safe.vault, safe.store, SystemEntropy())


def opens(database: ClonedDatabase, password: str) -> bool:
    try:
        connect(with_login(database.owner_url, LOGIN, password)).close()
    except native.DatabaseError as error:
        if sqlstate(error) == "28P01":
            return False
        raise
    return True


# --- under load ------------------------------------------------------------------------------------------------------


@contextmanager
def worker(database: ClonedDatabase, safe: Safe, org_id: object) -> Iterator[subprocess.Popen[str]]:
    variables = {
        "PYTHONPATH": str(ROOT), "DW_ENV": "emulator", "DW_FUNCTION": "keys", "DW_POOL_SIZE": "2", "DW_PROJECT": PROJECT,
        "DW_DATABASE_URL": with_login(database.owner_url, LOGIN, "not-this-one"), "DW_DATABASE_PASSWORD_SECRET": safe.name,
        "DW_SECRETS_ENDPOINT": safe.google.endpoint,
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(org_id)], env=os.environ | variables, cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def progress(process: subprocess.Popen[str]) -> list[int]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("?\n")
    process.stdin.flush()
    while True:  # the log goes the same way
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        if line.startswith("["):
            return list(json.loads(line))


def failures_of(process: subprocess.Popen[str]) -> list[str]:
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    found: list[str] = json.loads(output.splitlines()[-1])
    return found


def test_no_request_fails_while_the_password_is_rotated_again_and_again(database: ClonedDatabase, safe: Safe) -> None:
    org_id = database.make_org()
    with worker(database, safe, org_id) as one, worker(database, safe, org_id) as two:
        workers = (one, two)

        def let_all_work() -> None:
            """Wait until every thread of both has opened connections since now, which need the password of now."""
            before = [progress(process) for process in workers]
            wait_until(
                lambda: all(
                    now >= earlier + 2
                    for process, then in zip(workers, before, strict=True)
                    for now, earlier in zip(progress(process), then, strict=True)
                ),
                "the workers stand still",
                timeout_seconds=60,
            )

        let_all_work()
        for number in range(2, 5):
            assert rotator(safe, database.owner_url).rotate().version == number
            let_all_work()
        for number in range(5, 8):  # faster than anybody could notice one by one
            assert rotator(safe, database.owner_url).rotate().version == number
        let_all_work()
        assert [failures_of(process) for process in workers] == [[], []]
    assert list(safe.passwords()) == [7], "an old password can still be read"


def test_open_connections_outlive_a_rotation(database: ClonedDatabase, safe: Safe) -> None:
    org_id = database.make_org()
    settings = database.settings("keys", database_password_secret=safe.name, pool_size=1)
    db = Database(settings, MemoryQueue(), safe.store)
    with closing(db):
        with db.unit(actor_in(org_id)) as tx:
            (before,) = tx.rows("select pg_backend_pid() as pid")
            rotator(safe, database.owner_url).rotate()
            assert tx.rows("select pg_backend_pid() as pid") == [before]
        assert db.lookup("select pg_backend_pid() as pid") == [before]


def test_a_store_that_is_away_does_not_matter_to_a_process_that_got_in_before(
    database: ClonedDatabase, safe: Safe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.data.database._RECYCLE_SECONDS", 0)
    settings = database.settings("keys", database_password_secret=safe.name, pool_size=1)
    db = Database(settings, MemoryQueue(), safe.store)
    with closing(db):
        db.lookup("select 1 as up")
        with safe.google.fault("secret_manager", "unavailable"):
            assert db.lookup("select 1 as up") == [{"up": 1}]
            fresh = Database(settings, MemoryQueue(), safe.store)
            with closing(fresh), pytest.raises(ServiceAway):
                fresh.lookup("select 1 as up")


# --- when no password is right ---------------------------------------------------------------------------------------


def test_wrong_everywhere_is_503_database_away_soon_and_no_log_shows_a_password(
    tmp_path: Path, server: RestartableServer, database: ClonedDatabase, safe: Safe
) -> None:
    wrong = ["wrong-in-the-url-0", "wrong-version-2", "wrong-version-3"]
    for text in wrong[1:]:
        safe.vault.add(safe.name, text.encode())
    safe.vault.disable(safe.name, 1)
    url, source = with_login(database.owner_url, LOGIN, wrong[0]), "from functions.keys.main import keys as tiny\n"
    variables = {"DW_FUNCTION": "keys", "DW_DATABASE_URL": url, "DW_PROJECT": PROJECT}
    variables |= dict.fromkeys(("DW_SECRETS_ENDPOINT", "DW_PUBSUB_ENDPOINT", "DW_KMS_ENDPOINT"), safe.google.endpoint)
    for secret in ({}, {"DW_DATABASE_PASSWORD_SECRET": safe.name}):
        with function_process(tmp_path, source, **variables, **secret) as running:
            answers = [httpx.get(f"{running.url}/_health?deep=1", trust_env=False, timeout=30) for _ in range(5)]
            lines = running.lines()
        assert {answer.status_code for answer in answers} == {503}
        assert {answer.json()["code"] for answer in answers} == {"database_away"}
        assert all(answer.headers["Retry-After"] for answer in answers)
        refused = [line["version"] for line in lines if line["message"] == "password refused"]
        if secret:
            assert refused[:6] == [3, 2] * 3
            assert len(refused) < 6 * len(answers), "every call tries all over again, a moment after nothing helped"
        else:
            assert refused == [0] * len(answers)
        said = running.log.read_text("utf-8") + "".join(answer.text for answer in answers)
        assert not [text for text in wrong if text in said]
    assert not [text for text in wrong if text in server.log.read_text("utf-8", errors="replace")]


# --- what the tool does and leaves -----------------------------------------------------------------------------------


def test_the_clear_password_reaches_neither_the_servers_log_nor_anybodys_screen(
    server: RestartableServer,
    database: ClonedDatabase,
    safe: Safe,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    database.owner.run(f"alter database \"{database.name}\" set log_statement = 'all'")
    monkeypatch.setenv("DATABASE_URL", database.owner_url)
    endpoint = ["--project", PROJECT, "--secrets-endpoint", safe.google.endpoint]
    assert database_login.main([LOGIN, safe.name, *endpoint]) == 0
    said = capsys.readouterr()
    (password,) = safe.passwords().values()
    log = server.log.read_text("utf-8", errors="replace")
    assert f'alter role "{LOGIN}" password \'SCRAM-SHA-256$4096:' in log, "the log does not show statements"
    assert password not in log
    assert password not in said.out + said.err
    assert "version 2" in said.out
    assert opens(database, password)
    database.owner.run(f'alter database "{database.name}" reset log_statement')


def test_the_old_password_opens_nothing_and_cannot_be_read_any_more(database: ClonedDatabase, safe: Safe) -> None:
    (old,) = safe.passwords().values()
    done = rotator(safe, database.owner_url).rotate()
    assert (done.version, done.disabled) == (2, (1,))
    assert not opens(database, old)
    assert list(safe.passwords()) == [2]


def test_an_owner_without_powers_rotates_too(databases: DatabaseServer, safe: Safe) -> None:
    with databases.clone() as clone, owner_without_powers(clone.owner_url) as url:
        assert rotator(safe, url).rotate().version == 2


class CutOff(Vault):
    """A vault whose operator loses the connection at a step."""

    step = ""

    def add(self, name: str, value: bytes) -> int:
        number = super().add(name, value)
        if self.step == "after the version was added":
            raise ServiceUnavailable("gone")
        return number

    def disable(self, name: str, version: int) -> None:
        if self.step == "before the old version was disabled":
            raise ServiceUnavailable("gone")
        super().disable(name, version)


@pytest.mark.parametrize("step", ["after the version was added", "before the old version was disabled"])
def test_a_rotation_that_was_cut_off_harms_nobody_and_is_finished_by_the_next(
    database: ClonedDatabase, safe: Safe, step: str
) -> None:
    vault = CutOff(PROJECT, safe.google.endpoint)
    vault.step = step
    with pytest.raises(ServiceUnavailable):
        rotator(safe, database.owner_url, vault).rotate()
    db = Database(database.settings("keys", database_password_secret=safe.name), MemoryQueue(), safe.store)
    with closing(db):
        assert db.lookup("select 1 as up") == [{"up": 1}], "a new process does not get in"
    assert rotator(safe, database.owner_url).rotate().version == 3
    assert list(safe.passwords()) == [3]
    assert opens(database, safe.passwords()[3])


def test_a_role_that_cannot_be_changed_keeps_its_password_and_the_new_version_goes(
    database: ClonedDatabase, safe: Safe
) -> None:
    database.owner.run("create role powerless login password 'x'")
    try:
        url = with_login(database.owner_url, "powerless", "x")
        with pytest.raises(RotationError, match="permission denied"):
            rotator(safe, url).rotate()
    finally:
        database.owner.run("drop role powerless")
    assert list(safe.passwords()) == [1]
    assert opens(database, safe.passwords()[1])


@pytest.mark.parametrize("login", ["driftwise_owner", "keys_work", "nobody", 'keys_login" superuser --'])
def test_only_the_login_of_a_function_is_rotated(database: ClonedDatabase, safe: Safe, login: str) -> None:
    wrong = Rotator(database.owner_url, login, safe.name, safe.vault, safe.store, SystemEntropy())
    with pytest.raises(RotationError, match="no login of a function"):
        wrong.rotate()
    assert list(safe.passwords()) == [1]


def test_a_secret_of_another_login_is_noticed_before_anything_is_changed(database: ClonedDatabase, safe: Safe) -> None:
    other = Rotator(database.owner_url, "scan_login", safe.name, safe.vault, safe.store, SystemEntropy())
    with pytest.raises(RotationError, match="no version"):
        other.rotate()
    assert list(safe.passwords()) == [1]
    with closing(connect_plainly(database.url("scan_login"))):
        pass


def test_two_operators_at_once_do_not_meet(database: ClonedDatabase, safe: Safe) -> None:
    barrier = threading.Barrier(2, timeout=20)

    def run(_: int) -> int:
        barrier.wait()
        with suppress(RotationError):
            return rotator(safe, database.owner_url).rotate().version
        return 0

    with ThreadPoolExecutor(2) as pool:
        done = sorted(pool.map(run, range(2)))
    assert done[-1] >= 2
    assert list(safe.passwords()) == [max(done)]
    assert opens(database, safe.passwords()[max(done)])


def test_without_the_owners_address_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert database_login.main([LOGIN, "secret", "--project", PROJECT]) == 2
    assert "DATABASE_URL" in capsys.readouterr().err


def test_a_failure_is_one_line_without_the_owners_password(
    safe: Safe, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://owner:hunter2hunter2@127.0.0.1:9/driftwise")
    endpoint = ["--project", PROJECT, "--secrets-endpoint", safe.google.endpoint]
    assert database_login.main([LOGIN, safe.name, *endpoint]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("rotate: the database cannot be reached")
    assert len(said.err.splitlines()) == 1
    assert "hunter2" not in said.out + said.err


def test_this_is_run_from_the_project(safe: Safe, database: ClonedDatabase) -> None:
    command = [sys.executable, "-m", "infra.rotate.database_login", LOGIN, safe.name, "--project", PROJECT]
    done = subprocess.run(
        [*command, "--secrets-endpoint", safe.google.endpoint], cwd=Path(ROOT), check=False, capture_output=True, text=True,
        env=os.environ | {"DATABASE_URL": database.owner_url}, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{LOGIN} has the password of version 2")
