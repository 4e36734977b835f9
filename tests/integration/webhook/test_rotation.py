"""Two live secrets during a rotation, over a real Postgres: no good request is refused, and the old secret dies on time."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Response

from shared.security.signatures import PROVIDERS
from tests.support.database import ClonedDatabase
from tests.support.http_app import problem
from tests.support.waiting import wait_until
from tests.support.webhook_function import WebhookFunction, WebhookOrg, sender_of
from tests.support.webhook_senders import SECRETS

THEIR_NEXT = {"stripe": "whsec_MadeByStripeAgain456789", "slack": "ffffffffffffffffffffffffffffffff"}
_numbers = iter(range(1_000_000))


def send(org: WebhookOrg, config: dict[str, Any], secret: str) -> Response:
    body = json.dumps({"type": "x", "number": next(_numbers)}).encode()
    return org.function.deliver(config["url"], sender_of(config, secret).send(body, org.function.now))


def let_in(org: WebhookOrg, config: dict[str, Any], secret: str) -> None:
    response = send(org, config, secret)
    assert response.status_code == 202, response.get_data()


def refused(org: WebhookOrg, config: dict[str, Any], secret: str) -> None:
    problem(send(org, config, secret), 401, "signature_refused")


def started(org: WebhookOrg, provider: str) -> tuple[dict[str, Any], str]:
    if provider in THEIR_NEXT:
        return org.make_config(provider, secret=SECRETS[provider]), SECRETS[provider]
    config = org.make_config(provider)
    return config, config["secret"]


def rotated(org: WebhookOrg, config: dict[str, Any], **wish: Any) -> str:
    theirs = THEIR_NEXT.get(config["provider"])
    found = org.rotate(config, **({"secret": theirs} if theirs else {}), **wish)
    return str(theirs or found["secret"])


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_both_secrets_work_during_the_grace_then_the_old_one_is_dead(org: WebhookOrg, provider: str) -> None:
    config, old = started(org, provider)
    let_in(org, config, old)
    new = rotated(org, config, grace_seconds=3600)
    for seconds in (0, 1800, 1799):
        org.function.clock.advance(seconds)
        let_in(org, config, old)
        let_in(org, config, new)
    org.function.clock.advance(1)
    refused(org, config, old)
    let_in(org, config, new)
    assert [item["proved_by"] for item in org.deliveries()] == ["current", *["current", "previous"] * 3, "current"]
    assert len(org.deliveries("?proved_by=previous")) == 3


def test_the_grace_is_a_day_unless_said_otherwise(org: WebhookOrg) -> None:
    config, old = started(org, "github")
    org.rotate(config)
    org.function.clock.advance(24 * 3600 - 1)
    let_in(org, config, old)
    org.function.clock.advance(1)
    refused(org, config, old)


def test_without_grace_the_old_secret_is_dead_with_the_answer(org: WebhookOrg) -> None:
    config, old = started(org, "github")
    let_in(org, config, old)
    new = rotated(org, config, grace_seconds=0)
    refused(org, config, old)
    let_in(org, config, new)


def test_two_secrets_are_live_at_most_and_a_leaked_one_can_be_ended_at_once(org: WebhookOrg) -> None:
    config, first = started(org, "github")
    path = f"/webhook-configs/{config['id']}"
    second = rotated(org, config, grace_seconds=3600)
    told = org.refused("POST", f"{path}/rotate", {"grace_seconds": 60}, 409, "rotation_under_way")
    assert told["previous_expires_at"] == org.done("GET", path)["previous_expires_at"].replace("Z", "+00:00")
    let_in(org, config, first)
    assert org.done("PATCH", path, {"end_grace": True})["previous_expires_at"] is None
    refused(org, config, first)
    third = rotated(org, config, grace_seconds=3600)
    let_in(org, config, second)
    fourth = rotated(org, config, grace_seconds=0)
    for dead in (first, second, third):
        refused(org, config, dead)
    let_in(org, config, fourth)


def test_a_grace_that_is_over_is_not_shown_and_its_secret_is_forgotten(org: WebhookOrg) -> None:
    config, _ = started(org, "github")
    org.rotate(config, grace_seconds=60)
    org.function.clock.advance(60)
    assert org.done("GET", f"/webhook-configs/{config['id']}")["previous_expires_at"] is None
    assert org.function.tick("webhook-purge") == {"purged": 1}
    rows = org.function.database.owner.run("select previous_secret_encrypted, previous_expires_at from webhook.configs")
    assert rows == [[None, None]]


def test_every_process_knows_of_a_rotation_at_once(org: WebhookOrg) -> None:
    """What a process remembers is how to read a ciphertext, never which one is live."""
    config, old = started(org, "github")
    other = WebhookFunction(org.function.database, clock=org.function.clock, vault=org.function.vault)
    elsewhere = WebhookOrg(other, org.id, org.admin)
    let_in(elsewhere, config, old)
    new = rotated(org, config, grace_seconds=0)
    refused(elsewhere, config, old)
    let_in(elsewhere, config, new)


class Fleet:
    """Senders at work. Each signs with one of the secrets it was given; what they were answered is kept."""

    def __init__(self, org: WebhookOrg, config: dict[str, Any], size: int) -> None:
        self._org, self._config = org, config
        self._secrets: tuple[int, tuple[str, ...]] = (0, (config["secret"],))
        self._is_over = threading.Event()
        self._seen = [0] * size
        self.sent = [0] * size
        self.refusals: list[str] = []
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(size)]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            for thread in self._threads:
                thread.join()

    def give(self, *secrets: str) -> None:
        """Let every sender use these secrets from its next request on; returns when none is on the way with another."""
        generation = self._secrets[0] + 1
        self._secrets = (generation, secrets)
        wait_until(
            lambda: all(seen >= generation for seen in self._seen),
            "every sender took its new secret",
            timeout_seconds=120,
        )

    def send_more(self, number: int) -> None:
        """Return when each sender has sent so many more."""
        wanted = [sent + number for sent in self.sent]
        wait_until(
            lambda: all(sent >= least for sent, least in zip(self.sent, wanted, strict=True)),
            f"every sender sent {number} more",
            timeout_seconds=120,
        )

    def _run(self, place: int) -> None:
        while not self._is_over.is_set():
            generation, secrets = self._secrets
            self._seen[place] = generation
            response = send(self._org, self._config, secrets[self.sent[place] % len(secrets)])
            if response.status_code != 202:
                self.refusals.append(f"{response.status_code} {response.get_data()!r}")
            self.sent[place] += 1


def test_no_good_request_is_refused_while_secrets_rotate_under_load(database: ClonedDatabase) -> None:
    """Six senders, five rotations in the middle of their traffic; some sign with the old secret until the grace ends."""
    org = WebhookOrg.make(WebhookFunction(database, pool_size=8))
    config, live = started(org, "github")  # signs no time: the clock may be moved on under requests that are on the way
    fleet = Fleet(org, config, 6)
    dead: list[str] = []
    with fleet.at_work():
        for _ in range(5):
            fleet.send_more(2)
            new = rotated(org, config, grace_seconds=3600)
            fleet.give(live, new)
            fleet.send_more(4)
            fleet.give(new)
            fleet.send_more(1)
            org.function.clock.advance(3600)  # nobody is on the way with the old one any more
            dead.append(live)
            live = new
            fleet.send_more(1)
    assert fleet.refusals == []
    for secret in dead:
        refused(org, config, secret)
    ((taken, by_previous),) = database.owner.run(
        "select count(*), count(*) filter (where proved_by = 'previous') from webhook.deliveries_in"
    )
    assert taken == sum(fleet.sent)
    assert by_previous > 0, "nobody used an old secret: the test proves nothing"
    assert len(org.function.waiting()) == taken
