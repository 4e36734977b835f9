"""API keys: made, used, rotated, revoked. A promised key works; a revoked one is refused for good."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from itertools import count

from ..calls import document
from ..violations import Violation
from .journey import OrgOfJourney, Scene
from .ledger import Ledger

# Another function may take a revoked key for live for so long: see ADR-0010.
REFUSED_AFTER_SECONDS = 5.0
_MOST_TRIED = 20  # of the revoked keys at the end: refusals have a rate limit of their own
_ME = "/api/v2/me"
_ALREADY = frozenset({"key_revoked"})


class Keys:
    """Somebody who gives keys to machines and takes them away."""

    name = "keys"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._rows, self._live = Ledger(), Ledger()  # a revoked key keeps its row
        self._raw: dict[str, str] = {}  # of live keys: label to key
        self._ended: dict[str, float] = {}  # of revoked keys: key to when that was acknowledged
        self._seen: list[Violation] = []
        self._numbers = count(1)

    def prepare(self) -> None:
        """Make the organisation."""
        self.org: OrgOfJourney = self._scene.make_org()
        self._machine = self._scene.caller(marker=self.org.marker)

    def turn(self) -> None:
        """Make a key and use it; rotate every third, revoke every second one, and then try one that was revoked before."""
        number = next(self._numbers)
        label = f"{self.org.marker} {number}"
        key_id = self._make(label, "/api-keys", {"name": label, "scopes": ["read"]})
        self._use(label)
        if number % 3 == 0:
            successor = f"after {key_id}"
            self._make(successor, f"/api-keys/{key_id}/rotate", {"grace_seconds": 60})
            self._use(successor)
            self._raw.pop(label, None)  # it works until the grace is over, and that is not ours to time
        if number % 2 == 0:
            self._revoke(label, key_id)
            self._try_revoked(1)

    def check(self) -> Iterator[Violation]:
        """Compare rows, their state and the audit log with what was promised; then use keys once more."""
        yield from self._seen
        rows = self.org.arrange(
            "select id, name, replaces_id, revoked_at is not null from core.api_keys where org_id = :org_id"
        )
        labels = {str(key_id): name if old is None else f"after {old}" for key_id, name, old, _ in rows}
        yield from self._rows.compare(self.name, "key", map(str, labels.values()))
        live = [str(labels[str(key_id)]) for key_id, _, _, is_revoked in rows if not is_revoked]
        yield from self._live.compare(self.name, "live key", live)
        expected = Counter(("created" if old is None else "rotated", str(old or key_id)) for key_id, _, old, _ in rows)
        expected += Counter(("revoked", str(key_id)) for key_id, _, _, is_revoked in rows if is_revoked)
        yield from self._compare_audit(expected)
        self._machine = self._scene.caller(marker=self.org.marker)
        for label in [label for label in self._live.kept() if label in self._raw][-_MOST_TRIED:]:
            reply = self._machine.ask("GET", _ME, headers={"X-Api-Key": self._raw[label]})
            if reply is None or not reply.is_success:
                yield Violation("keys: refused", f"live key {label}: {'no answer' if reply is None else reply.text}")
        self._seen.clear()
        self._try_revoked(_MOST_TRIED)
        yield from self._seen

    def _make(self, label: str, rest: str, body: dict[str, object]) -> str:
        """Ask for a key; returns its id. The key itself is lost with an answer that was lost."""
        with self._rows.making(label), self._live.making(label):
            made = self.org.insist("POST", rest, json=body, expect=frozenset({201}))
        if made["raw_key"] is not None:
            self._scene.calls.keep_secret(made["raw_key"])
            self._raw[label] = made["raw_key"]
        return str(made["id"])

    def _use(self, label: str) -> None:
        """Use a key, which must work."""
        if label in self._raw:
            self._machine.insist("GET", _ME, headers={"X-Api-Key": self._raw[label]})

    def _revoke(self, label: str, key_id: str) -> None:
        raw = self._raw.pop(label, None)
        with self._live.ending(label):
            self.org.insist("DELETE", f"/api-keys/{key_id}", or_codes=_ALREADY)
        if raw is not None:
            self._ended[raw] = time.monotonic()

    def _try_revoked(self, most: int) -> None:
        """Use keys whose revocation was acknowledged long enough ago."""
        before = time.monotonic() - REFUSED_AFTER_SECONDS
        for raw in [raw for raw, ended_at in self._ended.items() if ended_at < before][-most:]:
            reply = self._machine.ask("GET", _ME, headers={"X-Api-Key": raw})
            if reply is not None and reply.is_success:
                text = f"key {document(reply)['id']} was revoked and still works"
                self._seen.append(Violation("keys: came back", text))

    def _compare_audit(self, expected: Counter[tuple[str, str]]) -> Iterator[Violation]:
        rows = self.org.arrange(
            "select action, target_id from core.audit_log where org_id = :org_id and action like 'keys:api_key:%'"
        )
        found = Counter((str(action).rpartition(":")[2], str(key_id)) for action, key_id in rows)
        for action, key_id in sorted(expected.keys() | found.keys()):
            wanted, there = expected[action, key_id], found[action, key_id]
            if wanted != there:
                yield Violation(f"{self.name}: audit", f"key {key_id}: {there} entries `{action}`, expected {wanted}")
