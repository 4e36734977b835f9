"""Webhooks through the running suite: every provider's delivery, secrets that rotate under load, a worker that is killed."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from shared.security.signatures import PROVIDERS
from tests.support.listening import told_of_deliveries
from tests.support.running_suite import RunningSuite, problem
from tests.support.scanning import Estate, Org
from tests.support.waiting import wait_until
from tests.support.webhook_senders import SECRETS, Sender, Sent

_numbers = count(1)
_LONG_SECONDS = 120.0


@pytest.fixture(scope="module")
def estate(emulator: RunningSuite) -> Estate:
    return Estate(emulator, "none")  # its other back ends; nothing is scanned here


@pytest.fixture
def org(estate: Estate) -> Org:
    return Org.make(estate)


def body() -> bytes:
    number = next(_numbers)
    return json.dumps({"type": "run.planned", "id": f"evt_{number}", "event_id": f"Ev{number}", "n": number}).encode()


def make_config(org: Org, provider: str) -> tuple[dict[str, Any], Sender]:
    theirs = {"secret": SECRETS[provider]} if provider in {"stripe", "slack"} else {}
    made = org.send("POST", "/webhook-configs", json={"provider": provider, "name": "ours", **theirs})
    return made, Sender(provider, made["secret"] or SECRETS[provider])


def deliver(org: Org, config: dict[str, Any], sent: Sent) -> httpx.Response:
    path = urlsplit(config["url"]).path
    return org.estate.suite.call(
        "POST", path, content=sent.body, headers={"Content-Type": "application/json", **sent.headers}
    )


def deliveries(org: Org, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = org.send("GET", f"/webhook-deliveries?limit=200{query}")["items"]
    return found


def wait_for_work(org: Org, number: int) -> list[dict[str, Any]]:
    wait_until(
        lambda: len(deliveries(org, "&status=handled")) >= number,
        f"{number} deliveries were worked on",
        timeout_seconds=_LONG_SECONDS,
    )
    return deliveries(org)


def wait_for_events(org: Org) -> None:
    """Wait until everything left the outbox: an event is published after the commit that shows its delivery as handled."""
    wait_until(
        lambda: not org.arrange("select 1 from core.outbox where org_id = :org_id"),
        "every event left",
        timeout_seconds=_LONG_SECONDS,
    )


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_a_delivery_goes_all_the_way_once(org: Org, provider: str) -> None:
    config, sender = make_config(org, provider)
    sent = sender.send(body(), int(time.time()))
    first, second = deliver(org, config, sent), deliver(org, config, sent)
    assert (first.status_code, first.json()["status"]) == (202, "accepted")
    assert (second.status_code, second.json()) == (200, {"status": "already_processed"})
    (found,) = wait_for_work(org, 1)
    assert (found["id"], found["tries"], found["proved_by"]) == (first.json()["id"], 1, "current")
    assert found["event_kind"] == (
        "push" if provider == "github" else "Push Hook" if provider == "gitlab" else found["event_kind"]
    )
    for changed in (
        Sent(provider, sent.headers, sent.body + b" "),
        Sender(provider, SECRETS["standard"]).send(body(), int(time.time())),
    ):
        problem(deliver(org, config, changed), 401, "signature_refused")
    replayed = org.call("POST", f"/webhook-deliveries/{found['id']}/replay")
    assert replayed.status_code == 202, replayed.text
    wait_until(lambda: deliveries(org)[0]["tries"] == 2, "the delivery was worked on again")


def test_the_bytes_that_were_signed_are_the_bytes_that_are_checked(org: Org) -> None:
    """Nothing on the way, gateway included, may read and write the body anew."""
    config, sender = make_config(org, "standard")
    for odd in (
        b'{ "b":1,"a" : 1.0 }\r\n',
        b'{"a":"\\u00e9"}',
        '{"a":"é"}'.encode(),
        b"\x00\xff",
        b"x" * (1024 * 1024),
    ):
        assert deliver(org, config, sender.send(odd, int(time.time()))).status_code == 202
    problem(deliver(org, config, sender.send(b"x" * (1024 * 1024 + 1), int(time.time()))), 413, "body_too_large")


def test_one_delivery_posted_twenty_times_at_once_has_one_effect(org: Org, estate: Estate) -> None:
    config, sender = make_config(org, "github")
    sent = sender.send(body(), int(time.time()))
    with told_of_deliveries(estate) as told:
        with ThreadPoolExecutor(20) as pool:
            statuses = Counter(
                response.status_code for response in pool.map(lambda _: deliver(org, config, sent), range(20))
            )
        assert statuses == {202: 1, 200: 19}
        (found,) = wait_for_work(org, 1)
        assert (found["tries"], found["repeats"]) == (1, 19)
        wait_for_events(org)
    assert len(told[found["id"]]) == 1


def test_no_good_request_is_refused_while_secrets_rotate_under_load(org: Org) -> None:
    config, sender = make_config(org, "standard")
    live: list[tuple[str, ...]] = [(sender.secret,)]
    is_over = threading.Event()
    answers: list[Counter[int]] = [Counter() for _ in range(4)]
    using: list[tuple[str, ...]] = [()] * len(answers)

    def work(place: int) -> None:
        while not is_over.is_set():
            using[place] = secrets = live[-1]
            sent = Sender("standard", secrets[answers[place].total() % len(secrets)]).send(body(), int(time.time()))
            answers[place][deliver(org, config, sent).status_code] += 1

    def give(*secrets: str) -> None:
        live.append(secrets)
        sent = [answer.total() for answer in answers]
        wait_until(
            lambda: (
                all(item == secrets for item in using)
                and all(a.total() >= n + 3 for a, n in zip(answers, sent, strict=True))
            ),
            "every sender used its new secret",
            timeout_seconds=_LONG_SECONDS,
        )

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(answers))]
    for thread in threads:
        thread.start()
    try:
        old = sender.secret
        for _ in range(3):
            new = org.send("POST", f"/webhook-configs/{config['id']}/rotate", json={"grace_seconds": 3600})["secret"]
            give(old, new)
            give(new)
            org.send("PATCH", f"/webhook-configs/{config['id']}", json={"end_grace": True})
            problem(
                deliver(org, config, Sender("standard", old).send(body(), int(time.time()))), 401, "signature_refused"
            )
            old = new
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert sum(answers, Counter()) == {202: sum(answer.total() for answer in answers)}
    assert deliveries(org, "&proved_by=previous"), "nobody used an old secret: the test proves nothing"


def test_a_worker_killed_under_load_loses_nothing_and_does_nothing_twice(org: Org, estate: Estate) -> None:
    config, sender = make_config(org, "standard")
    wanted = 60
    with told_of_deliveries(estate) as told:
        with ThreadPoolExecutor(6) as pool:
            answers = [
                pool.submit(lambda: deliver(org, config, sender.send(body(), int(time.time())))) for _ in range(wanted)
            ]
            for _ in range(2):
                wait_until(
                    lambda: bool(deliveries(org, "&status=handled")),
                    "the worker is at work",
                    timeout_seconds=_LONG_SECONDS,
                )
                estate.kill("webhook_worker")
        assert Counter(answer.result().status_code for answer in answers) == {202: wanted}
        found = wait_for_work(org, wanted)
        assert {item["status"] for item in found} == {"handled"}
        for item in found[:10]:  # and once more when all is over
            estate.publish("webhook-deliveries", {"delivery_id": item["id"]}, org_id=str(org.id), event_id=uuid4().hex)
        late = sender.send(body(), int(time.time()))
        assert deliver(org, config, late).status_code == 202
        assert wait_for_work(org, wanted + 1)[1:] == found
        wait_for_events(org)
    assert {len(told.get(item["id"], ())) for item in found} == {1}, "an event was told twice, or never"


def test_a_key_service_that_is_away_for_a_moment_delays_the_work_and_no_more(org: Org, estate: Estate) -> None:
    config, sender = make_config(org, "standard")
    assert deliver(org, config, sender.send(body(), int(time.time()))).status_code == 202
    wait_for_work(org, 1)
    estate.google_fault("kms", "unavailable", seconds=3)
    try:
        sent = sender.send(body(), int(time.time()))
        wait_until(
            lambda: deliver(org, config, sent).status_code in {200, 202},
            "the sender got through",
            timeout_seconds=_LONG_SECONDS,
        )
    finally:
        estate.google_fault("kms", "none")
    assert {item["status"] for item in wait_for_work(org, 2)} == {"handled"}
