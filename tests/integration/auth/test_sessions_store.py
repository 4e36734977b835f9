"""Sessions over a real Postgres: how long they last, what becomes of tokens in a race, and what a key vault that is away costs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from flask import Response

from functions.auth.queries import sessions as queries
from shared.security.sessions import COOKIE, hash_session_secret
from tests.support.auth_function import CLIENT_ID, PUBLIC_URL, AuthFunction, Visitor, refused, told
from tests.support.database import ClonedDatabase
from tests.support.openid_site import KEY, Site
from tests.support.waiting import wait_until

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def terminal(function: AuthFunction, browser: Visitor) -> dict[str, Any]:
    answer = function.poll(browser.approve())
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return told(answer)


def use(function: AuthFunction, browser: Visitor) -> None:
    """Use a browser's session, and let the database note it: its clock did not move with the function's."""
    assert browser.is_signed_in()
    secret_hash = hash_session_secret(browser.cookies[COOKIE])
    function.database.owner.run(
        "update core.sessions set last_seen_at = :now where secret_hash = :hash",
        now=function.clock.now(),
        hash=secret_hash,
    )


# --- idle and absolute ends ------------------------------------------------------------------------------------------


def test_a_browsers_session_ends_when_nobody_used_it_for_half_a_day(function: AuthFunction) -> None:
    browser = function.signed_in()
    function.pass_time(timedelta(hours=11, minutes=59))
    assert browser.is_signed_in()
    function.pass_time(timedelta(minutes=1))
    refused(browser.send("GET", "/api/v2/me"), 401, "unauthenticated")
    refused(browser.send("POST", "/auth/logout"), 401, "unauthenticated")
    assert function.visitor().send("GET", "/auth/sessions").status_code == 401


def test_a_browsers_session_ends_after_a_week_however_much_it_is_used(function: AuthFunction) -> None:
    browser = function.signed_in()
    for _ in range(7 * 24 // 11):
        function.pass_time(11 * HOUR)
        use(function, browser)
    function.pass_time(7 * DAY - (7 * 24 // 11) * 11 * HOUR - timedelta(seconds=1))
    use(function, browser)
    function.pass_time(timedelta(seconds=1))
    refused(browser.send("GET", "/api/v2/me"), 401, "unauthenticated")


def test_a_session_that_ran_out_is_no_longer_listed(function: AuthFunction) -> None:
    old = function.signed_in()
    old_id = old.me()["session_id"]
    function.pass_time(12 * HOUR)
    browser = function.signed_in()
    listed = told(browser.send("GET", "/auth/sessions"))["items"]
    assert [item["id"] for item in listed] == [browser.me()["session_id"]] != [old_id]


def test_a_terminals_session_ends_when_nobody_used_it_for_half_a_day(function: AuthFunction) -> None:
    tokens = terminal(function, function.signed_in())
    function.pass_time(timedelta(hours=11, minutes=59))
    tokens = told(function.refresh(tokens["refresh_token"]))
    function.pass_time(timedelta(hours=11, minutes=59))
    tokens = told(function.refresh(tokens["refresh_token"]))
    function.pass_time(12 * HOUR)
    refused(function.refresh(tokens["refresh_token"]), 400, "invalid_grant")
    assert function.audits("auth:session:reuse_detected") == [], "a token that is only old was taken for a stolen one"


def test_a_terminals_session_ends_with_the_sign_in_that_let_it_in(function: AuthFunction) -> None:
    browser = function.signed_in()
    function.pass_time(DAY / 2 - HOUR)
    use(function, browser)
    tokens = terminal(function, browser)
    for _ in range(14):
        function.pass_time(11 * HOUR)
        answer = function.refresh(tokens["refresh_token"])
        tokens = told(answer) if answer.status_code == 200 else {**tokens, "ended": True}
    assert "ended" not in tokens, "a terminal in use ended before the week was over"
    function.pass_time(timedelta(hours=2, minutes=55))
    tokens = told(function.refresh(tokens["refresh_token"]))
    assert function.works(tokens["access_token"])
    function.pass_time(timedelta(minutes=5))
    assert not function.works(tokens["access_token"]), "an access token outlived its session"
    refused(function.refresh(tokens["refresh_token"]), 400, "invalid_grant")


def test_terminals_that_let_each_other_in_do_not_stay_for_ever(function: AuthFunction) -> None:
    tokens = terminal(function, function.signed_in())
    began = function.clock.now()
    for _ in range(40):
        function.pass_time(6 * HOUR)
        helper = function.visitor()
        codes = told(helper.send("POST", "/auth/device/code", form={}))
        fresh = function.refresh(tokens["refresh_token"])
        if fresh.status_code != 200:
            break
        answer = {"user_code": codes["user_code"], "approve": True}
        assert helper.send("POST", "/auth/device", token=told(fresh)["access_token"], body=answer).status_code == 204
        tokens = told(function.poll(codes["device_code"]))
    assert function.clock.now() - began <= 7 * DAY + 6 * HOUR


@pytest.mark.parametrize(
    "change", ["revoked_at = now()", "expires_at = now()", "last_seen_at = now() - interval '12 hours'"]
)
def test_a_session_that_ended_meanwhile_lets_no_terminal_in(function: AuthFunction, change: str) -> None:
    browser = function.signed_in()
    code = browser.approve()
    function.pass_time(timedelta(seconds=10))
    function.database.owner.run(f"update core.sessions set {change}")
    refused(function.poll(code), 400, "invalid_grant")
    assert function.database.owner.run("select count(*) from core.sessions where kind = 'terminal'")[0][0] == 0


def test_an_access_token_lasts_ten_minutes(function: AuthFunction) -> None:
    tokens = terminal(function, function.signed_in())
    assert tokens["expires_in"] == 600
    function.pass_time(timedelta(seconds=600 + 29))
    assert function.works(tokens["access_token"]), "clocks may differ a little"
    function.pass_time(timedelta(seconds=2))
    assert not function.works(tokens["access_token"])


# --- noting that a session is in use ---------------------------------------------------------------------------------


def last_seen(function: AuthFunction) -> datetime:
    found: datetime = function.database.owner.run("select last_seen_at from core.sessions")[0][0]
    return found


def seen_before(function: AuthFunction, minutes: int) -> datetime:
    function.database.owner.run(
        "update core.sessions set last_seen_at = now() - make_interval(mins => cast(:minutes as integer))",
        minutes=minutes,
    )
    return last_seen(function)


def test_the_use_of_a_session_is_noted_every_five_minutes_and_no_more(function: AuthFunction) -> None:
    browser = function.signed_in()
    before = seen_before(function, 4)
    assert browser.is_signed_in()
    assert last_seen(function) == before, "noted too often: every call would write"
    before = seen_before(function, 6)
    assert browser.is_signed_in()
    noted = last_seen(function)
    assert noted > before
    for _ in range(5):
        assert browser.is_signed_in()
    assert last_seen(function) == noted


def test_many_calls_at_once_note_one_use(function: AuthFunction) -> None:
    browser = function.signed_in()
    seen_before(function, 6)
    secret_hash = hash_session_secret(browser.cookies[COOKIE])
    ask = "select core.note_session_use(:secret_hash) as is_noted"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: function.deps.db.lookup(ask, secret_hash=secret_hash), range(8)))
    assert [rows[0]["is_noted"] for rows in answers].count(True) == 1


def test_a_session_that_was_ended_is_not_noted_as_used(function: AuthFunction) -> None:
    browser = function.signed_in()
    before = seen_before(function, 60)
    function.database.owner.run("update core.sessions set revoked_at = now()")
    assert not browser.is_signed_in()
    assert last_seen(function) == before


# --- races at the last moment ----------------------------------------------------------------------------------------


def nothing_works(function: AuthFunction, *answers: dict[str, Any]) -> None:
    for tokens in answers:
        if "access_token" in tokens:
            assert not function.works(tokens["access_token"])
            refused(function.refresh(tokens["refresh_token"]), 400, "invalid_grant")


def test_a_token_refreshed_while_its_session_is_ended_is_worth_nothing(
    function: AuthFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refresh has read the session, alive; then somebody ends it, and then the refresh goes on."""
    tokens = terminal(function, function.signed_in())
    has_read, go_on = threading.Event(), threading.Event()
    original = queries.lock_refresh

    def lock_and_wait(*arguments: Any) -> Any:
        found = original(*arguments)
        has_read.set()
        assert go_on.wait(10)
        return found

    monkeypatch.setattr(queries, "lock_refresh", lock_and_wait)
    with ThreadPoolExecutor(1) as pool:
        refreshing = pool.submit(function.refresh, tokens["refresh_token"])
        assert has_read.wait(10)
        monkeypatch.setattr(queries, "lock_refresh", original)
        function.database.owner.run("update core.sessions set revoked_at = now() where kind = 'terminal'")
        go_on.set()
        late = told(refreshing.result())
    nothing_works(function, tokens, late)


