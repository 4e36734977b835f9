"""Signing in through the OpenID provider, as a browser would: redirects followed one by one, cookies kept."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest

from tests.support.browser import PERSON, Browser, terminal
from tests.support.running_suite import RunningSuite, problem


@pytest.fixture
def browser(emulator: RunningSuite) -> Browser:
    return Browser(emulator)


def changed(url: str, **parameters: str | None) -> str:
    """Return a URL with query parameters set, or left out when None."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    query |= {name: value for name, value in parameters.items() if value is not None}
    kept = {name: value for name, value in query.items() if name not in parameters or parameters[name] is not None}
    return parts._replace(query=urlencode(kept)).geturl()


def test_a_person_signs_in_and_every_function_knows_the_browser(browser: Browser, emulator: RunningSuite) -> None:
    me = browser.sign_in()
    assert me["email"] == PERSON
    assert me["csrf_token"]
    assert browser.send("GET", emulator.org("/api-keys")).status_code == 200
    assert browser.send("GET", emulator.org("/scans")).status_code == 200
    assert browser.send("GET", emulator.org("")).json()["role"] == "owner"
    orgs = browser.send("GET", "/api/v2/orgs").json()["items"]
    assert str(emulator.org_id) in {org["id"] for org in orgs}


def test_the_same_person_signs_in_again_as_the_same_user(emulator: RunningSuite) -> None:
    people = [Browser(emulator).sign_in("member@acme.example") for _ in range(2)]
    assert len({person["id"] for person in people}) == 1
    assert len({person["session_id"] for person in people}) == 2


def test_the_published_keys_verify_the_token(browser: Browser, emulator: RunningSuite) -> None:
    configuration = emulator.call("GET", "/.well-known/openid-configuration").json()
    assert configuration["issuer"] == emulator.url
    keys = jwt.PyJWKClient(configuration["jwks_uri"])
    browser.sign_in()
    token = terminal(browser)["access_token"]
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    claims = jwt.decode(
        token, keys.get_signing_key_from_jwt(token), algorithms=["ES256"], audience=emulator.url, issuer=emulator.url
    )
    assert claims["exp"] - claims["iat"] == 600
    assert claims["auth_time"] <= claims["iat"]


def test_the_request_to_the_provider_is_bound_to_this_browser(browser: Browser, emulator: RunningSuite) -> None:
    page = browser.begin()
    query = {name: values[0] for name, values in parse_qs(urlsplit(page).query).items()}
    assert query["response_type"] == "code"
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    assert query["redirect_uri"] == f"{emulator.url}/auth/callback"
    assert query["scope"].split()[0] == "openid"
    assert len(query["state"]) >= 43
    assert len(query["nonce"]) >= 43
    others = [parse_qs(urlsplit(Browser(emulator).begin()).query) for _ in range(3)]
    for name in ("state", "nonce", "code_challenge"):
        assert len({query[name], *(other[name][0] for other in others)}) == 4, f"{name} repeats"


def test_the_cookie_is_for_this_host_only_and_out_of_reach_of_scripts(emulator: RunningSuite) -> None:
    line = Browser(emulator).send("GET", "/auth/login").headers["set-cookie"]
    assert re.match(r"__Host-[^=]+=[0-9A-Za-z_-]{43,};", line)
    assert {"path=/", "secure", "httponly", "samesite=lax"} <= {item.strip().lower() for item in line.split(";")}
    assert "domain" not in line.lower()


def test_a_sign_in_leaves_one_cookie_behind_which_no_script_reads(browser: Browser) -> None:
    response = browser.send("GET", browser.choose(browser.begin()))
    assert set(browser.cookies) == {"__Host-driftwise"}
    line = next(item for item in response.headers.get_list("set-cookie") if item.startswith("__Host-driftwise="))
    assert {"path=/", "secure", "httponly", "samesite=lax"} <= {item.strip().lower() for item in line.split(";")}
    assert "domain" not in line.lower()


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example",
        "//evil.example",
        "/\\\\evil.example",
        "/\\t/evil.example",
        "evil",
        "/a b",
        "/" + "a" * 500,
    ],
)
def test_a_sign_in_leads_back_to_our_own_pages_only(browser: Browser, path: str) -> None:
    problem(browser.send("GET", "/auth/login", params={"return_to": path}), 422, "invalid")


def test_a_sign_in_leads_back_to_where_it_began(browser: Browser) -> None:
    page = browser.send("GET", "/auth/login", params={"return_to": "/device?user_code=BCDF-GHJK"}).headers["location"]
    back = browser.send("GET", browser.choose(page))
    assert back.headers["location"] == "/device?user_code=BCDF-GHJK"


