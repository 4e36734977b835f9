"""The auth function beside a provider that a test scripts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.auth_function import AuthFunction
from tests.support.database import ClonedDatabase
from tests.support.openid_site import Site


@pytest.fixture
def site() -> Iterator[Site]:
    running = Site()
    yield running
    running.close()


@pytest.fixture
def function(database: ClonedDatabase, site: Site) -> AuthFunction:
    return AuthFunction(database, site, admin_domains=frozenset({"platform.example"}))
