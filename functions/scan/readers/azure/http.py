"""The way out to Azure Resource Manager: the egress guard, a fixed host, and a token that never gets into an address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from shared.ports.secret_store import Secret
from shared.security.egress import EgressFailed, EgressGuard, EgressTimeout, EgressTooLarge

from ..addresses import relocated
from .client import BASE, ArmReply

SCOPE: Final = f"{BASE}/.default"


class GuardedArm:
    """Calls Azure Resource Manager as one identity; an `ArmHttp`."""

    def __init__(self, guard: EgressGuard, token: Callable[[], Secret], *, endpoint: str = "") -> None:
        """Set up; asks nothing.

        Args:
            guard: the only way out, under `policies.AZURE`.
            token: returns an access token; called for each call, so it remembers.
            endpoint: a stand-in for Azure's hosts, emulator only; empty otherwise.
        """
        self._guard = guard
        self._token = token
        self._endpoint = endpoint

    def send(self, method: str, path: str, body: bytes = b"") -> ArmReply | None:
        """Make one call, once.

        Args:
            method: `GET` or `POST`.
            path: with its query, from the host on.
            body: JSON.

        Returns:
            The answer, None when there was none in time, or one beyond the bound.

        Raises:
            ValueError: it is no path.
            EgressRefused: (422 `egress_refused`).
            CredentialsRefused: (422 `credentials_refused`) the token is over, and there is no other one.
        """
        if not path.startswith("/"):
            raise ValueError("not a path")
        headers = {"Authorization": f"Bearer {self._token().reveal().decode()}", "Accept": "application/json"}
        if body:
            headers["Content-Type"] = "application/json"
        url = relocated(f"{BASE}{path}", self._endpoint)
        try:
            reply = self._guard.request(method, url, headers=headers, content=body)
        except (EgressFailed, EgressTimeout, EgressTooLarge):
            return None
        return ArmReply(reply.status, reply.headers, reply.content)
