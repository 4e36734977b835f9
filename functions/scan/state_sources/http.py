"""A state behind an address of the customer's, as Terraform's `http` backend reads it (GitLab's is one of those).

Source: https://developer.hashicorp.com/terraform/language/backend/http; RFC 9110 section 13.1.2 (If-None-Match).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from http import HTTPStatus

from shared.ports.secret_store import Secret

from ..cloud_access.calling import Caller
from .port import Fetched, Found

_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,1000}"')  # RFC 9110 section 8.8.3


class HttpSource:
    """One address, with one state."""

    def __init__(self, caller: Caller, url: str, authorization: Callable[[], Secret | None]) -> None:
        """Make one; asks nothing yet.

        Args:
            caller: of strangers.
            url: without credentials in it; the guard judges it at every call.
            authorization: returns the header's value, None to send none; called for each call, so it remembers.
        """
        self._caller = caller
        self._url = url
        self._authorization = authorization

    def find(self, prefix: str) -> Iterator[Found]:
        """Show the one state that there is; an address has no listing."""
        yield Found(prefix, None)

    def fetch(self, name: str, known: str | None) -> Fetched | None:  # noqa: ARG002  # the port's
        """Fetch it; the name says nothing here."""
        headers = {"Accept": "application/json"}
        if (authorization := self._authorization()) is not None:
            headers["Authorization"] = authorization.reveal().decode("latin-1")
        if known and _ETAG.fullmatch(known):
            headers["If-None-Match"] = known
        reply = self._caller.send("GET", self._url, headers, permission="reading the state")
        if reply.status == HTTPStatus.NOT_MODIFIED:
            return None
        if reply.status != HTTPStatus.OK:  # the backend's "no state yet" is 204 or 404
            raise self._caller.absent("state")
        etag = reply.headers.get("etag", "")
        return Fetched(reply.content, etag if _ETAG.fullmatch(etag) else None)


def basic(username: str, password: Secret) -> Secret:
    """Return the header's value for a user name and password (RFC 7617)."""
    return Secret(b"Basic " + base64.b64encode(username.encode() + b":" + password.reveal()))


def bearer(token: Secret) -> Secret:
    """Return the header's value for a token (RFC 6750)."""
    return Secret(b"Bearer " + token.reveal())
