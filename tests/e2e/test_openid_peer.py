"""Signing in and out by a provider that others wrote and that is certified, beside the emulator's own.

What it is strict about: PKCE, form-encoded client credentials, claims at the userinfo endpoint only, and its own idea of when
somebody is signed out.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from local_emulator.ports import reserve_port
from tests.support.browser import Browser, refresh, terminal
from tests.support.openid_peer import CLIENT_ID, CLIENT_SECRET, OpenidPeer, ProviderPages, openid_peer
from tests.support.peers import require_peer
from tests.support.running_suite import RunningSuite, problem, running_part

ACCOUNTS = {
    "ada": {"email": "ada@peer.example", "email_verified": True, "name": "Ada Peer"},
    "bob": {"email": "bob@peer.example", "email_verified": True, "name": "Bob Peer"},
    "cleo": {"email": "cleo@peer.example", "email_verified": False, "name": "Cleo Unverified"},
    "olivia": {"email": "owner@acme.example", "email_verified": True, "name": "Not Olivia"},
    "dora": {"email": "dora@elsewhere.example", "email_verified": True, "name": "Dora Elsewhere"},
}
NOTICES = "/auth/backchannel-logout/peer"


@pytest.fixture(scope="module")
def provider_port() -> int:
    require_peer("oidc-provider")
    return reserve_port()


@pytest.fixture(scope="module")
def suite(provider_port: int) -> Iterator[RunningSuite]:
    """The functions that people sign in to and one more, with two providers."""
    with TemporaryDirectory(prefix="driftwise-peer-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        providers = folder / "providers.json"
        config = {
            "id": "peer",
            "name": "A certified provider",
            "issuer": f"http://127.0.0.1:{provider_port}",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "allowed_domains": ["peer.example", "acme.example"],
        }
        providers.write_text(json.dumps([config]), "utf-8")
        options = ("--port", "0", "--only", "auth,keys,idp,gateway", "--oidc-providers", str(providers))
        with running_part(folder, *options) as running:
            yield running


@pytest.fixture(scope="module")
def provider(suite: RunningSuite, provider_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenidPeer]:
    with openid_peer(tmp_path_factory.mktemp("peer"), provider_port, suite.url, ACCOUNTS) as running:
        yield running


@pytest.fixture
def browser(suite: RunningSuite) -> Browser:
    return Browser(suite)


@pytest.fixture
def pages(provider: OpenidPeer) -> Iterator[ProviderPages]:
    shown = ProviderPages(provider.issuer)
    yield shown
    shown.close()


def begin(browser: Browser, **query: str) -> str:
    response = browser.send("GET", "/auth/login", params={"provider": "peer", **query})
    assert response.status_code == 302, response.text
    return response.headers["location"]


def sign_in(browser: Browser, pages: ProviderPages, login: str = "ada") -> dict[str, Any]:
    back = browser.send("GET", pages.sign_in(begin(browser), login))
    assert back.status_code == 303, back.text
    return browser.me()


def sign_out_here(browser: Browser) -> str:
    answer = browser.send("POST", "/auth/logout", headers={"X-CSRF-Token": browser.me()["csrf_token"]})
    assert answer.status_code == 200, answer.text
    url: str = answer.json()["logout_url"]
    return url


def is_signed_in(browser: Browser) -> bool:
    return browser.send("GET", "/api/v2/me").status_code == 200


def ended_by_provider(suite: RunningSuite) -> int:
    connection = suite.owner()
    try:
        rows = connection.run(
            "select count(*) from core.platform_audit_log where action = 'auth:session:ended_by_provider'"
        )
    finally:
        connection.close()
    return int(rows[0][0])


def test_a_person_signs_in_and_the_other_provider_stays(
    browser: Browser, pages: ProviderPages, suite: RunningSuite
) -> None:
    listed = browser.send("GET", "/auth/providers").json()["items"]
    assert [item["id"] for item in listed] == ["emulator", "peer"]
    me = sign_in(browser, pages)
    assert pages.shown == ["login", "consent"]
    assert (me["email"], me["name"]) == ("ada@peer.example", "Ada Peer"), "told at the userinfo endpoint only"
    again = Browser(suite)
    assert sign_in(again, pages)["id"] == me["id"]
    assert pages.shown == ["login", "consent"], "the provider knows the person, and asks nothing"
    assert again.me()["signed_in_at"] == me["signed_in_at"], "auth_time is when the person proved who they are"
    other = Browser(suite)
    assert other.sign_in()["email"] == "owner@acme.example", "the emulator's provider"


def test_a_person_proves_who_they_are_again_when_asked(browser: Browser, pages: ProviderPages) -> None:
    sign_in(browser, pages)
    first = browser.me()["signed_in_at"]
    time.sleep(1.1)  # auth_time counts whole seconds
    browser.send("GET", pages.sign_in(begin(browser, fresh="true", email="ada@peer.example"), "ada"))
    assert pages.shown.count("login") == 2
    assert browser.me()["signed_in_at"] > first


@pytest.mark.parametrize(
    "login, status, code",
    [
        ("cleo", 403, "email_unverified"),
        ("dora", 403, "domain_not_allowed"),
    ],
)
def test_whom_the_provider_may_not_let_in_stays_outside(
    browser: Browser, pages: ProviderPages, login: str, status: int, code: str
) -> None:
    problem(browser.send("GET", pages.sign_in(begin(browser), login)), status, code)
    assert "__Host-driftwise" not in browser.cookies


def test_a_provider_that_does_not_speak_for_a_domain_takes_over_no_account(
    browser: Browser, pages: ProviderPages, suite: RunningSuite
) -> None:
    Browser(suite).sign_in("owner@acme.example")
    problem(browser.send("GET", pages.sign_in(begin(browser), "olivia")), 409, "identity_conflict")


def test_a_code_of_one_provider_is_worth_nothing_at_the_other(browser: Browser, pages: ProviderPages) -> None:
    """Mix-up (RFC 9207): the answer names who gave it, and the sign-in remembers whom it asked."""
    answer = pages.sign_in(begin(browser), "ada")
    mixed = Browser(browser.suite)
    location = mixed.begin()  # at the emulator's provider
    state = location.partition("state=")[2].partition("&")[0]
    query = answer.partition("?")[2]
    parts = dict(item.split("=", 1) for item in query.split("&")) | {"state": state}
    forged = "&".join(f"{name}={value}" for name, value in parts.items())
    problem(mixed.send("GET", f"/auth/callback?{forged}"), 401, "sign_in_failed")


def test_signing_out_here_leads_to_the_providers_own_page_and_back(browser: Browser, pages: ProviderPages) -> None:
    sign_in(browser, pages)
    url = sign_out_here(browser)
    assert not is_signed_in(browser)
    assert pages.sign_out(url) == f"{browser.suite.url}/"
    pages.shown.clear()
    sign_in(browser, pages)
    assert "login" in pages.shown, "the provider still knew the person"


def test_signing_out_at_the_provider_ends_the_session_here(
    browser: Browser, pages: ProviderPages, provider: OpenidPeer, suite: RunningSuite
) -> None:
    sign_in(browser, pages)
    tokens = terminal(browser)
    elsewhere, other_pages = Browser(suite), ProviderPages(provider.issuer)
    sign_in(elsewhere, other_pages)
    somebody, their_pages = Browser(suite), ProviderPages(provider.issuer)
    sign_in(somebody, their_pages, "bob")
    while not provider.peer.events.empty():
        provider.peer.events.get()
    assert pages.sign_out(f"{provider.issuer}/session/end") == f"{provider.issuer}/session/end/success"
    assert provider.peer.next_event() == {"logout": "ada", "error": None}
    for path in ("/api/v2/me", f"/api/v2/orgs/{uuid4()}/api-keys"):
        problem(browser.send("GET", path), 401, "unauthenticated")
        problem(suite.call("GET", path, tokens["access_token"]), 401, "unauthenticated")
    problem(refresh(suite, tokens["refresh_token"]), 400, "invalid_grant")
    assert is_signed_in(elsewhere), "another session of the same person at the provider"
    assert is_signed_in(somebody)
    for one in (other_pages, their_pages):
        one.close()


def send(suite: RunningSuite, token: str) -> Any:
    return suite.call("POST", NOTICES, data={"logout_token": token})


def test_a_notice_without_a_session_ends_all_of_the_persons_sessions_and_does_so_once(
    browser: Browser, pages: ProviderPages, provider: OpenidPeer, suite: RunningSuite
) -> None:
    sign_in(browser, pages)
    notice = provider.notice(sub="ada")
    assert send(suite, notice).status_code == 204
    assert not is_signed_in(browser)
    before = ended_by_provider(suite)
    sign_in(browser, pages)
    assert send(suite, notice).status_code == 204
    assert is_signed_in(browser), "a replayed notice ended a session that began after it"
    assert ended_by_provider(suite) == before


STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NOW = int(time.time())
REFUSED: dict[str, dict[str, Any]] = {
    "signed by another key": {"key": STRANGER},
    "of an unknown key": {"kid": "other"},
    "for another client": {"aud": "somebody else"},
    "for another client too": {"aud": [CLIENT_ID, "somebody else"]},
    "of another issuer": {"iss": "https://evil.example"},
    "with a nonce": {"nonce": "n"},
    "with an empty nonce": {"nonce": ""},
    "without events": {"events": None},
    "with another event": {"events": {"http://schemas.openid.net/event/other": {}}},
    "with an event that is no object": {"events": {"http://schemas.openid.net/event/backchannel-logout": "now"}},
    "without a name": {"jti": None},
    "that names nobody": {"sub": None, "sid": None},
    "that has expired": {"iat": NOW - 600, "exp": NOW - 300},
    "without an end": {"exp": None},
    "without a beginning": {"iat": None},
    "from the future": {"iat": NOW + 3600, "exp": NOW + 7200},
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_a_notice_that_is_not_one_is_refused(
    browser: Browser, pages: ProviderPages, provider: OpenidPeer, suite: RunningSuite, change: dict[str, Any]
) -> None:
    sign_in(browser, pages)
    problem(send(suite, provider.notice(**{"sub": "ada", **change})), 400, "logout_token_refused")
    assert is_signed_in(browser)


def test_an_id_token_is_no_notice(browser: Browser, pages: ProviderPages, suite: RunningSuite) -> None:
    sign_in(browser, pages)
    for token in ("", "x", "a.b.c", terminal(browser)["access_token"]):
        answer = send(suite, token)
        assert problem(answer, answer.status_code)["code"] in {"invalid", "logout_token_refused"}
    problem(suite.call("POST", "/auth/backchannel-logout/nobody", data={"logout_token": "x"}), 404, "provider_unknown")
    assert is_signed_in(browser)
