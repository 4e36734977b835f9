"""Decisions about members, invitations, organisations and platform admins, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pydantic import ValidationError

from functions.auth import errors
from functions.auth.domain import invitations, members, orgs, platform
from functions.auth.models.members import CreateInvitation
from functions.auth.models.platform import is_domain
from shared.http.errors import AppError
from shared.security.actor import Role
from shared.security.errors import PlatformAdminRequired
from shared.security.plans import limit_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROLES = st.sampled_from(list(Role))
A, B, C = (UUID(int=number) for number in (1, 2, 3))


def invitation(**changes: Any) -> dict[str, Any]:
    return {
        "email": "a@b.test", "role": "member", "accepted_at": None, "revoked_at": None, "expires_at": NOW + timedelta(days=1),
        "maker_role": "admin", **changes,
    }  # fmt: skip


@given(ROLES, ROLES, ROLES, st.integers(0, 3))
def test_a_change_is_refused_exactly_when_it_reaches_above_or_takes_the_last_owner(
    actor: Role, present: Role, wanted: Role, others: int
) -> None:
    try:
        members.change_role(actor, present, wanted, other_owners=others)
        found = None
    except AppError as error:
        found = error.code
    if actor < present or actor < wanted:
        assert found == "role_above_yours"
    elif present is Role.OWNER and wanted is not Role.OWNER and others == 0:
        assert found == "last_owner"
    else:
        assert found is None


@given(ROLES, ROLES, st.integers(0, 3))
def test_a_removal_is_refused_as_a_demotion_to_nothing(actor: Role, present: Role, others: int) -> None:
    try:
        members.remove(actor, present, other_owners=others)
        found = None
    except AppError as error:
        found = error.code
    wanted = "role_above_yours" if actor < present else "last_owner" if present is Role.OWNER and not others else None
    assert found == wanted


class Organisation(RuleBasedStateMachine):
    """Whatever people do to each other, in whatever order, an owner stays and nobody rises by their own hand."""

    def __init__(self) -> None:
        super().__init__()
        self.roles: dict[int, Role] = {0: Role.OWNER, 1: Role.OWNER, 2: Role.ADMIN, 3: Role.MEMBER, 4: Role.VIEWER}

    def others(self, number: int) -> int:
        return sum(role is Role.OWNER for each, role in self.roles.items() if each != number)

    @rule(actor=st.integers(0, 4), whom=st.integers(0, 4), wanted=ROLES)
    def change(self, actor: int, whom: int, wanted: Role) -> None:
        if actor not in self.roles or whom not in self.roles or self.roles[actor] < Role.ADMIN:
            return
        before = self.roles[actor]
        try:
            members.change_role(before, self.roles[whom], wanted, other_owners=self.others(whom))
        except AppError:
            return
        self.roles[whom] = wanted
        assert self.roles[actor] <= before
        assert wanted <= before

    @rule(actor=st.integers(0, 4), whom=st.integers(0, 4))
    def remove(self, actor: int, whom: int) -> None:
        if actor not in self.roles or whom not in self.roles:
            return
        if actor != whom and self.roles[actor] < Role.ADMIN:
            return
        try:
            members.remove(self.roles[actor], self.roles[whom], other_owners=self.others(whom))
        except AppError:
            return
        del self.roles[whom]

    @invariant()
    def an_owner_stays(self) -> None:
        assert Role.OWNER in self.roles.values()


TestOrganisation = Organisation.TestCase


def test_roles_above_are_those_that_somebody_cannot_give() -> None:
    assert members.roles_above(Role.ADMIN) == ["owner"]
    assert members.roles_above(Role.OWNER) == []
    assert members.roles_above(None) == ["viewer", "member", "admin", "owner"]


@pytest.mark.parametrize(
    "changes, status",
    [
        ({}, "open"),
        ({"accepted_at": NOW}, "accepted"),
        ({"revoked_at": NOW}, "revoked"),
        ({"expires_at": NOW}, "expired"),
        ({"expires_at": NOW + timedelta(microseconds=1)}, "open"),
        ({"maker_role": None}, "void"),
        ({"maker_role": "member"}, "void"),  # even to a role below theirs: a member cannot invite
        ({"maker_role": "admin", "role": "owner"}, "void"),
        ({"maker_role": "owner", "role": "owner"}, "open"),
        ({"accepted_at": NOW, "expires_at": NOW, "maker_role": None}, "accepted"),
    ],
)
def test_what_has_become_of_an_invitation(changes: dict[str, Any], status: str) -> None:
    assert invitations.status_of(invitation(**changes), now=NOW) == status


@given(ROLES, ROLES, st.none() | ROLES, st.booleans(), st.integers(0, 12), st.integers(0, 12))
def test_inviting(actor: Role, wanted: Role, replaced: Role | None, is_member: bool, taken: int, promised: int) -> None:
    old = None if replaced is None else invitation(role=replaced.name.lower())
    seats = limit_of("seats", "team")
    try:
        invitations.invite(actor, wanted, old, seats, is_member=is_member, members=taken, promised=promised)
        found = None
    except AppError as error:
        found = error.code
    if wanted > actor or (replaced is not None and replaced > actor):
        assert found == "role_above_yours"
    elif is_member:
        assert found == "already_member"
    else:
        assert found == ("seat_limit_reached" if taken + promised >= 10 else None)


def test_who_holds_anothers_invitation_learns_nothing_about_it() -> None:
    seats = limit_of("seats", "free")
    for changes, is_member in product(({}, {"revoked_at": NOW}, {"expires_at": NOW}), (False, True)):
        with pytest.raises(errors.InvitationForOther) as caught:
            invitations.accept(invitation(**changes), "x@b.test", seats, is_member=is_member, members=9, now=NOW)
        assert caught.value.facts == {}
    with pytest.raises(errors.InvitationUnknown):
        invitations.accept(None, "a@b.test", seats, is_member=False, members=0, now=NOW)


def test_an_open_invitation_lets_its_person_in_while_there_is_a_seat() -> None:
    seats = limit_of("seats", "team")
    row = invitation(email="A@b.TEST")
    assert invitations.accept(row, "a@B.test", seats, is_member=False, members=9, now=NOW) is row
    with pytest.raises(errors.SeatLimitReached) as caught:
        invitations.accept(row, "a@b.test", seats, is_member=False, members=10, now=NOW)
    assert (caught.value.facts["used"], caught.value.facts["cap"]) == (10, 10)


def test_a_deleted_organisation_comes_back_for_thirty_days() -> None:
    for days, purged_at, owners, error in (
        (0, None, 1, None),
        (29, None, 1, None),
        (30, None, 1, errors.OrgPurged),
        (1, NOW, 1, errors.OrgPurged),
        (1, None, 0, errors.OrgOwnerless),
    ):
        row = {"deleted_at": NOW - timedelta(days=days), "purged_at": purged_at}
        if error is None:
            orgs.restore(row, owners=owners, now=NOW)
            continue
        with pytest.raises(error):
            orgs.restore(row, owners=owners, now=NOW)
    assert orgs.purge_at({"deleted_at": None}) is None
    assert orgs.purge_at({"deleted_at": NOW}) == NOW + timedelta(days=30)


def test_a_bound_session_reaches_its_own_organisation_only() -> None:
    orgs.check_session(None, A)
    orgs.check_session(None)
    orgs.check_session(A, A)
    for reached in (None, B):
        with pytest.raises(errors.SessionBound):
            orgs.check_session(A, reached)


@given(st.sets(st.sampled_from([A, B, C])), st.sampled_from([A, B, C]), st.sampled_from([A, B, C]), st.booleans())
def test_a_platform_admin_always_stays(admins: set[UUID], actor: UUID, user: UUID, is_kept: bool) -> None:
    try:
        platform.change_user(admins, actor, user, is_kept=is_kept)
        found: type[AppError] | None = None
    except AppError as error:
        found = type(error)
    if actor not in admins:
        assert found is PlatformAdminRequired
    elif not is_kept and admins == {user}:
        assert found is errors.LastPlatformAdmin
    else:
        assert found is None
        assert admins - (set() if is_kept else {user}), "nobody is left"


def test_only_live_organisations_keep_their_only_owner_from_being_deleted() -> None:
    deleted = {"org_id": A, "is_only_owner": True, "deleted_at": NOW}
    shared = {"org_id": B, "is_only_owner": False, "deleted_at": None}
    platform.delete_user([deleted, shared])
    with pytest.raises(errors.LastOwner) as caught:
        platform.delete_user([deleted, shared, {"org_id": C, "is_only_owner": True, "deleted_at": None}])
    assert caught.value.facts == {"org_ids": [str(C)]}


@pytest.mark.parametrize("email", ["a@b", "a.b+c@sub.example.com", "ü@exämple.test", "o'neil@x.y", "a@localhost"])
def test_addresses_that_exist_somewhere_can_be_invited(email: str) -> None:
    assert CreateInvitation(email=email).email == email


@pytest.mark.parametrize("email", ["a", "a@", "@b", "a@b@c", "a b@c", "a@b c", "a@.b", "a@b.", "a@b\u202e.c", "a@" + "b" * 400])  # fmt: skip
def test_what_is_no_address_cannot(email: str) -> None:
    with pytest.raises(ValidationError):
        CreateInvitation(email=email)


@given(st.text(max_size=300))
def test_a_domain_is_lower_case_ascii_of_at_least_two_labels(text: str) -> None:
    if is_domain(text):
        assert text.isascii()
        assert text == text.lower()
        assert "." in text
        assert all(0 < len(label) <= 63 for label in text.split("."))
        assert not text.rpartition(".")[2].isdigit()
