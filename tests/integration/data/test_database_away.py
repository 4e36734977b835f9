"""What callers are told when the database cannot serve them, and that it works again afterwards by itself."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier
from uuid import UUID

import pytest

from shared.data.database import Database
from shared.data.errors import DatabaseAway, OutcomeUnknown, PoolExhausted, QueryTimeout, WriteConflict
from shared.http.errors import AppError
from tests.support.database import ClonedDatabase, DatabaseServer, actor_in
from tests.support.restartable_server import RestartableServer
from tests.support.wire import wire_to

_RENAME = "update core.orgs set name = :name where id = :org_id"
_PING = "select 1 as up"


def rename(db: Database, org_id: UUID, name: str) -> None:
    with db.unit(actor_in(org_id)) as tx:
        tx.execute(_RENAME, name=name)


def names(database: ClonedDatabase) -> list[str]:
    return [row[0] for row in database.owner.run("select name from core.orgs order by id")]


def end_backends(database: ClonedDatabase, login: str) -> int:
    """End the server's side of every connection of a login role; returns how many there were."""
    rows = database.owner.run(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = :login and datname = :name",
        login=login,
        name=database.name,
    )
    return len(rows)


def hold_connections(db: Database, org_id: UUID, how_many: int) -> ExitStack:
    stack = ExitStack()
    for _ in range(how_many):
        stack.enter_context(db.unit(actor_in(org_id)))
    return stack


@pytest.mark.parametrize(
    "ask",
    [lambda db, _: db.lookup(_PING), lambda db, org_id: rename(db, org_id, "Never")],
    ids=["lookup", "unit of work"],
)
def test_a_server_that_is_not_there_is_503_database_away(
    database: ClonedDatabase, ask: Callable[[Database, UUID], object]
) -> None:
    org_id = database.make_org("Kept")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    db = database.build_database("auth", database_url=f"postgresql://auth_login:x@127.0.0.1:{port}/nothing")
    with pytest.raises(DatabaseAway) as caught:
        ask(db, org_id)
    assert (caught.value.status, caught.value.code) == (503, "database_away")
    assert caught.value.retry_after_seconds
    assert names(database) == ["Kept"]


def test_a_server_that_is_full_is_503_database_away(database: ClonedDatabase) -> None:
    org_id = database.make_org("Kept")
    database.owner.run(f'alter database "{database.name}" connection limit 0')
    db = database.build_database("auth")
    with pytest.raises(DatabaseAway):
        rename(db, org_id, "Never")
    database.owner.run(f'alter database "{database.name}" connection limit -1')
    rename(db, org_id, "Now")
    assert names(database) == ["Now"]


@pytest.mark.parametrize("state", ["53000", "53100", "53200", "53400", "58000", "58030", "58P01"])
def test_a_server_that_lacks_disk_memory_or_files_is_503_database_away(database: ClonedDatabase, state: str) -> None:
    """Classes 53 (insufficient resources) and 58 (system error); source: PostgreSQL 18, appendix A."""
    org_id = database.make_org("Kept")
    db = database.build_database("auth")
    with pytest.raises(DatabaseAway) as caught, db.unit(actor_in(org_id)) as tx:
        tx.execute(_RENAME, name="Never")
        tx.execute(f"do $$ begin raise sqlstate '{state}'; end $$")
    assert caught.value.code == "database_away"
    assert names(database) == ["Kept"]
    rename(db, org_id, "Again")
    assert names(database) == ["Again"]


def test_a_connection_that_ends_inside_a_unit_stores_nothing(database: ClonedDatabase) -> None:
    org_id = database.make_org("Kept")
    db = database.build_database("auth", pool_size=1)
    with pytest.raises(DatabaseAway) as caught, db.unit(actor_in(org_id)) as tx:
        tx.execute(_RENAME, name="Never")
        assert end_backends(database, "auth_login") == 1
        tx.execute(_RENAME, name="Never either")
    assert caught.value.code == "database_away"
    assert names(database) == ["Kept"]
    rename(db, org_id, "Again")
    assert names(database) == ["Again"]


def test_a_commit_whose_answer_is_lost_is_not_reported_as_nothing_stored(database: ClonedDatabase) -> None:
    org_id = database.make_org("Before")
    with wire_to(database.url("auth_login")) as wire:
        db = database.build_database("auth", database_url=wire.url)
        wire.lose_answer_to = "commit"
        with pytest.raises(OutcomeUnknown) as caught:
            rename(db, org_id, "After")
        wire.lose_answer_to = None
        assert (caught.value.status, caught.value.code) == (503, "outcome_unknown")
        assert "nothing was stored" not in str(caught.value)
        assert names(database) == ["After"]
        rename(db, org_id, "Again")
    assert names(database) == ["Again"]


@pytest.mark.parametrize("idle", [1, 2, 5])
def test_stale_pooled_connections_are_healed_unseen(database: ClonedDatabase, idle: int) -> None:
    """After a fail-over every idle connection of the pool is dead; no caller may notice."""
    org_id = database.make_org("Before")
    db = database.build_database("auth")
    hold_connections(db, org_id, idle).close()
    assert end_backends(database, "auth_login") == idle
    rename(db, org_id, "After")
    assert names(database) == ["After"]
    hold_connections(db, org_id, idle).close()
    assert end_backends(database, "auth_login") == idle
    assert db.lookup(_PING) == [{"up": 1}]


