"""States in Cloud Storage, by its JSON API.

Source: https://cloud.google.com/storage/docs/json_api/v1/objects (list, get; `ifGenerationNotMatch`); ADR-0028.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote, urlencode

from shared.ports.secret_store import Secret
from shared.security.egress import EgressResponse

from ..cloud_access.calling import Caller, member, text_of
from .port import Fetched, Found

SCOPE: Final = "https://www.googleapis.com/auth/devstorage.read_only"
_API: Final = "https://storage.googleapis.com/storage/v1"
_OK, _NOT_MODIFIED, _NOT_FOUND = 200, 304, 404


class GcsSource:
    """One bucket."""

    def __init__(self, caller: Caller, bucket: str, token: Callable[[], Secret]) -> None:
        """Make one; asks nothing yet.

        Args:
            caller: of Google.
            bucket: its name.
            token: returns an access token; called for each call, so it remembers.
        """
        self._caller = caller
        self._bucket = bucket
        self._token = token

    def find(self, prefix: str) -> Iterator[Found]:
        query = {"prefix": prefix, "maxResults": "1000", "fields": "items(name,generation),nextPageToken"}
        while True:
            reply = self._get(f"/o?{urlencode(query, quote_via=quote)}", "storage.objects.list")
            if reply.status == _NOT_FOUND:
                raise self._caller.absent("bucket")
            document = self._caller.read_json(reply)
            for item in document.get("items") or ():
                if name := text_of(member(item, "name")):
                    yield Found(name, text_of(member(item, "generation")))
            after = text_of(document.get("nextPageToken"))
            if after is None:
                return
            query["pageToken"] = after

    def fetch(self, name: str, known: str | None) -> Fetched | None:
        query = {"alt": "media", **({"ifGenerationNotMatch": known} if known else {})}
        reply = self._get(f"/o/{quote(name, safe='')}?{urlencode(query, quote_via=quote)}", "storage.objects.get")
        if reply.status == _NOT_MODIFIED:
            return None
        if reply.status != _OK:
            raise self._caller.absent("bucket or object")
        return Fetched(reply.content, text_of(reply.headers.get("x-goog-generation")))

    def _get(self, path: str, permission: str) -> EgressResponse:
        headers = {"Authorization": f"Bearer {self._token().reveal().decode()}"}
        url = f"{_API}/b/{quote(self._bucket, safe='')}{path}"
        return self._caller.send("GET", url, headers, permission=permission)
