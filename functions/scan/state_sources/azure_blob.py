"""States in Azure Blob Storage, by its REST API.

Source: https://learn.microsoft.com/rest/api/storageservices/get-blob, …/list-blobs and
…/specifying-conditional-headers-for-blob-service-operations;
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow (third case: a federated credential).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import quote, unquote, urlencode

from shared.ports.secret_store import Secret
from shared.security.egress import EgressResponse

from ..errors import StateUnreachable
from .calling import Caller, text_of
from .port import Fetched, Found

_API_VERSION: Final = "2023-11-03"
_SCOPE: Final = "https://storage.azure.com/.default"
_LOGIN: Final = "https://login.microsoftonline.com"
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_READ: Final = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
_OK, _BAD_REQUEST, _UNAUTHORISED, _NOT_FOUND, _NOT_MODIFIED = 200, 400, 401, 404, 304
_REASON = re.compile(rb"AADSTS[0-9]{1,9}")


class Access(Protocol):
    """How calls are signed."""

    def headers(self) -> dict[str, str]:
        """Return headers that sign a call."""
        ...

    def query(self) -> str:
        """Return what signs a call in its query, without `?`; empty when nothing does."""
        ...


@dataclass(frozen=True, slots=True)
class BearerAccess:
    """An access token of Microsoft Entra ID."""

    token: Secret

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token.reveal().decode()}"}

    def query(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class SasAccess:
    """A shared access signature: Azure takes it in the query and nowhere else, so such URLs are never logged or shown."""

    token: Secret

    def headers(self) -> dict[str, str]:
        return {}

    def query(self) -> str:
        return self.token.reveal().decode().removeprefix("?")


class AzureBlobSource:
    """One container."""

    def __init__(self, caller: Caller, storage_account: str, container: str, access: Callable[[], Access]) -> None:
        """Make one; asks nothing yet.

        Args:
            caller: of Azure.
            storage_account: its name, lower-case letters and digits.
            container: its name.
            access: signs in; called for each call, so it remembers.
        """
        self._caller = caller
        self._url = f"https://{storage_account}.blob.core.windows.net/{quote(container, safe='$')}"
        self._access = access

    def find(self, prefix: str) -> Iterator[Found]:
        query = {"restype": "container", "comp": "list", "maxresults": "1000", "prefix": prefix}
        while True:
            reply = self._get("", urlencode(query, quote_via=quote))
            if reply.status == _NOT_FOUND:
                raise self._caller.absent("storage container")
            found, marker = self._read_page(reply)
            yield from found
            if not marker:
                return
            query["marker"] = marker

    def fetch(self, name: str, known: str | None) -> Fetched | None:
        condition = {"If-None-Match": f'"{known}"'} if known else {}
        reply = self._get(f"/{quote(name, safe='/')}", "", condition)
        if reply.status == _NOT_MODIFIED:
            return None
        if reply.status != _OK:
            raise self._caller.absent("storage container or blob")
        return Fetched(reply.content, _bare(reply.headers.get("etag")))

    def _get(self, path: str, query: str, headers: dict[str, str] | None = None) -> EgressResponse:
        access = self._access()
        whole = "&".join(part for part in (query, access.query()) if part)
        named = {"x-ms-version": _API_VERSION, **access.headers(), **(headers or {})}
        url = f"{self._url}{path}" + (f"?{whole}" if whole else "")
        return self._caller.send("GET", url, named, permission=_READ)

    def _read_page(self, reply: EgressResponse) -> tuple[list[Found], str]:
        from lxml import etree

        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        try:
            root = etree.fromstring(reply.content, parser)
        except etree.XMLSyntaxError:
            raise self._caller.strange(reply) from None
        if reply.status != _OK or root.tag != "EnumerationResults":
            raise self._caller.strange(reply)
        found: list[Found] = []
        for blob in root.iterfind("Blobs/Blob"):
            node = blob.find("Name")
            name = "" if node is None else node.text or ""
            if node is not None and node.get("Encoded") == "true":
                name = unquote(name)
            if name:
                found.append(Found(name, _bare(blob.findtext("Properties/Etag"))))
        return found, root.findtext("NextMarker") or ""


def get_token(
    caller: Caller, tenant_id: str, client_id: str, *, assertion: Secret | None, secret: Secret | None
) -> Secret:
    """Get an access token for storage.

    Args:
        caller: of Azure.
        tenant_id: of the customer's directory.
        client_id: of the customer's app registration.
        assertion: our own identity's token, for a federated credential.
        secret: the app's secret, where there is no such credential.

    Raises:
        StateUnreachable: (422 `state_unreachable`) Entra says no, by the number of its reason.
    """
    proof = (
        {"client_assertion_type": _ASSERTION, "client_assertion": assertion.reveal().decode()}
        if assertion
        else {"client_secret": secret.reveal().decode() if secret else ""}
    )
    form = {"grant_type": "client_credentials", "client_id": client_id, "scope": _SCOPE, **proof}
    reply = caller.send(
        "POST",
        f"{_LOGIN}/{quote(tenant_id, safe='')}/oauth2/v2.0/token",
        {"Content-Type": "application/x-www-form-urlencoded"},
        urlencode(form).encode(),
        judges=(_BAD_REQUEST, _UNAUTHORISED),
    )
    if reply.status != _OK:
        reason = _REASON.search(reply.content[:4096])
        named = f": {reason[0].decode()}" if reason else ""
        raise StateUnreachable(f"Azure does not accept the credentials{named}", host_status=reply.status)
    token = text_of(caller.read_json(reply).get("access_token"))
    if token is None:
        raise caller.strange(reply)
    return Secret(token.encode())


def _bare(etag: str | None) -> str | None:
    """Return an entity tag without its quotes: listings leave them out, headers do not."""
    return (etag or "").strip('"') or None
