"""Staying signed in: browsers' cookies, terminals' tokens, and how both end."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest

from tests.support.browser import Browser, allow, poll, refresh, terminal
from tests.support.running_suite import RunningSuite, problem

MEMBER = "member@acme.example"


@pytest.fixture
def browser(emulator: RunningSuite) -> Browser:
    signed_in = Browser(emulator)
    signed_in.sign_in(MEMBER)
    return signed_in


def change(browser: Browser, headers: dict[str, str]) -> httpx.Response:
    """Change something harmless: name a terminal that does not exist."""
    answer = {"user_code": "BCDF-GHJK", "approve": False}
    return browser.send("POST", "/auth/device", json=answer, headers=headers)


def test_a_browser_changes_things_with_the_token_of_our_own_pages_only(
    browser: Browser, emulator: RunningSuite
) -> None:
    token = browser.me()["csrf_token"]
    problem(change(browser, {"X-CSRF-Token": token}), 404, "user_code_unknown")
    for headers in (
        {},
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": token[:-1] + ("A" if token[-1] != "A" else "B")},
        {"X-CSRF-Token": token, "Origin": "https://evil.example"},
        {"X-CSRF-Token": token, "Origin": "null"},
        {"X-CSRF-Token": token, "Sec-Fetch-Site": "cross-site"},
        {"X-CSRF-Token": token, "Sec-Fetch-Site": "same-site"},
    ):
        problem(change(browser, headers), 403, "csrf_refused")
    own = {"X-CSRF-Token": token, "Origin": emulator.url, "Sec-Fetch-Site": "same-origin"}
    problem(change(browser, own), 404, "user_code_unknown")


def test_the_token_of_one_session_is_worth_nothing_in_another(browser: Browser, emulator: RunningSuite) -> None:
    other = Browser(emulator)
    other.sign_in(MEMBER)
    problem(change(browser, {"X-CSRF-Token": other.me()["csrf_token"]}), 403, "csrf_refused")


def test_a_token_in_the_header_needs_no_csrf_token_and_is_told_none(browser: Browser, emulator: RunningSuite) -> None:
    token = terminal(browser)["access_token"]
    assert emulator.call("GET", "/api/v2/me", token).json()["csrf_token"] is None
    headers = {"Authorization": f"Bearer {token}"}
    problem(change(browser, headers), 404, "user_code_unknown")


@pytest.mark.parametrize("value", ["", "x", "dws_", "dws_" + "A" * 43, "dws_" + "A" * 44, "dw2_" + "A" * 43])
def test_a_cookie_that_was_made_up_is_refused(emulator: RunningSuite, value: str) -> None:
    visitor = Browser(emulator)
    visitor.cookies["__Host-driftwise"] = value
    problem(visitor.send("GET", "/api/v2/me"), 401, "unauthenticated")


def test_sessions_are_listed_and_ended_one_by_one(browser: Browser, emulator: RunningSuite) -> None:
    other = Browser(emulator)
    other.sign_in(MEMBER)
    listed = browser.send("GET", "/auth/sessions").json()["items"]
    assert [item["id"] for item in listed if item["is_current"]] == [browser.me()["session_id"]]
    ended = other.me()["session_id"]
    assert ended in {item["id"] for item in listed}
    csrf = {"X-CSRF-Token": browser.me()["csrf_token"]}
    assert browser.send("DELETE", f"/auth/sessions/{ended}", headers=csrf).status_code == 204
    problem(other.send("GET", "/api/v2/me"), 401, "unauthenticated")
    problem(browser.send("DELETE", f"/auth/sessions/{ended}", headers=csrf), 404, "not_found")
    assert ended not in {item["id"] for item in browser.send("GET", "/auth/sessions").json()["items"]}
    assert browser.me()


def test_sessions_of_others_are_out_of_reach(browser: Browser, emulator: RunningSuite) -> None:
    other = Browser(emulator)
    other.sign_in("viewer@acme.example")
    csrf = {"X-CSRF-Token": browser.me()["csrf_token"]}
    theirs = other.me()["session_id"]
    for session_id in (theirs, uuid4()):
        problem(browser.send("DELETE", f"/auth/sessions/{session_id}", headers=csrf), 404, "not_found")
    assert other.me()["session_id"] == theirs


@contextmanager
def kept_alive(emulator: RunningSuite, role: str) -> Iterator[None]:
    """Give the seeded person of a role their token's session back afterwards: other tests go on with it."""
    try:
        yield
    finally:
        session_id = jwt.decode(emulator.tokens[role], options={"verify_signature": False})["sid"]
        connection = emulator.owner()
        try:
            connection.run("update core.sessions set revoked_at = null where id = :id", id=session_id)
        finally:
            connection.close()


