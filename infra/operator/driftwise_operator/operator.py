"""The operator's work: list everything, report it, then watch and report what changes; again from the start when it must be.

Owns the order. What waits to be sent is bounded: when more changes than that wait, everything is listed anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import VERSION
from .cluster import Cluster, Expired, ListFailed, WatchEnded
from .kinds import SECRETS, Kind
from .log import log
from .releases import KIND as RELEASE
from .releases import Releases, is_release
from .report import BeginAnew, Refused, Report, Sender
from .settings import Settings
from .stripping import stripped

MOST_CHANGES, MOST_CHANGED_BYTES = 5_000, 64 * 1024 * 1024
_MOST_LISTINGS = 3  # of one kind within one report, when the server forgets where a list stood
_SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 300.0
_END_SECONDS = 10.0


class Relist(Exception):
    """Everything has to be listed again."""


@dataclass(slots=True)
class Health:
    """What the health endpoint tells.

    Attributes:
        is_whole: a whole report was taken.
        is_taken: so was what was sent last.
        stirred_at: when the operator was last seen at work, by the clock that only runs on.
    """

    is_whole: bool = False
    is_taken: bool = False
    stirred_at: float = field(default_factory=time.monotonic)

    def told(self, is_taken: bool) -> None:  # noqa: FBT001  # what the sender tells after each attempt
        """Note whether DriftWise took what was sent."""
        self.is_taken = is_taken
        self.stir()

    def stir(self) -> None:
        """Note that work goes on."""
        self.stirred_at = time.monotonic()


class Operator:
    """One cluster's operator."""

    def __init__(self, settings: Settings, cluster: Cluster, sender: Sender, health: Health) -> None:
        self._settings = settings
        self._cluster = cluster
        self._sender = sender
        self._health = health
        self._changes: dict[tuple[str, str], tuple[bool, dict[str, Any]]] = {}
        self._waiting_bytes = 0
        self._releases = Releases(settings.digest_key())

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; what waits then is sent, if DriftWise takes it within seconds."""
        pause = _SHORTEST_PAUSE_SECONDS
        while not stop.is_set():
            started = time.monotonic()
            try:
                await self._once(stop)
            except (Relist, BeginAnew) as cause:
                log("info", "listing anew", cause=str(cause) or type(cause).__name__)
            except Refused as refusal:
                log("error", "report refused", code=str(refusal))
                pause = _LONGEST_PAUSE_SECONDS
            is_quick = time.monotonic() - started < pause * 2
            pause = min(_LONGEST_PAUSE_SECONDS, pause * 2) if is_quick else _SHORTEST_PAUSE_SECONDS
            if not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), pause)

    async def _once(self, stop: asyncio.Event) -> None:
        self._changes, self._waiting_bytes = {}, 0
        self._releases = Releases(self._settings.digest_key())
        report = Report(self._sender, self._settings.account_id)
        listing = asyncio.create_task(self._list(report))
        versions = await _unless_stopped(listing, stop)
        if versions is None:
            return  # half a report is nothing; the next operator begins anew
        self._health.is_whole = True
        watches = [asyncio.create_task(self._watch(kind, version)) for kind, version in versions.items()]
        try:
            await self._follow(report, watches, stop)
        finally:
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)

    async def _list(self, report: Report) -> dict[Kind, str]:
        """Report every kind; returns where each can be watched from."""
        versions: dict[Kind, str] = {}
        failures: list[dict[str, Any]] = []
        for kind in self._settings.kinds:
            try:
                versions[kind] = await self._list_kind(report, kind)
            except ListFailed as failure:
                log("warning", "kind not listed", kind=kind.name, reason=failure.reason)
                permission = kind.right if failure.reason == "access_denied" else None
                told = {"reason": failure.reason, "permission": permission, "detail": failure.detail}
                names = (kind.name, RELEASE.name) if kind == SECRETS else (kind.name,)
                failures += [{"kind": name, **told} for name in names]
            self._health.stir()
        kinds = [kind.name for kind in versions] + ([RELEASE.name] if SECRETS in versions else [])
        facts = {"kinds": kinds, "failures": failures, "server_version": await self._cluster.version()}
        await report.flush(listing={**facts, "operator_version": VERSION})
        log("info", "report complete", parts=report.part, kinds=len(kinds), not_listed=len(failures))
        return versions

    async def _list_kind(self, report: Report, kind: Kind) -> str:
        for attempt in range(_MOST_LISTINGS):
            version = ""
            try:
                async for page in self._cluster.pages(kind):
                    version = page.version
                    for item in page.items:
                        await self._put(report, kind, item)
                    self._health.stir()
            except Expired:
                # What the first pages told may be gone by now, and a report cannot take back: it begins anew.
                if report.part:
                    raise Relist("a list became too old to go on with") from None
                report.forget(kind.api_version, kind.kind)
                log("info", "list became too old", kind=kind.name, attempt=attempt)
                continue
            if kind == SECRETS:
                for _, release in self._releases.newest.values():
                    await report.put(release)
            return version
        raise ListFailed("unavailable", "the API server forgets lists faster than they can be read")

    async def _put(self, report: Report, kind: Kind, item: dict[str, Any]) -> None:
        if kind == SECRETS and is_release(item):
            self._releases.put(item)
        else:
            await report.put(stripped(kind, item, self._releases.digest_key))

    async def _watch(self, kind: Kind, version: str) -> None:
        """Note what changes, for as long as the server remembers where it was.

        Raises:
            Relist: it does not.
        """
        pause = _SHORTEST_PAUSE_SECONDS
        while True:
            try:
                async for event in self._cluster.watch(kind, version):
                    version, pause = event.version, _SHORTEST_PAUSE_SECONDS
                    if event.type != "BOOKMARK":
                        self._note(kind, event.data, is_gone=event.type == "DELETED")
                continue  # its time was over
            except Expired:
                raise Relist(f"{kind.name} changed more than the API server remembers") from None
            except WatchEnded as end:
                log("info", "watch ended", kind=kind.name, cause=str(end))
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE_SECONDS, pause * 2)

    def _note(self, kind: Kind, item: Mapping[str, Any], *, is_gone: bool) -> None:
        found: dict[str, Any] | None
        if kind == SECRETS and is_release(item):
            found = self._releases.drop(item) if is_gone else self._releases.put(item)
        else:
            found = stripped(kind, item, self._releases.digest_key)
        if found is None:
            return
        self._waiting_bytes += len(json.dumps(found))
        if len(self._changes) >= MOST_CHANGES or self._waiting_bytes > MOST_CHANGED_BYTES:
            raise Relist("more changes wait than are held")
        metadata = found["metadata"]
        self._changes[f"{found['apiVersion']} {found['kind']}", f"{metadata.get('namespace')}/{metadata['name']}"] = (
            is_gone,
            found,
        )

    async def _follow(self, report: Report, watches: list[asyncio.Task[None]], stop: asyncio.Event) -> None:
        """Send changes as they gather, and now and then that there were none.

        Raises:
            Relist: a watch came to its end, or it is time to.
        """
        ends_at = time.monotonic() + self._settings.relist_seconds
        told_at = time.monotonic()
        while not stop.is_set():
            self._health.stir()
            waiting = asyncio.create_task(stop.wait())
            await asyncio.wait(
                [waiting, *watches], timeout=self._settings.flush_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            waiting.cancel()
            for watch in watches:
                if watch.done():
                    watch.result()  # raises why it ended
                    raise Relist("a watch ended")
            if time.monotonic() >= ends_at:
                raise Relist("it is time to")
            is_due = time.monotonic() - told_at >= self._settings.heartbeat_seconds
            if self._changes or is_due:
                sending = asyncio.create_task(self._send_changes(report))
                if await _unless_stopped(sending, stop) is None:
                    return
                told_at = time.monotonic()
        with contextlib.suppress(TimeoutError, BeginAnew, Refused):
            await asyncio.wait_for(self._send_changes(report, is_forced=False), _END_SECONDS)

    async def _send_changes(self, report: Report, *, is_forced: bool = True) -> bool:
        changes, self._changes, self._waiting_bytes = self._changes, {}, 0
        for is_gone, found in changes.values():
            await (report.delete(found) if is_gone else report.put(found))
        await report.flush(is_forced=is_forced)
        return True


async def _unless_stopped(task: asyncio.Task[Any], stop: asyncio.Event) -> Any:
    """Return what a task comes to; None when the operator is told to stop before that."""
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if task.done():
        return task.result()
    done, _ = await asyncio.wait([task], timeout=_END_SECONDS)
    if done:
        return task.result()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return None
