"""Objects that are written once and never changed, in Cloud Storage.

The bucket's retention policy keeps them there; this port cannot delete or overwrite one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from .errors import ServiceAway
from .google import deadline_seconds

if TYPE_CHECKING:
    from shared.settings import Settings

_PUBLIC_ENDPOINT = "https://storage.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"


class ObjectStore(Protocol):
    """One bucket."""

    def put_new(self, name: str, content: bytes) -> bool:
        """Store an object under a name that is free.

        Args:
            name: with slashes where a list is cut.
            content: JSON.

        Returns:
            False when there is one of this name already, which stays as it is.

        Raises:
            ServiceAway: (503 `service_away`) the store did not answer.
        """
        ...

    def get(self, name: str) -> bytes | None:
        """Read an object; None when there is none.

        Raises:
            ServiceAway: (503 `service_away`) the store did not answer.
        """
        ...

    def names(self, prefix: str) -> Iterator[str]:
        """List the names that begin so, in order.

        Raises:
            ServiceAway: (503 `service_away`) the store did not answer.
        """
        ...


class GoogleObjectStore:
    """A Cloud Storage bucket by its JSON API: three calls are no reason for a client library of its own.

    Source: https://cloud.google.com/storage/docs/json_api/v1/objects
    """

    def __init__(self, settings: Settings, bucket: str) -> None:
        """Open a bucket.

        Args:
            settings: project, and the emulator's endpoint.
            bucket: short name, as in `infra/suite.yaml`; bucket names are global, so the project stands before it.
        """
        self._endpoint = settings.storage_endpoint or _PUBLIC_ENDPOINT
        self._is_emulated = bool(settings.storage_endpoint)
        self._objects = f"b/{settings.project}-{bucket}/o"
        self._session: Any = None  # google.auth is untyped

    def put_new(self, name: str, content: bytes) -> bool:
        answer = self._ask(
            "POST",
            f"upload/storage/v1/{self._objects}",
            (200, 412),
            params={"uploadType": "media", "name": name, "ifGenerationMatch": "0"},
            data=content,
            headers={"Content-Type": "application/json"},
        )
        return bool(answer.status_code == 200)

    def get(self, name: str) -> bytes | None:
        path = f"storage/v1/{self._objects}/{quote(name, safe='')}"
        answer = self._ask("GET", path, (200, 404), params={"alt": "media"})
        return bytes(answer.content) if answer.status_code == 200 else None

    def names(self, prefix: str) -> Iterator[str]:
        params = {"prefix": prefix, "fields": "items(name),nextPageToken"}
        while True:
            found = self._ask("GET", f"storage/v1/{self._objects}", (200,), params=params).json()
            yield from (str(item["name"]) for item in found.get("items", ()))
            if not found.get("nextPageToken"):
                return
            params["pageToken"] = found["nextPageToken"]

    def _ask(self, method: str, path: str, expected: tuple[int, ...], **options: Any) -> Any:
        from google.auth.exceptions import GoogleAuthError

        try:
            if self._session is None:
                self._session = self._open()
            answer = self._session.request(method, f"{self._endpoint}/{path}", timeout=deadline_seconds(), **options)
        except (OSError, GoogleAuthError) as error:  # the transport's own errors are OSErrors
            raise ServiceAway("storage") from error
        if answer.status_code not in expected:
            raise ServiceAway("storage")
        return answer

    def _open(self) -> Any:
        import google.auth
        from google.auth.credentials import AnonymousCredentials
        from google.auth.transport.requests import AuthorizedSession

        credentials: Any = None
        if self._is_emulated:
            credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]  # so is the next call
        else:
            credentials, _project = google.auth.default(scopes=[_SCOPE])
        session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
        session.trust_env = False
        return session
