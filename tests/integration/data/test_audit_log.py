"""The audit log on a real server: appended without gaps, refused to everybody who would change it, found when changed anyway."""

from __future__ import annotations

import shutil
import tracemalloc
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest
from pg8000 import native

from shared.data.audit_log import verify_org, verify_platform
from shared.data.database import Database
from shared.data.migrations import connect, migrate
from shared.security.actor import Actor
from shared.security.audit import Head, Problem, Verdict
from shared.testing.queue import MemoryQueue
from tests.support.database import (
    MIGRATIONS,
    ClonedDatabase,
    DatabaseServer,
    actor_in,
    login_roles,
    owner_without_powers,
    work_role,
)
from tests.support.wire import wire_to
from tests.unit.security.test_redact import PLAIN, SECRETS, leaks

TABLES = ("core.audit_log", "core.audit_heads", "core.platform_audit_log", "core.platform_audit_head")
DENIED = "42501"
STRANGER = Actor()


def write(db: Database, org_id: UUID, entries: int = 1) -> None:
    with db.unit(actor_in(org_id)) as tx:
        for number in range(entries):
            tx.audit("test:entry:written", "entry", number, number=number)


def judge(db: Database, org_id: UUID, *, expected_min_seq: int = 0, anchors: Sequence[Head] = ()) -> Verdict:
    with db.unit(actor_in(org_id)) as tx:
        return verify_org(tx, expected_min_seq=expected_min_seq, anchors=anchors)


def refused(connection: native.Connection, sql: str, **values: object) -> str:
    with pytest.raises(native.DatabaseError) as caught:
        connection.run(sql, **values)
    return str(caught.value.args[0]["C"])


@pytest.fixture
def org_id(database: ClonedDatabase) -> UUID:
    return database.make_org()


@pytest.fixture
def db(database: ClonedDatabase) -> Database:
    return database.build_database("auth")


@pytest.fixture
def chain(database: ClonedDatabase, db: Database, org_id: UUID) -> Head:
    """Five entries in the organisation's chain and three in the platform's."""
    write(db, org_id, 2)
    write(db, org_id, 3)
    with db.unit(STRANGER) as tx:
        for number in range(3):
            tx.audit_platform("test:platform:written", "entry", number)
    return judge(db, org_id).head


def test_entries_are_chained_as_they_were_written(db: Database, org_id: UUID, chain: Head) -> None:
    assert judge(db, org_id, expected_min_seq=5, anchors=[chain]) == Verdict(5, chain, None)
    with db.unit(STRANGER) as tx:
        verdict = verify_platform(tx, expected_min_seq=3)
    assert (verdict.entries, verdict.is_ok) == (3, True)


def test_each_organisation_counts_for_itself(database: ClonedDatabase, db: Database, org_id: UUID) -> None:
    other = database.make_org("Other")
    write(db, org_id, 3)
    write(db, other, 2)
    write(db, org_id)
    assert [judge(db, each).head.seq for each in (org_id, other)] == [4, 2]
    rows = database.owner.run("select org_id, array_agg(seq order by seq) from core.audit_log group by org_id")
    assert {row[0]: row[1] for row in rows} == {org_id: [1, 2, 3, 4], other: [1, 2]}


def test_an_organisation_without_entries_is_in_order(db: Database, org_id: UUID) -> None:
    assert judge(db, org_id).is_ok
    assert judge(db, org_id, expected_min_seq=1).problem == Problem(1, "truncated")


def test_every_value_that_can_be_stored_is_verified_as_it_was_written(db: Database, org_id: UUID) -> None:
    """Numbers, keys and text that a database or a parser would write in another way."""
    with db.unit(actor_in(org_id)) as tx:
        tx.audit(
            "test:entry:written", "é\u2028,9:x", "'; --\\",
            small=5e-324, large=1e308, whole=1.0, negative=-0.0, huge=10**40, deep={"b": [None, True, {"z": 1, "a": 2}]},
            text="\ud83d\ude00 \u00e9 \\u0041 \x7f", day=UUID(int=3), empty={},
        )  # fmt: skip
    assert judge(db, org_id) == Verdict(1, judge(db, org_id).head, None)


