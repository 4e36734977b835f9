"""One emulator process for each test module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.google_emulator import Emulator


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Start the emulator for a module; ack deadlines of a second are allowed, to test time-outs."""
    config = {"minimum_ack_deadline_seconds": 1, "push_concurrency_by_subscription": {"narrow": 3}}
    running = Emulator(tmp_path_factory.mktemp("google"), config)
    yield running
    assert running.stop() == 0, "the emulator did not stop cleanly on SIGTERM"
