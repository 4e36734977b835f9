"""The key of secrets is rotated, over a real Postgres: senders are let in as before, and the old version is needed no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from itertools import count
from typing import Any

import pytest

from functions.webhook.wiring import BODY, CURRENT_SECRET, PREVIOUS_SECRET, SECRETS_KEY
from shared.data.migrations import connect
from shared.security.envelope import key_version
from shared.testing.key_manager import MemoryKeyManager
from tests.support.database import ClonedDatabase, owner_without_powers
from tests.support.runbooks import queries_of
from tests.support.webhook_function import WebhookFunction, WebhookOrg, sender_of

SCHEDULE = "webhook-sealed-columns"
_numbers = count(1)


class Vault(MemoryKeyManager):
    """A vault during whose next answer something happens, once."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] | None = None

    def unwrap(self, key: str, ciphertext: bytes, *, context: bytes) -> bytes:
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        return super().unwrap(key, ciphertext, context=context)


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def function(database: ClonedDatabase, vault: Vault) -> WebhookFunction:
    return WebhookFunction(database, vault=vault)


def stored(org: WebhookOrg, slot: str) -> list[bytes]:
    rows = org.function.database.owner.run(
        f"select {slot}_secret_encrypted from webhook.configs where {slot}_secret_encrypted is not null order by id"
    )
    return [bytes(row[0]) for row in rows]


def versions(org: WebhookOrg) -> tuple[list[int], list[int]]:
    """Return the versions that the columns show, which must be those that the ciphertexts name."""
    found = []
    for slot in ("current", "previous"):
        column = f"{slot}_secret_key_version"
        sql = f"select {column} from webhook.configs where {column} is not null order by id"
        found.append([row[0] for row in org.function.database.owner.run(sql)])
        assert found[-1] == [key_version(sealed) for sealed in stored(org, slot)]
    return found[0], found[1]


def let_in(org: WebhookOrg, config: dict[str, Any], *secrets: str) -> None:
    """Deliver to a process that remembers nothing, once with each secret."""
    fresh = WebhookFunction(org.function.database, clock=org.function.clock)
    fresh.deps = WebhookFunction.build_deps(org.function)
    for secret in secrets:
        body = json.dumps({"number": next(_numbers)}).encode()
        response = fresh.deliver(config["url"], sender_of(config, secret).send(body, org.function.now))
        assert response.status_code == 202, response.get_data(as_text=True)


def request_runs(org: WebhookOrg, kind: str) -> None:
    for column in (CURRENT_SECRET, PREVIOUS_SECRET):
        org.function.database.owner.run(
            "insert into core.reseal_runs (sealed_column, kind, requested_by) values (:name, :kind, 'ops@example.test')",
            name=column.name, kind=kind,
        )  # fmt: skip


def runs(org: WebhookOrg) -> list[tuple[object, ...]]:
    rows = org.function.database.owner.run(
        "select sealed_column, kind, status, seen, changed, overtaken, unreadable from core.reseal_runs order by id"
    )
    return [tuple(row) for row in rows]


def test_both_secrets_let_in_after_the_old_version_is_gone(org: WebhookOrg, vault: Vault) -> None:
    config, elsewhere = org.make_config(), WebhookOrg.make(org.function).make_config("atlantis")
    second = org.rotate(config, grace_seconds=86_400)["secret"]
    org.make_config("stripe")  # nobody gave its secret yet
    assert org.function.tick(SCHEDULE)["opened"] == 0, "there is something to do before the key is rotated"
    bodies = {slot: [sealed[-40:] for sealed in stored(org, slot)] for slot in ("current", "previous")}
    vault.add_wrapping_key(SECRETS_KEY)
    done = org.function.tick(SCHEDULE)
    assert (done["opened"], done["finished"], done["changed"], done["unreadable"]) == (2, 2, 3, 0)
    assert versions(org) == ([2, 2], [2])
    assert {slot: [sealed[-40:] for sealed in stored(org, slot)] for slot in bodies} == bodies
    vault.disable_version(SECRETS_KEY, "1")
    let_in(org, config, config["secret"], second)
    let_in(org, elsewhere, elsewhere["secret"])
    assert [item["proved_by"] for item in org.deliveries()] == ["current", "previous"]


def test_secrets_are_encrypted_anew_when_an_operator_asks(org: WebhookOrg) -> None:
    config = org.make_config()
    second = org.rotate(config, grace_seconds=86_400)["secret"]
    before = stored(org, "current") + stored(org, "previous")
    request_runs(org, "reencrypt")
    assert org.function.tick(SCHEDULE)["changed"] == 2
    after = stored(org, "current") + stored(org, "previous")
    assert not {sealed[-40:] for sealed in before} & {sealed[-40:] for sealed in after}
    assert {run[1:] for run in runs(org)} == {("reencrypt", "done", 1, 1, 0, 0)}
    let_in(org, config, config["secret"], second)


def test_a_secret_that_moves_over_meanwhile_is_neither_lost_nor_left_behind(org: WebhookOrg, vault: Vault) -> None:
    config = org.make_config()
    made: dict[str, str] = {}
    vault.add_wrapping_key(SECRETS_KEY)
    vault.meanwhile = lambda: made.update(org.rotate(config, grace_seconds=86_400))
    org.function.tick(SCHEDULE)
    assert runs(org) == [(CURRENT_SECRET.name, "rewrap", "done", 1, 0, 1, 0)]
    assert versions(org) == ([2], [1]), "the rotation was undone, or its previous secret lost"
    org.function.tick(SCHEDULE)
    assert runs(org)[1:] == [(PREVIOUS_SECRET.name, "rewrap", "done", 1, 1, 0, 0)]
    vault.disable_version(SECRETS_KEY, "1")
    let_in(org, config, config["secret"], made["secret"])


def test_bodies_are_left_alone_and_gone_in_a_week_and_the_runbook_says_when(org: WebhookOrg, vault: Vault) -> None:
    config = org.make_config()
    let_in(org, config, config["secret"])
    vault.add_wrapping_key(SECRETS_KEY)
    org.function.tick(SCHEDULE)
    assert {run[0] for run in runs(org)} == {CURRENT_SECRET.name}
    rotated_at = org.function.clock.now()
    assert oldest_body(org.function.database) == rotated_at
    org.function.work()  # it reads the body under the old version
    (delivery,) = org.deliveries()
    assert (delivery["status"], body_versions(org)) == ("handled", [1])
    org.function.clock.advance(BODY.kept_for.total_seconds() - 1)
    org.function.tick("webhook-purge")
    assert body_versions(org) == [1], "it went before its time"
    let_in(org, config, config["secret"])
    org.function.clock.advance(1)
    org.function.tick("webhook-purge")
    assert body_versions(org) == [2]
    assert oldest_body(org.function.database) > rotated_at
    org.refused("POST", f"/webhook-deliveries/{delivery['id']}/replay", None, 409, "body_purged")


def body_versions(org: WebhookOrg) -> list[int]:
    rows = org.function.database.owner.run(
        "select body_encrypted from webhook.deliveries_in where body_encrypted is not null order by id"
    )
    return [key_version(bytes(row[0])) for row in rows]


def oldest_body(database: ClonedDatabase) -> Any:
    """Run the runbook's check as the owner of a managed database; returns what its last question says."""
    (check,) = [block for block in queries_of("envelope-key.md") if block[0] == "begin"]
    with owner_without_powers(database.owner_url) as owner, closing(connect(owner)) as connection:
        answers = [connection.run(statement) for statement in check]
    return answers[-2][0][0]
