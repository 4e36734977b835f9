"""Signing in over a real Postgres: who becomes whom, who runs the platform, and what a provider that is away costs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from functions.auth.oidc import Provider
from tests.support.auth_function import AuthFunction, refused
from tests.support.database import ClonedDatabase
from tests.support.openid_site import Site

ADMIN = "ada@platform.example"


def identities(function: AuthFunction) -> list[tuple[str, UUID]]:
    return [
        (row[0], row[1])
        for row in function.database.owner.run("select subject, user_id from core.user_identities order by subject")
    ]


def test_somebody_new_gets_an_account_and_comes_back_to_it(function: AuthFunction) -> None:
    first, again = function.signed_in(), function.signed_in()
    assert first.me()["id"] == again.me()["id"]
    assert len(identities(function)) == 1
    assert function.audits("auth:identity:linked") == [{"issuer": function.site.issuer, "is_new": True}]


def test_a_person_is_who_the_provider_names_whatever_the_address_has_become(function: AuthFunction) -> None:
    before = function.signed_in("s", "old@acme.example").me()
    after = function.signed_in("s", "new@acme.example", email_verified=False).me()
    assert after["id"] == before["id"]
    assert after["email"] == "old@acme.example"


def test_an_address_that_was_given_to_somebody_else_opens_nobodys_account(function: AuthFunction) -> None:
    function.signed_in("s", "p@acme.example")
    refused(function.visitor().sign_in("somebody else", "P@ACME.example"), 409, "identity_conflict")
    assert [subject for subject, _ in identities(function)] == ["s"]


def test_a_provider_that_speaks_for_the_domain_joins_the_account(database: ClonedDatabase, site: Site) -> None:
    function = AuthFunction(database, site, provider={"trusted_domains": ["acme.example"]})
    user_id = database.make_user("p@acme.example")
    assert function.signed_in("s", "P@Acme.example").me()["id"] == str(user_id)
    assert function.audits("auth:identity:linked") == [{"issuer": site.issuer, "is_new": False}]


def test_who_may_not_come_in_leaves_nothing_behind(database: ClonedDatabase, site: Site) -> None:
    function = AuthFunction(
        database, site, provider={"allowed_domains": ["acme.example"], "trusted_domains": ["acme.example"]}
    )
    switched_off = database.make_user("off@acme.example")
    database.owner.run("update core.users set disabled_at = now() where id = :id", id=switched_off)
    tries: list[tuple[dict[str, Any], int, str]] = [
        ({"email": "p@other.example"}, 403, "domain_not_allowed"),
        ({"email_verified": False}, 403, "email_unverified"),
        ({"email": ""}, 403, "email_unverified"),
        ({"email": "off@acme.example"}, 401, "person_disabled"),
    ]
    for claims, status, code in tries:
        visitor = function.visitor()
        refused(visitor.sign_in(**claims), status, code)
        assert not visitor.is_signed_in()
    assert identities(function) == []
    for table in ("sessions", "sign_ins"):
        assert database.owner.run(f"select count(*) from core.{table}")[0][0] == 0


# --- the first platform admin ----------------------------------------------------------------------------------------


def test_the_first_of_an_allowed_domain_runs_the_platform_and_nobody_after(function: AuthFunction) -> None:
    function.signed_in("x", "x@acme.example")
    assert function.admins() == set()
    ada = function.signed_in("a", ADMIN)
    assert ada.me()["is_platform_admin"]
    assert not function.signed_in("b", "bob@platform.example").me()["is_platform_admin"]
    assert function.admins() == {UUID(ada.me()["id"])}
    assert function.audits("auth:platform_admin:bootstrapped") == [{"domain": "platform.example"}]


def test_it_happens_once_also_when_the_first_one_is_gone(function: AuthFunction) -> None:
    ada = UUID(function.signed_in("a", ADMIN).me()["id"])
    function.database.owner.run("update core.users set is_platform_admin = false where id = :id", id=ada)
    function.signed_in("b", "bob@platform.example")
    function.database.owner.run("delete from core.users where id = :id", id=ada)
    function.signed_in("c", "cleo@platform.example")
    assert function.admins() == set()


def test_where_somebody_runs_the_platform_already_nobody_is_added(function: AuthFunction) -> None:
    boss = function.database.make_user(is_platform_admin=True)
    function.signed_in("a", ADMIN)
    assert function.admins() == {boss}
    assert function.audits("auth:platform_admin:bootstrapped") == []


def test_an_address_that_nobody_vouches_for_runs_nothing(function: AuthFunction) -> None:
    refused(function.visitor().sign_in("a", ADMIN, email_verified=False), 403, "email_unverified")
    function.signed_in("x", "x@acme.example")
    for email in (f"{ADMIN}.evil.example", "platform.example@acme.example"):
        function.visitor().sign_in("x", email)
    function.visitor().sign_in("x", ADMIN, email_verified=False)
    assert function.admins() == set()


def test_a_domain_that_the_platform_allowed_later_counts_as_well(function: AuthFunction) -> None:
    function.database.owner.run("insert into core.allowed_domains (domain) values ('later.example')")
    assert function.signed_in("a", "ada@later.example").me()["is_platform_admin"]


def test_two_first_sign_ins_at_once_make_one_admin(function: AuthFunction, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight people of the domain come back from the provider in the same moment."""
    people = {f"c{number}": f"p{number}@platform.example" for number in range(8)}
    visitors = {code: function.visitor() for code in people}
    nonces = {code: visitor.begin() for code, visitor in visitors.items()}
    function.site.redeem(function.claims("", "", ""))  # publishes the keys
    monkeypatch.setattr(
        Provider,
        "_redeem",
        lambda _self, _metadata, form, _secret: {
            "id_token": function.site.sign(function.claims(nonces[form["code"]], form["code"], people[form["code"]]))
        },
    )
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda code: visitors[code].finish(code), people))
    assert [answer.status_code for answer in answers] == [303] * 8
    assert len(function.admins()) == 1
    assert len(function.audits("auth:platform_admin:bootstrapped")) == 1
    assert sum(visitor.me()["is_platform_admin"] for visitor in visitors.values()) == 1


