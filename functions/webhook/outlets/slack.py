"""The one call to Slack by which an installation ends: its code for an incoming webhook.

Source: https://docs.slack.dev/reference/methods/oauth.v2.access
"""

from __future__ import annotations

import base64
from urllib.parse import urlencode

from shared.ports.secret_store import Secret
from shared.security.egress import EgressGuard

from ..domain.slack_installs import SLACK, Grant, read_grant

CLIENT_SECRET = "slack-client-secret"  # noqa: S105  # a name


def exchange(
    guard: EgressGuard, code: str, *, client_id: str, client_secret: Secret, redirect_uri: str, root: str = SLACK
) -> Grant:
    """Exchange a code, once. The client's secret goes by HTTP Basic, as Slack asks for, and never into an address.

    Args:
        guard: calls Slack and nobody else: redirects are not followed, time and size are bounded.
        code: what the browser brought.
        client_id: of our Slack app.
        client_secret: of our Slack app.
        redirect_uri: the very one that the code was asked for with.
        root: where Slack is; the emulator's stand-in.

    Raises:
        SlackInstallFailed: (502 `slack_install_failed`) Slack says no, or something that nobody can read.
        EgressRefused, EgressFailed, EgressTimeout, EgressTooLarge: it did not answer as it should.
    """
    credentials = base64.b64encode(f"{client_id}:".encode() + client_secret.reveal()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/x-www-form-urlencoded"}
    content = urlencode({"code": code, "redirect_uri": redirect_uri}).encode()
    reply = guard.request("POST", f"{root}/api/oauth.v2.access", headers=headers, content=content)
    return read_grant(reply.status, reply.content)