def ended_by_the_person(function: AuthFunction, elsewhere: Visitor) -> int:
    return elsewhere.send("DELETE", "/auth/sessions").status_code


def ended_by_the_provider(function: AuthFunction, _elsewhere: Visitor) -> int:
    now = int(function.clock.now().timestamp())
    event = {"http://schemas.openid.net/event/backchannel-logout": {}}
    claims = {"aud": CLIENT_ID, "sub": "s", "iat": now, "exp": now + 60, "jti": "1", "events": event}
    form = {"logout_token": function.site.sign(claims)}
    return function.visitor().send("POST", "/auth/backchannel-logout/site", form=form).status_code


@pytest.mark.parametrize("end", [ended_by_the_person, ended_by_the_provider])
def test_a_terminal_let_in_while_everything_is_ended_is_ended_too(
    function: AuthFunction, monkeypatch: pytest.MonkeyPatch, end: Callable[[AuthFunction, Visitor], int]
) -> None:
    """The terminal's session is as good as begun, and nobody else sees it yet."""
    browser, elsewhere = function.signed_in(), function.signed_in()
    code = browser.approve()
    is_beginning, go_on = threading.Event(), threading.Event()
    original = queries.insert_session

    def insert_and_wait(*arguments: Any, **values: Any) -> None:
        original(*arguments, **values)
        is_beginning.set()
        assert go_on.wait(30)

    monkeypatch.setattr(queries, "insert_session", insert_and_wait)
    with ThreadPoolExecutor(2) as pool:
        polling = pool.submit(function.poll, code)
        assert is_beginning.wait(10)
        ending = pool.submit(end, function, elsewhere)
        wait_until(
            lambda: function.database.owner.run("select exists (select from pg_locks where not granted)")[0][0],
            "who ends the sessions does not wait for the one that begins",
        )
        go_on.set()
        late = told(polling.result())
        assert ending.result() in {200, 204}
    assert late["access_token"]
    nothing_works(function, late)


