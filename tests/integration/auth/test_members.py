"""Members over a real Postgres, as the function's own login: roles, leaving, ownership, and changes that meet."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.support.auth_orgs import AuthFunction, Org, Person, outcome, send


@pytest.fixture
def org(auth: AuthFunction) -> Org:
    return auth.org("enterprise")


def member_path(org: Org, person: Person) -> str:
    return org.path(f"/members/{person.id}")


def test_members_are_listed_page_by_page_by_everybody_who_belongs(org: Org) -> None:
    people = [org.person("owner"), *(org.person("viewer") for _ in range(4))]
    other = org.auth.org().person("owner")
    seen: list[str] = []
    cursor = ""
    while True:
        found = people[-1].done("GET", org.path(f"/members?limit=2{cursor}"))
        seen += [item["user_id"] for item in found["items"]]
        if found["next_cursor"] is None:
            break
        cursor = f"&cursor={found['next_cursor']}"
    assert seen == sorted(str(person.id) for person in people)
    assert str(other.id) not in seen
    skipped = people[0].done("GET", org.path("/members?offset=3"))["items"]
    assert [item["user_id"] for item in skipped] == seen[3:], "older clients page by number"
    shown = people[0].done("GET", org.path("/members?limit=1"))["items"][0]
    assert set(shown) == {"user_id", "email", "name", "role", "is_disabled", "created_at"}


def test_a_role_is_changed_told_and_kept_in_the_audit_log(org: Org) -> None:
    admin, viewer = org.person("admin"), org.person("viewer")
    org.person("owner")
    shown = admin.done("PATCH", member_path(org, viewer), {"role": "member"})
    assert (shown["user_id"], shown["role"]) == (str(viewer.id), "member")
    assert org.roles()[viewer.id] == "member"
    (entry,) = org.audits()
    assert (entry["action"], entry["actor_id"], entry["target_id"]) == (
        "auth:member:role_changed",
        str(admin.id),
        str(viewer.id),
    )
    assert (entry["facts"]["old_role"], entry["facts"]["role"]) == ("viewer", "member")
    (event,) = org.auth.events("auth:member:role_changed")
    assert (event["user_id"], event["old_role"], event["role"]) == (str(viewer.id), "viewer", "member")


def test_the_same_role_again_changes_and_tells_nothing(org: Org) -> None:
    owner, viewer = org.person("owner"), org.person("viewer")
    assert owner.done("PATCH", member_path(org, viewer), {"role": "viewer"})["role"] == "viewer"
    assert org.audits() == []
    assert org.auth.events("auth:member:role_changed") == []


@pytest.mark.parametrize(
    "actor, target, wanted, outcome",
    [
        ("admin", "viewer", "admin", "admin"),
        ("admin", "admin", "viewer", "viewer"),  # an equal is not above
        ("admin", "viewer", "owner", "role_above_yours"),
        ("admin", "owner", "viewer", "role_above_yours"),
        ("admin", "owner", "owner", "role_above_yours"),
        ("owner", "owner", "member", "member"),
        ("owner", "member", "owner", "owner"),
    ],
)
def test_nobody_reaches_above_themselves(org: Org, actor: str, target: str, wanted: str, outcome: str) -> None:
    org.person("owner")
    who, whom = org.person(actor), org.person(target)
    if outcome == "role_above_yours":
        found = who.refused("PATCH", member_path(org, whom), {"role": wanted}, status=403, code=outcome)
        assert found["your_role"] == actor
        assert org.roles()[whom.id] == target
        assert org.audits() == []
    else:
        assert who.done("PATCH", member_path(org, whom), {"role": wanted})["role"] == outcome
        assert org.roles()[whom.id] == outcome


@pytest.mark.parametrize("target, is_allowed", [("viewer", True), ("admin", True), ("owner", False)])
def test_an_admin_takes_out_whoever_is_not_above(org: Org, target: str, is_allowed: bool) -> None:
    org.person("owner")
    admin, whom = org.person("admin"), org.person(target)
    if not is_allowed:
        admin.refused("DELETE", member_path(org, whom), status=403, code="role_above_yours")
        assert whom.id in org.roles()
        return
    admin.done("DELETE", member_path(org, whom), status=204)
    assert whom.id not in org.roles()
    assert [entry["action"] for entry in org.audits()] == ["auth:member:removed"]
    assert [event["user_id"] for event in org.auth.events("auth:member:removed")] == [str(whom.id)]
    whom.refused("GET", org.path(), status=404, code="not_found")


@pytest.mark.parametrize("role", ["viewer", "member", "admin", "owner"])
def test_everybody_may_leave_even_with_an_old_sign_in(org: Org, role: str) -> None:
    org.person("owner")
    leaver = org.person(role)
    leaver.done("DELETE", member_path(org, leaver), status=204, token=leaver.token(minutes_ago=600))
    assert leaver.id not in org.roles()
    assert [entry["action"] for entry in org.audits()] == ["auth:member:left"]


@pytest.mark.parametrize("role", ["viewer", "member"])
def test_only_admins_take_others_out_and_only_freshly_signed_in(org: Org, role: str) -> None:
    owner, low, whom = org.person("owner"), org.person(role), org.person("viewer")
    low.refused("DELETE", member_path(org, whom), status=403, code="role_required")
    stale = owner.token(minutes_ago=16)
    owner.refused("DELETE", member_path(org, whom), status=403, code="fresh_login_required", token=stale)
    owner.refused("PATCH", member_path(org, whom), {"role": "admin"}, status=403, code="fresh_login_required", token=stale)  # fmt: skip
    owner.refused("DELETE", member_path(org, whom), status=403, code="human_required", token=org.key(owner, "admin"))
    assert whom.id in org.roles()


def test_the_last_owner_neither_leaves_nor_steps_down(org: Org) -> None:
    owner = org.person("owner")
    org.person("admin")
    owner.refused("DELETE", member_path(org, owner), status=409, code="last_owner")
    owner.refused("PATCH", member_path(org, owner), {"role": "admin"}, status=409, code="last_owner")
    assert org.roles()[owner.id] == "owner"
    assert org.audits() == []


def test_an_owner_whose_account_is_off_does_not_count(org: Org) -> None:
    owner, off = org.person("owner"), org.person("owner")
    org.auth.database.owner.run("update core.users set disabled_at = now() where id = :id", id=off.id)
    owner.refused("DELETE", member_path(org, owner), status=409, code="last_owner")
    owner.done("DELETE", member_path(org, off), status=204)


def test_two_owners_who_demote_each_other_at_once_leave_one(org: Org) -> None:
    one, two = org.person("owner"), org.person("owner")
    body = {"role": "viewer"}
    answers = org.auth.at_once(
        org.id, (one, "PATCH", member_path(org, two), body), (two, "PATCH", member_path(org, one), body)
    )
    outcomes = sorted(outcome(answer) for answer in answers)
    assert outcomes == [(200, ""), (403, "role_above_yours")], "the second one acts as what it is by then"
    assert sorted(org.roles().values()) == ["owner", "viewer"]


def test_two_owners_who_leave_at_once_leave_one(org: Org) -> None:
    one, two = org.person("owner"), org.person("owner")
    answers = org.auth.at_once(org.id, *((person, "DELETE", member_path(org, person), None) for person in (one, two)))
    outcomes = sorted(outcome(answer) for answer in answers)
    assert outcomes == [(204, ""), (409, "last_owner")]
    assert list(org.roles().values()) == ["owner"]


def test_whoever_was_taken_out_meanwhile_changes_nothing(org: Org) -> None:
    owner, admin, viewer = org.person("owner"), org.person("admin"), org.person("viewer")
    answers = org.auth.at_once(
        org.id, (owner, "DELETE", member_path(org, admin), None), (admin, "DELETE", member_path(org, viewer), None)
    )
    first, second = (outcome(answer) for answer in answers)
    assert first == (204, "")
    assert second in {(204, ""), (404, "not_found")}
    assert (viewer.id in org.roles()) == (second != (204, ""))


def test_what_somebody_lost_their_keys_and_invitations_lose(org: Org) -> None:
    owner, maker = org.person("owner"), org.person("admin")
    key = org.key(maker, "admin")
    sent = maker.done("POST", org.path("/invitations"), {"email": "new@example.test", "role": "admin"}, status=201)
    read, write = ("GET", org.path()), ("PATCH", org.path(), {"name": "Renamed"})
    assert send(org.auth.app, write[0], write[1], key, write[2]).status_code == 200
    owner.done("PATCH", member_path(org, maker), {"role": "viewer"})
    org.auth.clock.advance(3)  # what a process may remember of a key
    assert outcome(send(org.auth.app, write[0], write[1], key, write[2])) == (403, "scope_required")
    assert send(org.auth.app, *read, key).status_code == 200
    invited = org.auth.person("new@example.test")
    accept = {"token": sent["token"]}
    found = invited.refused("POST", "/api/v2/invitations/accept", accept, status=409, code="invitation_ended")
    assert found["reason"] == "revoked"
    owner.done("DELETE", member_path(org, maker), status=204)
    org.auth.clock.advance(3)
    assert outcome(send(org.auth.app, *read, key)) == (401, "unauthenticated")


def test_a_session_bound_to_the_organisation_ends_with_the_membership(org: Org) -> None:
    owner, leaver = org.person("owner"), org.person("member")
    bound, free = leaver.token(bound_org_id=org.id), leaver.token()
    assert leaver.done("GET", org.path(), token=bound)["role"] == "member"
    owner.done("DELETE", member_path(org, leaver), status=204)
    leaver.refused("GET", "/api/v2/me", status=401, code="unauthenticated", token=bound)
    assert leaver.done("GET", "/api/v2/me", token=free)["id"] == str(leaver.id)


def test_ownership_goes_to_a_member_and_who_hands_over_becomes_admin(org: Org) -> None:
    owner, heir = org.person("owner"), org.person("viewer")
    shown = owner.done("POST", org.path("/ownership-transfer"), {"user_id": str(heir.id)})
    assert (shown["user_id"], shown["role"]) == (str(heir.id), "owner")
    assert org.roles() == {owner.id: "admin", heir.id: "owner"}
    (entry,) = org.audits()
    assert (entry["action"], entry["target_id"], entry["facts"]["from_user"]) == (
        "auth:ownership:transferred",
        str(heir.id),
        str(owner.id),
    )
    owner.refused("POST", org.path("/ownership-transfer"), {"user_id": str(heir.id)}, status=403, code="role_required")


def test_ownership_goes_to_nobody_who_could_not_use_it(org: Org) -> None:
    owner, off, stranger = org.person("owner"), org.person("admin"), org.auth.person()
    org.auth.database.owner.run("update core.users set disabled_at = now() where id = :id", id=off.id)
    path = org.path("/ownership-transfer")
    owner.refused("POST", path, {"user_id": str(owner.id)}, status=409, code="transfer_to_self")
    owner.refused("POST", path, {"user_id": str(off.id)}, status=409, code="member_disabled")
    owner.refused("POST", path, {"user_id": str(stranger.id)}, status=404, code="not_found")
    owner.refused("POST", path, {"user_id": str(uuid4())}, status=404, code="not_found")
    owner.refused("POST", path, {"user_id": str(off.id)}, status=403, code="fresh_login_required", token=owner.token(minutes_ago=20))  # fmt: skip
    assert org.roles()[owner.id] == "owner"


def test_a_repeated_transfer_with_the_same_key_is_answered_and_not_done_again(org: Org) -> None:
    owner, heir = org.person("owner"), org.person("viewer")
    token, path, body = owner.token(), org.path("/ownership-transfer"), {"user_id": str(heir.id)}
    first = owner.done("POST", path, body, token=token, Idempotency_Key="once")
    owner.refused("POST", path, body, token=token, status=403, code="role_required", Idempotency_Key="once")
    assert first["role"] == "owner"
    assert len(org.audits()) == 1


def test_of_two_transfers_at_once_one_happens(org: Org) -> None:
    owner, one, two = org.person("owner"), org.person("viewer"), org.person("viewer")
    path = org.path("/ownership-transfer")
    answers = org.auth.at_once(org.id, *((owner, "POST", path, {"user_id": str(heir.id)}) for heir in (one, two)))
    outcomes = sorted(outcome(answer) for answer in answers)
    assert outcomes == [(200, ""), (403, "role_above_yours")]
    assert sorted(org.roles().values()) == ["admin", "owner", "viewer"]


def test_the_audit_log_of_a_busy_organisation_verifies(org: Org) -> None:
    owner, member = org.person("owner"), org.person("member")
    for role in ("viewer", "member", "admin", "owner", "member"):
        owner.done("PATCH", member_path(org, member), {"role": role})
    member.done("DELETE", member_path(org, member), status=204)
    verdict = owner.done("GET", org.path("/audit-log/verify?expected_min_seq=5"))
    assert (verdict["ok"], verdict["entries"]) == (True, 6)


def test_a_member_of_another_organisation_does_not_exist_here(org: Org) -> None:
    owner, elsewhere = org.person("owner"), org.auth.org().person("viewer")
    for method, body in (("PATCH", {"role": "viewer"}), ("DELETE", None)):
        owner.refused(method, member_path(org, elsewhere), body, status=404, code="not_found")
