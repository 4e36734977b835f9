"""A database is destroyed and restored from its base backup and archive: to the end, and to a moment between two commits.

One story for the module. Before the point an organisation has an owner, an admin, two keys and people who are signed in. After it
rights are taken away and a second organisation begins. Then the disk is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from infra.recovery.bringing import bring_over
from infra.recovery.checks import check
from infra.recovery.closing import close, reopen
from infra.recovery.credentials import end_credentials
from infra.recovery.findings import Finding
from infra.recovery.owner import owner_database
from local_emulator.database import enable_logins, ensure_database
from shared.data.audit_log import verify_org, verify_platform
from shared.data.database import Database
from shared.data.errors import DatabaseAway
from shared.data.migrations import connect, migrate
from shared.security.actor import Actor, Role
from shared.security.audit import PLATFORM_CHAIN, Head, anchor_name, org_chain
from shared.testing.object_store import MemoryObjectStore
from tests.support.archived_server import DATABASE, ArchivedPlace, archived_place
from tests.support.database import MIGRATIONS, ClonedDatabase, actor_in, login_roles

PASSWORDS = {login: f"password-of-{login}" for login in login_roles()}
NOBODY = Actor()


@dataclass
class Story:
    """What happened, and where it can be found again."""

    place: ArchivedPlace
    anchors: MemoryObjectStore = field(default_factory=MemoryObjectStore)
    ids: dict[str, UUID] = field(default_factory=dict)
    point: datetime | None = None
    at_the_end: str = ""
    at_the_point: str = ""


def database_at(url: str) -> ClonedDatabase:
    return ClonedDatabase(DATABASE, url, PASSWORDS)


def head_of(db: Database, org_id: UUID | None) -> Head:
    with db.unit(NOBODY if org_id is None else actor_in(org_id)) as tx:
        verdict = verify_platform(tx) if org_id is None else verify_org(tx)
    assert verdict.is_ok
    return verdict.head


def anchor(story: Story, db: Database, org_id: UUID | None) -> None:
    chain = PLATFORM_CHAIN if org_id is None else org_chain(org_id)
    story.anchors.put_new(anchor_name(chain, head_of(db, org_id)), b"{}")


def before_the_point(story: Story, source: ClonedDatabase, db: Database) -> None:
    now = datetime.now(UTC)
    org_id = story.ids["org"] = source.make_org()
    owner = story.ids["owner"] = source.make_member(org_id, "owner")
    for name, role in (("removed", "admin"), ("lowered", "admin"), ("heir", "member")):
        story.ids[name] = source.make_member(org_id, role)
    story.ids["admin of the platform"] = source.make_user(is_platform_admin=True)
    story.ids["disabled"] = source.make_user()
    for name in ("kept key", "revoked key", "rotated key"):
        story.ids[name] = source.make_api_key(org_id, owner)[0]
    story.ids["session"] = source.make_session(owner, now)
    source.owner.run(
        "insert into core.refresh_tokens (token_hash, session_id) values (sha256('x'), :id)", id=story.ids["session"]
    )
    source.owner.run("insert into core.allowed_domains (domain) values ('example.test')")
    source.owner.run(
        "insert into core.invitations (org_id, email, role, token_hash, invited_by, expires_at) "
        "values (:org_id, 'guest@example.test', 'viewer', sha256('y'), :owner, now() + interval '7 days')",
        org_id=org_id,
        owner=owner,
    )
    with db.unit(actor_in(org_id)) as tx:
        tx.audit("auth:org:created", "org", org_id)
        tx.audit("keys:api_key:created", "api_key", story.ids["kept key"])
    with db.unit(NOBODY) as tx:
        tx.audit_platform("auth:domain:added", "domain", "example.test")
    anchor(story, db, org_id)
    anchor(story, db, None)


def after_the_point(story: Story, source: ClonedDatabase, db: Database) -> None:
    ids, org_id = story.ids, story.ids["org"]
    run = source.owner.run
    run("update core.api_keys set revoked_at = now() where id = :id", id=ids["revoked key"])
    run("delete from core.members where user_id = :id", id=ids["removed"])
    run("update core.members set role = 'viewer' where user_id = :id", id=ids["lowered"])
    run("update core.users set disabled_at = now() where id = :id", id=ids["disabled"])
    run("update core.users set is_platform_admin = false where id = :id", id=ids["admin of the platform"])
    run("delete from core.allowed_domains")
    run("update core.sessions set revoked_at = now()")
    with db.unit(actor_in(org_id)) as tx:
        tx.audit("keys:api_key:revoked", "api_key", ids["revoked key"], name="one")
        tx.audit("keys:api_key:rotated", "api_key", ids["rotated key"], name="two")
        tx.audit("auth:member:removed", "user", ids["removed"], role="admin")
        tx.audit("auth:member:role_changed", "user", ids["lowered"], old_role="admin", role="viewer")
        tx.audit("auth:member:role_changed", "user", ids["heir"], old_role="member", role="owner")
        tx.audit("auth:member:left", "user", ids["owner"], role="owner")
        tx.audit("webhook:config:rotated", "webhook_config", UUID(int=7), name="a webhook")
        tx.audit("scan:scan:started", "scan", UUID(int=8))
    with db.unit(NOBODY) as tx:
        tx.audit_platform("auth:user:disabled", "user", ids["disabled"])
        tx.audit_platform("auth:platform_admin:unmade", "user", ids["admin of the platform"])
        tx.audit_platform("auth:domain:removed", "domain", "example.test")
    ids["second org"] = source.make_org("Second")
    with db.unit(actor_in(ids["second org"])) as tx:
        tx.audit("auth:org:created", "org", ids["second org"])
    for one in (org_id, ids["second org"], None):
        anchor(story, db, one)


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    with archived_place() as place:
        ensure_database(place.source.url, DATABASE)
        migrate(place.url, MIGRATIONS)
        enable_logins(place.source.url, PASSWORDS)
        place.take_base_backup()
        told = Story(place)
        source = database_at(place.url)
        db = source.build_database("auth")
        before_the_point(told, source, db)
        told.point = source.owner.run("select clock_timestamp()")[0][0]
        after_the_point(told, source, db)
        place.archive_everything()
        source.close()
        place.destroy_source()
        told.at_the_end = place.restore(None)
        told.at_the_point = place.restore(told.point)
        yield told


def checked(story: Story, url: str, restored_at: datetime | None = None) -> list[Finding]:
    with owner_database(url) as database:
        return list(check(database, story.anchors, restored_at))


def problems(findings: list[Finding]) -> list[str]:
    return [finding.text for finding in findings if finding.is_problem]


def rows(url: str, sql: str, **values: object) -> list[list[Any]]:
    with closing(connect(url)) as owner:
        return [list(row) for row in owner.run(sql, **values)]


LIVE_KEYS = "select id from core.api_keys where revoked_at is null order by id"


def test_to_the_end_of_the_archive_nothing_that_was_committed_is_lost(story: Story) -> None:
    ids = story.ids
    assert sorted(row[0] for row in rows(story.at_the_end, LIVE_KEYS)) == sorted([ids["kept key"], ids["rotated key"]])
    assert {row[0] for row in rows(story.at_the_end, "select id from core.orgs")} == {ids["org"], ids["second org"]}
    actions = rows(story.at_the_end, "select action from core.audit_log where org_id = :id order by seq", id=ids["org"])
    assert [row[0] for row in actions][-1] == "scan:scan:started"
    assert len(actions) == 10
    assert checked(story, story.at_the_end) == []


def test_to_a_moment_exactly_what_was_committed_by_then_is_there(story: Story) -> None:
    """Run before anything is brought over: tests of a module run in their order."""
    ids = story.ids
    assert len(rows(story.at_the_point, LIVE_KEYS)) == 3
    assert rows(story.at_the_point, "select id from core.orgs") == [[ids["org"]]]
    assert rows(story.at_the_point, "select count(*) from core.members") == [[4]]
    assert rows(story.at_the_point, "select count(*) from core.audit_log") == [[2]]
    assert rows(story.at_the_point, "select domain from core.allowed_domains") == [["example.test"]]


def test_what_was_anchored_beyond_the_restored_chains_is_told(story: Story) -> None:
    found = checked(story, story.at_the_point)
    assert problems(found) == []
    told = "\n".join(finding.text for finding in found)
    chain = org_chain(story.ids["org"])
    assert f"{chain} ends at entry 2; up to 10 was anchored, so at least 8 are missing" in told
    assert f"{org_chain(story.ids['second org'])} was anchored up to entry 1 and is not here" in told
    assert "platform ends at entry 1; up to 4 was anchored" in told


def test_credentials_that_a_restore_brought_back_are_found(story: Story) -> None:
    found = "\n".join(problems(checked(story, story.at_the_point, datetime.now(UTC))))
    assert "1 sessions from before the restore are alive" in found
    assert "1 refresh tokens from before the restore are alive" in found
    assert "1 invitations from before the restore are open" in found


def test_a_source_that_was_closed_lets_no_function_in_and_its_owner_only(story: Story) -> None:
    source = database_at(story.at_the_end)
    db = source.build_database("auth")
    head_of(db, story.ids["org"])
    with owner_database(story.at_the_end) as database:
        assert close(database) >= 1
        with pytest.raises(DatabaseAway):
            head_of(db, story.ids["org"])
        assert database.lookup("select count(*) as orgs from core.orgs") == [{"orgs": 2}]
        reopen(database)
    head_of(db, story.ids["org"])
    source.close()


def test_history_is_brought_over_and_what_was_taken_away_is_taken_away_again(story: Story) -> None:
    ids, url = story.ids, story.at_the_point
    with owner_database(story.at_the_end) as source, owner_database(url) as restored:
        close(source)
        told = list(bring_over(source, restored))
        again = list(bring_over(source, restored))
        reopen(source)
    assert problems(told) == []
    assert rows(url, LIVE_KEYS) == [[ids["kept key"]]]
    members = {user_id: role for user_id, role in rows(url, "select user_id, role from core.members")}  # noqa: C416
    assert members == {ids["owner"]: "owner", ids["lowered"]: "viewer", ids["heir"]: "member"}, (
        "who left is the only owner here and stays; nobody is raised"
    )
    assert rows(url, "select id from core.users where disabled_at is not null") == [[ids["disabled"]]]
    assert rows(url, "select count(*) from core.users where is_platform_admin") == [[0]]
    assert rows(url, "select count(*) from core.allowed_domains") == [[0]]
    text = "\n".join(finding.text for finding in told)
    assert f"auth:member:left of {ids['owner']}: changed nothing" in text
    assert f"webhook:config:rotated of {UUID(int=7)}: rotate its secret again, with grace 0" in text
    assert "8 entries brought over; undone by the restore: scan:scan:started (1)" in text
    assert f"{org_chain(ids['second org'])} began after the point" in text
    assert [finding.text for finding in again if "began after" not in finding.text] == []


def test_the_chains_go_on_whole_and_fit_every_anchor(story: Story) -> None:
    source, restored = database_at(story.at_the_end), database_at(story.at_the_point)
    for org_id in (story.ids["org"], None):
        there, here = (head_of(one.build_database("auth"), org_id) for one in (source, restored))
        assert there == here
    found = checked(story, story.at_the_point)
    assert problems(found) == []
    assert [finding.text for finding in found] == [
        f"{org_chain(story.ids['second org'])} was anchored up to entry 1 and is not here"
    ]
    with restored.build_database("auth").unit(actor_in(story.ids["org"], role=Role.OWNER)) as tx:
        tx.audit("test:entry:written", "entry", 1)
    for one in (source, restored):
        one.close()


def test_a_chain_that_has_forked_is_told_and_nothing_of_it_is_changed(story: Story) -> None:
    """The restored database was written to in the test before, and the source is now written to as well."""
    source = database_at(story.at_the_end)
    with source.build_database("auth").unit(actor_in(story.ids["org"])) as tx:
        tx.audit("keys:api_key:revoked", "api_key", story.ids["kept key"])
        tx.audit("keys:api_key:revoked", "api_key", story.ids["kept key"])
    with owner_database(story.at_the_end) as there, owner_database(story.at_the_point) as here:
        told = problems(list(bring_over(there, here)))
    assert len(told) == 1
    assert "the restored database was written to, or the source is another one" in told[0]
    assert rows(story.at_the_point, LIVE_KEYS) == [[story.ids["kept key"]]]
    source.close()


def test_a_source_whose_chain_is_broken_is_told(story: Story) -> None:
    with closing(connect(story.at_the_end)) as owner:
        owner.run("alter table core.platform_audit_log disable trigger user")
        owner.run("update core.platform_audit_log set actor_id = 'somebody' where seq = 4")
    try:
        with owner_database(story.at_the_end) as there, owner_database(story.at_the_point) as here:
            told = problems(list(bring_over(there, here)))
        assert "platform: entry 4 of the source is altered; nothing of it was brought over" in told
        assert "platform: entry 4 is altered" in problems(checked(story, story.at_the_end))
    finally:
        with closing(connect(story.at_the_end)) as owner:
            owner.run("update core.platform_audit_log set actor_id = '' where seq = 4")
            for name in ("rows", "truncate"):
                owner.run(f"alter table core.platform_audit_log enable always trigger platform_audit_log_{name}")


def test_sessions_and_what_leads_to_one_end_and_keys_too_when_the_source_is_lost(story: Story) -> None:
    url = story.at_the_point
    restored_at = datetime.now(UTC)
    with owner_database(url) as database:
        told = list(end_credentials(database, point=story.point, with_keys=False))
    assert "people: 1 sessions, 1 refresh tokens" in told[0]
    assert f"{story.ids['org']}: 1 invitations ended" in told
    assert rows(url, LIVE_KEYS) == [[story.ids["kept key"]]]
    assert problems(checked(story, url, restored_at)) == []
    with owner_database(url) as database:
        told = list(end_credentials(database, point=story.point, with_keys=True))
    assert f"{story.ids['org']}: 0 invitations, 1 api keys, 0 scim tokens ended" in told
    assert rows(url, LIVE_KEYS) == []
    said = rows(url, "select action, facts::text from core.platform_audit_log order by seq desc limit 1")[0]
    assert said[0] == "recovery:database:restored"
    assert story.point is not None
    assert story.point.isoformat() in str(said[1])
    assert problems(checked(story, url)) == []


@pytest.mark.parametrize(
    ("damage", "mend", "found"),
    [
        (
            "alter table core.api_keys disable row level security",
            "alter table core.api_keys enable row level security",
            "core.api_keys: row-level security is off",
        ),
        (
            "alter table core.orgs no force row level security",
            "alter table core.orgs force row level security",
            "core.orgs: it does not bind the owner",
        ),
        ("alter role keys_work bypassrls", "alter role keys_work nobypassrls", "keys_work may do more"),
        (
            "alter table core.audit_log enable trigger audit_log_rows",
            "alter table core.audit_log enable always trigger audit_log_rows",
            "core.audit_log: audit_log_rows does not always fire",
        ),
        (
            "update public.schema_migrations set sha256 = sha256('x') where version = 3",
            "update public.schema_migrations m set sha256 = (select sha256 from pg_temp.kept where version = 3) where version = 3",
            "0003_api_keys.sql is not the file that was applied",
        ),
    ],
)
def test_a_database_that_protects_less_is_found(story: Story, damage: str, mend: str, found: str) -> None:
    with closing(connect(story.at_the_end)) as owner:
        owner.run("create temporary table kept as select version, sha256 from public.schema_migrations")
        owner.run(damage)
        told = "\n".join(problems(checked(story, story.at_the_end)))
        owner.run(mend)
    assert found in told
    assert found not in "\n".join(problems(checked(story, story.at_the_end)))


def test_a_release_and_a_database_of_another_day_are_told(story: Story) -> None:
    with closing(connect(story.at_the_end)) as owner:
        newest = owner.run(
            "delete from public.schema_migrations where version = (select max(version) from public.schema_migrations) returning name, version, sha256"
        )[0]
        told = problems(checked(story, story.at_the_end))
        owner.run(
            "insert into public.schema_migrations (name, version, sha256) values (:name, :version, :sha256), ('9999_x.sql', 9999, sha256('x'))",
            name=newest[0], version=newest[1], sha256=newest[2],
        )  # fmt: skip
        ahead = problems(checked(story, story.at_the_end))
        owner.run("delete from public.schema_migrations where version = 9999")
    assert told == [f"{newest[0]} is not applied: run the migrations job before anything else"]
    assert ahead == ["9999 was applied and is none of this release: take the release that has it"]


def test_a_message_of_an_unknown_topic_is_told_and_others_wait(story: Story) -> None:
    with closing(connect(story.at_the_end)) as owner:
        owner.run(
            "insert into core.outbox (org_id, topic, payload) values (:id, 'org-events', '{}'), (:id, 'gone', '{}')",
            id=story.ids["org"],
        )
        found = [finding for finding in checked(story, story.at_the_end) if finding.check == "outbox"]
        owner.run("delete from core.outbox")
    assert [(finding.is_problem, "org-events" in finding.text) for finding in found] == [(True, False), (False, True)]


def test_a_moment_without_a_time_zone_is_no_moment(story: Story) -> None:
    with pytest.raises(ValueError, match="time zone"):
        story.place.restore(datetime(2026, 1, 1) + timedelta(0))  # noqa: DTZ001
