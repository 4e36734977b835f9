"""A server that can be stopped and started again, which the shared one must not be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.database import DatabaseServer, prepare_server
from tests.support.restartable_server import RestartableServer, restartable_server


@pytest.fixture(scope="module")
def restartable_place() -> Iterator[RestartableServer]:
    with restartable_server() as server:
        yield server


@pytest.fixture(scope="module")
def restartable_databases(restartable_place: RestartableServer) -> DatabaseServer:
    return prepare_server(restartable_place.url)


@pytest.fixture
def restartable(restartable_place: RestartableServer) -> Iterator[RestartableServer]:
    yield restartable_place
    if restartable_place.process is None:
        restartable_place.start()
