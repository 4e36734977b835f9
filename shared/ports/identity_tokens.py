"""Proofs of who this process is, for others than Google: short-lived tokens that Google signs, each made for one audience.

Owns how they are asked for. Whoever takes one must check its audience: a token shown to one party is worth nothing elsewhere.
"""

from __future__ import annotations

from typing import Any, Protocol

from .errors import ServiceAway


class IdentityTokens(Protocol):
    """Makes tokens that say who this process is."""

    def token_for(self, audience: str) -> str:
        """Return a token (a JWT, good for an hour at most) that names the audience.

        Raises:
            ServiceAway: (503 `service_away`) the platform did not answer.
        """
        ...


class GoogleIdentityTokens:
    """Tokens of the service account that the platform runs this process as; there is no key that could leak.

    Source: https://cloud.google.com/run/docs/securing/service-identity#identity_tokens
    """

    def token_for(self, audience: str) -> str:
        from google.auth.compute_engine import IDTokenCredentials
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request

        asked = Request()
        try:
            # google.auth is untyped
            credentials: Any = IDTokenCredentials(asked, audience, use_metadata_identity_endpoint=True)  # type: ignore[no-untyped-call]
            credentials.refresh(asked)
        except (GoogleAuthError, OSError) as error:
            raise ServiceAway("metadata") from error
        return str(credentials.token)