def test_all_other_sessions_end_at_once_in_every_function(emulator: RunningSuite) -> None:
    mine, others = Browser(emulator), [Browser(emulator) for _ in range(3)]
    for one in (mine, *others):
        one.sign_in("admin@acme.example")
    tokens = terminal(others[0])
    csrf = {"X-CSRF-Token": mine.me()["csrf_token"]}
    with kept_alive(emulator, "admin"):
        check_that_all_others_end(emulator, mine, others, tokens, csrf)


def check_that_all_others_end(
    emulator: RunningSuite, mine: Browser, others: list[Browser], tokens: dict[str, Any], csrf: dict[str, str]
) -> None:
    ended = mine.send("DELETE", "/auth/sessions", headers=csrf)
    assert ended.json()["ended"] >= 4
    for path in ("/api/v2/me", emulator.org("/api-keys"), emulator.org("/scans")):
        for one in others:
            problem(one.send("GET", path), 401, "unauthenticated")
        problem(emulator.call("GET", path, tokens["access_token"]), 401, "unauthenticated")
    problem(refresh(emulator, tokens["refresh_token"]), 400, "invalid_grant")
    assert mine.me()


def test_signing_out_ends_the_session_and_takes_the_cookie(browser: Browser) -> None:
    kept = dict(browser.cookies)
    response = browser.send("POST", "/auth/logout", headers={"X-CSRF-Token": browser.me()["csrf_token"]})
    assert response.status_code == 200, response.text
    assert browser.cookies == {}
    browser.cookies = kept
    problem(browser.send("GET", "/api/v2/me"), 401, "unauthenticated")


def test_a_terminal_is_let_in_by_a_person(browser: Browser, emulator: RunningSuite) -> None:
    codes = emulator.call("POST", "/auth/device/code", data={"client_name": "dw on build-7\x07\n"}).json()
    assert codes["verification_uri"] == f"{emulator.url}/device"
    assert codes["expires_in"] == 600
    waiting = problem(poll(emulator, codes["device_code"]), 400, "authorization_pending")
    assert waiting["error"] == "authorization_pending", "OAuth clients read `error`"
    assert problem(poll(emulator, codes["device_code"]), 400)["error"] == "slow_down"
    typed = codes["user_code"].lower().replace("-", " ")
    shown = browser.send("GET", "/auth/device", params={"user_code": typed}).json()
    assert shown["client_name"] == "dw on build-7"
    allow(browser, typed)
    answer = poll(emulator, codes["device_code"])
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    me = emulator.call("GET", "/api/v2/me", tokens["access_token"]).json()
    assert me["email"] == MEMBER
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert me["session_id"] == claims["sid"] != browser.me()["session_id"]
    problem(poll(emulator, codes["device_code"]), 400, "invalid_grant")
    problem(browser.send("GET", "/auth/device", params={"user_code": typed}), 404, "user_code_unknown")


def test_a_terminal_that_a_person_turns_away_gets_nothing(browser: Browser, emulator: RunningSuite) -> None:
    codes = emulator.call("POST", "/auth/device/code", json={"client_name": "dw"}).json()
    allow(browser, codes["user_code"], approve=False)
    assert problem(poll(emulator, codes["device_code"]), 400, "access_denied")["error"] == "access_denied"


def test_a_terminal_is_no_fresher_than_the_sign_in_that_let_it_in(browser: Browser, emulator: RunningSuite) -> None:
    me = emulator.call("GET", "/api/v2/me", terminal(browser)["access_token"]).json()
    assert me["signed_in_at"] == browser.me()["signed_in_at"]


