"""GitLab by a project's or group's access token: the merge request, and its notes.

Source: https://docs.gitlab.com/api/merge_requests/#get-single-mr; https://docs.gitlab.com/api/notes/#merge-requests;
https://docs.gitlab.com/api/users/#get-the-current-user; https://docs.gitlab.com/api/rest/#namespaced-paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from shared.ports.secret_store import Secret

from ..domain.code_hosts import PullRequestPlace
from ..errors import CodeHostAccess, CodeHostNotFound, CodeHostPermissions, CodeHostRefused
from .comments import walk
from .exchange import Answer, HostApi

_OPEN: Final = frozenset({"opened", "locked"})  # `locked` is a merge that is under way
_OK, _CREATED, _UNAUTHORISED, _FORBIDDEN, _NOT_FOUND = 200, 201, 401, 403, 404


class GitLab:
    """One merge request, by one token."""

    def __init__(self, api: HostApi, token: Secret, place: PullRequestPlace) -> None:
        """Make one; sends nothing yet."""
        self._api = api
        self._headers = {"PRIVATE-TOKEN": token.reveal().decode("ascii", "replace")}
        self._root = f"/projects/{quote(f'{place.owner}/{place.name}', safe='')}/merge_requests/{place.number}"

    def is_open(self) -> bool:
        """Read whether the merge request is open.

        Raises:
            CodeHostNotFound: (422 `code_host_not_found`).
        """
        found = self._get(self._root)
        _expect(found, _OK)
        return found.text("state") in _OPEN

    def update(self, comment_id: int, body: str) -> bool:
        """Write a note over; False when it was deleted."""
        found = self._api.send("PUT", f"{self._root}/notes/{comment_id}", self._headers, {"body": body}, repeats=True)
        if found.status == _NOT_FOUND:
            return False
        _expect(found, _OK)
        return True

    def create(self, body: str) -> int:
        """Make a note; returns its id."""
        found = self._api.send("POST", f"{self._root}/notes", self._headers, {"body": body}, repeats=False)
        _expect(found, _CREATED)
        return found.number("id")

    def list_own(self) -> Iterator[Mapping[str, Any]]:
        """List the notes that the token's own user wrote."""
        me = self._get("/user")
        _expect(me, _OK)
        user_id = me.number("id")
        query = "sort=asc&order_by=created_at"
        for note in walk(lambda size, number: self._page(f"{self._root}/notes?{query}&per_page={size}&page={number}")):
            author = note.get("author")
            if isinstance(author, Mapping) and author.get("id") == user_id and note.get("system") is not True:
                yield note

    def _page(self, path: str) -> Answer:
        found = self._get(path)
        _expect(found, _OK)
        return found

    def _get(self, path: str) -> Answer:
        return self._api.get(path, self._headers)


def _expect(found: Answer, status: int) -> None:
    """Refuse an answer that is not the documented one.

    Raises:
        CodeHostAccess, CodeHostPermissions, CodeHostNotFound, CodeHostRefused: (422).
    """
    if found.status == status:
        return
    if found.status == _UNAUTHORISED:
        raise CodeHostAccess
    if found.status == _FORBIDDEN:
        raise CodeHostPermissions
    if found.status == _NOT_FOUND:
        raise CodeHostNotFound
    raise CodeHostRefused(host_status=found.status)
