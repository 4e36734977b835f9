"""The way out to Google: the egress guard, fixed hosts, and a token that never gets into an address.

The token comes from the keyless exchange or a customer's key (`cloud_access`): one for an hour at most.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from shared.ports.secret_store import Secret
from shared.security.egress import (
    EgressFailed,
    EgressGuard,
    EgressResponse,
    EgressTimeout,
    EgressTooLarge,
)

from ..addresses import relocated
from .inventory import API

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"  # the one that the inventory, Resource Manager and Logging all take


RESOURCE_MANAGER: Final = "https://cloudresourcemanager.googleapis.com/v3"
LOGGING: Final = "https://logging.googleapis.com/v2"
_ROOTS: Final = tuple(f"{root}/" for root in (API, RESOURCE_MANAGER, LOGGING))


class GuardedGoogle:
    """Asks Google's APIs that tell configuration, rights and audit logs, as one identity."""

    def __init__(
        self, guard: EgressGuard, token: Callable[[], Secret], quota_project: str = "", *, endpoint: str = ""
    ) -> None:
        """Set up; asks nothing.

        Args:
            guard: the only way out, under `policies.GOOGLE`.
            token: returns an access token; called for each call, so it remembers.
            quota_project: whose quota the calls count on, when it is not that of the token's own project.
            endpoint: a stand-in for all of Google's hosts, emulator only; empty otherwise.
        """
        self._guard = guard
        self._token = token
        self._quota_project = quota_project
        self._endpoint = endpoint

    def get(self, url: str) -> EgressResponse | None:
        """Return the answer; None when there was none in time, or one beyond the bound.

        Raises:
            ValueError: the address is not one of the APIs.
            EgressRefused: (422 `egress_refused`).
            CredentialsRefused: (422 `credentials_refused`) the token is over, and there is no other one.
        """
        return self._send("GET", url, b"")

    def post(self, url: str, content: bytes) -> EgressResponse | None:
        """Ask with a JSON body, where an API wants its question in one; otherwise as `get`."""
        return self._send("POST", url, content)

    def _send(self, method: str, url: str, content: bytes) -> EgressResponse | None:
        if not url.startswith(_ROOTS):
            raise ValueError("not an address of these APIs")
        headers = {"Authorization": f"Bearer {self._token().reveal().decode()}", "Accept": "application/json"}
        if self._quota_project:
            headers["X-Goog-User-Project"] = self._quota_project
        if content:
            headers["Content-Type"] = "application/json"
        try:
            return self._guard.request(method, relocated(url, self._endpoint), headers=headers, content=content)
        except (EgressFailed, EgressTimeout, EgressTooLarge):
            return None
