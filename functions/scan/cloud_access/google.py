"""Access tokens of Google: a token of ours exchanged for one of a customer's project, or a service account's key for one of its own.

A key file names the address it is exchanged at; that one is the customer's word and is not taken.
Source: https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token;
https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken;
https://developers.google.com/identity/protocols/oauth2/service-account#httprest; ADR-0028, ADR-0040.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from shared.ports.secret_store import Secret
from shared.security.egress import EgressResponse

from ..errors import StateUnreachable
from .calling import Caller, text_of
from .tokens import AccessToken, lifetime_of

IMPERSONATION: Final = "iam.serviceAccounts.getAccessToken"
_CLOUD_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_STS: Final = "https://sts.googleapis.com/v1/token"
_IAM: Final = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts"
_TOKEN_TYPE: Final = "urn:ietf:params:oauth:token-type"  # noqa: S105  # a name
_LIFETIME_SECONDS: Final = 3600
_EMAIL: Final = re.compile(r"[A-Za-z0-9._-]{1,100}@[A-Za-z0-9.-]{1,200}")
_TOKEN_URL: Final = "https://oauth2.googleapis.com/token"  # noqa: S105  # an address
_NEEDED: Final = ("client_email", "private_key", "private_key_id")
_OK, _BAD_REQUEST, _UNAUTHORISED, _NOT_FOUND = 200, 400, 401, 404


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer as google-auth wants it."""

    status: int
    headers: Mapping[str, str]
    data: bytes


def email_of(text: str) -> str | None:
    """Return whose key file a text is, None when it is none of a service account; nothing is tried out."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("type") != "service_account":
        return None
    email, *others = (text_of(found.get(name)) for name in _NEEDED)
    return email if email and all(others) and _EMAIL.fullmatch(email) else None


def exchange_identity(
    caller: Caller, own_token: str, provider: str, service_account: str | None, scope: str
) -> AccessToken:
    """Exchange a token of ours for one of a customer's project.

    Args:
        caller: of Google.
        own_token: made for the external id, which the provider demands.
        provider: of the customer's workload identity pool.
        service_account: to act as; None for the pool's own principal.
        scope: all that the token is for.

    Raises:
        StateUnreachable: (422 `state_unreachable`) the provider does not trust us, or the account lets nobody act as it.
    """
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "audience": f"//iam.googleapis.com/{provider}",
        "scope": _CLOUD_SCOPE if service_account else scope,
        "requested_token_type": f"{_TOKEN_TYPE}:access_token",
        "subject_token": own_token,
        "subject_token_type": f"{_TOKEN_TYPE}:jwt",
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    judges = (_BAD_REQUEST, _UNAUTHORISED)
    reply = caller.send("POST", _STS, headers, urlencode(form).encode(), judges=judges)
    if reply.status != _OK:
        raise StateUnreachable(
            "Google's token exchange refuses: look at the provider's audience, which is the external id, and its condition",
            host_status=reply.status,
        )
    token = AccessToken(_token_of(caller, reply, "access_token"), lifetime_of(caller.read_json(reply)))
    return _impersonate(caller, token.secret, service_account, scope) if service_account else token


def exchange_key(caller: Caller, key_json: Secret, scope: str) -> AccessToken:
    """Get an access token with a key.

    Args:
        caller: of Google.
        key_json: the key file.
        scope: what the token is for.

    Raises:
        StateUnreachable: (422 `state_unreachable`) Google does not take the key, or it is none.
    """
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2.service_account import Credentials

    replies: list[EgressResponse] = []

    def ask(
        url: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None, **_others: object
    ) -> _Reply:
        content = body.encode() if isinstance(body, str) else body or b""
        replies.append(caller.send(method, url, headers or {}, content, judges=(_BAD_REQUEST, _UNAUTHORISED)))
        return _Reply(replies[-1].status, replies[-1].headers, replies[-1].content)

    try:
        named = {**json.loads(key_json.reveal()), "token_uri": _TOKEN_URL, "universe_domain": "googleapis.com"}
        credentials: Any = Credentials.from_service_account_info(named, scopes=[scope])  # type: ignore[no-untyped-call]  # google-auth says no types here
        credentials.refresh(ask)
    except (GoogleAuthError, ValueError, TypeError) as error:
        raise StateUnreachable(
            "Google does not accept the key", reason=type(error).__name__, host_status=_UNAUTHORISED
        ) from None
    return AccessToken(Secret(str(credentials.token).encode()), lifetime_of(caller.read_json(replies[-1])))


def _impersonate(caller: Caller, token: Secret, service_account: str, scope: str) -> AccessToken:
    headers = {"Authorization": f"Bearer {token.reveal().decode()}", "Content-Type": "application/json"}
    body = json.dumps({"scope": [scope], "lifetime": f"{_LIFETIME_SECONDS}s"}).encode()
    url = f"{_IAM}/{quote(service_account, safe='@')}:generateAccessToken"
    reply = caller.send("POST", url, headers, body, permission=IMPERSONATION)
    if reply.status == _NOT_FOUND:
        raise caller.absent("service account")
    return AccessToken(_token_of(caller, reply, "accessToken"), _LIFETIME_SECONDS)


def _token_of(caller: Caller, reply: EgressResponse, name: str) -> Secret:
    token = text_of(caller.read_json(reply).get(name))
    if token is None:
        raise caller.strange(reply)
    return Secret(token.encode())