def test_a_refresh_token_used_by_many_at_once_leaves_at_most_one_way_on(function: AuthFunction) -> None:
    for _ in range(3):
        tokens = terminal(function, function.signed_in())
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _, t=tokens: function.refresh(t["refresh_token"]), range(6)))
        good = [told(answer) for answer in answers if answer.status_code == 200]
        assert len(good) == 1
        nothing_works(function, *good)  # the others were taken for thieves, and the session is over
    assert len(function.audits("auth:session:reuse_detected")) >= 3


def test_ending_all_other_sessions_beside_refreshes_ends_them_all(function: AuthFunction) -> None:
    mine, other = function.signed_in(), function.signed_in()
    chains = [terminal(function, other) for _ in range(4)]
    stop = threading.Event()

    def keep_refreshing(tokens: dict[str, Any]) -> dict[str, Any]:
        while not stop.is_set():
            answer = function.refresh(tokens["refresh_token"])
            if answer.status_code != 200:
                return tokens
            tokens = told(answer)
        return tokens

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(keep_refreshing, tokens) for tokens in chains]
        ended = told(mine.send("DELETE", "/auth/sessions"))["ended"]
        stop.set()
        last = [one.result() for one in running]
    assert ended == 5
    nothing_works(function, *last)
    assert mine.is_signed_in()


# --- the key vault is away -------------------------------------------------------------------------------------------


def stored(function: AuthFunction) -> list[Any]:
    run = function.database.owner.run
    return [
        *run("select token_hash, used_at from core.refresh_tokens order by token_hash"),
        *run("select id, last_seen_at from core.sessions order by id"),
        *run("select device_code_hash, approved_by, polled_at from core.device_grants order by 1"),
    ]


