"""Signing in by an organisation's own SAML provider, through the gateway, against the emulator's provider."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.support.browser import Browser
from tests.support.chromium import chromium_page, keep_picture
from tests.support.running_suite import RunningSuite, problem

DOMAIN = "acme.example"


@dataclass
class Organisation:
    """An organisation that signs its people in by SAML."""

    suite: RunningSuite
    id: UUID
    config: dict[str, Any]

    def path(self, rest: str = "") -> str:
        return self.suite.org(f"/sso-config{rest}", self.id)

    def put(self, **changes: Any) -> httpx.Response:
        """Change the configuration; what is not named stays as it was set up first."""
        wish = {"enabled": True, "metadata_url": f"{self.suite.url}/idp/saml/metadata", **changes}
        return self.suite.call("PUT", self.path(), self.suite.tokens["platform_admin"], json=wish)


@pytest.fixture(scope="module")
def organisation(emulator: RunningSuite) -> Iterator[Organisation]:
    """An organisation of the platform admin's, on the Team plan, with acme.example proven."""
    token = emulator.tokens["platform_admin"]
    org_id = UUID(emulator.call("POST", "/api/v2/orgs", token, json={"name": "Single"}).json()["id"])
    connection = emulator.owner()
    try:
        connection.run("update core.orgs set plan = 'team' where id = :org_id", org_id=org_id)
        made = Organisation(emulator, org_id, {})
        answer = made.put()
        assert answer.status_code == 200, answer.text
        made.config = answer.json()
        prove(made, DOMAIN)
        yield made
        emulator.call("DELETE", made.path(), token)
    finally:
        connection.close()


def prove(organisation: Organisation, domain: str) -> None:
    suite, token = organisation.suite, organisation.suite.tokens["platform_admin"]
    added = suite.call("POST", organisation.path("/domains"), token, json={"domain": domain})
    assert added.status_code == 201, added.text
    missing = problem(
        suite.call("POST", organisation.path(f"/domains/{domain}/verify"), token), 409, "domain_proof_missing"
    )
    records = {missing["txt_name"]: ["something else", missing["txt_value"]]}
    (suite.logs.parent / "dns_records.json").write_text(json.dumps(records))
    verified = suite.call("POST", organisation.path(f"/domains/{domain}/verify"), token)
    assert verified.status_code == 200, verified.text
    assert verified.json()["is_verified"]


def fields_of(page: str) -> tuple[str, dict[str, str]]:
    """Read a form that posts itself: where to, and what."""
    action = re.search(r'<form method="post"(?: action="([^"]*)")?', page)
    assert action is not None, page
    inputs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return html.unescape(action[1] or ""), {name: html.unescape(value) for name, value in inputs}


def answer_of(browser: Browser, login_url: str, email: str = "member@acme.example") -> tuple[str, dict[str, str]]:
    """Go to the provider and choose who one is; returns the answer that the browser would post."""
    begun = browser.send("GET", login_url)
    assert begun.status_code == 302, begun.text
    action, fields = fields_of(browser.send("GET", begun.headers["location"]).text)
    page = browser.send("POST", action, data={**fields, "email": email})
    assert page.status_code == 200, page.text
    return fields_of(page.text)


def sign_in(organisation: Organisation, email: str = "member@acme.example", path: str = "/") -> Browser:
    browser = Browser(organisation.suite)
    action, fields = answer_of(browser, f"{organisation.config['login_url']}?return_to={path}", email)
    assert action == organisation.config["acs_url"]
    response = browser.send("POST", action, data=fields)
    assert response.status_code == 303, response.text
    assert response.headers["location"] == path
    return browser


def test_a_person_signs_in_and_becomes_a_member(organisation: Organisation) -> None:
    browser = sign_in(organisation, path="/device")
    me = browser.me()
    assert me["email"] == "member@acme.example"
    assert not me["is_platform_admin"]
    assert browser.send("GET", organisation.suite.org("", organisation.id)).json()["role"] == "viewer"
    assert set(browser.cookies) == {"__Host-driftwise"}


