"""The API server: lists in pages, and watches from where a list ended.

Owns what its answers mean. Holds one page at a time, and one event.
Source: https://kubernetes.io/docs/reference/using-api/api-concepts/ ("Retrieving large results sets in chunks", "Efficient
detection of changes", "410 Gone responses").
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import httpx

from .kinds import Kind
from .settings import Settings

Reason: TypeAlias = Literal["access_denied", "throttled", "unavailable", "not_enabled", "malformed"]
MOST_PAGE_BYTES = 48 * 1024 * 1024
MOST_EVENT_BYTES = 8 * 1024 * 1024
_TRIES = 6
_LONGEST_WAIT_SECONDS = 60.0
_WATCH_SECONDS = 300
_NO_LIST = "the API server answers something that is no list"
_REASONS: dict[int, Reason] = {401: "access_denied", 403: "access_denied", 404: "not_enabled", 429: "throttled"}


@cache
def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Return who is trusted: those whom a file certifies, or whom the machine trusts."""
    return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))


class ListFailed(Exception):
    """A kind could not be listed.

    Attributes:
        reason: as DriftWise names it.
        detail: one sentence.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Expired(Exception):
    """The API server no longer knows the version that was asked from: everything has to be listed again (410 Gone)."""


class WatchEnded(Exception):
    """A watch broke off for a reason other than its time."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    Attributes:
        items: its objects.
        version: the list's resource version, from which it can be watched.
        is_last: no page follows.
    """

    items: list[dict[str, Any]]
    version: str
    is_last: bool


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a watch.

    Attributes:
        type: `ADDED`, `MODIFIED`, `DELETED` or `BOOKMARK`.
        data: the object.
        version: from which a watch goes on.
    """

    type: str
    data: dict[str, Any]
    version: str


class Cluster:
    """One API server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        context = trust(settings.ca_file)
        limits = httpx.Limits(max_connections=len(settings.kinds) + 4)
        timeout = httpx.Timeout(30.0, read=_WATCH_SECONDS + 60.0)
        self._client = httpx.AsyncClient(
            base_url=settings.api_server, verify=context, limits=limits, timeout=timeout, trust_env=False,
            follow_redirects=False,
        )  # fmt: skip

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def version(self) -> str:
        """Return the server's version; empty when it does not tell."""
        try:
            found = json.loads(await self._get("/version", {}))
        except (ListFailed, Expired, ValueError):
            return ""
        return str(found.get("gitVersion") or "")[:100] if isinstance(found, dict) else ""

    async def pages(self, kind: Kind) -> AsyncIterator[Page]:
        """List a kind, page by page.

        Raises:
            ListFailed: and why.
            Expired: between two pages the list became too old to go on with.
        """
        token, size = "", self._settings.page
        while True:
            asked = {"limit": str(size), **({"continue": token} if token else {})}
            try:
                content = await self._get(kind.path, asked)
            except _TooLarge:
                if size == 1:
                    raise ListFailed("malformed", "one object is larger than any can be") from None
                size = max(1, size // 8)
                continue
            page, token = _page(content)
            yield page
            if page.is_last:
                return

    async def watch(self, kind: Kind, version: str) -> AsyncIterator[Event]:
        """Yield what changes after a version, until the server ends the watch, as it does now and then.

        Raises:
            Expired: the version is too old (410 Gone).
            WatchEnded: the watch broke off.
        """
        seconds = random.randint(_WATCH_SECONDS // 2, _WATCH_SECONDS)  # noqa: S311  # so that not all watches end at once
        asked = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
        }
        try:
            async with self._client.stream("GET", kind.path, params=asked, headers=self._headers()) as response:
                if response.status_code == 410:  # noqa: PLR2004  # Gone
                    raise Expired
                if response.status_code != 200:  # noqa: PLR2004  # OK
                    raise WatchEnded(f"the API server answers {response.status_code}")
                async for line in _lines(response):
                    yield _event(line)
        except httpx.HTTPError as error:
            raise WatchEnded(type(error).__name__) from error

    async def _get(self, path: str, params: dict[str, str]) -> bytes:
        """Read one answer, trying again while the server is busy or away."""
        failure = ListFailed("unavailable", "the API server does not answer")
        for attempt in range(_TRIES):
            wait = min(_LONGEST_WAIT_SECONDS, 0.5 * 2**attempt) * random.uniform(0.5, 1.0)  # noqa: S311  # spreads tries
            try:
                async with self._client.stream("GET", path, params=params, headers=self._headers()) as response:
                    if response.status_code == 200:  # noqa: PLR2004  # OK
                        return await _read(response)
                    if response.status_code == 410:  # noqa: PLR2004  # Gone
                        raise Expired
                    failure = _failure(response.status_code)
                    wait = _retry_after(response, wait)
                    if response.status_code not in {429, 500, 502, 503, 504}:
                        raise failure
            except httpx.HTTPError as error:
                failure = ListFailed("unavailable", f"the API server does not answer ({type(error).__name__})")
            if attempt < _TRIES - 1:
                await asyncio.sleep(wait)
        raise failure

    def _headers(self) -> dict[str, str]:
        token = self._settings.token()
        return {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}


class _TooLarge(Exception):
    """A page is larger than is held."""


async def _read(response: httpx.Response) -> bytes:
    pieces: list[bytes] = []
    left = MOST_PAGE_BYTES
    async for piece in response.aiter_bytes():
        left -= len(piece)
        if left < 0:
            raise _TooLarge
        pieces.append(piece)
    return b"".join(pieces)


async def _lines(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield whole lines, none longer than an object can be."""
    held = bytearray()
    async for piece in response.aiter_bytes():
        held += piece
        while (end := held.find(b"\n")) >= 0:
            line, held = bytes(held[:end]), held[end + 1 :]
            if line.strip():
                yield line
        if len(held) > MOST_EVENT_BYTES:
            raise WatchEnded("an event is larger than any can be")


def _page(content: bytes) -> tuple[Page, str]:
    try:
        found = json.loads(content)
        metadata, items = found["metadata"], found.get("items") or []
        token, version = str(metadata.get("continue") or ""), str(metadata["resourceVersion"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ListFailed("malformed", _NO_LIST) from None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ListFailed("malformed", _NO_LIST)
    return Page(items, version, is_last=not token), token


def _event(line: bytes) -> Event:
    try:
        found = json.loads(line)
        kind, data = str(found["type"]), found["object"]
        if kind == "ERROR":
            if data.get("code") == 410:  # noqa: PLR2004  # Gone
                raise Expired
            raise WatchEnded(f"the watch fails with {data.get('code')}")
        return Event(kind, data, str(data["metadata"]["resourceVersion"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise WatchEnded("the API server answers something that is no event") from None


def _failure(status: int) -> ListFailed:
    reason = _REASONS.get(status, "unavailable")
    return ListFailed(reason, f"the API server answers {status}")


def _retry_after(response: httpx.Response, default: float) -> float:
    found = response.headers.get("Retry-After", "")
    return min(_LONGEST_WAIT_SECONDS, float(found)) if found.isdigit() else default
