"""Scans of one AWS account, again and again, of which an undisturbed scan said what is to be found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from local_emulator.aws import ACCOUNT, REGION
from local_emulator.demo_changes import CHANGES
from tests.support.scanning import OVER, STATIC_KEY, Estate, Finding

from ..calls import GaveUpError, RefusedError, document
from ..violations import Violation
from .journey import OrgOfJourney, Scene, wait_for

_SCAN_SECONDS = 300.0  # with messages that come again, and sweeps that ask for what was lost
_PAUSE_SECONDS = 1.0
_CHANGES = frozenset({"ssh-open", "launch-wizard", "bastion-resized", "queue-deleted", "contractor-user"})
_RUNNING = frozenset({"scan_in_progress"})


@dataclass(frozen=True)
class Seen:
    """What a scan that is `done` found.

    Attributes:
        types: finding to resource type.
        number: of items; more than there are findings when one came twice.
        gaps: types of which something was not read.
    """

    types: dict[Finding, str]
    number: int
    gaps: frozenset[str]


class Scans:
    """Somebody who scans an account that was changed behind Terraform's back."""

    name = "scans"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._promised: list[str] = []
        self._given_up = 0
        self._seen: dict[str, Seen] = {}

    def prepare(self) -> None:
        """Build the account, connect it, upload its state, and learn the truth from an undisturbed scan."""
        estate = Estate(self._scene.suite, "demo")
        estate.build()
        clients = cache(estate.client)
        for change in CHANGES:
            if change.slug in _CHANGES:
                change.apply(clients)
        self.org: OrgOfJourney = self._scene.make_org()
        wish = {"provider": "aws", "name": self.org.marker, "external_account": ACCOUNT, "regions": [REGION]}
        self._account_id = self.org.insist("POST", "/cloud-accounts", json={**wish, "auth": STATIC_KEY})["id"]
        source = {"account_id": self._account_id, "kind": "upload", "name": self.org.marker}
        source_id = self.org.insist("POST", "/state-sources", json=source)["id"]
        self.org.insist("PUT", f"/state-sources/{source_id}/state", content=estate.state())
        truth = self._scan()
        if truth is None or truth.gaps or not truth.types:
            raise AssertionError(f"an undisturbed scan is whole and finds something, not {truth}")
        self._truth = truth

    def turn(self) -> None:
        """Start a scan, wait for its end, and read what it found."""
        self._scan()

    def check(self) -> Iterator[Violation]:
        """Compare every scan's findings with the truth; then scan once more, which must find exactly that."""
        if not wait_for(lambda: not self._unfinished(), self._scene.settle_seconds):
            yield Violation("scans: stuck", f"scans that never ended: {', '.join(self._unfinished())}")
        there = {str(scan_id) for (scan_id,) in self.org.arrange("select id from scan.scans where org_id = :org_id")}
        for scan_id in self._promised:
            if scan_id not in there:
                yield Violation("scans: lost", f"scan {scan_id} was promised and is not there")
        unasked = len(there - set(self._promised)) - self._given_up
        if unasked > 0:
            yield Violation("scans: doubled", f"{unasked} scans are there that nobody asked for")
        for scan_id, seen in self._seen.items():
            yield from compare(scan_id, seen, self._truth)
        self.org = self.org.afterwards()
        try:
            last = self._scan()
        except (GaveUpError, RefusedError) as error:
            yield Violation("scans: unwell", f"a scan after all faults: {error}")
        else:
            if last is None or last.gaps:
                yield Violation("scans: unwell", f"a scan after all faults is not whole: {last and sorted(last.gaps)}")
            else:
                yield from compare("after all faults", last, self._truth)
        yield from self._open_twice()

    def _scan(self) -> Seen | None:
        """Scan to the end; returns what was found, None for a scan that failed or was another one's."""
        body = {"account_id": self._account_id}
        self._given_up += 1  # until it is told, it may be there or not
        reply = self.org.caller.insist("POST", self.org.path("/scans"), json=body, or_codes=_RUNNING)
        self._given_up -= 1
        if reply.status_code == 409:  # an earlier one that was given up, or that took too long
            self._wait(self._running())
            return None
        scan_id = str(document(reply)["id"])
        self._promised.append(scan_id)
        if self._wait(scan_id)["status"] != "done":
            return None
        self._seen[scan_id] = self._read(scan_id)
        return self._seen[scan_id]

    def _running(self) -> str:
        items = self.org.insist("GET", "/scans?limit=5")["items"]
        return next((str(item["id"]) for item in items if item["status"] not in OVER), str(items[0]["id"]))

    def _wait(self, scan_id: str) -> dict[str, Any]:
        """Wait for a scan's end. Raises: GaveUpError."""
        found: dict[str, Any] = {}
        ends_in = int(_SCAN_SECONDS / _PAUSE_SECONDS)
        for _ in range(ends_in):
            found = self.org.insist("GET", f"/scans/{scan_id}")
            if found["status"] in OVER:
                return found
            if self.org.caller.stop.wait(_PAUSE_SECONDS):
                break
        raise GaveUpError(f"scan {scan_id} is still {found['status']}")

    def _read(self, scan_id: str) -> Seen:
        coverage = self.org.insist("GET", f"/scans/{scan_id}/coverage")
        gaps = frozenset(name for gap in (*coverage["not_checked"], *coverage["unread"]) for name in gap["types"])
        types: dict[Finding, str] = {}
        number, cursor = 0, ""
        while True:
            page = self.org.insist("GET", f"/scans/{scan_id}/drift?limit=200{cursor}")
            for item in page["items"]:
                types[item["kind"], item["address"] or item["key"], item["path"] or ""] = item["type"]
            number += len(page["items"])
            if page["next_cursor"] is None:
                return Seen(types, number, gaps)
            cursor = f"&cursor={page['next_cursor']}"

    def _open_twice(self) -> Iterator[Violation]:
        rows = self.org.arrange(
            "select kind, type, key, address, path, count(*) from scan.drift_items where org_id = :org_id and status = 'open'"
            " group by 1, 2, 3, 4, 5 having count(*) > 1"
        )
        for kind, type_name, key, *_ in rows:
            yield Violation("scans: doubled", f"{kind} {type_name} {key} is open more than once")

    def _unfinished(self) -> list[str]:
        rows = self.org.arrange("select id, status from scan.scans where org_id = :org_id")
        return [str(scan_id) for scan_id, status in rows if status not in OVER]


def compare(scan_id: str, seen: Seen, truth: Seen) -> Iterator[Violation]:
    """Yield what a scan told twice, made up, or missed among the types that it read."""
    if seen.number != len(seen.types):
        yield Violation("scans: doubled", f"scan {scan_id} told a finding twice")
    expected = {finding for finding, kind in truth.types.items() if kind not in seen.gaps}
    for finding in sorted(seen.types.keys() - truth.types.keys()):
        yield Violation("scans: untrue", f"scan {scan_id} found {' '.join(finding)}, which is not so")
    for finding in sorted(expected - seen.types.keys()):
        yield Violation("scans: missed", f"scan {scan_id} did not find {' '.join(finding)}")
