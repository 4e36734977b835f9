"""Who may come in, as one table: by a provider that knows the person or not, that vouches or not, for which domain."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from functions.auth.domain.sign_in import Person, check_known, check_newcomer, check_sign_in, hash_state
from functions.auth.errors import DomainNotAllowed, EmailUnverified, IdentityConflict, PersonDisabled, SignInFailed
from shared.http.errors import AppError
from shared.testing.clock import START

ACME, OTHER = "acme.example", "other.example"
NOBODY = None
LIVE = {"email": f"p@{ACME}", "disabled_at": None}
DISABLED = {"email": f"p@{ACME}", "disabled_at": START}
OK = None


def person(email: str = f"p@{ACME}", *, verified: bool = True, trusted: Any = (), allowed: Any = ()) -> Person:
    return Person(
        "https://id.example",
        "s",
        email,
        verified,
        "P",
        0,
        trusted_domains=frozenset(trusted),
        allowed_domains=frozenset(allowed),
    )


def outcome(call: Any, *arguments: Any) -> type[AppError] | None:
    try:
        call(*arguments)
    except AppError as error:
        return type(error)
    return OK


# verified, domains it speaks for, only domains it may sign in, the account with the address, the platform's domains
NEWCOMERS: list[tuple[bool, tuple[str, ...], tuple[str, ...], Any, tuple[str, ...], type[AppError] | None]] = [
    (True, (), (), NOBODY, (), OK),
    (True, (ACME,), (), NOBODY, (), OK),
    (True, (), (ACME,), NOBODY, (), OK),
    (True, (), (OTHER,), NOBODY, (), DomainNotAllowed),
    (True, (ACME,), (OTHER,), NOBODY, (), DomainNotAllowed),
    (True, (), (), LIVE, (), IdentityConflict),
    (True, (OTHER,), (), LIVE, (), IdentityConflict),
    (True, (), (ACME,), LIVE, (), IdentityConflict),
    (True, (ACME,), (), LIVE, (), OK),
    (True, (ACME,), (ACME,), LIVE, (), OK),
    (True, (), (), LIVE, (ACME,), OK),
    (True, (), (), LIVE, (OTHER,), IdentityConflict),
    (True, (ACME,), (OTHER,), LIVE, (), DomainNotAllowed),
    (True, (), (OTHER,), LIVE, (ACME,), DomainNotAllowed),
    (True, (ACME,), (), DISABLED, (), PersonDisabled),
    (True, (), (), DISABLED, (), PersonDisabled),
    (True, (ACME,), (OTHER,), DISABLED, (), DomainNotAllowed),
    (False, (), (), NOBODY, (), EmailUnverified),
    (False, (ACME,), (ACME,), NOBODY, (ACME,), EmailUnverified),
    (False, (ACME,), (), LIVE, (ACME,), EmailUnverified),
    (False, (ACME,), (), DISABLED, (), EmailUnverified),
]


@pytest.mark.parametrize("verified, trusted, allowed, account, platform, expected", NEWCOMERS)
def test_somebody_whom_the_provider_never_signed_in(
    verified: bool, trusted: Any, allowed: Any, account: Any, platform: Any, expected: type[AppError] | None
) -> None:
    came = person(verified=verified, trusted=trusted, allowed=allowed)
    assert outcome(check_newcomer, came, account, frozenset(platform)) is expected


def test_an_account_is_joined_only_by_a_provider_that_vouches_and_speaks_for_its_domain() -> None:
    """The law behind the table, over every combination."""
    sides = ((True, False), ((), (ACME,), (OTHER,)), ((), (ACME,), (OTHER,)), ((), (ACME,), (OTHER,)))
    for verified, trusted, allowed, platform in product(*sides):
        came = person(verified=verified, trusted=trusted, allowed=allowed)
        joins = outcome(check_newcomer, came, LIVE, frozenset(platform)) is OK
        assert joins == (verified and ACME in (*trusted, *platform) and (not allowed or ACME in allowed))
        assert outcome(check_newcomer, came, DISABLED, frozenset(platform)) is not OK


@pytest.mark.parametrize("email", [f"p@{ACME.upper()}", f"P@{ACME}", f"p@{ACME}"])
def test_the_case_of_an_address_opens_no_door_and_closes_none(email: str) -> None:
    assert outcome(check_newcomer, person(email, trusted=[ACME]), LIVE, frozenset()) is OK
    assert outcome(check_newcomer, person(email, allowed=[OTHER]), None, frozenset()) is DomainNotAllowed


@pytest.mark.parametrize(
    "email", ["", f"p@evil.{ACME}", f"p@{ACME}.evil.example", f"p@not{ACME}", f"{ACME}@{OTHER}", f"p@{ACME}@{OTHER}"]
)
def test_a_domain_is_the_whole_of_what_stands_behind_the_last_at(email: str) -> None:
    assert outcome(check_newcomer, person(email, trusted=[ACME], allowed=[ACME]), LIVE, frozenset()) is not OK


# the account's own address decides, for whom the provider signed in before: what the provider says now may be anything
KNOWN: list[tuple[Any, tuple[str, ...], str, bool, type[AppError] | None]] = [
    (LIVE, (), f"p@{ACME}", True, OK),
    (LIVE, (), "", False, OK),
    (LIVE, (), f"p@{OTHER}", True, OK),
    (LIVE, (ACME,), f"p@{OTHER}", True, OK),
    (LIVE, (OTHER,), f"p@{OTHER}", True, DomainNotAllowed),
    (DISABLED, (), f"p@{ACME}", True, PersonDisabled),
    (DISABLED, (OTHER,), f"p@{ACME}", True, PersonDisabled),
]


@pytest.mark.parametrize("account, allowed, email, verified, expected", KNOWN)
def test_somebody_whom_the_provider_signed_in_before(
    account: Any, allowed: Any, email: str, verified: bool, expected: type[AppError] | None
) -> None:
    assert outcome(check_known, person(email, verified=verified, allowed=allowed), account) is expected


BEGUN = {"expires_at": START + timedelta(minutes=10)}


@pytest.mark.parametrize(
    "found, cookie, seconds, expected",
    [
        (BEGUN, "s", 0, OK),
        (BEGUN, "s", 599, OK),
        (BEGUN, "s", 600, SignInFailed),
        (BEGUN, None, 0, SignInFailed),
        (BEGUN, "", 0, SignInFailed),
        (BEGUN, "other", 0, SignInFailed),
        (None, "s", 0, SignInFailed),
    ],
)
def test_a_callback_belongs_to_a_sign_in_of_this_browser(
    found: Any, cookie: str | None, seconds: int, expected: type[AppError] | None
) -> None:
    def call() -> None:
        check_sign_in(found, cookie=cookie, state="s", now=START + timedelta(seconds=seconds))

    assert outcome(call) is expected


def test_a_state_is_stored_as_a_hash() -> None:
    assert len(hash_state("s")) == 32
    assert hash_state("s") != hash_state("t")