def test_such_a_session_reaches_no_other_organisation(organisation: Organisation) -> None:
    browser = sign_in(organisation)
    problem(browser.send("GET", organisation.suite.org("")), 404, "not_found")
    assert [item["id"] for item in browser.send("GET", "/api/v2/orgs").json()["items"]] == [str(organisation.id)]


def test_the_address_finds_the_provider(organisation: Organisation) -> None:
    begun = Browser(organisation.suite).send(
        "GET", "/auth/login", params={"email": "Viewer@ACME.example", "return_to": "/device"}
    )
    assert begun.headers["location"] == f"{organisation.config['login_url']}?return_to=%2Fdevice"


def test_an_answer_works_once(organisation: Organisation) -> None:
    browser = Browser(organisation.suite)
    action, fields = answer_of(browser, organisation.config["login_url"])
    kept = dict(browser.cookies)
    assert browser.send("POST", action, data=fields).status_code == 303
    browser.cookies = kept
    problem(browser.send("POST", action, data=fields), 401, "saml_refused")


def test_an_answer_in_another_browser_is_refused(organisation: Organisation) -> None:
    """Log-in forgery: the attacker's own answer, posted in the victim's browser."""
    action, fields = answer_of(Browser(organisation.suite), organisation.config["login_url"])
    problem(Browser(organisation.suite).send("POST", action, data=fields), 401, "sign_in_failed")


def test_an_answer_that_nobody_asked_for_is_refused(organisation: Organisation) -> None:
    browser = Browser(organisation.suite)
    action, fields = answer_of(browser, organisation.config["login_url"])
    for changed in (
        {**fields, "RelayState": ""},
        {**fields, "RelayState": "made-up"},
        {"SAMLResponse": fields["SAMLResponse"]},
    ):
        problem(browser.send("POST", action, data=changed), 401, "saml_refused")


@pytest.mark.parametrize("response", ["", "AAAA", "<xml/>", "PHhtbC8+", "x" * 700_001])
def test_rubbish_is_refused(organisation: Organisation, response: str) -> None:
    answer = Browser(organisation.suite).send("POST", organisation.config["acs_url"], data={"SAMLResponse": response})
    problem(answer, answer.status_code)
    assert answer.status_code in {401, 413, 422}


def test_an_unproven_domain_is_refused_whoever_vouches(organisation: Organisation) -> None:
    suite, token = organisation.suite, organisation.suite.tokens["platform_admin"]
    assert suite.call("DELETE", organisation.path(f"/domains/{DOMAIN}"), token).status_code == 204
    try:
        browser = Browser(suite)
        action, fields = answer_of(browser, organisation.config["login_url"])
        problem(browser.send("POST", action, data=fields), 403, "domain_unproven")
    finally:
        prove(organisation, DOMAIN)


def test_a_domain_belongs_to_the_one_who_proved_it(organisation: Organisation, emulator: RunningSuite) -> None:
    path, token = emulator.org("/sso-config/domains"), emulator.tokens["owner"]
    added = emulator.call("POST", path, token, json={"domain": "ACME.Example."}).json()
    assert added["domain"] == DOMAIN
    records = {added["txt_name"]: [added["txt_value"]]}
    (emulator.logs.parent / "dns_records.json").write_text(json.dumps(records))
    problem(emulator.call("POST", f"{path}/{DOMAIN}/verify", token), 409, "domain_taken")
    assert emulator.call("DELETE", f"{path}/{DOMAIN}", token).status_code == 204


@pytest.mark.parametrize("domain", ["example", "a..b", "1.2.3.4", "-a.example", "a b.example", "x" * 250 + ".example"])
def test_what_is_no_domain_is_refused(organisation: Organisation, domain: str) -> None:
    token = organisation.suite.tokens["platform_admin"]
    answer = organisation.suite.call("POST", organisation.path("/domains"), token, json={"domain": domain})
    problem(answer, 422)


