"""What one subscription still has to deliver: when each message is due, who holds it, how often it failed.

Pure state: the caller gives the time (monotonic seconds), holds the lock and stores what must survive. Every message
waits on its own, so a slow or failing one never holds up another, except the later ones of its own ordering key.
"""

from __future__ import annotations

import heapq
import secrets
from collections import deque
from dataclasses import dataclass, field

from local_emulator.google.storage import Message

NEVER = float("inf")


@dataclass(frozen=True)
class Policy:
    """How a subscription delivers.

    `minimum_backoff_seconds` None: a failed message is due again at once; `max_attempts` None: no dead letters.
    """

    is_ordered: bool = False
    minimum_backoff_seconds: float | None = None
    maximum_backoff_seconds: float = 600
    max_attempts: int | None = None

    def backoff_seconds(self, failures: int) -> float:
        """Say how long a message waits after its n-th failure: the minimum, doubled each time, up to the maximum."""
        if self.minimum_backoff_seconds is None:
            return 0
        return min(self.minimum_backoff_seconds * 2.0 ** min(failures - 1, 30), self.maximum_backoff_seconds)


@dataclass(slots=True)
class Delivery:
    """One message on its way; `ack_id` is "" while nobody holds it."""

    message: Message
    failures: int
    due_at: float
    ack_id: str = ""
    expires_at: float = NEVER

    @property
    def attempt(self) -> int:
        """Number of the present attempt, from 1."""
        return self.failures + 1


@dataclass
class Backlog:
    """The undelivered messages of one subscription."""

    policy: Policy
    _deliveries: dict[int, Delivery] = field(default_factory=dict)
    _due: list[tuple[float, int]] = field(default_factory=list)
    _leases: dict[str, int] = field(default_factory=dict)
    _expiries: list[tuple[float, str]] = field(default_factory=list)
    _keys: dict[str, deque[int]] = field(default_factory=dict)

    def add(self, message: Message, now: float) -> None:
        """Take in a message; it is due now, or once the earlier ones of its ordering key are gone."""
        delivery = Delivery(message, message.failures, now)
        self._deliveries[message.sequence] = delivery
        if self.policy.is_ordered and message.ordering_key:
            line = self._keys.setdefault(message.ordering_key, deque())
            line.append(message.sequence)
            if len(line) > 1:
                return
        heapq.heappush(self._due, (now, message.sequence))

    def take(self, limit: int, lease_seconds: float, now: float) -> list[Delivery]:
        """Lease up to `limit` messages that are due."""
        taken: list[Delivery] = []
        while len(taken) < limit and self._next_due() <= now:
            _, sequence = heapq.heappop(self._due)
            delivery = self._deliveries[sequence]
            delivery.ack_id = f"{sequence}-{secrets.token_hex(8)}"
            self._leases[delivery.ack_id] = sequence
            self._lease_until(delivery, now + lease_seconds)
            taken.append(delivery)
        return taken

    def wakes_at(self) -> float:
        """Say when something happens next: a message is due, or a lease ends."""
        while self._expiries and not self._holds(*self._expiries[0]):
            heapq.heappop(self._expiries)
        return min(self._next_due(), self._expiries[0][0] if self._expiries else NEVER)

    def expired(self, now: float) -> list[str]:
        """List the ack ids of the leases that have ended."""
        ended = []
        while self._expiries and self._expiries[0][0] <= now:
            expires_at, ack_id = heapq.heappop(self._expiries)
            if self._holds(expires_at, ack_id):
                ended.append(ack_id)
        return ended

    def held(self, ack_id: str) -> Delivery | None:
        """Return the message behind an ack id, None when the lease is over."""
        sequence = self._leases.get(ack_id)
        return None if sequence is None else self._deliveries[sequence]

    def extend(self, ack_id: str, lease_seconds: float, now: float) -> None:
        """Let a lease end later (or sooner)."""
        delivery = self.held(ack_id)
        if delivery is not None:
            self._lease_until(delivery, now + lease_seconds)

    def retry(self, delivery: Delivery, now: float) -> None:
        """Give a leased message back after a failure; it is due again after its back-off."""
        self._leases.pop(delivery.ack_id, None)
        delivery.ack_id = ""
        delivery.failures += 1
        delivery.due_at = now + self.policy.backoff_seconds(delivery.failures)
        heapq.heappush(self._due, (delivery.due_at, delivery.message.sequence))

    def remove(self, sequence: int) -> None:
        """Drop a message; the next one of its ordering key becomes due."""
        delivery = self._deliveries.pop(sequence, None)
        if delivery is None:
            return
        self._leases.pop(delivery.ack_id, None)
        line = self._keys.get(delivery.message.ordering_key)
        if line is None:
            return
        was_first = line[0] == sequence
        line.remove(sequence)
        if not line:
            del self._keys[delivery.message.ordering_key]
        elif was_first:
            heapq.heappush(self._due, (self._deliveries[line[0]].due_at, line[0]))

    def oldest(self) -> Message | None:
        """Return the message that was published first."""
        first = next(iter(self._deliveries.values()), None)
        return None if first is None else first.message

    def messages(self) -> list[Message]:
        """List all messages, leased or not."""
        return [delivery.message for delivery in self._deliveries.values()]

    def __len__(self) -> int:
        return len(self._deliveries)

    def _lease_until(self, delivery: Delivery, expires_at: float) -> None:
        delivery.expires_at = expires_at
        if expires_at != NEVER:
            heapq.heappush(self._expiries, (expires_at, delivery.ack_id))

    def _holds(self, expires_at: float, ack_id: str) -> bool:
        delivery = self.held(ack_id)
        return delivery is not None and delivery.expires_at == expires_at

    def _next_due(self) -> float:
        """Say when the first message is due, after dropping entries that no longer stand for one."""
        while self._due:
            due_at, sequence = self._due[0]
            delivery = self._deliveries.get(sequence)
            if delivery is not None and not delivery.ack_id and delivery.due_at == due_at:
                return due_at
            heapq.heappop(self._due)
        return NEVER