def test_a_terminal_cannot_be_let_in_by_one_whose_session_ended_meanwhile(emulator: RunningSuite) -> None:
    one = Browser(emulator)
    one.sign_in(MEMBER)
    codes = emulator.call("POST", "/auth/device/code", data={}).json()
    allow(one, codes["user_code"])
    one.send("POST", "/auth/logout", headers={"X-CSRF-Token": one.me()["csrf_token"]})
    problem(poll(emulator, codes["device_code"]), 400, "invalid_grant")


def test_one_code_polled_by_many_at_once_signs_one_in(browser: Browser, emulator: RunningSuite) -> None:
    codes = emulator.call("POST", "/auth/device/code", data={}).json()
    allow(browser, codes["user_code"])
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: poll(emulator, codes["device_code"]).status_code, range(6)))
    assert sorted(answers) == [200, 400, 400, 400, 400, 400]


def test_a_refresh_token_works_once_and_hands_over_to_the_next(browser: Browser, emulator: RunningSuite) -> None:
    tokens = terminal(browser)
    seen = {tokens["refresh_token"]}
    for _ in range(3):
        response = refresh(emulator, tokens["refresh_token"])
        assert response.status_code == 200, response.text
        tokens = response.json()
        assert tokens["refresh_token"] not in seen
        seen.add(tokens["refresh_token"])
        assert emulator.call("GET", "/api/v2/me", tokens["access_token"]).status_code == 200


def test_a_refresh_token_that_comes_twice_ends_the_whole_session(browser: Browser, emulator: RunningSuite) -> None:
    stolen = terminal(browser)
    fresh = refresh(emulator, stolen["refresh_token"]).json()
    problem(refresh(emulator, stolen["refresh_token"]), 400, "invalid_grant")
    problem(refresh(emulator, fresh["refresh_token"]), 400, "invalid_grant")
    for token in (stolen["access_token"], fresh["access_token"]):
        problem(emulator.call("GET", "/api/v2/me", token), 401, "unauthenticated")
    assert browser.me(), "the browser that let the terminal in is another session"


def test_a_refresh_token_sent_twice_at_once_is_never_good_twice(browser: Browser, emulator: RunningSuite) -> None:
    token = terminal(browser)["refresh_token"]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: refresh(emulator, token).status_code, range(4)))
    assert answers.count(200) <= 1


@pytest.mark.parametrize(
    "form, code",
    [
        ({}, "invalid"),
        ({"grant_type": "password", "username": "x", "password": "y"}, "invalid"),
        ({"grant_type": "refresh_token"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "dwr_" + "A" * 43}, "invalid_grant"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "x"}, "invalid_grant"),
    ],
)
def test_a_wrong_request_for_a_token_is_told_so(emulator: RunningSuite, form: dict[str, str], code: str) -> None:
    response = (
        emulator.call("POST", "/auth/token", data=form) if form else emulator.call("POST", "/auth/token", json={})
    )
    problem(response, response.status_code, code)


@pytest.mark.parametrize(
    "content, kind",
    [
        (b"grant_type=refresh_token&grant_type=refresh_token", "application/x-www-form-urlencoded"),
        (b"grant_type=%ff", "application/x-www-form-urlencoded"),
        (b"a=%00&grant_type=refresh_token", "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % number for number in range(60)), "application/x-www-form-urlencoded"),
        (b"[]", "application/json"),
    ],
)
def test_a_form_that_can_be_read_in_two_ways_is_refused(emulator: RunningSuite, content: bytes, kind: str) -> None:
    response = emulator.call("POST", "/auth/token", content=content, headers={"Content-Type": kind})
    problem(response, 400, "malformed_request")


def test_a_form_of_another_type_is_refused(emulator: RunningSuite) -> None:
    response = emulator.call("POST", "/auth/token", content=b"<a/>", headers={"Content-Type": "text/xml"})
    problem(response, 415, "media_type_unsupported")


def test_what_is_stored_lets_nobody_in(browser: Browser, emulator: RunningSuite) -> None:
    tokens: dict[str, Any] = terminal(browser)
    connection = emulator.owner()
    try:
        rows = connection.run(
            "select secret_hash::text from core.sessions union all select token_hash::text from core.refresh_tokens"
        )
        dump = " ".join(str(row[0]) for row in rows)
    finally:
        connection.close()
    assert browser.cookies["__Host-driftwise"] not in dump
    assert tokens["refresh_token"] not in dump
