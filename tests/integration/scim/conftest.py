"""One process of the SCIM function for a module, and for each test an organisation whose directory calls it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.database import DatabaseServer
from tests.support.scim_function import ScimFunction, ScimOrg


@pytest.fixture(scope="module")
def function(database_server: DatabaseServer) -> Iterator[ScimFunction]:
    with database_server.clone() as database:
        yield ScimFunction(database)


@pytest.fixture
def org(function: ScimFunction) -> ScimOrg:
    return ScimOrg.make(function)


@pytest.fixture
def other(function: ScimFunction) -> ScimOrg:
    return ScimOrg.make(function, name="other")
