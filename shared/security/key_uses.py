"""Noting that a key was used, and hashing it under the newest pepper while its holder has just shown it.

Owns when that is worth a write. Nothing here may fail or refuse a request: what cannot be noted is noted later. ADR-0010.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import timedelta

from shared.data.rows import Lookups, Row
from shared.ports.clock import Clock
from shared.telemetry.log import logger

from .api_keys import ApiKey, hash_key
from .peppers import Peppers

EVERY = timedelta(minutes=10)
_RETRY_SECONDS = 60.0
_MOST_KEYS = 5000
_NOTE_USE = """
select core.note_api_key_use(:public_id, :known_hash, :new_hash, :new_pepper_version) as is_noted
"""
NOTE_SCIM_USE = """
select scim.note_token_use(:public_id, :known_hash, :new_hash, :new_pepper_version) as is_noted
"""
_log = logger("key_uses")


class KeyUses:
    """What this process wrote about keys lately. Safe to share between threads."""

    def __init__(self, lookups: Lookups, peppers: Peppers, clock: Clock, statement: str = _NOTE_USE) -> None:
        self._statement = statement
        self._lookups = lookups
        self._peppers = peppers
        self._clock = clock
        self._written: OrderedDict[str, tuple[float, int]] = OrderedDict()  # public id -> (not before, pepper version)
        self._resume_at = 0.0
        self._lock = threading.Lock()

    def note(self, key: ApiKey, found: Row) -> None:
        """Note a successful use, when that is due; never raises.

        Args:
            key: as its holder sent it.
            found: the row that it matched.
        """
        if self._clock.monotonic_seconds() < self._resume_at:
            return
        try:
            version, pepper = self._peppers.newest()
            if not self._is_due(key.public_id, found, version):
                return
            stored = bytes(found["secret_hash"])
            is_stale = found["pepper_version"] < version
            self._lookups.lookup(
                self._statement,
                public_id=key.public_id,
                known_hash=stored,
                new_hash=hash_key(key, pepper) if is_stale else stored,
                new_pepper_version=version if is_stale else found["pepper_version"],
            )
        except Exception:  # noqa: BLE001  # whatever it is, it is no reason to refuse a valid key
            self._resume_at = self._clock.monotonic_seconds() + _RETRY_SECONDS
            with self._lock:
                self._written.pop(key.public_id, None)
            _log.warning("use of a key not noted", key_id=str(found["key_id"]), exc_info=True)

    def _is_due(self, public_id: str, found: Row, version: int) -> bool:
        """Claim the write for this thread: at most one per key and 10 minutes, and one more per new pepper."""
        used_at = found["last_used_at"]
        is_old = used_at is None or self._clock.now() - used_at >= EVERY
        is_stale = found["pepper_version"] < version
        now = self._clock.monotonic_seconds()
        with self._lock:
            not_before, seen_version = self._written.get(public_id, (0.0, 0))
            if not (is_stale and seen_version < version) and not (is_old and now >= not_before):
                return False
            self._written[public_id] = (now + EVERY.total_seconds(), version)
            self._written.move_to_end(public_id)
            while len(self._written) > _MOST_KEYS:
                self._written.popitem(last=False)
            return True
