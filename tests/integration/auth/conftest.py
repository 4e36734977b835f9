"""The auth function over a real Postgres: beside a provider that a test scripts, or with organisations and their people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import auth_orgs
from tests.support.auth_function import AuthFunction
from tests.support.database import ClonedDatabase, DatabaseServer
from tests.support.openid_site import Site


@pytest.fixture
def site() -> Iterator[Site]:
    running = Site()
    yield running
    running.close()


@pytest.fixture
def function(database: ClonedDatabase, site: Site) -> AuthFunction:
    return AuthFunction(database, site, admin_domains=frozenset({"platform.example"}))


@pytest.fixture(scope="module")
def module_database(database_server: DatabaseServer) -> Iterator[ClonedDatabase]:
    """One database for a module whose tests each make organisations and people of their own."""
    with database_server.clone() as clone:
        yield clone


@pytest.fixture
def auth(module_database: ClonedDatabase) -> Iterator[auth_orgs.AuthFunction]:
    """A process of the function, over the module's database."""
    found = auth_orgs.AuthFunction(module_database)
    yield found
    found.db.close()


@pytest.fixture
def lone_auth(database: ClonedDatabase) -> auth_orgs.AuthFunction:
    """A process of the function, alone with its database: for what counts everybody."""
    return auth_orgs.AuthFunction(database)
