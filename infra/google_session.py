"""An HTTP session that signs in to Google as whoever runs the tool: for the few APIs without a client library among the locked ones."""

from __future__ import annotations

from typing import Any


def open_session(scope: str) -> Any:
    """Return a session (`requests`) with the surroundings' own credentials; google.auth is loaded with the first one.

    Args:
        scope: OAuth scope, e.g. `https://www.googleapis.com/auth/monitoring.read`.

    Raises:
        google.auth.exceptions.DefaultCredentialsError: nobody is signed in here.
    """
    import google.auth
    from google.auth.transport.requests import AuthorizedSession

    credentials, _project = google.auth.default(scopes=[scope])
    return AuthorizedSession(credentials)  # type: ignore[no-untyped-call]  # google.auth is untyped
