"""Current states of workspaces in HCP Terraform (Terraform Cloud) and Terraform Enterprise, by a team's token.

Source: https://developer.hashicorp.com/terraform/cloud-docs/api-docs/state-versions ("Fetch the Current State Version for a
Workspace"), …/workspaces ("List workspaces", "Show workspace"); …/api-docs#pagination.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from shared.ports.secret_store import Secret
from shared.security.egress import EgressResponse

from ..cloud_access.calling import Caller, member, text_of
from .port import Fetched, Found

PUBLIC: Final = "https://app.terraform.io"
_PERMISSION: Final = "read state versions"
_OK, _NOT_FOUND = 200, 404
_MOST_PAGES: Final = 1000
_ID = re.compile(r"[A-Za-z0-9-]{1,100}")


class TerraformCloudSource:
    """The workspaces of one organisation."""

    def __init__(self, caller: Caller, url: str, organization: str, token: Callable[[], Secret]) -> None:
        """Make one; asks nothing yet.

        Args:
            caller: of that host.
            url: of the host, without a path.
            organization: its name there.
            token: returns the token of a team or a user; called for each call, so it remembers.
        """
        self._caller = caller
        self._url = url.rstrip("/")
        self._organization = quote(organization, safe="")
        self._token = token

    def find(self, prefix: str) -> Iterator[Found]:
        number = 1
        while True:
            query = {"page[number]": str(number), "page[size]": "100", "search[wildcard-name]": f"{prefix}*"}
            reply = self._api(f"/organizations/{self._organization}/workspaces?{urlencode(query, quote_via=quote)}")
            if reply.status == _NOT_FOUND:
                raise self._caller.absent("organisation that this token may see", _PERMISSION)
            document = self._caller.read_json(reply)
            for item in document.get("data") or ():
                name = text_of(member(item, "attributes", "name"))
                state = text_of(member(item, "relationships", "current-state-version", "data", "id"))
                if name and name.startswith(prefix) and _has_state(item):
                    yield Found(name, state)
            after = member(document, "meta", "pagination", "next-page")
            if not isinstance(after, int) or after <= number:
                return
            if after > _MOST_PAGES:  # a host that the customer chose may never come to an end
                raise self._caller.strange(reply)
            number = after

    def fetch(self, name: str, known: str | None) -> Fetched | None:
        version = self._current_version(self._workspace_id(name))
        version_id = text_of(member(version, "id"))
        if version_id is not None and version_id == known:
            return None
        address = text_of(member(version, "attributes", "hosted-state-download-url"))
        if address is None:
            raise self._caller.absent("state that this token may download", _PERMISSION)
        reply = self._caller.send("GET", address, self._download_headers(address), permission=_PERMISSION)
        if reply.status != _OK:
            raise self._caller.strange(reply)
        return Fetched(reply.content, version_id)

    def _workspace_id(self, name: str) -> str:
        reply = self._api(f"/organizations/{self._organization}/workspaces/{quote(name, safe='')}")
        if reply.status == _NOT_FOUND:  # also what who may not see it gets
            raise self._caller.absent("organisation or workspace that this token may see", _PERMISSION)
        found = text_of(member(self._caller.read_json(reply), "data", "id"))
        if found is None or not _ID.fullmatch(found):
            raise self._caller.strange(reply)
        return found

    def _current_version(self, workspace_id: str) -> Any:
        reply = self._api(f"/workspaces/{workspace_id}/current-state-version")
        if reply.status == _NOT_FOUND:
            raise self._caller.absent("current state in this workspace that this token may see", _PERMISSION)
        return member(self._caller.read_json(reply), "data")

    def _download_headers(self, address: str) -> dict[str, str]:
        """Return the headers of a download: the token is for the host itself, not for where it keeps its objects."""
        is_own = urlsplit(address).netloc.lower() == urlsplit(self._url).netloc.lower()
        return {"Authorization": self._authorization()} if is_own else {}

    def _authorization(self) -> str:
        return f"Bearer {self._token().reveal().decode('ascii', 'replace')}"

    def _api(self, path: str) -> EgressResponse:
        headers = {"Authorization": self._authorization(), "Accept": "application/vnd.api+json"}
        return self._caller.send("GET", f"{self._url}/api/v2{path}", headers, permission=_PERMISSION)


def _has_state(workspace: Any) -> bool:
    """Say whether a workspace may have a state; only a listing that says "none" in so many words is believed."""
    relation = member(workspace, "relationships", "current-state-version")
    return not (isinstance(relation, dict) and "data" in relation and relation["data"] is None)
