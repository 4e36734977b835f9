"""The way out to Google: the egress guard, a fixed host, and a token that never gets into an address.

The token comes from the keyless exchange (`state_sources/gcs.py` shows it): one that reads, for an hour at most.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from shared.ports.secret_store import Secret
from shared.security.egress import (
    EgressFailed,
    EgressGuard,
    EgressPolicy,
    EgressResponse,
    EgressTimeout,
    EgressTooLarge,
)

from .inventory import API

# A page of a thousand assets has a few megabytes; one that has more than this is not read in pieces, but said to be unreadable.
POLICY: Final = EgressPolicy(
    methods=frozenset({"GET"}),
    redirects=0,
    deadline_seconds=60.0,
    most_url_characters=32768,
    most_request_bytes=0,
    most_response_bytes=64 * 1024 * 1024,
)
SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"  # the inventory takes no narrower one


class GuardedGoogle:
    """Asks the inventory's API as one identity."""

    def __init__(self, guard: EgressGuard, token: Callable[[], Secret], quota_project: str = "") -> None:
        """Set up; asks nothing.

        Args:
            guard: the only way out, under `POLICY`.
            token: returns an access token; called for each call, so it remembers.
            quota_project: whose quota the calls count on, when it is not that of the token's own project.
        """
        self._guard = guard
        self._token = token
        self._quota_project = quota_project

    def get(self, url: str) -> EgressResponse | None:
        """Return the answer; None when there was none in time, or one beyond the bound.

        Raises:
            ValueError: the address is not one of the API.
            EgressRefused: (422 `egress_refused`).
        """
        if not url.startswith(f"{API}/"):
            raise ValueError("not an address of the inventory")
        headers = {"Authorization": f"Bearer {self._token().reveal().decode()}", "Accept": "application/json"}
        if self._quota_project:
            headers["X-Goog-User-Project"] = self._quota_project
        try:
            return self._guard.request("GET", url, headers=headers)
        except (EgressFailed, EgressTimeout, EgressTooLarge):
            return None