def test_a_secret_that_somebody_took_for_a_name_is_not_kept_for_ever(
    database: ClonedDatabase, db: Database, org_id: UUID
) -> None:
    with db.unit(actor_in(org_id)) as tx:
        for secret in SECRETS.values():
            tx.audit("test:entry:written", "entry", 1, name=secret, more=[{"text": f"see {secret}"}], password=PLAIN)
            tx.audit_platform("test:entry:written", "entry", 1, name=secret, invited="ada@example.test", number=7)
    kept = str(database.owner.run("select facts::text from core.audit_log"))
    platform = str(database.owner.run("select facts::text from core.platform_audit_log"))
    assert [name for name, secret in SECRETS.items() if leaks(secret, kept + platform)] == []
    assert PLAIN not in kept
    assert platform.count("ada@example.test") == len(SECRETS), "who was invited is what the entry is for"
    assert judge(db, org_id).is_ok


def test_an_entry_outside_of_any_organisation_is_refused(db: Database) -> None:
    with pytest.raises(ValueError, match="audit_platform"), db.unit(STRANGER) as tx:
        tx.audit("test:entry:written")


def test_a_roll_back_leaves_no_gap(database: ClonedDatabase, db: Database, org_id: UUID) -> None:
    write(db, org_id, 2)
    with pytest.raises(ZeroDivisionError), db.unit(actor_in(org_id)) as tx:
        tx.audit("test:entry:written")
        _ = 1 / 0
    with pytest.raises(native.DatabaseError, match="audit_log_action_check"), db.unit(actor_in(org_id)) as tx:
        tx.audit("test:entry:written")
        tx.audit("not an action")
    write(db, org_id)
    assert database.owner.run("select array_agg(seq order by seq) from core.audit_log") == [[[1, 2, 3]]]
    assert judge(db, org_id).is_ok


def test_any_number_of_entries_costs_two_round_trips(database: ClonedDatabase, org_id: UUID) -> None:
    with wire_to(database.url("keys_login")) as wire:
        db = database.build_database("keys", MemoryQueue(), database_url=wire.url)
        for entries in (1, 1, 50):
            write(db, org_id, entries)
            if entries == 1:
                wire.reset()
        assert wire.round_trips == 4, f"begin, head, entries, commit took {wire.round_trips}: {wire.sent}"


def test_writers_at_once_leave_no_gap_and_lock_nobody_out(database: ClonedDatabase) -> None:
    """Functions on connections of their own, with other locks in play, in two organisations and the platform."""
    orgs = [database.make_org("One"), database.make_org("Two")]
    writers, units = 8, 15
    dbs = [database.build_database(name, pool_size=1) for name in ("auth", "keys", "scan", "auth") * 2]
    start = Barrier(writers)

    def work(number: int) -> None:
        start.wait(30)
        for turn in range(units):
            org_id = orgs[(number + turn) % 2]
            with dbs[number].unit(actor_in(org_id)) as tx:
                tx.audit("test:entry:written", "entry", turn)
                if number % 4 == 0:
                    tx.execute("update core.orgs set name = :name where id = :org_id", name=f"{number}/{turn}")
                    tx.audit_platform("test:platform:written")
                if turn % 3 == 0:
                    tx.audit("test:entry:written")
                    tx.emit("org-events", {"kind": "written"})

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(work, range(writers)))
    found = [judge(dbs[0], org_id) for org_id in orgs]
    assert all(verdict.is_ok for verdict in found), found
    assert sum(verdict.entries for verdict in found) == writers * units + writers * len(range(0, units, 3))
    with dbs[0].unit(STRANGER) as tx:
        assert verify_platform(tx).head.seq == 2 * units
    backwards = database.owner.run(
        "select count(*) from core.audit_log a join core.audit_log b on b.org_id = a.org_id and b.seq = a.seq + 1 and b.at < a.at"
    )
    assert backwards == [[0]], "time goes back in a chain"


