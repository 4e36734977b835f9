"""What the readers of Google Cloud need, and which of it the caller has, in Google's own words.

Source: https://docs.cloud.google.com/asset-inventory/docs/access-control;
https://cloud.google.com/resource-manager/reference/rest/v3/projects/testIamPermissions (the same for folders and organizations).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from .http import RESOURCE_MANAGER, GuardedGoogle
from .inventory import PERMISSIONS, Failed
from .logs import PERMISSION as ATTRIBUTION

QUOTA: Final = "serviceusage.services.use"  # of the project that calls count on, when it is not the identity's own
READING: Final = tuple(sorted({*PERMISSIONS.values(), ATTRIBUTION}))
SERVICES: Final = ("cloudasset.googleapis.com", "cloudresourcemanager.googleapis.com", "logging.googleapis.com")
"""APIs that must be enabled in the project that calls count on."""

_OK, _UNAUTHORISED, _FORBIDDEN, _THROTTLED = 200, 401, 403, 429


def missing(google: GuardedGoogle, parent: str, permissions: Sequence[str]) -> tuple[str, ...]:
    """Return those permissions that the caller does not have on a project, folder or organisation; asks once.

    Raises:
        Failed: Google does not tell.
    """
    url = f"{RESOURCE_MANAGER}/{quote(parent, safe='/:')}:testIamPermissions"
    answer = google.post(url, json.dumps({"permissions": list(permissions)}).encode())
    if answer is None:
        raise Failed("unavailable", None, "testIamPermissions does not answer")
    if answer.status == _UNAUTHORISED:
        raise Failed("access_denied", None, "Google does not accept the access token")
    if answer.status == _FORBIDDEN and b"SERVICE_DISABLED" in answer.content[:65536]:
        raise Failed(
            "not_enabled", None, "the Cloud Resource Manager API is not enabled in the project that calls count on"
        )
    if answer.status == _FORBIDDEN:
        raise Failed(
            "access_denied",
            QUOTA if b"USER_PROJECT_DENIED" in answer.content[:65536] else None,
            f"testIamPermissions is refused: {parent} is not there, or not shown",
        )
    if answer.status != _OK:
        reason = "throttled" if answer.status == _THROTTLED else "unavailable"
        raise Failed(reason, None, f"testIamPermissions answered {answer.status}")
    try:
        granted = json.loads(answer.content).get("permissions", [])
        return tuple(name for name in permissions if name not in frozenset(granted))
    except (ValueError, RecursionError, AttributeError, TypeError):
        raise Failed("malformed", None, "testIamPermissions answered with something else than a list") from None
