"""The platform's audit chain, changed by somebody who can switch its triggers off: every change is found."""

from __future__ import annotations

import pytest

from shared.data.audit_log import verify_platform
from shared.data.database import Database
from shared.security.actor import Actor
from shared.security.audit import Problem, Verdict
from tests.support.database import ClonedDatabase

TABLES = ("core.platform_audit_log", "core.platform_audit_head")
CHANGES = {
    "id": "uuidv7()",
    "at": "at + interval '1 microsecond'",
    "action": "'auth:identity:linked'",
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
}
REMOVALS = {
    "the first": (["delete from core.platform_audit_log where seq = 1"], Problem(1, "gap")),
    "one in the middle": (["delete from core.platform_audit_log where seq = 2"], Problem(2, "gap")),
    "the last": (["delete from core.platform_audit_log where seq = 3"], Problem(3, "head_mismatch")),
    "all": (["delete from core.platform_audit_log"], Problem(1, "head_mismatch")),
    "the head": (["delete from core.platform_audit_head"], Problem(1, "head_mismatch")),
    "the head's place": (["update core.platform_audit_head set seq = 2"], Problem(3, "head_mismatch")),
    "the head's hash": (["update core.platform_audit_head set hash = sha256(hash)"], Problem(3, "head_mismatch")),
    "two entries' places": (
        [
            "update core.platform_audit_log set seq = 20 where seq = 1",
            "update core.platform_audit_log set seq = 1 where seq = 2",
            "update core.platform_audit_log set seq = 2 where seq = 20",
        ],
        Problem(1, "altered"),
    ),
    "the end, with the head moved along": (
        [
            "update core.platform_audit_head h set seq = 2, hash = l.hash from core.platform_audit_log l where l.seq = 2",
            "delete from core.platform_audit_log where seq > 2",
        ],
        Problem(3, "truncated"),
    ),
}


@pytest.fixture
def db(database: ClonedDatabase) -> Database:
    """The database of the function that writes the chain, with three entries in it; its triggers are off."""
    found = database.build_database("auth")
    with found.unit(Actor()) as tx:
        for number in range(3):
            tx.audit_platform("test:platform:written", "entry", number, number=number)
    for table in TABLES:
        database.owner.run(f"alter table {table} disable trigger all")
    return found


def judge(db: Database) -> Verdict:
    with db.unit(Actor()) as tx:
        return verify_platform(tx, expected_min_seq=3)


def test_an_untouched_chain_is_in_order(db: Database) -> None:
    assert judge(db).is_ok


def test_every_column_is_tried(database: ClonedDatabase) -> None:
    rows = database.owner.run(
        "select attname::text from pg_attribute "
        "where attrelid = 'core.platform_audit_log'::regclass and attnum > 0 and not attisdropped"
    )
    assert {row[0] for row in rows} == set(CHANGES)


def test_a_change_of_any_column_is_found(database: ClonedDatabase, db: Database) -> None:
    database.owner.run("create table core.before as select * from core.platform_audit_log")
    for column, value in CHANGES.items():
        database.owner.run(f"update core.platform_audit_log set {column} = {value} where seq = 2")
        found = judge(db).problem
        assert found is not None, f"a change of {column} is not found"
        assert found.seq == 2, f"a change of {column}: {found}"
        database.owner.run("delete from core.platform_audit_log")
        database.owner.run("insert into core.platform_audit_log select * from core.before")
        assert judge(db).is_ok, f"{column} was not put back"


@pytest.mark.parametrize(("statements", "problem"), REMOVALS.values(), ids=REMOVALS)
def test_what_was_removed_or_moved_is_found(
    database: ClonedDatabase, db: Database, statements: list[str], problem: Problem
) -> None:
    for statement in statements:
        database.owner.run(statement)
    assert judge(db).problem == problem