def test_enforced_sign_in_shuts_out_every_other_but_the_owners(organisation: Organisation) -> None:
    suite = organisation.suite
    member = Browser(suite)
    user_id = member.sign_in("viewer@acme.example")["id"]
    connection = suite.owner()
    try:
        connection.run(
            "insert into core.members (org_id, user_id, role) values (:org_id, :user_id, 'admin')",
            org_id=organisation.id,
            user_id=user_id,
        )
        assert member.send("GET", suite.org("", organisation.id)).status_code == 200
        assert organisation.put(enforced=True).status_code == 200
        problem(member.send("GET", suite.org("", organisation.id)), 403, "sso_required")
        assert suite.call("GET", suite.org("", organisation.id), suite.tokens["platform_admin"]).status_code == 200
        by_saml = sign_in(organisation, "viewer@acme.example")
        assert by_saml.send("GET", suite.org("", organisation.id)).json()["role"] == "admin"
    finally:
        organisation.put()
        connection.run(
            "delete from core.members where org_id = :org_id and user_id = :user_id",
            org_id=organisation.id,
            user_id=user_id,
        )
        connection.close()


def test_switching_it_off_ends_its_sessions(organisation: Organisation) -> None:
    browser = sign_in(organisation)
    assert organisation.put(enabled=False).status_code == 200
    problem(browser.send("GET", "/api/v2/me"), 401, "unauthenticated")
    problem(browser.send("GET", organisation.config["login_url"]), 404, "not_found")
    assert organisation.put().status_code == 200


def test_the_configuration_says_what_an_administrator_needs(organisation: Organisation) -> None:
    suite, token = organisation.suite, organisation.suite.tokens["platform_admin"]
    shown = suite.call("GET", organisation.path(), token).json()
    assert shown["enabled"]
    assert shown["certificates"][0]["sha256"]
    assert shown["scim_endpoint"] is None, "the Team plan has no SCIM"
    metadata = suite.call("GET", shown["sp_metadata_url"].removeprefix(suite.url))
    assert metadata.headers["content-type"].startswith("application/samlmetadata+xml")
    assert f'entityID="{shown["sp_entity_id"]}"' in metadata.text
    nothing = suite.call("GET", suite.org("/sso-config"), suite.tokens["viewer"]).json()
    assert nothing["enabled"] is False
    assert nothing["scim_endpoint"].endswith(f"/scim/v2/{suite.org_id}")


@pytest.mark.parametrize(
    "change, code",
    [
        ({"metadata_url": None}, "invalid"),
        ({"metadata_xml": "<a/>"}, "invalid"),
        ({"metadata_url": None, "metadata_xml": "<a/>"}, "saml_metadata_invalid"),
        ({"metadata_url": None, "metadata_xml": "<!DOCTYPE a><a/>"}, "saml_metadata_invalid"),
        ({"metadata_url": "http://169.254.169.254/latest/meta-data"}, "egress_refused"),
        ({"metadata_url": "https://localhost/metadata"}, "egress_refused"),
        ({"enabled": False, "enforced": True}, "invalid"),
        ({"default_role": "owner"}, "invalid"),
    ],
)
def test_a_wrong_configuration_changes_nothing(organisation: Organisation, change: dict[str, Any], code: str) -> None:
    before = organisation.suite.call("GET", organisation.path(), organisation.suite.tokens["platform_admin"]).json()
    answer = organisation.put(**change)
    problem(answer, 422, code)
    after = organisation.suite.call("GET", organisation.path(), organisation.suite.tokens["platform_admin"]).json()
    assert after == before


def test_the_free_plan_has_no_saml(emulator: RunningSuite) -> None:
    token = emulator.tokens["platform_admin"]
    org_id = emulator.call("POST", "/api/v2/orgs", token, json={"name": "Free"}).json()["id"]
    answer = emulator.call(
        "PUT", emulator.org("/sso-config", org_id), token, json={"enabled": True, "metadata_xml": "<a/>"}
    )
    found = problem(answer, 402, "feature_required")
    assert (found["required_feature"], found["required_plan"]) == ("saml", "team")


def test_in_a_real_browser(organisation: Organisation) -> None:
    with chromium_page() as page:
        page.goto(organisation.config["login_url"])
        page.get_by_role("button", name="Mina Member").click()
        page.locator("#who").wait_for()
        assert page.locator("#who").inner_text() == "Signed in as Mina Member (member@acme.example)"
        assert "Single" in page.get_by_role("list", name="Your organisations").inner_text()
        keep_picture(page, "signed-in-by-saml")
