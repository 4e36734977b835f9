"""A Google service account's key file to an access token, by google-auth over the egress guard.

A key file names the address it is exchanged at; that one is the customer's word and is not taken.
Source: https://developers.google.com/identity/protocols/oauth2/service-account#httprest
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.ports.secret_store import Secret

from ..errors import StateUnreachable
from .calling import Caller, text_of

_TOKEN_URL: Final = "https://oauth2.googleapis.com/token"  # noqa: S105  # an address
_NEEDED: Final = ("client_email", "private_key", "private_key_id")
_BAD_REQUEST, _UNAUTHORISED = 400, 401


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer as google-auth wants it."""

    status: int
    headers: Mapping[str, str]
    data: bytes


def is_key_file(text: str) -> bool:
    """Say whether a text is a service account's key file; nothing is tried out."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(found, dict)
        and found.get("type") == "service_account"
        and all(text_of(found.get(name)) for name in _NEEDED)
    )


def exchange_key(caller: Caller, key_json: Secret, scope: str) -> Secret:
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

    def ask(
        url: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None, **_others: object
    ) -> _Reply:
        content = body.encode() if isinstance(body, str) else body or b""
        reply = caller.send(method, url, headers or {}, content, judges=(_BAD_REQUEST, _UNAUTHORISED))
        return _Reply(reply.status, reply.headers, reply.content)

    try:
        named = {**json.loads(key_json.reveal()), "token_uri": _TOKEN_URL, "universe_domain": "googleapis.com"}
        credentials: Any = Credentials.from_service_account_info(named, scopes=[scope])  # type: ignore[no-untyped-call]
        credentials.refresh(ask)
    except (GoogleAuthError, ValueError, TypeError) as error:
        raise StateUnreachable("Google does not accept the key", reason=type(error).__name__) from None
    return Secret(str(credentials.token).encode())