# --- the provider is away --------------------------------------------------------------------------------------------


def test_a_provider_that_is_away_is_told_so_and_nobody_is_half_signed_in(function: AuthFunction) -> None:
    function.site.status = 503
    answer = function.visitor().send("GET", "/auth/login")
    assert "Retry-After" in answer.headers
    refused(answer, 503, "provider_away")
    assert function.database.owner.run("select count(*) from core.sign_ins")[0][0] == 0
    function.site.status = 200
    function.pass_time(timedelta(seconds=1))
    visitor = function.visitor()
    visitor.begin()
    function.site.pages["/token_endpoint"] = (502, b"")
    refused(visitor.finish(), 503, "provider_away")
    refused(visitor.finish(), 401, "sign_in_failed")
    assert function.signed_in().is_signed_in(), "a fresh start works"


@pytest.mark.parametrize("secret", [None, b'{"other": "x"}', b"{"])
def test_a_client_secret_that_cannot_be_had_is_a_503(function: AuthFunction, secret: bytes | None) -> None:
    if secret is None:
        function.secrets.is_away = True
    else:
        function.secrets.add_version("oidc-client-secret", secret)
    answer = function.visitor().sign_in()
    refused(answer, 503, "service_away" if secret is None else "provider_away")
    assert identities(function) == []


def test_a_sign_in_that_took_too_long_is_over(function: AuthFunction) -> None:
    visitor = function.visitor()
    nonce = visitor.begin()
    function.pass_time(timedelta(minutes=10))
    function.site.redeem(function.claims(nonce, "s", "p@acme.example"))
    refused(visitor.finish(), 401, "sign_in_failed")
