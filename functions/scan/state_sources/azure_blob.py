"""States in Azure Blob Storage, by its REST API.

Source: https://learn.microsoft.com/rest/api/storageservices/get-blob, …/list-blobs and
…/specifying-conditional-headers-for-blob-service-operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import quote, unquote, urlencode

from shared.ports.secret_store import Secret
from shared.security.egress import EgressResponse

from ..cloud_access.calling import Caller
from .port import Fetched, Found

_API_VERSION: Final = "2023-11-03"
SCOPE: Final = "https://storage.azure.com/.default"
_READ: Final = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
_OK, _NOT_FOUND, _NOT_MODIFIED = 200, 404, 304


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


def _bare(etag: str | None) -> str | None:
    """Return an entity tag without its quotes: listings leave them out, headers do not."""
    return (etag or "").strip('"') or None
