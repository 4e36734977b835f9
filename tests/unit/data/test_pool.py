"""The connection pool of a process before its first connection."""

from __future__ import annotations

from contextlib import closing

from shared.data.database import Database
from shared.settings import Settings
from shared.testing.queue import MemoryQueue
from shared.testing.secret_store import MemorySecretStore


def test_the_pools_event_dispatcher_is_made_before_two_threads_can_make_it_at_once() -> None:
    """SQLAlchemy makes it on its first use, without a lock: two that do so at once get two, and one an AssertionError."""
    settings = Settings(env="emulator", function="keys", database_url="postgresql://keys_login@127.0.0.1:1/none")
    with closing(Database(settings, MemoryQueue(), MemorySecretStore())) as database:
        dispatcher = vars(database._pool)["dispatch"]
        assert list(dispatcher.connect), "its listeners of `connect` would be made by the first connection"
