"""Who this process is to other clouds: short-lived tokens of its own service account, and no key anywhere.

Source: https://cloud.google.com/run/docs/securing/service-identity#identity_tokens;
https://googleapis.dev/python/google-auth/latest/reference/google.oauth2.id_token.html
"""

from __future__ import annotations

from typing import Any, Protocol

from .errors import ServiceAway
from .secret_store import Secret

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class OwnIdentity(Protocol):
    """The service account that this process runs as."""

    def id_token(self, audience: str) -> Secret:
        """Return a signed token that names this process, good for an hour at most.

        Args:
            audience: who may take it; never shared between organisations, so that one's token opens nothing of another's.

        Raises:
            ServiceAway: (503 `service_away`) it cannot be had.
        """
        ...

    def access_token(self) -> Secret:
        """Return a token for Google's own services.

        Raises:
            ServiceAway: (503 `service_away`) it cannot be had.
        """
        ...


class GoogleIdentity:
    """The metadata server's word for it."""

    def id_token(self, audience: str) -> Secret:
        from google.auth.exceptions import GoogleAuthError
        from google.oauth2 import id_token

        try:
            found: Any = id_token.fetch_id_token(_request(), audience)  # type: ignore[no-untyped-call]  # google.auth is untyped
        except (GoogleAuthError, OSError) as error:
            raise ServiceAway("own identity") from error
        return Secret(str(found).encode())

    def access_token(self) -> Secret:
        import google.auth
        from google.auth.exceptions import GoogleAuthError

        try:
            credentials: Any = google.auth.default(scopes=[_SCOPE])[0]
            credentials.refresh(_request())
        except (GoogleAuthError, OSError) as error:
            raise ServiceAway("own identity") from error
        return Secret(str(credentials.token).encode())


def _request() -> Any:
    from google.auth.transport.requests import Request

    return Request()
