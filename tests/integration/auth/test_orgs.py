"""Organisations over a real Postgres: renamed, deleted, restored, given up; what they use of their plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from functions.auth.domain.security_txt import Disclosure
from functions.auth.routes import ROUTES
from shared.http.app import App
from tests.support.auth_orgs import AuthFunction, Org, Person, outcome, send
from tests.support.database import ClonedDatabase, DatabaseServer, actor_in
from tests.support.http_app import call
from tests.support.tenants import TwoTenants, fill, tenant_tables, two_tenants

KEPT = {"core.orgs", "core.audit_log", "core.audit_heads"}


@pytest.fixture
def org(auth: AuthFunction) -> Org:
    return auth.org("team")


@pytest.fixture
def owner(org: Org) -> Person:
    return org.person("owner")


@pytest.fixture
def platform_admin(auth: AuthFunction) -> Person:
    return auth.person(is_platform_admin=True)


def platform_path(org: Org) -> str:
    return f"/api/v2/admin/orgs/{org.id}"


def set_deleted(org: Org, days_ago: float) -> None:
    org.auth.database.owner.run(
        "update core.orgs set deleted_at = now() - make_interval(secs => :seconds) where id = :id",
        id=org.id,
        seconds=days_ago * 86400,
    )


def test_an_admin_renames_the_organisation_by_hand_or_by_key(org: Org, owner: Person) -> None:
    admin = org.person("admin")
    assert admin.done("PATCH", org.path(), {"name": "  New name "})["name"] == "New name"
    assert admin.done("GET", org.path())["name"] == "New name"
    assert send(org.auth.app, "PATCH", org.path(), org.key(owner, "admin"), {"name": "By key"}).status_code == 200
    assert [entry["facts"]["name"] for entry in org.audits()] == ["New name", "By key"]
    admin.done("PATCH", org.path(), {"name": "By key"})
    assert len(org.audits()) == 2, "the same name again is no change"


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, None, 7])
def test_a_name_that_is_none_is_refused(org: Org, owner: Person, name: Any) -> None:
    found = owner.refused("PATCH", org.path(), {"name": name}, status=422, code="invalid")
    assert [item["field"] for item in found["errors"]] == ["name"]


def test_a_deleted_organisation_is_gone_for_everybody_at_once(org: Org, owner: Person) -> None:
    member = org.person("member")
    key = org.key(owner, "admin")
    bound = member.token(bound_org_id=org.id)
    owner.done("DELETE", org.path(), status=204)
    for person in (owner, member):
        person.refused("GET", org.path(), status=404, code="not_found")
        assert person.done("GET", "/api/v2/orgs")["items"] == []
    assert outcome(send(org.auth.app, "GET", org.path(), key)) == (401, "unauthenticated")
    member.refused("GET", "/api/v2/me", status=401, code="unauthenticated", token=bound)
    owner.refused("DELETE", org.path(), status=404, code="not_found")
    assert [entry["action"] for entry in org.audits()] == ["auth:org:deleted"]
    assert [entry["target_id"] for entry in org.auth.audits(None)][-1:] == [str(org.id)]
    assert org.auth.events("auth:org:deleted") == [{"event": "auth:org:deleted"}]


def test_only_a_freshly_signed_in_owner_deletes(org: Org, owner: Person) -> None:
    org.person("admin").refused("DELETE", org.path(), status=403, code="role_required")
    owner.refused("DELETE", org.path(), status=403, code="fresh_login_required", token=owner.token(minutes_ago=16))
    owner.refused("DELETE", org.path(), status=403, code="human_required", token=org.key(owner, "admin"))
    assert owner.done("GET", org.path())["id"] == str(org.id)


def test_of_two_owners_who_delete_at_once_one_does(org: Org, owner: Person) -> None:
    other = org.person("owner")
    answers = org.auth.at_once(org.id, (owner, "DELETE", org.path(), None), (other, "DELETE", org.path(), None))
    assert sorted(outcome(answer) for answer in answers) == [(204, ""), (404, "not_found")]
    assert len(org.audits()) == 1


def test_a_platform_admin_restores_within_thirty_days(org: Org, owner: Person, platform_admin: Person) -> None:
    key = org.key(owner, "read")
    bound = owner.token(bound_org_id=org.id)
    owner.done("DELETE", org.path(), status=204)
    shown = platform_admin.done("GET", platform_path(org))
    assert shown["deleted_at"] is not None
    assert shown["purge_at"][:10] > shown["deleted_at"][:10]
    restored = platform_admin.done("PATCH", platform_path(org), {"is_deleted": False})
    assert (restored["deleted_at"], restored["purge_at"], restored["members"]) == (None, None, 1)
    assert owner.done("GET", org.path())["role"] == "owner"
    assert send(org.auth.app, "GET", org.path(), key).status_code == 200
    owner.refused("GET", "/api/v2/me", status=401, code="unauthenticated", token=bound)
    assert [entry["action"] for entry in org.audits()] == ["auth:org:deleted", "auth:org:restored"]
    assert org.auth.audits(None)[-1]["action"] == "auth:org:restored"
    assert org.auth.audits(None)[-1]["actor_id"] == str(platform_admin.id)


@pytest.mark.parametrize("days, is_restored", [(29.9, True), (30.1, False)])
def test_after_thirty_days_nothing_is_restored(org: Org, owner: Person, platform_admin: Person, days: float, is_restored: bool) -> None:  # fmt: skip
    set_deleted(org, days)
    if is_restored:
        platform_admin.done("PATCH", platform_path(org), {"is_deleted": False})
        return
    platform_admin.refused("PATCH", platform_path(org), {"is_deleted": False}, status=409, code="org_purged")
    owner.refused("GET", org.path(), status=404, code="not_found")


def test_an_organisation_without_an_owner_is_not_restored(org: Org, platform_admin: Person) -> None:
    org.person("admin")
    set_deleted(org, 1)
    platform_admin.refused("PATCH", platform_path(org), {"is_deleted": False}, status=409, code="org_ownerless")


def test_no_organisation_is_given_up_before_its_time_not_even_by_hand(org: Org, owner: Person) -> None:
    set_deleted(org, 29)
    with pytest.raises(Exception, match="check constraint"), org.auth.db.unit(actor_in(org.id)) as tx:
        tx.execute("update core.orgs set purged_at = now() where id = :org_id")
    found = org.auth.db.lookup("select core.purge_org_rows(cast(:id as uuid), 1000) as deleted", id=org.id)
    assert found == [{"deleted": 0}], "rows of an organisation that may be restored were deleted"
    assert org.roles() == {owner.id: "owner"}


@pytest.fixture(scope="module")
def tenants(database_server: DatabaseServer) -> Any:
    with two_tenants(database_server) as found:
        yield found


@pytest.fixture
def filled(database_server: DatabaseServer, tenants: TwoTenants) -> Any:
    """Two organisations with a row in every tenant table, and the function over them."""
    with database_server.clone(tenants.template) as database:
        database.owner.run("update core.audit_heads set seq = 1")  # where the one entry of each chain stands
        yield AuthFunction(database), tenants


def rows_left(database: ClonedDatabase, tenants: TwoTenants, org_id: UUID) -> dict[str, int]:
    found = {
        table.name: database.owner.run(
            f"select count(*) from {table.name} where {table.tenant_column} = :id", id=org_id
        )[0][0]
        for table in tenants.tables
    }
    return {name: count for name, count in found.items() if count}


def test_a_purge_takes_every_row_but_the_audit_log_and_nothing_of_others(
    filled: tuple[AuthFunction, TwoTenants],
) -> None:
    auth, tenants = filled
    gone, young, live = Org(auth, tenants.mine), Org(auth, tenants.other), auth.org()
    fill(auth.database, tenant_tables(auth.database), "Third")
    live.person("owner")
    set_deleted(gone, 30.01)
    set_deleted(young, 29.9)
    before = rows_left(auth.database, tenants, young.id)
    assert set(before) == {table.name for table in tenants.tables}, "a table that the purge might forget has no row"
    assert auth.tick("/_events/org-purge") == {"emptied": 1}
    assert set(rows_left(auth.database, tenants, gone.id)) == KEPT
    assert rows_left(auth.database, tenants, young.id) == before
    assert len(live.roles()) == 1
    ((name, is_purged, is_emptied),) = auth.database.owner.run(
        "select name, purged_at is not null, emptied_at is not null from core.orgs where id = :id", id=gone.id
    )
    assert (name, is_purged, is_emptied) == ("(deleted)", True, True)
    assert gone.audits()[-1]["action"] == "auth:org:purged"
    assert auth.audits(None)[-1]["target_id"] == str(gone.id)
    assert auth.tick("/_events/org-purge") == {"emptied": 0}
    admin = auth.person(is_platform_admin=True)
    admin.refused("PATCH", platform_path(gone), {"is_deleted": False}, status=409, code="org_purged")
    admin.refused("PATCH", platform_path(gone), {"plan": "free"}, status=409, code="org_deleted")


def test_a_purge_of_many_rows_goes_on_where_it_stopped(
    lone_auth: AuthFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = lone_auth.org()
    maker = org.person("owner")
    for _ in range(7):
        org.key(maker)
    set_deleted(org, 31)
    monkeypatch.setattr("functions.auth.handlers.purge._ROWS_AT_ONCE", 3)
    monkeypatch.setattr("functions.auth.handlers.purge._MOST_SECONDS", 0.0)
    emptied = []
    while not any(emptied):
        emptied.append(lone_auth.tick("/_events/org-purge")["emptied"])
        assert len(emptied) < 10, "the purge does not come to an end"
    assert len(emptied) > 2
    assert lone_auth.database.owner.run("select count(*) from core.api_keys where org_id = :id", id=org.id) == [[0]]
    assert [entry["action"] for entry in org.audits()] == ["auth:org:purged"], "told once, however often it went on"


def usage(person: Person, org: Org) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    found = person.done("GET", org.path("/usage"))
    return {item["name"]: item for item in found["limits"]}, found


def test_usage_shows_every_limit_with_what_is_used(org: Org, owner: Person) -> None:
    viewer = org.person("viewer")
    other = org.auth.org()
    other.key(other.person("owner"))
    org.key(owner)
    connection = org.auth.database.owner
    connection.run(
        "insert into core.api_keys (org_id, public_id, secret_hash, pepper_version, name, scopes, revoked_at) "
        "values (:id, 'revokedkey00', decode(repeat('00', 32), 'hex'), 1, 'x', '{read}', now())",
        id=org.id,
    )
    ((account_id,),) = connection.run(
        "insert into scan.cloud_accounts (org_id, provider, name, external_account, regions, auth_kind, role_arn, external_id) "
        "values (:id, 'aws', 'x', '123456789012', '{eu-west-1}', 'role', 'arn:aws:iam::123456789012:role/x', 'an-external-id') returning id",
        id=org.id,
    )
    connection.run(
        "insert into scan.scans (org_id, account_id, requested_by, shards_total) values (:id, :account_id, '', 1)",
        id=org.id,
        account_id=account_id,
    )
    connection.run(
        "insert into core.model_calls (org_id, period, starts_at, used) "
        "values (:id, 'hour', date_trunc('hour', now()), 3), (:id, 'hour', date_trunc('hour', now()) - interval '1 hour', 9)",
        id=org.id,
    )
    limits, whole = usage(viewer, org)
    assert {name: (item["used"], item["cap"]) for name, item in limits.items()} == {
        "cloud_accounts": (1, 10),
        "state_sources": (0, 10),
        "schedules": (0, 20),
        "api_keys": (1, 10),
        "seats": (2, 10),
        "concurrent_scans": (1, 20),
        "model_calls": (3, 20),
    }
    assert (whole["plan"], whole["history_seconds"], whole["shortest_interval_seconds"]) == ("team", 2592000, 3600)
    assert limits["model_calls"]["window"] == "hour"
    assert all(item["required_plan"] is None for item in limits.values())
    features = {item["name"]: (item["is_included"], item["required_plan"], item["window_days"]) for item in whole["features"]}  # fmt: skip
    assert features == {
        "saml": (True, "team", None),
        "slack": (True, "team", None),
        "compliance": (True, "team", 30),
        "scim": (False, "enterprise", None),
    }


def test_usage_names_the_plan_that_helps_once_a_limit_is_reached(org: Org, owner: Person) -> None:
    org.auth.database.owner.run("update core.orgs set plan = 'free' where id = :id", id=org.id)
    limits, whole = usage(owner, org)
    assert (limits["seats"]["used"], limits["seats"]["cap"], limits["seats"]["required_plan"]) == (1, 1, "team")
    assert limits["model_calls"]["window"] == "week"
    assert whole["history_seconds"] == 86400
    org.auth.database.owner.run("update core.orgs set plan = 'enterprise' where id = :id", id=org.id)
    limits, whole = usage(owner, org)
    assert {item["cap"] for item in limits.values()} == {None}
    assert whole["history_seconds"] is None


def test_anybody_may_read_where_vulnerabilities_are_reported(auth: AuthFunction) -> None:
    path = "/.well-known/security.txt"
    assert outcome(call(auth.app, "GET", path)) == (404, "not_found")
    until = auth.clock.now().date() + timedelta(days=1)
    told = replace(auth.deps, disclosure=Disclosure("mailto:security@driftwise.example", until))
    answer = call(App("auth", lambda _: told, ROUTES, settings=told.settings), "GET", path)
    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    assert f"Expires: {until}T00:00:00Z\n" in answer.get_data(as_text=True)
