"""States in Cloud Storage, by its JSON API.

Source: https://cloud.google.com/storage/docs/json_api/v1/objects (list, get; `ifGenerationNotMatch`);
https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token;
https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken; ADR-0028.
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

SCOPE: Final = "https://www.googleapis.com/auth/devstorage.read_only"
_CLOUD_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_API: Final = "https://storage.googleapis.com/storage/v1"
_STS: Final = "https://sts.googleapis.com/v1/token"
_IAM: Final = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts"
_TOKEN_TYPE: Final = "urn:ietf:params:oauth:token-type"  # noqa: S105  # a name
_OK, _NOT_MODIFIED, _BAD_REQUEST, _UNAUTHORISED, _NOT_FOUND = 200, 304, 400, 401, 404


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


def exchange_identity(caller: Caller, own_token: str, provider: str, service_account: str | None) -> Secret:
    """Exchange a token of ours for one of a customer's project that reads storage, and nothing else.

    Args:
        caller: of Google.
        own_token: made for the source's external id, which the provider demands.
        provider: of the customer's workload identity pool.
        service_account: to act as; None for the pool's own principal.

    Raises:
        StateUnreachable: (422 `state_unreachable`) the provider does not trust us, or the account lets nobody act as it.
    """
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "audience": f"//iam.googleapis.com/{provider}",
        "scope": _CLOUD_SCOPE if service_account else SCOPE,
        "requested_token_type": f"{_TOKEN_TYPE}:access_token",
        "subject_token": own_token,
        "subject_token_type": f"{_TOKEN_TYPE}:jwt",
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    judges = (_BAD_REQUEST, _UNAUTHORISED)
    reply = caller.send("POST", _STS, headers, urlencode(form).encode(), judges=judges)
    if reply.status != _OK:
        raise StateUnreachable(
            "Google's token exchange refuses: look at the provider's audience, which is the external id, and its condition",
            host_status=reply.status,
        )
    token = _token_of(caller, reply, "access_token")
    return _impersonate(caller, token, service_account) if service_account else token


def _impersonate(caller: Caller, token: Secret, service_account: str) -> Secret:
    headers = {"Authorization": f"Bearer {token.reveal().decode()}", "Content-Type": "application/json"}
    body = json.dumps({"scope": [SCOPE], "lifetime": "3600s"}).encode()
    url = f"{_IAM}/{quote(service_account, safe='@')}:generateAccessToken"
    reply = caller.send("POST", url, headers, body, permission="iam.serviceAccounts.getAccessToken")
    if reply.status == _NOT_FOUND:
        raise caller.absent("service account")
    return _token_of(caller, reply, "accessToken")


def _token_of(caller: Caller, reply: EgressResponse, name: str) -> Secret:
    token = text_of(caller.read_json(reply).get(name))
    if token is None:
        raise caller.strange(reply)
    return Secret(token.encode())
