"""Cloud SQL's Admin API: the four calls that a restore makes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from infra.google_session import open_session

from .errors import RecoveryError

_URL = "https://sqladmin.googleapis.com/v1/projects"
_SCOPE = "https://www.googleapis.com/auth/sqlservice.admin"
_SECONDS = 30.0


class CloudSql:
    """The instances of one project.

    Source: https://cloud.google.com/sql/docs/postgres/admin-api/rest/v1/instances
    """

    def __init__(self, project: str, session: Any = None) -> None:
        """Set up.

        Args:
            project: project id.
            session: makes the calls (google.auth is untyped); the process's own identity when None.
        """
        self._project = f"{_URL}/{project}"
        self._session = session

    def instance(self, name: str) -> Mapping[str, Any] | None:
        """Read an instance; None when there is none of this name.

        Raises:
            RecoveryError: Cloud SQL did not answer, or not with what was asked for.
        """
        return self._ask("GET", f"instances/{name}", may_be_missing=True)

    def latest_point(self, name: str, deleted_at: datetime | None) -> datetime:
        """Return the latest moment that an instance can be restored to, also while it does not answer.

        Args:
            name: the instance.
            deleted_at: when it was deleted; None while it is there.

        Raises:
            RecoveryError: as `instance`.
        """
        params = {} if deleted_at is None else {"sourceInstanceDeletionTime": rfc3339(deleted_at)}
        found = self._ask("GET", f"instances/{name}/getLatestRecoveryTime", params=params) or {}
        return datetime.fromisoformat(str(found["latestRecoveryTime"]))

    def clone(self, source: str, wish: Mapping[str, str]) -> str:
        """Begin to make an instance of what another one was at a moment; returns the operation.

        Args:
            source: the instance, which stays as it is.
            wish: the API's `CloneContext`.

        Raises:
            RecoveryError: as `instance`.
        """
        begun = self._ask("POST", f"instances/{source}/clone", json={"cloneContext": dict(wish)}) or {}
        return str(begun["name"])

    def is_done(self, operation: str) -> bool:
        """Say whether an operation has ended well.

        Raises:
            RecoveryError: it ended otherwise, or as `instance`.
        """
        found = self._ask("GET", f"operations/{operation}") or {}
        errors = found.get("error", {}).get("errors", ())
        if errors:
            raise RecoveryError("; ".join(f"{one.get('code')}: {one.get('message', '')}" for one in errors))
        return bool(found["status"] == "DONE")

    def _ask(self, method: str, path: str, *, may_be_missing: bool = False, **options: Any) -> Mapping[str, Any] | None:
        if self._session is None:
            self._session = open_session(_SCOPE)
        try:
            answer = self._session.request(method, f"{self._project}/{path}", timeout=_SECONDS, **options)
        except OSError as error:  # the transport's own errors are OSErrors
            raise RecoveryError(f"Cloud SQL did not answer: {error}") from error
        if may_be_missing and answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise RecoveryError(f"Cloud SQL answered {answer.status_code} to {method} {path}")
        found: Mapping[str, Any] = answer.json()
        return found


def rfc3339(moment: datetime) -> str:
    """Return a moment as the API takes it.

    Raises:
        ValueError: it does not say its time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("say the time zone: 2026-11-26T10:15:00Z")
    return moment.isoformat()
