"""What platform admins do, over a real Postgres: domains, people, organisations; and that one of them always stays."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.support.auth_orgs import AuthFunction, Org, Person, outcome, send

ADMIN = "/api/v2/admin"


@pytest.fixture
def admin(lone_auth: AuthFunction) -> Person:
    """The only platform admin there is."""
    return lone_auth.person("root@platform.test", is_platform_admin=True)


def user_path(person: Person) -> str:
    return f"{ADMIN}/users/{person.id}"


def actions(auth: AuthFunction) -> list[str]:
    return [entry["action"] for entry in auth.audits(None)]


def pages(person: Person, path: str) -> list[Any]:
    """Return all items of a list, page by page."""
    found: list[Any] = []
    cursor = ""
    while True:
        page = person.done("GET", f"{path}{'&' if '?' in path else '?'}limit=2{cursor}")
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def test_everybody_may_ask_whether_they_run_the_platform(lone_auth: AuthFunction, admin: Person) -> None:
    org = lone_auth.org()
    owner = org.person("owner")
    assert admin.done("GET", f"{ADMIN}/me") == {"id": str(admin.id), "is_platform_admin": True}
    assert owner.done("GET", f"{ADMIN}/me")["is_platform_admin"] is False
    assert owner.done("GET", f"{ADMIN}/me", token=org.key(owner, "admin"))["is_platform_admin"] is False
    bound = admin.token(bound_org_id=org.id)
    assert admin.done("GET", f"{ADMIN}/me", token=bound)["is_platform_admin"] is False
    admin.refused("GET", f"{ADMIN}/users", status=403, code="platform_admin_required", token=bound)


def test_domains_are_added_listed_and_removed(lone_auth: AuthFunction, admin: Person) -> None:
    for domain in ("zeta.example", "Alpha.Example", "mid.example", "xn--bcher-kva.example"):
        made = admin.done("POST", f"{ADMIN}/domains", {"domain": domain}, status=201)
        assert (made["domain"], made["created_by"]) == (domain.lower(), str(admin.id))
    names = [item["domain"] for item in pages(admin, f"{ADMIN}/domains")]
    assert names == ["alpha.example", "mid.example", "xn--bcher-kva.example", "zeta.example"]
    admin.refused("POST", f"{ADMIN}/domains", {"domain": "ALPHA.example"}, status=409, code="domain_exists")
    admin.done("DELETE", f"{ADMIN}/domains/ALPHA.example", status=204)
    admin.refused("DELETE", f"{ADMIN}/domains/alpha.example", status=404, code="not_found")
    assert actions(lone_auth) == ["auth:domain:added"] * 4 + ["auth:domain:removed"]


@pytest.mark.parametrize(
    "domain",
    ["", "localhost", "a..b", ".a.b", "a.b.", "-a.example", "a-.example", "a_b.example", "ex ample.com", "bücher.example",
     "1.2.3.4", "x" * 64 + ".example", "a." * 130 + "b", "user@example.com", "https://example.com", "a.example\n"],
)  # fmt: skip
def test_what_is_no_domain_is_refused(auth: AuthFunction, domain: str) -> None:
    admin = auth.person(is_platform_admin=True)
    admin.refused("POST", f"{ADMIN}/domains", {"domain": domain}, status=422, code="invalid")
    admin.refused("GET", f"{ADMIN}/domains?cursor=garbage!", status=422, code="invalid")


def test_people_are_searched_and_filtered_page_by_page(lone_auth: AuthFunction, admin: Person) -> None:
    people = [lone_auth.person(f"Person_{number}%@search.test") for number in range(5)]
    off = people[2]
    admin.done("PATCH", user_path(off), {"is_disabled": True})
    listed = [item["id"] for item in pages(admin, f"{ADMIN}/users?search=SEARCH.test")]
    assert listed == sorted((str(person.id) for person in people), reverse=True)
    assert [item["id"] for item in pages(admin, f"{ADMIN}/users?search=_3%25")] == [str(people[3].id)], (
        "characters that a pattern would read are taken as they are"
    )
    assert len(pages(admin, f"{ADMIN}/users?search=test%20person")) == 6, "names are searched as well"
    assert pages(admin, f"{ADMIN}/users?search=nobody") == []
    assert [item["id"] for item in pages(admin, f"{ADMIN}/users?is_disabled=true")] == [str(off.id)]
    assert [item["id"] for item in pages(admin, f"{ADMIN}/users?is_platform_admin=true")] == [str(admin.id)]
    assert len(pages(admin, f"{ADMIN}/users?is_disabled=false&search=search")) == 4


def test_a_person_is_shown_with_the_organisations_they_belong_to(lone_auth: AuthFunction, admin: Person) -> None:
    org, gone = lone_auth.org(name="Shown"), lone_auth.org(name="Gone")
    person = org.person("owner")
    lone_auth.database.owner.run(
        "insert into core.members (org_id, user_id, role) values (:org, :user, 'viewer')", org=gone.id, user=person.id
    )
    gone.person("owner").done("DELETE", gone.path(), status=204)
    found = admin.done("GET", user_path(person))
    assert found["email"] == person.email
    assert [
        (item["name"], item["role"], item["is_only_owner"], item["deleted_at"] is None) for item in found["memberships"]
    ] == [
        ("Shown", "owner", True, True),
        ("Gone", "viewer", False, False),
    ]
    org.person("owner")
    assert admin.done("GET", user_path(person))["memberships"][0]["is_only_owner"] is False


def test_switching_an_account_off_ends_sessions_and_keys_and_on_brings_back_no_session(
    lone_auth: AuthFunction, admin: Person
) -> None:
    org = lone_auth.org()
    person = org.person("owner")
    token, key = person.token(), org.key(person, "read")
    assert person.done("GET", "/api/v2/me", token=token)["id"] == str(person.id)
    assert send(lone_auth.app, "GET", org.path(), key).status_code == 200
    shown = admin.done("PATCH", user_path(person), {"is_disabled": True})
    assert shown["disabled_at"] is not None
    person.refused("GET", "/api/v2/me", status=401, code="unauthenticated", token=token)
    lone_auth.clock.advance(3)
    assert outcome(send(lone_auth.app, "GET", org.path(), key)) == (401, "unauthenticated")
    ((alive,),) = lone_auth.database.owner.run(
        "select count(*) from core.sessions where user_id = :id and revoked_at is null", id=person.id
    )
    assert alive == 0, "a session would live again as soon as the account is switched on"
    assert admin.done("PATCH", user_path(person), {"is_disabled": True})["disabled_at"] == shown["disabled_at"]
    assert admin.done("PATCH", user_path(person), {"is_disabled": False})["disabled_at"] is None
    person.refused("GET", "/api/v2/me", status=401, code="unauthenticated", token=token)
    assert send(lone_auth.app, "GET", org.path(), key).status_code == 200
    assert actions(lone_auth) == ["auth:user:disabled", "auth:user:enabled"], "the same again is no change"
    assert lone_auth.audits(None)[0]["facts"]["sessions_ended"] == 1


def test_platform_admins_are_made_and_unmade(lone_auth: AuthFunction, admin: Person) -> None:
    person = lone_auth.person()
    token = person.token()
    person.refused("GET", f"{ADMIN}/users", status=403, code="platform_admin_required", token=token)
    assert admin.done("PATCH", user_path(person), {"is_platform_admin": True})["is_platform_admin"] is True
    assert person.done("GET", f"{ADMIN}/users", token=token)["items"]
    admin.done("PATCH", user_path(admin), {"is_platform_admin": False})
    admin.refused("GET", f"{ADMIN}/users", status=403, code="platform_admin_required")
    assert actions(lone_auth) == ["auth:platform_admin:made", "auth:platform_admin:unmade"]


@pytest.mark.parametrize("change", [{"is_platform_admin": False}, {"is_disabled": True}, {"is_disabled": True, "is_platform_admin": True}])  # fmt: skip
def test_the_last_platform_admin_stays(lone_auth: AuthFunction, admin: Person, change: dict[str, bool]) -> None:
    off = lone_auth.person(is_platform_admin=True)
    admin.done("PATCH", user_path(off), {"is_disabled": True})
    admin.refused("PATCH", user_path(admin), change, status=409, code="last_platform_admin")
    admin.refused("DELETE", user_path(admin), status=409, code="last_platform_admin")
    assert admin.done("GET", f"{ADMIN}/me")["is_platform_admin"] is True


@pytest.mark.parametrize("change", [{"is_platform_admin": False}, {"is_disabled": True}])
def test_two_platform_admins_who_throw_each_other_out_at_once_leave_one(
    lone_auth: AuthFunction, admin: Person, change: dict[str, bool]
) -> None:
    other = lone_auth.person(is_platform_admin=True)
    answers = lone_auth.at_once(
        None, (admin, "PATCH", user_path(other), change), (other, "PATCH", user_path(admin), change)
    )
    assert sorted(outcome(answer) for answer in answers) == [(200, ""), (403, "platform_admin_required")]
    ((left,),) = lone_auth.database.owner.run(
        "select count(*) from core.users where is_platform_admin and disabled_at is null"
    )
    assert left == 1


def test_two_platform_admins_who_resign_at_once_leave_one(lone_auth: AuthFunction, admin: Person) -> None:
    other, change = lone_auth.person(is_platform_admin=True), {"is_platform_admin": False}
    answers = lone_auth.at_once(None, *((person, "PATCH", user_path(person), change) for person in (admin, other)))
    assert sorted(outcome(answer) for answer in answers) == [(200, ""), (409, "last_platform_admin")]


@pytest.mark.parametrize("body", [{}, {"is_disabled": None}, {"is_disabled": "yes"}, {"is_disabled": 1}, {"email": "x@y.z"}])  # fmt: skip
def test_a_change_that_says_nothing_or_nonsense_is_refused(auth: AuthFunction, body: dict[str, Any]) -> None:
    admin = auth.person(is_platform_admin=True)
    admin.refused("PATCH", user_path(auth.person()), body, status=422, code="invalid")


def test_a_person_is_deleted_with_everything_that_is_theirs(lone_auth: AuthFunction, admin: Person) -> None:
    org, gone = lone_auth.org(), lone_auth.org()
    org.person("owner")
    person = org.person("admin")
    lone_auth.database.owner.run(
        "insert into core.members (org_id, user_id, role) values (:org, :user, 'owner')", org=gone.id, user=person.id
    )
    token, key = person.token(), org.key(person, "admin")
    person.done("POST", org.path("/invitations"), {"email": "a@b.test"}, status=201)
    person.done("DELETE", gone.path(), status=204)
    admin.done("DELETE", user_path(person), status=204)
    admin.refused("GET", user_path(person), status=404, code="not_found")
    admin.refused("DELETE", user_path(person), status=404, code="not_found")
    person.refused("GET", "/api/v2/me", status=401, code="unauthenticated", token=token)
    lone_auth.clock.advance(3)
    assert outcome(send(lone_auth.app, "GET", org.path(), key)) == (401, "unauthenticated")
    for table in ("members", "sessions", "user_identities"):
        assert lone_auth.database.owner.run(f"select 1 from core.{table} where user_id = :id", id=person.id) == []
    for entries in (org.audits(), gone.audits()):
        removed = [entry for entry in entries if entry["action"] == "auth:member:removed"]
        assert [(entry["actor_id"], entry["target_id"]) for entry in removed] == [(str(admin.id), str(person.id))]
    assert actions(lone_auth)[-2:] == ["auth:user:disabled", "auth:user:deleted"]
    admin.refused("PATCH", f"{ADMIN}/orgs/{gone.id}", {"is_deleted": False}, status=409, code="org_ownerless")


def test_the_only_owner_of_a_live_organisation_is_not_deleted(lone_auth: AuthFunction, admin: Person) -> None:
    org = lone_auth.org()
    owner = org.person("owner")
    found = admin.refused("DELETE", user_path(owner), status=409, code="last_owner")
    assert found["org_ids"] == [str(org.id)]
    assert owner.done("GET", org.path())["role"] == "owner", "half of the deletion was done"
    org.person("owner")
    admin.done("DELETE", user_path(owner), status=204)


def test_an_owner_who_became_the_last_one_meanwhile_is_not_taken_out(
    lone_auth: AuthFunction, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = lone_auth.org()
    owner = org.person("owner")
    told = [{"org_id": org.id, "name": "x", "role": "owner", "deleted_at": None, "is_only_owner": False}]
    monkeypatch.setattr("functions.auth.queries.platform.list_memberships", lambda _db, _user_id: told)
    admin.refused("DELETE", user_path(owner), status=409, code="last_owner")
    assert org.roles() == {owner.id: "owner"}


def test_who_joins_something_while_being_deleted_is_not_deleted_behind_its_back(
    lone_auth: AuthFunction, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = lone_auth.org()
    person = org.person("viewer")
    monkeypatch.setattr("functions.auth.queries.platform.list_memberships", lambda _db, _user_id: [])
    admin.refused("DELETE", user_path(person), status=409, code="user_busy")
    monkeypatch.undo()
    admin.done("DELETE", user_path(person), status=204)
    assert org.roles() == {}


def test_organisations_are_listed_without_what_is_in_them(lone_auth: AuthFunction, admin: Person) -> None:
    orgs = [lone_auth.org(name=f"Listed {number}") for number in range(4)]
    orgs[0].person("viewer")
    admin.done("DELETE", f"{ADMIN}/orgs/{orgs[1].id}", status=204)
    items = pages(admin, f"{ADMIN}/orgs?search=LISTED")
    assert [item["id"] for item in items] == sorted((str(org.id) for org in orgs), reverse=True)
    assert set(items[0]) == {"id", "name", "plan", "members", "created_at", "deleted_at", "purge_at", "purged_at"}
    assert {item["name"]: item["members"] for item in items}["Listed 0"] == 1
    assert [item["name"] for item in pages(admin, f"{ADMIN}/orgs?state=deleted")] == ["Listed 1"]
    assert len(pages(admin, f"{ADMIN}/orgs?state=live&search=listed")) == 3
    assert pages(admin, f"{ADMIN}/orgs?state=purged") == []
    assert admin.done("GET", f"{ADMIN}/orgs/{orgs[0].id}")["members"] == 1
    admin.refused("GET", f"{ADMIN}/orgs/{uuid4()}", status=404, code="not_found")
    admin.refused("GET", orgs[0].path(), status=404, code="not_found")


def test_a_plan_is_changed_in_both_audit_logs_and_holds_at_once(lone_auth: AuthFunction, admin: Person) -> None:
    org: Org = lone_auth.org("free")
    owner, invitation = org.person("owner"), {"email": "new@b.test", "role": "viewer"}
    path = f"{ADMIN}/orgs/{org.id}"
    owner.refused("POST", org.path("/invitations"), invitation, status=402, code="seat_limit_reached")
    assert admin.done("PATCH", path, {"plan": "team"})["plan"] == "team"
    owner.done("POST", org.path("/invitations"), invitation, status=201)
    admin.done("PATCH", path, {"plan": "team"})
    for entries in (org.audits(), lone_auth.audits(None)):
        changes = [entry for entry in entries if entry["action"] == "auth:org:plan_changed"]
        assert [(entry["actor_id"], entry["facts"]["old_plan"], entry["facts"]["plan"]) for entry in changes] == [
            (str(admin.id), "free", "team")
        ]
    assert lone_auth.events("auth:org:plan_changed") == [{"event": "auth:org:plan_changed", "old_plan": "free", "plan": "team"}]  # fmt: skip
    for body in ({}, {"plan": "gold"}, {"is_deleted": True}, {"name": "x"}):
        admin.refused("PATCH", path, body, status=422, code="invalid")


def test_a_deleted_organisation_is_put_on_no_plan_unless_it_is_restored(lone_auth: AuthFunction, admin: Person) -> None:
    org = lone_auth.org("free")
    org.person("owner")
    path = f"{ADMIN}/orgs/{org.id}"
    admin.done("DELETE", path, status=204)
    admin.refused("DELETE", path, status=409, code="org_deleted")
    admin.refused("PATCH", path, {"plan": "team"}, status=409, code="org_deleted")
    restored = admin.done("PATCH", path, {"plan": "team", "is_deleted": False})
    assert (restored["plan"], restored["deleted_at"]) == ("team", None)
    assert [entry["action"] for entry in org.audits()] == [
        "auth:org:deleted",
        "auth:org:restored",
        "auth:org:plan_changed",
    ]
    assert actions(lone_auth) == ["auth:org:deleted", "auth:org:restored", "auth:org:plan_changed"]
