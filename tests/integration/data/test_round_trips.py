"""What a unit of work costs on the wire."""

from __future__ import annotations

from tests.support.database import ClonedDatabase, actor_in
from tests.support.wire import wire_to


def test_a_unit_begins_in_one_round_trip_and_ends_in_one(database: ClonedDatabase) -> None:
    org_id = database.make_org()
    with wire_to(database.url("keys_login")) as wire:
        db = database.build_database("keys", database_url=wire.url)
        with db.unit(actor_in(org_id)):
            pass
        wire.reset()
        with db.unit(actor_in(org_id)):
            assert wire.round_trips == 1, f"beginning took {wire.round_trips} round trips: {wire.queries}"
            assert wire.queries[0].startswith("begin; set local role")
            assert str(org_id) in wire.queries[0]
        assert wire.round_trips == 2, f"a whole empty unit took {wire.round_trips} round trips: {wire.queries}"
        assert wire.sent == {"Q": 2}
        assert wire.connections == 0, "a pooled connection was there to be used again"


def test_a_known_statement_is_one_round_trip(database: ClonedDatabase) -> None:
    org_id = database.make_org()
    with wire_to(database.url("auth_login")) as wire:
        db = database.build_database("auth", database_url=wire.url)
        sql = "select name from core.orgs where id = :org_id"
        with db.unit(actor_in(org_id)) as tx:
            tx.rows(sql)
        wire.reset()
        with db.unit(actor_in(org_id)) as tx:
            tx.rows(sql)
        assert wire.round_trips == 3, f"begin, statement, commit took {wire.round_trips} round trips"
        assert wire.sent["P"] == 0, "the statement was parsed again"
