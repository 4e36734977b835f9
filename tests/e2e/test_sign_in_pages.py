"""Signing in as people do: in a real browser, from the first page to the one that says who one is."""

from __future__ import annotations

import pytest

from tests.support.browser import poll
from tests.support.chromium import chromium_page, keep_picture
from tests.support.running_suite import RunningSuite


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_person_signs_in_and_out(emulator: RunningSuite, scheme: str) -> None:
    with chromium_page(color_scheme=scheme) as page:
        page.goto(emulator.url + "/")
        link = page.get_by_role("link", name="Sign in with Local identity provider")
        link.wait_for()
        keep_picture(page, f"start-{scheme}")
        link.click()
        page.get_by_role("button", name="Olivia Owner").click()
        page.wait_for_url(emulator.url + "/")
        page.locator("#who").wait_for()
        assert page.locator("#who").inner_text() == "Signed in as Olivia Owner (owner@acme.example)"
        assert "Acme" in page.get_by_role("list", name="Your organisations").inner_text()
        keep_picture(page, f"signed-in-{scheme}")
        assert {cookie["name"] for cookie in page.context.cookies()} == {"__Host-driftwise"}
        assert page.evaluate("document.cookie") == ""
        page.get_by_role("button", name="Sign out").click()
        link.wait_for()
        assert page.context.cookies() == []


def test_a_person_lets_a_terminal_in_on_a_phone(emulator: RunningSuite) -> None:
    codes = emulator.call("POST", "/auth/device/code", data={"client_name": "dw <b>on</b> build-7"}).json()
    with chromium_page(viewport={"width": 390, "height": 780}) as page:
        page.goto(codes["verification_uri_complete"])
        page.get_by_role("button", name="Mina Member").click()
        allow = page.get_by_role("button", name="Allow")
        allow.wait_for()
        assert "dw <b>on</b> build-7" in page.locator("#answer").inner_text()
        keep_picture(page, "device")
        allow.click()
        page.get_by_role("status").wait_for()
        keep_picture(page, "device-done")
    tokens = poll(emulator, codes["device_code"])
    assert tokens.status_code == 200, tokens.text
    me = emulator.call("GET", "/api/v2/me", tokens.json()["access_token"])
    assert me.json()["email"] == "member@acme.example"


def test_a_wrong_code_is_told_so_on_the_page(emulator: RunningSuite) -> None:
    with chromium_page() as page:
        page.goto(emulator.url + "/device")
        page.get_by_role("button", name="Mina Member").click()
        page.get_by_label("The code that your terminal shows").fill("BCDF-GHJK")
        page.get_by_role("button", name="Go on").click()
        page.get_by_role("alert").wait_for()
        assert "No terminal waits under this code" in page.get_by_role("alert").inner_text()
        keep_picture(page, "device-unknown")
