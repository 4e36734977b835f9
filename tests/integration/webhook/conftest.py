"""One process of the webhook function and an organisation that uses it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.database import ClonedDatabase
from tests.support.notified_org import NotifiedOrg, reach, receiver
from tests.support.tls_server import Authority, Server
from tests.support.webhook_function import WebhookFunction, WebhookOrg


@pytest.fixture
def function(database: ClonedDatabase) -> WebhookFunction:
    return WebhookFunction(database)


@pytest.fixture
def org(function: WebhookFunction) -> WebhookOrg:
    return WebhookOrg.make(function)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    """Run a customer's server that takes what comes."""
    with receiver(authority) as found:
        yield found


@pytest.fixture
def told(function: WebhookFunction, authority: Authority, server: Server) -> NotifiedOrg:
    """Make an organisation whose channels may point at that server."""
    reach(function, authority, server)
    made = WebhookOrg.make(function)
    return NotifiedOrg(function, made.id, made.admin)
