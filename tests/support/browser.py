"""A browser without a window: redirects followed one by one, cookies kept by their exact name; and terminals that it lets in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.running_suite import RunningSuite

PERSON = "owner@acme.example"


@dataclass
class Browser:
    """Keeps cookies by their exact name and follows nothing by itself."""

    suite: RunningSuite
    cookies: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, url: str, **options: Any) -> httpx.Response:
        headers = dict(options.pop("headers", None) or {})
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        address = url if url.startswith("http") else self.suite.url + url
        response = self.suite.client.request(method, address, headers=headers, follow_redirects=False, **options)
        for line in response.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "max-age=0" in line.lower():
                del self.cookies[name]
        return response

    def begin(self) -> str:
        """Ask to sign in; returns the provider's page."""
        response = self.send("GET", "/auth/login")
        assert response.status_code == 302, response.text
        return response.headers["location"]

    def choose(self, page: str, email: str = PERSON) -> str:
        """Fill in the provider's form; returns where it sends the browser back to."""
        shown = self.send("GET", page)
        assert shown.status_code == 200, shown.text
        assert 'form method="post"' in shown.text
        assert f'value="{email}"' in shown.text or email == "nobody@acme.example"
        response = self.send("POST", page, data={"email": email})
        assert response.status_code == 303, response.text
        return response.headers["location"]

    def sign_in(self, email: str = PERSON) -> dict[str, Any]:
        """Sign in from start to end; returns who the browser is now."""
        response = self.send("GET", self.choose(self.begin(), email))
        assert response.status_code == 303, response.text
        assert response.headers["location"] == "/"
        return self.me()

    def me(self) -> dict[str, Any]:
        """Ask who this browser is."""
        response = self.send("GET", "/api/v2/me")
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found


def terminal(browser: Browser) -> dict[str, Any]:
    """Sign a terminal in as the browser's person (RFC 8628); returns its tokens."""
    suite = browser.suite
    codes = suite.call("POST", "/auth/device/code", data={"client_name": "dw"}).json()
    allow(browser, codes["user_code"])
    response = poll(suite, codes["device_code"])
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def allow(browser: Browser, user_code: str, *, approve: bool = True) -> None:
    headers = {"X-CSRF-Token": browser.me()["csrf_token"]}
    answer = {"user_code": user_code, "approve": approve}
    response = browser.send("POST", "/auth/device", json=answer, headers=headers)
    assert response.status_code == 204, response.text


def poll(suite: RunningSuite, device_code: str) -> httpx.Response:
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": device_code}
    return suite.call("POST", "/auth/token", data=grant)


def refresh(suite: RunningSuite, refresh_token: str) -> httpx.Response:
    return suite.call("POST", "/auth/token", data={"grant_type": "refresh_token", "refresh_token": refresh_token})
