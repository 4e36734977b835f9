"""States in Cloud Storage, by its JSON API.

Whoever lets DriftWise act as one of his service accounts lets it do so for every organisation that names that account: Google
knows no external id. So the bucket itself must say, by a label, whose states it holds.
Source: https://cloud.google.com/storage/docs/json_api/v1/objects (list, get; `ifGenerationNotMatch`);
https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken; ADR-0024.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote, urlencode

from shared.ports.secret_store import Secret
from shared.security.egress import EgressResponse

from ..errors import StateUnreachable
from .calling import Caller, member, text_of
from .port import Fetched, Found

LABEL: Final = "driftwise-org"
SCOPE: Final = "https://www.googleapis.com/auth/devstorage.read_only"
_API: Final = "https://storage.googleapis.com/storage/v1"
_IAM: Final = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts"
_NOT_FOUND, _NOT_MODIFIED = 404, 304


class GcsSource:
    """One bucket."""

    def __init__(self, caller: Caller, bucket: str, token: Callable[[], Secret], label: str | None) -> None:
        """Make one; asks nothing yet.

        Args:
            caller: of Google.
            bucket: its name.
            token: returns an access token; called for each call, so it remembers.
            label: what the bucket's label `driftwise-org` must say; None when the credentials prove enough.
        """
        self._caller = caller
        self._bucket = bucket
        self._token = token
        self._label = label

    def find(self, prefix: str) -> Iterator[Found]:
        self._check_label()
        query = {"prefix": prefix, "maxResults": "1000", "fields": "items(name,generation),nextPageToken"}
        while True:
            reply = self._get(f"/o?{urlencode(query)}", "storage.objects.list")
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
        self._check_label()
        query = {"alt": "media", **({"ifGenerationNotMatch": known} if known else {})}
        reply = self._get(f"/o/{quote(name, safe='')}?{urlencode(query)}", "storage.objects.get")
        if reply.status == _NOT_MODIFIED:
            return None
        if reply.status == _NOT_FOUND:
            raise self._caller.absent("bucket or object")
        return Fetched(reply.content, text_of(reply.headers.get("x-goog-generation")))

    def _check_label(self) -> None:
        if self._label is None:
            return
        reply = self._get("?fields=labels", "storage.buckets.get")
        if reply.status == _NOT_FOUND:
            raise self._caller.absent("bucket")
        if member(self._caller.read_json(reply), "labels", LABEL) != self._label:
            wanted = f"{LABEL}={self._label}"
            raise StateUnreachable(
                f"put the label {wanted} on the bucket to show that its states are yours", label=wanted
            )
        self._label = None

    def _get(self, path: str, permission: str) -> EgressResponse:
        headers = {"Authorization": f"Bearer {self._token().reveal().decode()}"}
        return self._caller.send(
            "GET", f"{_API}/b/{quote(self._bucket, safe='')}{path}", headers, permission=permission
        )


def impersonate(caller: Caller, own_token: Secret, service_account: str) -> Secret:
    """Get an access token of a customer's service account with our own identity; it can read storage, and nothing else.

    Raises:
        StateUnreachable: (422 `state_unreachable`) names `iam.serviceAccounts.getAccessToken` when that is missing.
    """
    headers = {"Authorization": f"Bearer {own_token.reveal().decode()}", "Content-Type": "application/json"}
    body = json.dumps({"scope": [SCOPE], "lifetime": "3600s"}).encode()
    url = f"{_IAM}/{quote(service_account, safe='@')}:generateAccessToken"
    reply = caller.send("POST", url, headers, body, permission="iam.serviceAccounts.getAccessToken")
    if reply.status == _NOT_FOUND:
        raise caller.absent("service account")
    token = text_of(caller.read_json(reply).get("accessToken"))
    if token is None:
        raise caller.strange(reply)
    return Secret(token.encode())
