"""One emulator process for each test module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.google_emulator import Emulator


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Start the emulator for a module; an ack deadline of one second is allowed, to test time-outs."""
    running = Emulator(tmp_path_factory.mktemp("google"), {"minimum_ack_deadline_seconds": 1})
    yield running
    assert running.stop() == 0, "the emulator did not stop cleanly on SIGTERM"
