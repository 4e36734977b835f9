"""One process of the analyze function and an organisation that uses it."""

from __future__ import annotations

import pytest

from tests.support.analyze_function import AnalyzeFunction, AnalyzeOrg
from tests.support.database import ClonedDatabase


@pytest.fixture
def function(database: ClonedDatabase) -> AnalyzeFunction:
    return AnalyzeFunction(database)


@pytest.fixture
def org(function: AnalyzeFunction) -> AnalyzeOrg:
    return AnalyzeOrg.make(function)
