"""What every test may ask for."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import Any

os.environ["DW_ENV"] = "emulator"  # before anything reads the settings: a test never runs as production

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests.support.certificates_once import read_certificates_once
from tests.support.database import ClonedDatabase, DatabaseServer
from tests.support.database import database_server as run_database_server
from tests.support.running_suite import RunningSuite, running_emulator

# Garbage is collected rarely: the tests' own modules, models and parsed documents live to the end, and looking through all of
# them again and again took half of the time of tests that load a lot.
gc.set_threshold(100_000, 50, 100)

read_certificates_once()

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("driftwise", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("driftwise")


def pytest_collection_finish() -> None:
    """Take everything that was loaded until now out of the search for garbage."""
    gc.collect()
    gc.freeze()


class _Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Modules are handed out whole; those over one expensive thing stay together, so that one worker makes it once."""

    def _split_scope(self, nodeid: str) -> str:
        together = "tests/integration/terraform/"  # one apply of the example environment, one process of each provider
        return together if nodeid.startswith(together) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)  # xdist may be switched off
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    return _Scheduling(config, log) if config.getvalue("dist") == "loadscope" else None


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
