"""Terraform Cloud by a team's token: where a run's configuration comes from, and its plan as JSON.

The plan lies behind an address that is good for a minute and needs no token, so it is fetched without one.
Source: https://developer.hashicorp.com/terraform/cloud-docs/api-docs/plans#retrieve-the-json-execution-plan;
https://developer.hashicorp.com/terraform/cloud-docs/api-docs/run#show-a-run.
"""

from __future__ import annotations

from typing import Any, Final

from shared.ports.secret_store import Secret
from shared.security.egress import EgressFailed, EgressGuard, EgressPolicy, EgressTimeout, EgressTooLarge

from ..domain.runs import ci_of
from ..errors import CodeHostAccess, CodeHostAway, CodeHostNotFound, CodeHostRefused, PlanTooLarge
from .exchange import Answer, HostApi

MOST_BYTES: Final = 16 * 1024 * 1024
DOWNLOADS: Final = EgressPolicy(methods=frozenset({"GET"}), deadline_seconds=30.0, most_response_bytes=MOST_BYTES)
_OK, _NO_CONTENT, _UNAUTHORISED, _NOT_FOUND, _SERVER_ERROR = 200, 204, 401, 404, 500
_REDIRECTS: Final = frozenset({302, 307})
_RETRY_SECONDS = 15


class TerraformCloud:
    """One run, by one token."""

    def __init__(self, api: HostApi, downloads: EgressGuard, token: Secret, run_id: str) -> None:
        """Make one; sends nothing yet.

        Args:
            api: the host's.
            downloads: fetches what the host points at.
            token: of the connection.
            run_id: made by `domain.runs`.
        """
        self._api = api
        self._downloads = downloads
        authorization = f"Bearer {token.reveal().decode('ascii', 'replace')}"
        self._headers = {"Accept": "application/vnd.api+json", "Authorization": authorization}
        self._root = f"/runs/{run_id}"

    def read_ci(self) -> dict[str, Any]:
        """Read where the run's configuration comes from."""
        found = self._get(f"{self._root}?include=configuration_version.ingress_attributes")
        if found.status != _OK:
            raise CodeHostRefused(host_status=found.status)
        return ci_of(found.document)

    def read_plan(self) -> bytes:
        """Fetch the plan.

        Raises:
            CodeHostAway: (503 `code_host_away`) it is not there yet, or the host is in trouble.
            PlanTooLarge: (413 `plan_too_large`).
            EgressRefused: (422 `egress_refused`) it lies where nobody may fetch it.
        """
        found = self._get(f"{self._root}/plan/json-output")
        if found.status == _NO_CONTENT:
            raise CodeHostAway(retry_after_seconds=_RETRY_SECONDS)
        address = found.headers.get("location", "")
        if found.status not in _REDIRECTS or not address:
            raise CodeHostRefused(host_status=found.status)
        try:
            reply = self._downloads.request("GET", address)
        except EgressTooLarge as error:
            raise PlanTooLarge(limit_bytes=MOST_BYTES) from error
        except (EgressFailed, EgressTimeout) as error:
            raise CodeHostAway(retry_after_seconds=_RETRY_SECONDS) from error
        if reply.status >= _SERVER_ERROR:
            raise CodeHostAway(retry_after_seconds=_RETRY_SECONDS)
        if reply.status != _OK:
            raise CodeHostRefused(host_status=reply.status)
        return reply.content

    def _get(self, path: str) -> Answer:
        found = self._api.get(path, self._headers)
        if found.status == _UNAUTHORISED:
            raise CodeHostAccess
        if found.status == _NOT_FOUND:  # also what who may not see it gets
            raise CodeHostNotFound
        return found
