"""One process of the webhook function and an organisation that uses it."""

from __future__ import annotations

import pytest

from tests.support.database import ClonedDatabase
from tests.support.webhook_function import WebhookFunction, WebhookOrg


@pytest.fixture
def function(database: ClonedDatabase) -> WebhookFunction:
    return WebhookFunction(database)


@pytest.fixture
def org(function: WebhookFunction) -> WebhookOrg:
    return WebhookOrg.make(function)
