"""Slack on loopback, as Slack documents it: who authorises, the exchange of codes, and incoming webhooks that end.

Source: https://docs.slack.dev/authentication/installing-with-oauth (`code` and `state` come back; a code lives ten minutes and works once),
  https://docs.slack.dev/reference/methods/oauth.v2.access (POST, client by HTTP Basic, HTTP 200 with `ok`; `invalid_code`,
  `code_already_used`, `bad_redirect_uri`, `invalid_client_id`, `bad_client_secret`),
  https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (`ok` in plain text; 403, 404 and 410 with one word).
"""

from __future__ import annotations

import base64
import json
import secrets
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.tls_server import Authority, Behaviour, Seen, Server, answer

CLIENT_ID = "2141029472.691202649728"
CLIENT_SECRET = "e1b9e11dfcd19c1982d5de12921e17e8"  # noqa: S105  # of a Slack that is none
BOT_TOKEN = "xoxb-17653672481-19874698323-of-a-slack-that-is-none"  # noqa: S105
HOOK_PATH = "/services/T9TK3CUKW/B0123456789/secret-part-of-the-hook"
WORKSPACE = {"id": "T9TK3CUKW", "name": "Softball Team"}


@dataclass
class Slack:
    """One Slack with one app.

    Attributes:
        server: where it listens; it is `slack.com` and `hooks.slack.com` alike.
        codes: the redirect URI that each code was asked for with; a used one is None.
        channel: what people choose.
        more: members that the next answers have besides, or have otherwise.
        behave: what it does instead of exchanging codes; None to exchange them.
        hook: what the webhook answers.
    """

    server: Server
    codes: dict[str, str | None] = field(default_factory=dict)
    channel: str = "#alerts"
    more: dict[str, Any] = field(default_factory=dict)
    behave: Behaviour | None = None
    hook: Behaviour = field(default_factory=lambda: answer(b"ok"))

    @property
    def root(self) -> str:
        """Where it is, as settings say it."""
        return f"https://slack.com:{self.server.port}"

    @property
    def hook_url(self) -> str:
        """The address of the webhook that it grants."""
        return f"https://hooks.slack.com:{self.server.port}{HOOK_PATH}"

    @property
    def exchanges(self) -> list[Seen]:
        """The requests that wanted a code exchanged."""
        return [seen for seen in self.server.requests if seen.line.split()[1].startswith("/api/oauth.v2.access")]

    def approve(self, authorize_url: str, *, error: str | None = None) -> dict[str, str]:
        """Let a person approve, or say no; returns the query that the browser brings back."""
        parts = urlsplit(authorize_url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.root}/oauth/v2/authorize"
        assert (query["client_id"], query["scope"]) == (CLIENT_ID, "incoming-webhook")
        if error is not None:
            return {"error": error, "state": query["state"]}
        code = f"4724469134.{secrets.token_hex(32)}"
        self.codes[code] = query["redirect_uri"]
        return {"code": code, "state": query["state"]}

    def respond(self, connection: socket.socket, seen: Seen) -> None:
        """Answer one request."""
        method, path, _ = seen.line.split()
        if path == HOOK_PATH and method == "POST":
            self.hook(connection, seen)
        elif path == "/api/oauth.v2.access" and method == "POST":
            (self.behave or answer(json.dumps(self._access(seen)).encode()))(connection, seen)
        else:
            answer(status="404 Not Found")(connection, seen)

    def _access(self, seen: Seen) -> dict[str, Any]:
        if seen.header("content-type") != "application/x-www-form-urlencoded":
            return {"ok": False, "error": "invalid_post_type"}
        scheme, _, encoded = (seen.header("authorization") or "").partition(" ")
        client_id, _, client_secret = base64.b64decode(encoded).decode().partition(":")
        if scheme != "Basic" or client_id != CLIENT_ID:
            return {"ok": False, "error": "invalid_client_id"}
        if client_secret != CLIENT_SECRET:
            return {"ok": False, "error": "bad_client_secret"}
        fields = {name: values[0] for name, values in parse_qs(seen.content.decode()).items()}
        if fields.get("code") not in self.codes:
            return {"ok": False, "error": "invalid_code"}
        redirect_uri = self.codes[fields["code"]]
        if redirect_uri is None:
            return {"ok": False, "error": "code_already_used"}
        if fields.get("redirect_uri") != redirect_uri:
            return {"ok": False, "error": "bad_redirect_uri"}
        self.codes[fields["code"]] = None
        return self._granted() | self.more

    def _granted(self) -> dict[str, Any]:
        return {
            "ok": True,
            "access_token": BOT_TOKEN,
            "token_type": "bot",
            "scope": "incoming-webhook",
            "bot_user_id": "U0KRQLJ9H",
            "app_id": "A0KRD7HC3",
            "team": WORKSPACE,
            "enterprise": None,
            "is_enterprise_install": False,
            "authed_user": {"id": "U1234"},
            "incoming_webhook": {
                "channel": self.channel,
                "channel_id": "C05002EAE",
                "configuration_url": "https://softball.slack.com/services/B0123456789",
                "url": self.hook_url,
            },
        }


@contextmanager
def slack(authority: Authority) -> Generator[Slack]:
    """Run a Slack."""
    with Server(authority.context("slack.com", "hooks.slack.com"), answer()) as server:
        found = Slack(server)
        server.behave = found.respond
        yield found