def test_first_entries_at_once_make_one_head(database: ClonedDatabase) -> None:
    orgs = [database.make_org(f"Org {number}") for number in range(5)]
    dbs = [database.build_database("keys", pool_size=1) for _ in range(4)]
    start = Barrier(len(dbs))

    def work(db: Database) -> None:
        for org_id in orgs:
            start.wait(30)
            write(db, org_id)

    with ThreadPoolExecutor(len(dbs)) as pool:
        list(pool.map(work, dbs))
    auth = database.build_database("auth")
    assert [judge(auth, org_id).head.seq for org_id in orgs] == [len(dbs)] * len(orgs)


def test_an_entry_does_not_wait_for_the_organisations_row(database: ClonedDatabase, db: Database, org_id: UUID) -> None:
    """Whoever holds the head waits for no other lock; otherwise two units could wait for each other."""
    write(db, org_id)
    with closing(connect(database.owner_url)) as other:
        other.run("begin")
        other.run("select id from core.orgs where id = :org_id for update", org_id=org_id)
        write(db, org_id)
        other.run("rollback")
    assert judge(db, org_id).entries == 2


def test_verifying_leaves_out_what_is_written_meanwhile(
    database: ClonedDatabase, db: Database, org_id: UUID, chain: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.data.audit_log._PAGE_ENTRIES", 2)
    writer = database.build_database("keys")
    with db.unit(actor_in(org_id)) as tx:
        ask = tx.rows

        def rows(sql: str, **values: object) -> object:
            write(writer, org_id)
            return ask(sql, **values)

        monkeypatch.setattr(tx, "rows", rows)
        verdict = verify_org(tx)
    assert verdict.is_ok
    assert verdict.entries < judge(db, org_id).entries


@pytest.mark.parametrize("login", login_roles())
def test_no_function_can_change_what_was_written(
    database: ClonedDatabase, db: Database, org_id: UUID, chain: Head, login: str
) -> None:
    connection = database.connect(login)
    for is_in_role in (False, True):
        if is_in_role:
            connection.run(f"set role {work_role(login)}")
            connection.run("select set_config('app.org_id', :org_id, false)", org_id=str(org_id))
        for table in TABLES:
            for sql in (
                f"update {table} set seq = 1",
                f"update {table} set hash = '\\x00'",
                f"delete from {table}",
                f"truncate {table}",
                f"alter table {table} disable trigger all",
                "update core.audit_log set facts = '{}'",
                "update core.platform_audit_log set actor_id = ''",
                "set session_replication_role = replica",
                "select core.refuse_change()",
            ):
                assert refused(connection, sql) == DENIED, f"{login} ran: {sql}"
    assert judge(db, org_id).head == chain


def test_not_even_the_owner_can_change_what_was_written(
    database: ClonedDatabase, db: Database, org_id: UUID, chain: Head
) -> None:
    owner = database.owner
    for setting in ("origin", "replica"):
        owner.run(f"set session_replication_role = {setting}")
        for table in TABLES:
            for sql in (f"delete from {table}", f"truncate {table} cascade", f"update {table} set seq = seq - 1"):
                assert refused(owner, sql) == DENIED, f"the owner ran: {sql}"
        for table in ("core.audit_log", "core.platform_audit_log"):
            assert refused(owner, f"update {table} set action = action") == DENIED
    owner.run("reset session_replication_role")
    assert refused(owner, "update core.audit_heads set hash = decode(repeat('00', 32), 'hex')") == DENIED
    assert judge(db, org_id).head == chain


def test_an_organisation_cannot_be_deleted_from_under_its_history(
    database: ClonedDatabase, db: Database, org_id: UUID, chain: Head
) -> None:
    assert refused(database.owner, "delete from core.orgs where id = :org_id", org_id=org_id) in {"23001", "23503"}
    assert refused(database.owner, "truncate core.orgs cascade") == DENIED
    assert judge(db, org_id).head == chain


CHANGES = {
    "id": "uuidv7()",
    "at": "at + interval '1 microsecond'",
    "action": "'keys:api_key:created'",
    "actor_kind": "'key'",
    "actor_id": "actor_id || ' '",
    "target_kind": "''",
    "target_id": "''",
    "facts": "cast(replace(facts::text, ':', ': ') as json)",
    "request_id": "'another'",
    "seq": "seq + 100",
    "version": "2",
    "prev_hash": "sha256(prev_hash)",
    "hash": "sha256(hash)",
    "org_id": "cast(:other as uuid)",
}


def test_a_change_of_any_column_is_found(database: ClonedDatabase, db: Database, org_id: UUID, chain: Head) -> None:
    """By somebody who can switch the triggers off: the operator of the database, or who took it over."""
    other = database.make_org("Other")
    write(db, other)
    columns = {row[0] for row in database.owner.run(
        "select attname::text from pg_attribute where attrelid = 'core.audit_log'::regclass and attnum > 0 and not attisdropped"
    )}  # fmt: skip
    assert columns == set(CHANGES), "a column of the log is not tried"
    (before,) = database.owner.run(
        "select to_jsonb(l) from core.audit_log l where org_id = :org_id and seq = 3", org_id=org_id
    )
    database.owner.run("alter table core.audit_log disable trigger all")
    for column, value in CHANGES.items():
        given = {"other": other} if ":other" in value else {}
        ((entry_id,),) = database.owner.run(
            f"update core.audit_log set {column} = {value} where org_id = :org_id and seq = 3 returning id",
            org_id=org_id,
            **given,
        )
        verdict = judge(db, org_id)
        assert verdict.problem is not None, f"a change of {column} is not found"
        assert verdict.problem.seq == 3, f"a change of {column}: {verdict.problem}"
        assert verdict.entries == 2
        database.owner.run(
            "update core.audit_log l set org_id = b.org_id, id = b.id, at = b.at, action = b.action, actor_kind = b.actor_kind, "
            "actor_id = b.actor_id, target_kind = b.target_kind, target_id = b.target_id, request_id = b.request_id, "
            "facts = cast(:facts as json), seq = b.seq, version = b.version, prev_hash = b.prev_hash, hash = b.hash "
            "from jsonb_populate_record(cast(null as core.audit_log), cast(:before as jsonb)) b where l.id = :entry_id",
            facts='{"number":0}',
            before=before[0],
            entry_id=entry_id,
        )
        assert judge(db, org_id).head == chain, f"{column} was not put back"


@pytest.mark.parametrize(
    "sql, problem",
    [
        ("delete from core.audit_log where org_id = :org_id and seq = 3", Problem(3, "gap")),
        ("delete from core.audit_log where org_id = :org_id and seq = 1", Problem(1, "gap")),
        ("delete from core.audit_log where org_id = :org_id and seq = 5", Problem(5, "head_mismatch")),
        ("delete from core.audit_log where org_id = :org_id", Problem(1, "head_mismatch")),
        ("update core.audit_heads set seq = 4 where org_id = :org_id", Problem(5, "head_mismatch")),
        ("update core.audit_heads set hash = sha256(hash) where org_id = :org_id", Problem(5, "head_mismatch")),
        ("delete from core.audit_heads where org_id = :org_id", Problem(1, "head_mismatch")),
        (
            """
            with head as (
              update core.audit_heads h set seq = 3, hash = l.hash from core.audit_log l
              where h.org_id = :org_id and l.org_id = h.org_id and l.seq = 3
            )
            delete from core.audit_log where org_id = :org_id and seq > 3
            """,
            Problem(4, "truncated"),
        ),
        (
            """
            insert into core.audit_log (org_id, action, actor_kind, seq, version, prev_hash, hash)
            select org_id, 'test:entry:forged', 'human', 6, 1, hash, hash from core.audit_heads where org_id = :org_id
            """,
            Problem(6, "altered"),
        ),
    ],
)  # fmt: skip
def test_what_somebody_removes_or_adds_is_found(
    database: ClonedDatabase, db: Database, org_id: UUID, chain: Head, sql: str, problem: Problem
) -> None:
    for table in ("core.audit_log", "core.audit_heads"):
        database.owner.run(f"alter table {table} disable trigger all")
    database.owner.run(sql, org_id=org_id)
    assert judge(db, org_id, expected_min_seq=5).problem == problem


def test_swapped_entries_are_found(database: ClonedDatabase, db: Database, org_id: UUID, chain: Head) -> None:
    database.owner.run("alter table core.audit_log disable trigger all")
    for old, new in ((2, 90), (4, 2), (90, 4)):
        database.owner.run(
            "update core.audit_log set seq = :new where seq = :old and org_id = :org_id",
            old=old,
            new=new,
            org_id=org_id,
        )
    assert judge(db, org_id).problem == Problem(2, "altered")


def test_only_auth_reads_the_logs(database: ClonedDatabase, org_id: UUID, chain: Head) -> None:
    for login in set(login_roles()) - {"auth_login"}:
        for table in ("core.audit_log", "core.platform_audit_log", "core.platform_audit_head"):
            other = database.build_database(login.removesuffix("_login"))
            with pytest.raises(native.DatabaseError) as caught, other.unit(actor_in(org_id)) as tx:
                tx.rows(f"select id from {table}")
            assert caught.value.args[0]["C"] == DENIED, f"{login} reads {table}"


def test_a_chain_of_many_batches_is_verified(db: Database, org_id: UUID) -> None:
    for _ in range(3):
        write(db, org_id, 5000)
    verdict = judge(db, org_id, expected_min_seq=15_000)
    assert (verdict.entries, verdict.is_ok) == (15_000, True)


def test_a_longer_chain_takes_no_more_memory(db: Database, org_id: UUID) -> None:
    most: list[int] = []
    for entries in (2000, 6000):
        write(db, org_id, entries)
        judge(db, org_id)  # what is loaded and prepared once is there now
        tracemalloc.start()
        assert judge(db, org_id).is_ok
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert most[1] < 1.2 * most[0], f"{most[0]} bytes for 2,000 entries, {most[1]} for 8,000"


def test_entries_from_before_the_chain_are_chained_in_their_order(
    database_server: DatabaseServer, tmp_path: Path
) -> None:
    """As an owner who is no superuser, and so is bound by row-level security, would migrate a database in use."""
    for path in MIGRATIONS.glob("000[1-6]_*.sql"):
        shutil.copy(path, tmp_path)
    with (
        database_server.clone("template0") as database,
        owner_without_powers(database.owner_url) as owner_url,
    ):
        migrate(owner_url, tmp_path)
        orgs = [database.make_org("One"), database.make_org("Two"), database.make_org("Silent")]
        for number in range(9):
            database.owner.run(
                "insert into core.audit_log (org_id, action, actor_kind, actor_id, target_id, facts, at) values "
                "(:org_id, 'test:entry:written', 'human', :actor, '', cast(:facts as jsonb), now() - interval '1 day' * :number)",
                org_id=orgs[number % 2],
                actor=f"é€ {number}, 9:x",
                facts='{"z": 1.50, "a": "\\u00e9", "deep": {"b": [1e3, null]}}',
                number=number,
            )
        migrate(owner_url, MIGRATIONS)
        db = database.build_database("auth")
        for org_id, entries in zip(orgs, (5, 4, 0), strict=True):
            verdict = judge(db, org_id)
            assert (verdict.entries, verdict.problem) == (entries, None)
            write(db, org_id)
            assert judge(db, org_id, expected_min_seq=entries + 1).is_ok
        in_order = database.owner.run(
            "select bool_and(seq = place) from (select seq, row_number() over (partition by org_id order by id) as place from core.audit_log) x"
        )
        assert in_order == [[True]]
        database.close()
