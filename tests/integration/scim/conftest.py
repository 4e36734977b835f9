"""One process of the SCIM function and an organisation whose directory calls it."""

from __future__ import annotations

import pytest

from tests.support.database import ClonedDatabase
from tests.support.scim_function import ScimFunction, ScimOrg


@pytest.fixture
def function(database: ClonedDatabase) -> ScimFunction:
    return ScimFunction(database)


@pytest.fixture
def org(function: ScimFunction) -> ScimOrg:
    return ScimOrg.make(function)
