"""The migrations runner: forward only, sealed, one at a time, all of a file or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from shared.data.migrations import _LOCK, MigrationError, connect, main, migrate, migrate_through
from tests.support.database import MIGRATIONS, DatabaseServer, owner_without_powers
from tests.support.waiting import wait_until


@pytest.fixture
def url(database_server: DatabaseServer) -> Iterator[str]:
    with database_server.empty() as owner_url:
        yield owner_url


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text("create table first (id integer primary key);")
    (tmp_path / "0002_second.sql").write_text("create table second (id integer primary key);")
    return tmp_path


def ask(url: str, sql: str) -> list[list[object]]:
    with closing(connect(url)) as connection:
        return list(connection.run(sql))


def tables(url: str) -> set[str]:
    rows = ask(url, "select tablename from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations'")
    return {str(row[0]) for row in rows}


def applied(url: str) -> list[object]:
    return [row[0] for row in ask(url, "select version from public.schema_migrations order by version")]


def test_files_are_applied_once_and_in_order(url: str, files: Path) -> None:
    lines: list[str] = []
    assert migrate(url, files, lines.append) == 2
    assert lines == ["applied 0001_first.sql", "applied 0002_second.sql"]
    assert migrate(url, files, lines.append) == 0
    assert len(lines) == 2
    (files / "0003_third.sql").write_text("alter table first add column name text;")
    assert migrate(url, files) == 1
    assert applied(url) == [1, 2, 3]


def test_a_changed_file_is_refused_and_what_is_new_waits(url: str, files: Path) -> None:
    migrate(url, files)
    (files / "0001_first.sql").write_text("create table first (id bigint primary key);")
    (files / "0003_third.sql").write_text("create table third ();")
    with pytest.raises(
        MigrationError, match=r"0001_first\.sql was changed after it was applied; write a new migration"
    ):
        migrate(url, files)
    assert tables(url) == {"first", "second"}


def test_a_database_ahead_of_the_files_is_refused(url: str, files: Path) -> None:
    migrate(url, files)
    (files / "0002_second.sql").unlink()
    with pytest.raises(MigrationError, match="the database is ahead: it knows migration 0002"):
        migrate(url, files)


def test_a_release_that_is_gone_back_to_leaves_what_the_one_after_it_added(url: str, files: Path) -> None:
    migrate(url, files)
    later = files / "0002_second.sql"
    later.unlink()
    told: list[str] = []
    with closing(connect(url)) as owner:
        assert migrate_through(owner, files, told.append, may_be_ahead=True) == 0
        assert owner.run("select version from public.schema_migrations order by version") == [[1], [2]]
        (files / "0001_first.sql").write_text("select 1")
        with pytest.raises(MigrationError, match=r"0001_first\.sql was changed"):
            migrate_through(owner, files, may_be_ahead=True)
    assert told == ["the database is ahead by 1: 0002 and what follows are of a later release, and stay"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("0004_fourth.sql", "without a gap"),
        ("0002_twice.sql", "without a gap"),
        ("3_third.sql", "name it like"),
        ("0003-third.sql", "name it like"),
        ("0003_Third.sql", "name it like"),
    ],
)
def test_names_that_leave_the_order_in_doubt_are_refused(url: str, files: Path, name: str, problem: str) -> None:
    (files / name).write_text("select 1;")
    with pytest.raises(MigrationError, match=problem):
        migrate(url, files)
    assert tables(url) == set()


def test_a_failing_file_leaves_nothing_and_says_which_and_why(url: str, files: Path) -> None:
    bad = files / "0002_second.sql"
    bad.write_text("create table half_done (id integer);\ninsert into nowhere values (1);")
    with pytest.raises(MigrationError, match=r'0002_second\.sql: relation "nowhere" does not exist'):
        migrate(url, files)
    assert tables(url) == {"first"}
    assert applied(url) == [1]
    bad.write_text("create table second (id integer);")
    assert migrate(url, files) == 1


@pytest.mark.parametrize("statement", ["commit;", "  ROLLBACK;", "savepoint here;", "start transaction;", "abort"])
def test_a_file_that_would_end_its_transaction_is_refused_before_anything_runs(
    url: str, files: Path, statement: str
) -> None:
    (files / "0002_second.sql").write_text(f"create table half_done (id integer);\n{statement}\nselect 1;")
    with pytest.raises(MigrationError, match=r"0002_second\.sql: each file is one transaction"):
        migrate(url, files)
    assert tables(url) == set()


def test_a_connection_that_ends_leaves_nothing(url: str, files: Path) -> None:
    (files / "0002_second.sql").write_text(
        "create table half_done (id integer);\nselect pg_terminate_backend(pg_backend_pid());"
    )
    with pytest.raises(MigrationError, match=r"0002_second\.sql"):
        migrate(url, files)
    assert tables(url) == {"first"}


def test_two_runners_at_once_apply_each_file_once(url: str, files: Path) -> None:
    for number in range(3, 13):
        (files / f"{number:04d}_more.sql").write_text(f"create table more_{number} (id integer);")
    with ThreadPoolExecutor(4) as threads:
        counts = [job.result(60) for job in [threads.submit(migrate, url, files) for _ in range(4)]]
    assert sum(counts) == 12
    assert applied(url) == list(range(1, 13))


def test_a_runner_waits_for_another(url: str, files: Path) -> None:
    migrate(url, files)
    (files / "0003_third.sql").write_text("create table third ();")
    with closing(connect(url)) as other, ThreadPoolExecutor(1) as threads:
        other.run("select pg_advisory_lock(:lock)", lock=_LOCK)
        job = threads.submit(migrate, url, files)
        wait_until(
            lambda: ask(url, "select 1 from pg_locks where locktype = 'advisory' and not granted"),
            "the second runner does not wait",
        )
        assert tables(url) == {"first", "second"}
        other.run("select pg_advisory_unlock(:lock)", lock=_LOCK)
        assert job.result(30) == 1


def test_a_lock_that_others_hold_ends_the_run_instead_of_the_service(url: str, files: Path) -> None:
    """A migration states a `lock_timeout`; it gives up before a queue of waiting requests builds up behind it."""
    migrate(url, files)
    (files / "0003_third.sql").write_text("set local lock_timeout = '50ms';\nalter table first add column name text;")
    with closing(connect(url)) as reader:
        reader.run("begin")
        reader.run("select id from first")
        with pytest.raises(MigrationError, match=r"0003_third\.sql: canceling statement due to lock timeout"):
            migrate(url, files)
        reader.run("rollback")
    assert migrate(url, files) == 1


def test_the_shell_command_ends_with_1_and_one_clear_line(
    url: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([url, str(files)]) == 0
    assert "2 applied, up to date" in capsys.readouterr().out
    (files / "0001_first.sql").write_text("select 1;")
    assert main([url, str(files)]) == 1
    assert (
        capsys.readouterr().err
        == "migrations: 0001_first.sql was changed after it was applied; write a new migration\n"
    )
    assert main([]) == 2


def test_the_suite_migrates_as_an_owner_who_is_no_superuser(database_server: DatabaseServer) -> None:
    """Managed databases (Cloud SQL) give nobody a superuser; the migrations must do with `createrole`."""
    with database_server.empty() as url, owner_without_powers(url) as owner_url:
        assert migrate(owner_url, MIGRATIONS) == len(list(MIGRATIONS.glob("*.sql")))


def test_every_migration_of_the_suite_states_its_owner_its_locks_and_a_lock_timeout() -> None:
    for path in sorted(MIGRATIONS.glob("*.sql")):
        text = path.read_text()
        first = text.split("\n", 1)[0]
        assert first.startswith("-- owner: "), f"{path.name}: the first line names owner and locks"
        assert " | locks: " in first, f"{path.name}: the first line names owner and locks"
        if not first.endswith("locks: none"):
            assert "set local lock_timeout" in text, f"{path.name}: takes locks without a lock_timeout"


def test_a_copy_of_the_files_is_the_same_migration(database_server: DatabaseServer, tmp_path: Path) -> None:
    """The seal is over the text: the same files from another place (the image, a checkout) are the same."""
    copy = tmp_path / "copy"
    shutil.copytree(MIGRATIONS, copy)
    with database_server.clone() as database:
        assert migrate(database.owner_url, copy) == 0


def test_errors_of_the_runner_do_not_echo_the_password(files: Path) -> None:
    with pytest.raises(MigrationError, match="the database cannot be reached") as caught:
        migrate("postgresql://me:hunter2@127.0.0.1:1/nothing", files)
    assert "hunter2" not in str(caught.value)
