"""Invitations over a real Postgres: one time, one address, one week, no more seats than the plan has."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from tests.support.auth_orgs import AuthFunction, Org, Person, outcome

ACCEPT = "/api/v2/invitations/accept"
DAY_SECONDS = 24 * 3600


@pytest.fixture
def org(auth: AuthFunction) -> Org:
    return auth.org("team")


@pytest.fixture
def owner(org: Org) -> Person:
    return org.person("owner")


def invite(org: Org, by: Person, email: str, role: str = "member", **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = by.done(
        "POST", org.path("/invitations"), {"email": email, "role": role}, status=201, **options
    )
    return found


def address(name: str, org: Org) -> str:
    return f"{name}-{org.id}@example.test"


def listed(org: Org, by: Person) -> dict[str, str]:
    return {item["id"]: item["status"] for item in by.done("GET", org.path("/invitations"))["items"]}


def test_somebody_is_invited_and_joins_with_the_role(org: Org, owner: Person) -> None:
    made = invite(org, owner, address("New", org), "admin")
    assert made["status"] == "open"
    assert made["token"].startswith("dwi_")
    assert len(made["token"]) == 47
    newcomer = org.auth.person(address("new", org))
    joined = newcomer.done("POST", ACCEPT, {"token": made["token"]})
    assert (joined["id"], joined["role"], joined["plan"]) == (str(org.id), "admin", "team")
    assert org.roles()[newcomer.id] == "admin"
    assert listed(org, owner) == {made["id"]: "accepted"}
    assert [entry["action"] for entry in org.audits()] == ["auth:invitation:created", "auth:member:joined"]
    assert [event["user_id"] for event in org.auth.events("auth:member:joined")] == [str(newcomer.id)]


def test_the_token_is_told_to_nobody_but_who_invites(org: Org, owner: Person) -> None:
    token, path = owner.token(), org.path("/invitations")
    body = {"email": address("new", org), "role": "viewer"}
    made = owner.done("POST", path, body, status=201, token=token, Idempotency_Key="once")
    again = owner.done("POST", path, body, status=201, token=token, Idempotency_Key="once")
    assert (again["id"], again["token"]) == (made["id"], None), "the repeated answer shows the token again"
    assert "token" not in owner.done("GET", path)["items"][0]
    stored = org.auth.database.owner.run("select to_jsonb(i) from core.invitations i where org_id = :id", id=org.id)
    told = [event.payload for event in org.auth.queue.messages("org-events")]
    assert [event["event"] for event in told] == ["auth:invitation:created"]
    for place in (stored, told, org.audits()):
        assert made["token"] not in json.dumps(place, default=str)
        assert made["token"].removeprefix("dwi_") not in json.dumps(place, default=str)


def test_an_invitation_is_for_one_address_whatever_its_case(org: Org, owner: Person) -> None:
    made = invite(org, owner, address("new", org))
    thief = org.auth.person(address("thief", org))
    found = thief.refused("POST", ACCEPT, {"token": made["token"]}, status=403, code="invitation_for_other")
    assert address("new", org) not in json.dumps(found), "a stranger is told whose it is"
    newcomer = org.auth.person(address("NEW", org).upper())
    assert newcomer.done("POST", ACCEPT, {"token": made["token"]})["role"] == "member"


def test_whom_the_directory_switched_off_comes_in_by_no_invitation(org: Org, owner: Person) -> None:
    made = invite(org, owner, address("new", org))
    newcomer = org.auth.person(address("new", org))
    database = org.auth.database.owner
    database.run(
        "insert into scim.users (org_id, user_name, active, email_key, document) values (:o, 'new', false, :e, '{}')",
        o=org.id,
        e=address("new", org).lower(),
    )
    newcomer.refused("POST", ACCEPT, {"token": made["token"]}, status=403, code="switched_off")
    assert newcomer.id not in org.roles()
    database.run("update scim.users set active = true where org_id = :o", o=org.id)
    newcomer.done("POST", ACCEPT, {"token": made["token"]})


def test_an_invitation_works_once_and_for_seven_days(org: Org, owner: Person) -> None:
    early, late = invite(org, owner, address("early", org)), invite(org, owner, address("late", org))
    people = [org.auth.person(address(name, org)) for name in ("early", "late")]
    org.auth.clock.advance(7 * DAY_SECONDS - 60)
    people[0].done("POST", ACCEPT, {"token": early["token"]})
    found = people[0].refused("POST", ACCEPT, {"token": early["token"]}, status=409, code="invitation_ended")
    assert found["reason"] == "accepted"
    org.auth.clock.advance(60)
    found = people[1].refused("POST", ACCEPT, {"token": late["token"]}, status=409, code="invitation_ended")
    assert found["reason"] == "expired"
    assert listed(org, owner) == {early["id"]: "accepted", late["id"]: "expired"}


@pytest.mark.parametrize("token", ["dwi_" + "A" * 43, "x", "dwi_", "'--", "dw2_" + "0" * 48])
def test_a_token_that_is_none_is_unknown(org: Org, token: str) -> None:
    org.auth.person().refused("POST", ACCEPT, {"token": token}, status=404, code="invitation_unknown")


def test_inviting_again_replaces_the_open_invitation(org: Org, owner: Person) -> None:
    first = invite(org, owner, address("new", org), "viewer")
    second = invite(org, owner, address("NEW", org), "admin")
    assert listed(org, owner) == {first["id"]: "revoked", second["id"]: "open"}
    newcomer = org.auth.person(address("new", org))
    found = newcomer.refused("POST", ACCEPT, {"token": first["token"]}, status=409, code="invitation_ended")
    assert found["reason"] == "revoked"
    assert newcomer.done("POST", ACCEPT, {"token": second["token"]})["role"] == "admin"


def test_an_expired_invitation_is_replaced_as_well(org: Org, owner: Person) -> None:
    invite(org, owner, address("new", org))
    org.auth.clock.advance(8 * DAY_SECONDS)
    assert invite(org, owner, address("new", org))["status"] == "open"


def test_an_invitation_is_revoked_once(org: Org, owner: Person) -> None:
    made = invite(org, owner, address("new", org))
    path = org.path(f"/invitations/{made['id']}")
    owner.done("DELETE", path, status=204)
    assert owner.refused("DELETE", path, status=409, code="invitation_ended")["reason"] == "revoked"
    newcomer = org.auth.person(address("new", org))
    newcomer.refused("POST", ACCEPT, {"token": made["token"]}, status=409, code="invitation_ended")
    newcomer.refused("GET", org.path(), status=404, code="not_found")
    assert org.auth.events("auth:invitation:revoked")[0]["invitation_id"] == made["id"]


def test_nobody_invites_replaces_or_revokes_above_themselves(org: Org, owner: Person) -> None:
    admin, path = org.person("admin"), org.path("/invitations")
    made = invite(org, owner, address("heir", org), "owner")
    body = {"email": address("other", org), "role": "owner"}
    admin.refused("POST", path, body, status=403, code="role_above_yours")
    replacing = {"email": address("heir", org), "role": "viewer"}
    admin.refused("POST", path, replacing, status=403, code="role_above_yours")
    admin.refused("DELETE", f"{path}/{made['id']}", status=403, code="role_above_yours")
    assert listed(org, owner) == {made["id"]: "open"}


def test_who_belongs_already_is_not_invited_and_does_not_join_again(org: Org, owner: Person) -> None:
    member = org.person("viewer", email=address("member", org))
    body = {"email": address("MEMBER", org), "role": "admin"}
    owner.refused("POST", org.path("/invitations"), body, status=409, code="already_member")
    made = invite(org, owner, address("later", org), "admin")
    joined = org.person("viewer", email=address("later", org))  # brought in some other way meanwhile
    joined.refused("POST", ACCEPT, {"token": made["token"]}, status=409, code="already_member")
    assert org.roles()[joined.id] == "viewer"
    assert member.id in org.roles()


def test_only_admins_see_and_make_invitations_and_no_key_does(org: Org, owner: Person) -> None:
    member, path, body = org.person("member"), org.path("/invitations"), {"email": address("new", org)}
    member.refused("GET", path, status=403, code="role_required")
    member.refused("POST", path, body, status=403, code="role_required")
    owner.refused("POST", path, body, status=403, code="human_required", token=org.key(owner, "admin"))
    owner.refused("POST", ACCEPT, {"token": "x"}, status=403, code="human_required", token=org.key(owner, "admin"))


@pytest.mark.parametrize("email", ["", "x", "@x", "a b@example.test", "a@b@c", "a@.test", "a@b..c", "x\u0000@y.z", "a\n@b.c", f"{'a' * 320}@b.c"])  # fmt: skip
def test_what_is_no_address_is_refused_by_name(org: Org, owner: Person, email: str) -> None:
    answer = owner.call("POST", org.path("/invitations"), {"email": email, "role": "viewer"})
    assert outcome(answer) in {(422, "invalid"), (400, "malformed_request")}


def test_an_invitation_is_worth_nothing_once_its_maker_could_not_make_it(org: Org, owner: Person) -> None:
    admin = org.person("admin")
    made = invite(org, admin, address("new", org), "viewer")
    newcomer = org.auth.person(address("new", org))
    disable = "update core.users set disabled_at = now() where id = :id"
    org.auth.database.owner.run(disable, id=admin.id)
    assert listed(org, owner) == {made["id"]: "void"}
    found = newcomer.refused("POST", ACCEPT, {"token": made["token"]}, status=409, code="invitation_ended")
    assert found["reason"] == "void"
    org.auth.database.owner.run("update core.users set disabled_at = null where id = :id", id=admin.id)
    assert newcomer.done("POST", ACCEPT, {"token": made["token"]})["role"] == "viewer"


def test_the_free_plans_one_seat_is_its_owners(auth: AuthFunction) -> None:
    org = auth.org("free")
    owner = org.person("owner")
    body = {"email": address("new", org), "role": "viewer"}
    found = owner.refused("POST", org.path("/invitations"), body, status=402, code="seat_limit_reached")
    assert {name: found[name] for name in ("limit", "plan", "required_plan", "used", "cap")} == {
        "limit": "seats",
        "plan": "free",
        "required_plan": "team",
        "used": 1,
        "cap": 1,
    }


def fill_up(org: Org, members: int) -> None:
    for _ in range(members - len(org.roles())):
        org.person("viewer")


def test_open_invitations_count_as_seats_that_are_promised(org: Org, owner: Person) -> None:
    fill_up(org, 8)
    first = invite(org, owner, address("one", org))
    invite(org, owner, address("two", org))
    body = {"email": address("three", org), "role": "viewer"}
    found = owner.refused("POST", org.path("/invitations"), body, status=402, code="seat_limit_reached")
    assert (found["used"], found["cap"]) == (10, 10)
    assert invite(org, owner, address("two", org))["status"] == "open", "replacing one promises no more than before"
    owner.done("DELETE", org.path(f"/invitations/{first['id']}"), status=204)
    assert invite(org, owner, address("three", org))["status"] == "open"
    org.auth.clock.advance(8 * DAY_SECONDS)
    assert invite(org, owner, address("four", org))["status"] == "open", "expired ones promise nothing"


def test_the_seat_is_counted_when_somebody_joins_whatever_was_promised(org: Org, owner: Person) -> None:
    made = invite(org, owner, address("new", org))
    fill_up(org, 10)
    newcomer = org.auth.person(address("new", org))
    found = newcomer.refused("POST", ACCEPT, {"token": made["token"]}, status=402, code="seat_limit_reached")
    assert (found["used"], found["cap"], found["required_plan"]) == (10, 10, "enterprise")
    assert listed(org, owner) == {made["id"]: "open"}, "a refused accept uses the invitation up"
    org.auth.database.owner.run("update core.orgs set plan = 'enterprise' where id = :id", id=org.id)
    assert newcomer.done("POST", ACCEPT, {"token": made["token"]})["role"] == "member"


def test_of_two_accepts_of_one_invitation_one_joins(org: Org, owner: Person) -> None:
    made = invite(org, owner, address("new", org))
    newcomer = org.auth.person(address("new", org))
    body = {"token": made["token"]}
    answers = org.auth.at_once(org.id, (newcomer, "POST", ACCEPT, body), (newcomer, "POST", ACCEPT, body))
    assert sorted(outcome(answer) for answer in answers) == [(200, ""), (409, "invitation_ended")]
    assert [entry["action"] for entry in org.audits()].count("auth:member:joined") == 1


def test_of_two_people_for_the_last_seat_one_joins(org: Org, owner: Person) -> None:
    fill_up(org, 8)
    tokens = [invite(org, owner, address(name, org))["token"] for name in ("one", "two")]
    fill_up(org, 9)
    people = [org.auth.person(address(name, org)) for name in ("one", "two")]
    calls = [(person, "POST", ACCEPT, {"token": token}) for person, token in zip(people, tokens, strict=True)]
    answers = org.auth.at_once(org.id, *calls)
    assert sorted(outcome(answer) for answer in answers) == [(200, ""), (402, "seat_limit_reached")]
    assert len(org.roles()) == 10


def test_of_two_invitations_for_the_last_seat_one_is_made(org: Org, owner: Person) -> None:
    fill_up(org, 9)
    path = org.path("/invitations")
    answers = org.auth.at_once(
        org.id, *((owner, "POST", path, {"email": address(name, org), "role": "viewer"}) for name in ("one", "two"))
    )
    assert sorted(outcome(answer) for answer in answers) == [(201, ""), (402, "seat_limit_reached")]
    assert len(listed(org, owner)) == 1


def test_of_two_invitations_of_one_address_at_once_the_later_one_stays(org: Org, owner: Person) -> None:
    body = {"email": address("new", org), "role": "viewer"}
    answers = org.auth.at_once(org.id, *([(owner, "POST", org.path("/invitations"), body)] * 2))
    assert [answer.status_code for answer in answers] == [201, 201]
    assert sorted(listed(org, owner).values()) == ["open", "revoked"]


def test_an_invitation_revoked_while_it_is_accepted_lets_in_or_not_but_never_both(org: Org, owner: Person) -> None:
    made = invite(org, owner, address("new", org))
    newcomer = org.auth.person(address("new", org))
    revoked, accepted = org.auth.at_once(
        org.id,
        (owner, "DELETE", org.path(f"/invitations/{made['id']}"), None),
        (newcomer, "POST", ACCEPT, {"token": made["token"]}),
    )
    assert {outcome(revoked), outcome(accepted)} in (
        {(204, ""), (409, "invitation_ended")},
        {(409, "invitation_ended"), (200, "")},
    )
    assert (newcomer.id in org.roles()) == (accepted.status_code == 200)


def test_a_session_that_another_organisation_vouched_for_joins_nothing(org: Org, owner: Person) -> None:
    made = invite(org, owner, address("new", org))
    newcomer, elsewhere = org.auth.person(address("new", org)), org.auth.org()
    bound = newcomer.token(bound_org_id=elsewhere.id)
    newcomer.refused("POST", ACCEPT, {"token": made["token"]}, status=403, code="session_bound", token=bound)
    newcomer.refused("POST", "/api/v2/orgs", {"name": "Mine"}, status=403, code="session_bound", token=bound)
    own = newcomer.token(bound_org_id=org.id)
    assert newcomer.done("POST", ACCEPT, {"token": made["token"]}, token=own)["id"] == str(org.id)


def test_an_invitation_to_a_deleted_organisation_is_unknown(org: Org, owner: Person) -> None:
    made = invite(org, owner, address("new", org))
    owner.done("DELETE", org.path(), status=204)
    newcomer = org.auth.person(address("new", org))
    newcomer.refused("POST", ACCEPT, {"token": made["token"]}, status=404, code="invitation_unknown")


def test_invitations_of_others_are_not_there(org: Org, owner: Person) -> None:
    made = invite(org, owner, address("new", org))
    stranger = org.auth.org().person("owner")
    stranger.refused("DELETE", org.path(f"/invitations/{made['id']}"), status=404, code="not_found")
    elsewhere = Org(org.auth, UUID(int=0))
    other_org = org.auth.org()
    other = other_org.person("owner")
    other.refused("DELETE", other_org.path(f"/invitations/{made['id']}"), status=404, code="not_found")
    other.refused("GET", elsewhere.path("/invitations"), status=404, code="not_found")