def test_while_the_key_vault_is_away_a_refresh_uses_nothing_up(function: AuthFunction) -> None:
    tokens = terminal(function, function.signed_in())
    function.pass_time(HOUR)
    before = stored(function)
    function.vault.is_away = True
    for _ in range(3):
        answer = function.refresh(tokens["refresh_token"])
        refused(answer, 503, "service_away")
        assert "Retry-After" in answer.headers
    assert stored(function) == before
    function.vault.is_away = False
    assert function.works(told(function.refresh(tokens["refresh_token"]))["access_token"])
    assert function.audits("auth:session:reuse_detected") == []


def test_while_the_key_vault_is_away_a_device_code_stays_good(function: AuthFunction) -> None:
    code = function.signed_in().approve()
    before = stored(function)
    function.vault.is_away = True
    for _ in range(3):
        refused(function.poll(code), 503, "service_away")
    assert stored(function) == before
    function.vault.is_away = False
    function.pass_time(timedelta(seconds=2))  # the pause that the refusal told the caller to keep
    assert function.works(told(function.poll(code))["access_token"])
    refused(function.poll(code), 400, "invalid_grant")


def test_while_the_key_vault_is_away_sessions_go_on_and_end(function: AuthFunction) -> None:
    browser = function.signed_in()
    tokens = terminal(function, browser)
    assert function.works(tokens["access_token"])
    function.vault.is_away = True
    assert function.works(tokens["access_token"])
    assert function.signed_in("t", "t@acme.example").is_signed_in(), "signing in needs no signature of ours"
    assert browser.send("DELETE", "/auth/sessions").status_code == 200
    assert not function.works(tokens["access_token"])


# --- other issuers' tokens -------------------------------------------------------------------------------------------


def test_the_person_behind_a_federated_token_is_looked_up_by_issuer_and_subject(function: AuthFunction) -> None:
    database, site = function.database, function.site
    org_id = database.make_org()
    user_id = database.make_member(org_id, "admin", email="f@acme.example")
    database.owner.run(
        "insert into core.user_identities (issuer, subject, user_id) values (:issuer, 'f', :id)",
        issuer=site.issuer,
        id=user_id,
    )
    ask = "select * from core.find_federated_principal(:issuer, :subject, cast(:org_id as uuid))"

    def find(issuer: str = site.issuer, subject: str = "f", org: UUID | None = org_id) -> list[Any]:
        return function.deps.db.lookup(ask, issuer=issuer, subject=subject, org_id=org)

    assert (find()[0]["user_id"], find()[0]["role"]) == (user_id, "admin")
    assert find(org=None)[0]["role"] is None
    assert find(org=database.make_org("Other"))[0]["role"] is None
    assert find(issuer=site.issuer + "/") == []
    assert find(subject="F") == []
    database.owner.run("update core.users set disabled_at = now() where id = :id", id=user_id)
    assert find() == []


def test_a_token_of_another_issuer_is_that_person_and_a_strangers_is_nobodys(
    database: ClonedDatabase, site: Site
) -> None:
    api = "https://api.example"
    config = {"issuer": site.issuer, "jwks_url": f"{site.issuer}/jwks_uri", "audience": api}
    function = AuthFunction(database, site, trusted_issuers=json.dumps([config]))
    me = function.signed_in("f").me()
    now = int(function.clock.now().timestamp())
    claims = {"iss": site.issuer, "aud": api, "sub": "f", "iat": now, "exp": now + 60}

    def ask(typ: str = "at+jwt", **changes: Any) -> Response:
        token = jwt.encode(claims | changes, KEY, "RS256", {"kid": "k", "typ": typ})
        return function.visitor().send("GET", "/api/v2/me", token=token)

    found = told(ask())
    assert (found["id"], found["session_id"]) == (me["id"], None)
    wrong: list[dict[str, Any]] = [
        {"sub": "stranger"}, {"sub": me["id"]}, {"aud": CLIENT_ID}, {"typ": "JWT"}, {"iss": "https://evil.example"},
        {"iss": PUBLIC_URL, "aud": PUBLIC_URL, "sid": me["session_id"], "sub": me["id"]}, {"exp": now - 60},
    ]  # fmt: skip
    for changes in wrong:
        refused(ask(**changes), 401, "unauthenticated")
