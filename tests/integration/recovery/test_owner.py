"""Every step as an owner such as Cloud SQL has: no superuser, bound by row-level security on its own tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import UUID

from infra.recovery.bringing import bring_over
from infra.recovery.checks import check
from infra.recovery.closing import close, reopen
from infra.recovery.credentials import end_credentials
from infra.recovery.owner import owner_database
from local_emulator.postgres import with_database
from shared.data.database import Database
from shared.data.migrations import connect, migrate
from shared.testing.object_store import MemoryObjectStore
from tests.support.database import MIGRATIONS, ClonedDatabase, DatabaseServer, actor_in, owner_without_powers


@contextmanager
def copy_of(server: DatabaseServer, name: str) -> Iterator[str]:
    copy = f"{name}_restored"
    with closing(connect(server.url)) as connection:
        connection.run(f'create database "{copy}" template "{name}" owner plain_owner')
    try:
        yield copy
    finally:
        with closing(connect(server.url)) as connection:
            connection.run(f'drop database "{copy}" with (force)')


def revoke(db: Database, database: ClonedDatabase, org_id: UUID, key_id: UUID) -> None:
    database.owner.run("update core.api_keys set revoked_at = now() where id = :id", id=key_id)
    with db.unit(actor_in(org_id)) as tx:
        tx.audit("keys:api_key:revoked", "api_key", key_id)


def test_an_owner_without_powers_takes_every_step_and_keeps_no_role(database_server: DatabaseServer) -> None:
    with database_server.clone("template0") as database, owner_without_powers(database.owner_url) as owner_url:
        database.owner.run("grant pg_signal_backend to plain_owner")  # as `cloudsqlsuperuser` has it
        migrate(owner_url, MIGRATIONS)
        org_id = database.make_org()
        key_id, _ = database.make_api_key(org_id, database.make_member(org_id, "owner"))
        db = database.build_database("auth")
        with db.unit(actor_in(org_id)) as tx:
            tx.audit("auth:org:created", "org", org_id)
        database.close()
        with copy_of(database_server, database.name) as copy:
            again = ClonedDatabase(database.name, database.owner_url, database.passwords)
            revoke(again.build_database("auth"), again, org_id, key_id)
            restored_url = with_database(owner_url, copy)
            with owner_database(owner_url) as source, owner_database(restored_url) as restored:
                assert close(source) >= 1
                told = [finding.text for finding in bring_over(source, restored)]
                reopen(source)
                assert f"keys:api_key:revoked of {key_id}: done again" in told
                lines = list(end_credentials(restored, point=None, with_keys=True))
                assert f"{org_id}: 0 invitations, 0 api keys, 0 scim tokens ended" in lines
                assert list(check(restored, MemoryObjectStore(), None)) == []
            with closing(connect(with_database(database.owner_url, copy))) as looking:
                assert looking.run("select count(*) from core.api_keys where revoked_at is null") == [[0]]
                kept = "select count(*) from pg_auth_members m where m.member = 'plain_owner'::regrole and m.set_option and m.roleid <> 'pg_signal_backend'::regrole"
                assert looking.run(kept) == [[0]]
            again.close()
