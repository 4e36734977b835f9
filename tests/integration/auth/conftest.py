"""The auth function over a real Postgres."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.auth_function import AuthFunction
from tests.support.database import ClonedDatabase, DatabaseServer


@pytest.fixture(scope="module")
def module_database(database_server: DatabaseServer) -> Iterator[ClonedDatabase]:
    """One database for a module whose tests each make organisations and people of their own."""
    with database_server.clone() as clone:
        yield clone


@pytest.fixture
def auth(module_database: ClonedDatabase) -> Iterator[AuthFunction]:
    """A process of the function, over the module's database."""
    found = AuthFunction(module_database)
    yield found
    found.db.close()


@pytest.fixture
def lone_auth(database: ClonedDatabase) -> AuthFunction:
    """A process of the function, alone with its database: for what counts everybody."""
    return AuthFunction(database)