def test_a_restart_of_the_server_is_survived(
    restartable: RestartableServer, restartable_databases: DatabaseServer
) -> None:
    with restartable_databases.clone() as database:
        org_id = database.make_org("Before")
        db = database.build_database("auth")
        hold_connections(db, org_id, 3).close()
        database.owner.close()
        with pytest.raises(DatabaseAway), db.unit(actor_in(org_id)) as tx:
            tx.execute(_RENAME, name="Never")
            restartable.stop()
            tx.execute(_RENAME, name="Never either")
        for _ in range(2):
            with pytest.raises(DatabaseAway):
                rename(db, org_id, "Never")
            with pytest.raises(DatabaseAway):
                db.lookup(_PING)
        restartable.start()
        with db.unit(actor_in(org_id)) as tx:
            assert tx.row("select name from core.orgs where id = :org_id") == {"name": "Before"}
        rename(db, org_id, "After")
        assert db.lookup(_PING) == [{"up": 1}]


def test_a_busy_pool_is_503_database_busy_and_recovers(
    database: ClonedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.data.database._POOL_WAIT_SECONDS", 0.1)
    org_id = database.make_org()
    db = database.build_database("auth", pool_size=2)
    with hold_connections(db, org_id, 2):
        with pytest.raises(PoolExhausted) as caught:
            rename(db, org_id, "Never")
        with pytest.raises(PoolExhausted):
            db.lookup(_PING)
    assert (caught.value.status, caught.value.code) == (503, "database_busy")
    rename(db, org_id, "After")
    assert names(database) == ["After"]


def test_failures_do_not_use_the_pool_up(database: ClonedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind of failure gives its connection back; more of them than the pool has places."""
    monkeypatch.setattr("shared.data.database._POOL_WAIT_SECONDS", 0.1)
    org_id = database.make_org()
    db = database.build_database("auth", pool_size=2)
    for _ in range(4):
        with pytest.raises(ZeroDivisionError), db.unit(actor_in(org_id)):
            _ = 1 / 0
        with pytest.raises(Exception, match="does not exist"), db.unit(actor_in(org_id)) as tx:
            tx.execute("select missing from core.orgs where id = :org_id")
        with pytest.raises(Exception, match="does not exist"):
            db.lookup("select core.no_such_lookup()")
        with pytest.raises(DatabaseAway), db.unit(actor_in(org_id)) as tx:
            end_backends(database, "auth_login")
            tx.execute(_RENAME, name="Never")
    with hold_connections(db, org_id, 2):
        pass
    rename(db, org_id, "After")


def test_a_slow_statement_is_503_query_timeout(database: ClonedDatabase) -> None:
    org_id = database.make_org("Kept")
    database.owner.run(f"alter role auth_login in database {database.name} set statement_timeout = '50ms'")
    db = database.build_database("auth", pool_size=1)
    with pytest.raises(QueryTimeout) as caught, db.unit(actor_in(org_id)) as tx:
        tx.execute(_RENAME, name="Never")
        tx.execute("select pg_sleep(60)")
    assert (caught.value.status, caught.value.code) == (503, "query_timeout")
    assert names(database) == ["Kept"]
    with pytest.raises(QueryTimeout):
        db.lookup("select pg_sleep(60)")
    rename(db, org_id, "After")
    assert names(database) == ["After"]


def test_a_row_that_another_holds_too_long_is_503_query_timeout(database: ClonedDatabase) -> None:
    org_id = database.make_org("Kept")
    database.owner.run(f"alter role auth_login in database {database.name} set lock_timeout = '50ms'")
    db = database.build_database("auth")
    with db.unit(actor_in(org_id)) as holder:
        holder.execute(_RENAME, name="First")
        with pytest.raises(QueryTimeout):
            rename(db, org_id, "Second")
    assert names(database) == ["First"]
    rename(db, org_id, "Second")
    assert names(database) == ["Second"]


def test_a_unit_that_idles_too_long_loses_its_transaction_and_says_so(database: ClonedDatabase) -> None:
    org_id = database.make_org("Kept")
    database.owner.run(
        f"alter role auth_login in database {database.name} set idle_in_transaction_session_timeout = '50ms'"
    )
    db = database.build_database("auth", pool_size=1)
    with pytest.raises(AppError) as caught, db.unit(actor_in(org_id)) as tx:
        tx.execute(_RENAME, name="Never")
        database.owner.run(
            "do $$ begin while exists (select from pg_stat_activity where usename = 'auth_login' and datname = "
            "current_database()) loop perform pg_sleep(0.02); perform pg_stat_clear_snapshot(); end loop; end $$"
        )
        tx.execute(_RENAME, name="Never either")
    assert caught.value.status == 503
    assert names(database) == ["Kept"]
    rename(db, org_id, "After")


def test_of_two_units_in_a_deadlock_one_is_503_write_conflict_and_the_other_is_stored(database: ClonedDatabase) -> None:
    org_id = database.make_org()
    people = [database.make_member(org_id, "viewer") for _ in range(2)]
    database.owner.run(f"alter database {database.name} set deadlock_timeout = '50ms'")
    db = database.build_database("auth")
    both_hold_one = Barrier(2, timeout=20)
    sql = "update core.members set role = :role where org_id = :org_id and user_id = :user_id"

    def change(role: str, first: UUID, second: UUID) -> str:
        try:
            with db.unit(actor_in(org_id)) as tx:
                tx.execute(sql, role=role, user_id=first)
                both_hold_one.wait()
                tx.execute(sql, role=role, user_id=second)
        except WriteConflict as error:
            return error.code
        return role

    with ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(change, "admin", *people), threads.submit(change, "member", *reversed(people))]
        outcomes = [job.result(30) for job in jobs]
    assert outcomes.count("write_conflict") == 1, outcomes
    (winner,) = [outcome for outcome in outcomes if outcome != "write_conflict"]
    stored = database.owner.run("select distinct role from core.members")
    assert stored == [[winner]], "the loser left something behind"
