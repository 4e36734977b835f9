"""Installing our Slack app: the state that goes there and back, and what Slack grants. Decides, stores and calls nothing.

Source: https://docs.slack.dev/authentication/installing-with-oauth, https://docs.slack.dev/reference/methods/oauth.v2.access
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from shared.http.errors import MalformedRequest
from shared.http.strict_json import parse_json
from shared.ports.clock import Entropy
from shared.ports.secret_store import Secret

from ..errors import SlackInstallDenied, SlackInstallFailed, SlackInstallRefused
from .notices import plain

SLACK: Final = "https://slack.com"
SCOPE: Final = "incoming-webhook"
LIFETIME: Final = timedelta(minutes=10)
_HOOKS_HOST: Final = "hooks.slack.com"
_STATE: Final = re.compile(r"[A-Za-z0-9_-]{64}")  # 48 bytes: the organisation's id, then 256 random bits
_ID_BYTES, _RANDOM_BYTES = 16, 32
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,49}")
_MOST_NAME, _MOST_URL = 100, 2048


@dataclass(frozen=True, slots=True)
class Grant:
    """What Slack grants: an address that posts to one channel. Its tokens are not kept, as nothing needs them.

    Attributes:
        url: the incoming webhook; who knows it can post.
        channel: as Slack writes it, with its `#` or `@`.
        workspace: its name.
    """

    url: Secret
    channel: str
    workspace: str

    @property
    def hint(self) -> str:
        """What is shown of the address."""
        return f"{self.channel} of {self.workspace}"


def make_state(org_id: UUID, entropy: Entropy) -> str:
    """Make a state: it names the organisation, so that the callback knows where to look, and cannot be guessed."""
    return base64.urlsafe_b64encode(org_id.bytes + entropy.token_bytes(_RANDOM_BYTES)).decode()


def org_of_state(state: str) -> UUID:
    """Return the organisation that a state names; it is believed once its row is found there.

    Raises:
        SlackInstallRefused: (409 `slack_install_refused`) it is no state of ours.
    """
    if _STATE.fullmatch(state) is None:
        raise SlackInstallRefused
    return UUID(bytes=base64.urlsafe_b64decode(state)[:_ID_BYTES])


def hash_state(state: str) -> bytes:
    """Hash a state for storage: who reads the table cannot finish an installation."""
    return hashlib.sha256(state.encode()).digest()


def authorize_url(client_id: str, redirect_uri: str, state: str, root: str = SLACK) -> str:
    """Return where a person chooses workspace and channel."""
    query = {"client_id": client_id, "scope": SCOPE, "redirect_uri": redirect_uri, "state": state}
    return f"{root}/oauth/v2/authorize?{urlencode(query)}"


def check_install(found: Mapping[str, Any] | None, *, now: datetime) -> Mapping[str, Any]:
    """Decide whether a callback ends an installation that this person began here.

    Args:
        found: the row that was taken for this state and person.
        now: time of the decision, aware UTC.

    Raises:
        SlackInstallRefused: (409 `slack_install_refused`) there was none, or it took longer than ten minutes.
    """
    if found is None or found["expires_at"] <= now:
        raise SlackInstallRefused
    return found


def check_consent(error: str | None, code: str | None) -> str:
    """Return the code that Slack gave, unless it says why there is none.

    Raises:
        SlackInstallDenied: (409 `slack_install_denied`) the person, or an admin of the workspace, does not want it.
        SlackInstallFailed: (502 `slack_install_failed`) anything else.
    """
    if error == "access_denied":
        raise SlackInstallDenied
    if error is not None or code is None:
        raise SlackInstallFailed(slack_error=_word(error))
    return code


def read_grant(status: int, content: bytes) -> Grant:
    """Read the answer of `oauth.v2.access`: HTTP 200 whether it went well or not, and `ok` says which.

    Raises:
        SlackInstallFailed: (502 `slack_install_failed`) it did not; with Slack's own word for why where it has one.
    """
    if status != HTTPStatus.OK:
        raise SlackInstallFailed(slack_error=f"http_{status}")
    try:
        body = parse_json(content)
    except MalformedRequest:
        raise SlackInstallFailed(slack_error="unreadable") from None
    answer = _object(body)
    if answer.get("ok") is not True:
        raise SlackInstallFailed(slack_error=_word(answer.get("error")))
    hook = _object(answer.get("incoming_webhook"))
    url, channel = hook.get("url"), hook.get("channel")
    if not isinstance(url, str) or not _is_hook(url) or not isinstance(channel, str) or not channel:
        raise SlackInstallFailed(slack_error="no_incoming_webhook")
    return Grant(Secret(url.encode()), plain(channel, _MOST_NAME), _workspace(answer))


def name_of(wished: str | None, grant: Grant) -> str:
    """Return what a channel is called that nobody gave a name."""
    return wished or f"Slack {grant.channel}"[:_MOST_NAME]


def _workspace(answer: Mapping[str, Any]) -> str:
    """Return the name of the workspace; an app that a whole enterprise installs has the enterprise instead."""
    for member in ("team", "enterprise"):
        found = _object(answer.get(member))
        for name in ("name", "id"):
            if isinstance(found.get(name), str) and found[name]:
                return plain(found[name], _MOST_NAME)
    return "a workspace"


def _is_hook(url: str) -> bool:
    """Whether an address is one of Slack's incoming webhooks: the app is trusted to name a channel, not a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_theirs = parts.scheme == "https" and parts.hostname == _HOOKS_HOST and "@" not in parts.netloc
    return is_theirs and len(url) <= _MOST_URL


def _word(error: object) -> str:
    """Return Slack's word for an error; nothing that is not one gets into answers and logs."""
    return error if isinstance(error, str) and _WORD.fullmatch(error) else "unknown"


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
