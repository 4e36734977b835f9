"""Sending: parts of one report in order, signed, packed, tried again until they are taken.

DriftWise's side is `functions/scan/report_models.py`. Holds one part at a time.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from . import VERSION
from .cluster import trust
from .log import log
from .settings import Settings
from .signing import signature_headers

PATH = "/api/v2/operator/report"
MOST_OBJECTS = 500
MOST_BYTES = 4 * 1024 * 1024  # of a part, uncompressed; DriftWise takes twice as much
LONGEST_WAIT_SECONDS = 300.0
_TIMEOUT_SECONDS = 60.0
_ANEW = frozenset({"report_gone", "report_gap", "report_mismatch"})


class BeginAnew(Exception):
    """DriftWise no longer holds the report, or not all of it: everything has to be listed again."""


class Refused(Exception):
    """DriftWise will not take this part, however often it is sent."""


class Sender:
    """Sends to one DriftWise."""

    def __init__(self, settings: Settings, *, on_answer: Callable[[bool], None] = lambda _is_taken: None) -> None:
        """Set up.

        Args:
            settings: of the operator.
            on_answer: told after each attempt whether the part was taken.
        """
        self._settings = settings
        self._on_answer = on_answer
        self._client = httpx.AsyncClient(
            base_url=settings.url, verify=trust(None), timeout=_TIMEOUT_SECONDS, trust_env=True, follow_redirects=False,
            headers={"User-Agent": f"driftwise-operator/{VERSION}"},
        )  # fmt: skip

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def send(self, body: Mapping[str, Any]) -> None:
        """Send one part until it is taken.

        Raises:
            BeginAnew: the report has to begin anew.
            Refused: it is not taken as it is.
        """
        content = json.dumps(body, separators=(",", ":")).encode()
        packed = gzip.compress(content, compresslevel=6, mtime=0)
        message_id = f"{body['report_id']}_{body['part']}"
        attempt = 0
        while True:
            wait = min(LONGEST_WAIT_SECONDS, 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311  # spreads tries
            try:
                response = await self._client.post(PATH, content=packed, headers=self._headers(message_id, content))
            except (httpx.HTTPError, OSError) as error:  # away, or the key's file is being replaced
                log("warning", "report not sent", error=type(error).__name__, attempt=attempt)
            else:
                if response.status_code == 200:  # noqa: PLR2004  # OK
                    self._on_answer(True)
                    return
                code = _code(response)
                log("warning", "report not taken", status=response.status_code, code=code, attempt=attempt)
                if code in _ANEW:
                    raise BeginAnew(code)
                if response.status_code in {400, 404, 413, 422}:
                    self._on_answer(False)
                    raise Refused(code)
                wait = _retry_after(response, wait)
            self._on_answer(False)
            attempt = min(attempt + 1, 9)
            await asyncio.sleep(wait)

    def _headers(self, message_id: str, content: bytes) -> dict[str, str]:
        api_key = self._settings.api_key()
        signed = signature_headers(api_key, message_id, int(time.time()), content)
        return {"x-api-key": api_key, "Content-Type": "application/json", "Content-Encoding": "gzip", **signed}


@dataclass(slots=True)
class Report:
    """One report that is being sent.

    Attributes:
        sender: where to.
        account_id: of the cluster.
        id: of the report.
        part: number of the part that was sent last.
    """

    sender: Sender
    account_id: str
    id: str = field(default_factory=lambda: str(uuid4()))
    part: int = 0
    _objects: list[dict[str, Any]] = field(default_factory=list)
    _deleted: list[dict[str, Any]] = field(default_factory=list)
    _bytes: int = 0

    async def put(self, data: dict[str, Any]) -> None:
        """Take an object; sends a part when it is full."""
        size = len(json.dumps(data))
        if self._objects and (len(self._objects) >= MOST_OBJECTS or self._bytes + size > MOST_BYTES):
            await self.flush()
        self._objects.append(data)
        self._bytes += size

    async def delete(self, data: Mapping[str, Any]) -> None:
        """Take that an object is gone."""
        if len(self._deleted) >= MOST_OBJECTS:
            await self.flush()
        metadata = data["metadata"]
        name = {"apiVersion": data["apiVersion"], "kind": data["kind"], "name": metadata["name"]}
        self._deleted.append({**name, "namespace": metadata.get("namespace") or ""})

    def forget(self, api_version: str, kind: str) -> None:
        """Drop what waits of a kind: its list begins again."""
        self._objects = [item for item in self._objects if (item["apiVersion"], item["kind"]) != (api_version, kind)]
        self._bytes = sum(len(json.dumps(item)) for item in self._objects)

    async def flush(self, *, listing: Mapping[str, Any] | None = None, is_forced: bool = False) -> None:
        """Send what waits; with `listing` the part that ends the listing, forced even when there is nothing to tell."""
        if not (self._objects or self._deleted or listing or is_forced):
            return
        body: dict[str, Any] = {"account_id": self.account_id, "report_id": self.id, "part": self.part + 1}
        body |= {"objects": self._objects, "deleted": self._deleted}
        if listing is not None:
            body["listing"] = dict(listing)
        await self.sender.send(body)
        self.part += 1
        self._objects, self._deleted, self._bytes = [], [], 0


def _code(response: httpx.Response) -> str:
    try:
        found = response.json()
    except ValueError:
        return ""
    return str(found.get("code") or "") if isinstance(found, dict) else ""


def _retry_after(response: httpx.Response, default: float) -> float:
    found = response.headers.get("Retry-After", "")
    return min(LONGEST_WAIT_SECONDS, float(found)) if found.isdigit() else default
