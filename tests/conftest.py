"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator

os.environ["DW_ENV"] = "emulator"  # before anything reads the settings: a test never runs as production

import pytest
from hypothesis import HealthCheck, settings

from tests.support.database import ClonedDatabase, DatabaseServer
from tests.support.database import database_server as run_database_server
from tests.support.running_suite import RunningSuite, running_emulator

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("driftwise", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("driftwise")


@pytest.fixture(scope="session")
def database_server() -> Iterator[DatabaseServer]:
    """One PostgreSQL for the whole test process (with xdist: for each worker)."""
    with run_database_server() as server:
        yield server


@pytest.fixture
def database(database_server: DatabaseServer) -> Iterator[ClonedDatabase]:
    """A migrated database of the test's own."""
    with database_server.clone() as clone:
        yield clone


@pytest.fixture(scope="session")
def emulator() -> Iterator[RunningSuite]:
    """One emulator for the whole test process, started by whoever asks first.

    Ended with its last test and no later: xdist gives a worker that has no more tests ten seconds to leave.
    """
    with running_emulator() as suite:
        yield suite