def test_an_unknown_provider_is_named_as_such(browser: Browser) -> None:
    problem(browser.send("GET", "/auth/login?provider=nobody"), 404, "provider_unknown")
    assert [item["id"] for item in browser.send("GET", "/auth/providers").json()["items"]] == ["emulator"]


@pytest.mark.parametrize("state", ["forged" * 8, "", "x", "\u00fc", "a" * 201, "%00"])
def test_a_forged_state_is_refused(browser: Browser, state: str) -> None:
    back = browser.choose(browser.begin())
    response = browser.send("GET", changed(back, state=state))
    assert problem(response, response.status_code)["code"] in {"sign_in_failed", "invalid"}


def test_a_state_of_another_sign_in_is_refused(browser: Browser, emulator: RunningSuite) -> None:
    """Log-in forgery: the attacker's own sign-in, finished in the victim's browser."""
    attacker = Browser(emulator)
    back = attacker.choose(attacker.begin(), "viewer@acme.example")
    browser.begin()
    problem(browser.send("GET", back), 401, "sign_in_failed")


def test_a_callback_in_a_browser_without_the_cookie_is_refused_and_burns_the_state(
    browser: Browser, emulator: RunningSuite
) -> None:
    back = browser.choose(browser.begin())
    problem(Browser(emulator).send("GET", back), 401, "sign_in_failed")
    problem(browser.send("GET", back), 401, "sign_in_failed")


def test_a_callback_works_once(browser: Browser) -> None:
    back = browser.choose(browser.begin())
    cookies = dict(browser.cookies)
    assert browser.send("GET", back).status_code == 303
    browser.cookies = cookies
    problem(browser.send("GET", back), 401, "sign_in_failed")


def test_a_code_of_another_sign_in_is_refused(browser: Browser, emulator: RunningSuite) -> None:
    """Code injection: a stolen code in one's own sign-in fails on PKCE and nonce."""
    victim = Browser(emulator)
    stolen = parse_qs(urlsplit(victim.choose(victim.begin())).query)["code"][0]
    back = browser.choose(browser.begin())
    problem(browser.send("GET", changed(back, code=stolen)), 401, "sign_in_failed")


@pytest.mark.parametrize(
    "change",
    [{"code": "wrong"}, {"code": None}, {"iss": "https://evil.example"}, {"iss": None}, {"error": "access_denied"}],
)
def test_an_answer_that_was_changed_is_refused(browser: Browser, change: dict[str, str | None]) -> None:
    back = browser.choose(browser.begin())
    problem(browser.send("GET", changed(back, **change)), 401, "sign_in_failed")


def test_an_answer_with_a_repeated_parameter_is_refused(browser: Browser) -> None:
    back = browser.choose(browser.begin())
    problem(browser.send("GET", f"{back}&state=other"), 422, "invalid")


def test_a_person_the_provider_refuses_is_told_to_start_again(browser: Browser) -> None:
    back = browser.choose(browser.begin(), "nobody@acme.example")
    assert problem(browser.send("GET", back), 401, "sign_in_failed")["provider_error"] == "access_denied"


def test_a_disabled_person_gets_no_token_and_loses_the_one_in_hand(emulator: RunningSuite) -> None:
    email = "viewer@acme.example"
    signed_in = Browser(emulator)
    signed_in.sign_in(email)
    token = terminal(signed_in)["access_token"]
    connection = emulator.owner()
    try:
        connection.run("update core.users set disabled_at = now() where email = :email", email=email)
        problem(emulator.call("GET", "/api/v2/me", token), 401, "unauthenticated")
        problem(signed_in.send("GET", "/api/v2/me"), 401, "unauthenticated")
        browser = Browser(emulator)
        problem(browser.send("GET", browser.choose(browser.begin(), email)), 401, "person_disabled")
    finally:
        connection.run("update core.users set disabled_at = null where email = :email", email=email)
        connection.close()
    assert emulator.call("GET", "/api/v2/me", token).status_code == 200


def test_two_first_sign_ins_at_once_both_succeed(emulator: RunningSuite) -> None:
    """Two tabs of one person whom nobody has seen before."""
    from concurrent.futures import ThreadPoolExecutor

    connection = emulator.owner()
    try:
        connection.run("delete from core.user_identities")
    finally:
        connection.close()
    browsers = [Browser(emulator) for _ in range(4)]
    backs = [browser.choose(browser.begin(), "admin@acme.example") for browser in browsers]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda pair: pair[0].send("GET", pair[1]), zip(browsers, backs, strict=True)))
    assert [answer.status_code for answer in answers] == [303] * 4, [answer.text[:200] for answer in answers]
