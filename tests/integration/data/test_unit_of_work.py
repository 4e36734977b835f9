"""The unit of work against a real server: one transaction, one organisation, one commit."""

from __future__ import annotations

import pytest

from shared.data.errors import AlreadyHandled, TransactionAborted, UniqueViolated
from shared.testing.queue import MemoryQueue
from tests.support.database import ClonedDatabase, actor_in


def test_what_a_unit_stored_is_there_after_it(database: ClonedDatabase) -> None:
    org_id = database.make_org("Before")
    with database.build_database("auth").unit(actor_in(org_id)) as tx:
        tx.execute("update core.orgs set name = 'After' where id = :org_id")
    assert database.owner.run("select name from core.orgs") == [["After"]]


def test_an_error_inside_a_unit_stores_nothing(database: ClonedDatabase) -> None:
    org_id = database.make_org("Before")
    queue = MemoryQueue()
    db = database.build_database("auth", queue)
    with pytest.raises(ZeroDivisionError), db.unit(actor_in(org_id)) as tx:
        tx.execute("update core.orgs set name = 'After' where id = :org_id")
        tx.audit("auth:org:renamed")
        tx.emit("org-events", {"kind": "renamed"})
        _ = 1 / 0
    assert database.owner.run("select name from core.orgs") == [["Before"]]
    assert database.owner.run("select count(*) from core.audit_log") == [[0]]
    assert database.owner.run("select count(*) from core.outbox") == [[0]]
    assert queue.messages("org-events") == []


def test_audit_and_effect_are_stored_together(database: ClonedDatabase) -> None:
    org_id = database.make_org("Before")
    actor = actor_in(org_id)
    with database.build_database("auth").unit(actor) as tx:
        tx.execute("update core.orgs set name = 'After' where id = :org_id")
        tx.audit("auth:org:renamed", "org", org_id, before="Before", after="After")
        assert database.owner.run("select count(*) from core.audit_log") == [[0]], "seen before the commit"
    rows = database.owner.run(
        "select org_id, action, actor_kind, actor_id, target_kind, target_id, facts from core.audit_log"
    )
    assert rows == [
        [org_id, "auth:org:renamed", "human", actor.id, "org", str(org_id), {"before": "Before", "after": "After"}]
    ]


def test_a_refused_audit_line_takes_the_effect_with_it(database: ClonedDatabase) -> None:
    org_id = database.make_org("Before")
    with (
        pytest.raises(Exception, match="audit_log_action_check"),
        database.build_database("auth").unit(actor_in(org_id)) as tx,
    ):
        tx.execute("update core.orgs set name = 'After' where id = :org_id")
        tx.audit("not an action")
    assert database.owner.run("select name from core.orgs") == [["Before"]]


def test_a_swallowed_database_error_is_never_answered_as_success(database: ClonedDatabase) -> None:
    """`commit` of an aborted transaction is a silent roll-back in PostgreSQL; a unit must not pass it off as a commit."""
    org_id = database.make_org("Before")
    user_id = database.make_member(org_id, "owner")
    db = database.build_database("auth")
    with pytest.raises(TransactionAborted), db.unit(actor_in(org_id)) as tx:
        tx.execute("update core.orgs set name = 'After' where id = :org_id")
        with pytest.raises(UniqueViolated, match="members_pkey"):
            tx.execute("insert into core.members (user_id, role) values (:user_id, 'viewer')", user_id=user_id)
    assert database.owner.run("select name from core.orgs") == [["Before"]]
    with db.unit(actor_in(org_id)) as tx:
        assert tx.rows("select name from core.orgs where id = :org_id") == [{"name": "Before"}]


def test_a_unit_leaves_its_connection_as_it_was_opened(database: ClonedDatabase) -> None:
    org_id = database.make_org()
    db = database.build_database("keys", pool_size=1)
    look = "select current_user as who, current_setting('app.org_id', true) as org, current_setting('statement_timeout') as most"
    opened = db.lookup(look)[0]
    with db.unit(actor_in(org_id)) as tx:
        inside = tx.row("select current_user as who, current_setting('app.org_id', true) as org")
        tx.execute("set statement_timeout = '1ms'")
    after_commit = db.lookup(look)[0]
    with pytest.raises(ZeroDivisionError), db.unit(actor_in(org_id)):
        _ = 1 / 0
    after_roll_back = db.lookup(look)[0]
    assert inside == {"who": "keys_work", "org": str(org_id)}
    for found in (opened, after_commit, after_roll_back):
        assert found["who"] == "keys_login"
        assert not found["org"]
        assert found["most"] == "10s"


def test_an_event_is_handled_once(database: ClonedDatabase) -> None:
    org_id = database.make_org()
    db = database.build_database("scan")
    with db.unit(actor_in(org_id)) as tx:
        tx.claim_event("scan-shards", "event-1")
    with pytest.raises(AlreadyHandled), db.unit(actor_in(org_id)) as tx:
        tx.claim_event("scan-shards", "event-1")
    with db.unit(actor_in(org_id)) as tx:
        tx.claim_event("scan-comparisons", "event-1")
    other = database.make_org("Other")
    with db.unit(actor_in(other)) as tx:
        tx.claim_event("scan-shards", "event-1")


def test_a_claim_of_a_failed_handler_is_given_back(database: ClonedDatabase) -> None:
    org_id = database.make_org()
    db = database.build_database("scan")
    with pytest.raises(ZeroDivisionError), db.unit(actor_in(org_id)) as tx:
        tx.claim_event("scan-shards", "event-1")
        _ = 1 / 0
    with db.unit(actor_in(org_id)) as tx:
        tx.claim_event("scan-shards", "event-1")


def test_values_come_back_as_they_went_in(database: ClonedDatabase) -> None:
    """Text that looks like SQL, parameters or escapes is only text."""
    org_id = database.make_org()
    facts = {
        "text": "'; drop table core.orgs; -- :org_id \\ é \u2028 %s {}",
        "deep": [{"a": None, "b": 1.5, "c": True}],
    }
    with database.build_database("auth").unit(actor_in(org_id)) as tx:
        tx.audit("auth:org:changed", **facts)
    ((stored,),) = database.owner.run("select facts from core.audit_log")
    assert stored == facts
