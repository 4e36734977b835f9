"""One process of the scan function and an organisation that uses it."""

from __future__ import annotations

import pytest

from tests.support.database import ClonedDatabase
from tests.support.scan_function import ScanFunction, ScanOrg


@pytest.fixture
def function(database: ClonedDatabase) -> ScanFunction:
    return ScanFunction(database)


@pytest.fixture
def org(function: ScanFunction) -> ScanOrg:
    return ScanOrg.make(function)
