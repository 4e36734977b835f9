"""The work on deliveries, over a real Postgres: done once whoever asks how often, ended when it cannot be done, done again on wish."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.ports.queue import DEAD_LETTER_SOURCE, Message
from tests.support.database import ClonedDatabase
from tests.support.http_app import call, problem
from tests.support.webhook_function import WebhookFunction, WebhookOrg, sender_of

DAY_SECONDS = 24 * 3600


def take_in(org: WebhookOrg, body: bytes = b'{"type":"run.planned"}', config: dict[str, Any] | None = None) -> str:
    config = config or org.make_config("standard")
    response = org.function.deliver(config["url"], sender_of(config).send(body, org.function.now))
    assert response.status_code == 202, response.get_data()
    return str(json.loads(response.get_data())["id"])


def shown(org: WebhookOrg, delivery_id: str) -> dict[str, Any]:
    return next(item for item in org.deliveries("?limit=200") if item["id"] == delivery_id)


def test_a_delivery_is_worked_on_and_told_once(org: WebhookOrg) -> None:
    delivery_id = take_in(org)
    org.function.work()
    found = shown(org, delivery_id)
    assert (found["status"], found["event_kind"], found["tries"], found["error_code"]) == (
        "handled",
        "run.planned",
        1,
        None,
    )
    assert found["handled_at"] is not None
    (told,) = org.function.events(org.id)
    assert told == {
        "event": "webhook:delivery:handled", "delivery_id": delivery_id, "config_id": found["config_id"], "provider": "standard",
        "kind": "run.planned", "error_code": None,
    }  # fmt: skip
    org.function.work()
    assert shown(org, delivery_id) == found
    assert len(org.function.events(org.id)) == 1


def test_a_message_that_comes_ten_times_at_once_is_worked_on_once(database: ClonedDatabase) -> None:
    org = WebhookOrg.make(WebhookFunction(database, pool_size=10))
    delivery_id = take_in(org)
    (message,) = org.function.waiting()
    with ThreadPoolExecutor(10) as pool:
        assert {answer.status_code for answer in pool.map(lambda _: org.function.push(message), range(10))} == {204}
    assert shown(org, delivery_id)["status"] == "handled"
    assert len(org.function.events(org.id)) == 1


def test_a_worker_that_dies_in_the_middle_leaves_the_delivery_to_the_next_try(org: WebhookOrg) -> None:
    delivery_id = take_in(org)
    (message,) = org.function.waiting()
    org.function.vault.is_away = True  # it has counted its try, and gets no further
    problem(org.function.push(message), 503, "service_away")
    assert (shown(org, delivery_id)["status"], shown(org, delivery_id)["tries"]) == ("received", 1)
    org.function.vault.is_away = False
    assert org.function.push(message, attempt=2).status_code == 204
    assert (shown(org, delivery_id)["status"], shown(org, delivery_id)["tries"]) == ("handled", 2)
    assert len(org.function.events(org.id)) == 1


def test_a_body_that_cannot_be_read_ends_the_work_and_is_told(org: WebhookOrg) -> None:
    delivery_id = take_in(org, b"not json")
    org.function.work()
    found = shown(org, delivery_id)
    assert (found["status"], found["event_kind"], found["error_code"]) == ("failed", None, "body_unreadable")
    (told,) = org.function.events(org.id)
    assert (told["event"], told["error_code"]) == ("webhook:delivery:failed", "body_unreadable")


@pytest.mark.parametrize("payload", [{}, {"delivery_id": "x"}, {"delivery_id": None}, {"delivery_id": str(uuid4())}])
def test_messages_that_make_no_sense_are_dropped(org: WebhookOrg, payload: dict[str, Any]) -> None:
    take_in(org)
    message = Message(payload, {"event_id": "e", "org_id": str(org.id)})
    assert org.function.push(message).status_code == 204
    assert (
        org.function.push(message, "webhook-dead-letters", **{DEAD_LETTER_SOURCE: "x/webhook-deliveries"}).status_code
        == 204
    )
    assert [item["status"] for item in org.deliveries()] == ["received"]


def test_another_organisations_message_touches_nothing(org: WebhookOrg) -> None:
    delivery_id = take_in(org)
    stranger = WebhookOrg.make(org.function)
    message = Message({"delivery_id": delivery_id}, {"event_id": "forged", "org_id": str(stranger.id)})
    assert org.function.push(message).status_code == 204
    assert (
        org.function.push(message, "webhook-dead-letters", **{DEAD_LETTER_SOURCE: "x/webhook-deliveries"}).status_code
        == 204
    )
    assert (shown(org, delivery_id)["status"], shown(org, delivery_id)["tries"]) == ("received", 0)


def test_nobody_but_the_queue_gets_work_done(org: WebhookOrg) -> None:
    take_in(org)
    (message,) = org.function.waiting()
    for token in (None, "garbage", org.token()):
        response = call(
            org.function.worker,
            "POST",
            "/_events/webhook-deliveries",
            token=token,
            json_body={"message": dict(message.payload)},
        )
        problem(response, 401, "unauthenticated")
    assert [item["tries"] for item in org.deliveries()] == [0]


def test_a_delivery_that_the_queue_gave_up_is_failed_and_can_be_replayed(org: WebhookOrg) -> None:
    delivery_id = take_in(org)
    (message,) = org.function.waiting()
    source = {DEAD_LETTER_SOURCE: "projects/p/subscriptions/webhook-deliveries"}
    for _ in range(2):
        assert org.function.push(message, "webhook-dead-letters", **source).status_code == 204
    assert (shown(org, delivery_id)["status"], shown(org, delivery_id)["error_code"]) == ("failed", "given_up")
    assert [told["event"] for told in org.function.events(org.id)] == ["webhook:delivery:failed"]
    replayed = org.done("POST", f"/webhook-deliveries/{delivery_id}/replay", status=202)
    assert (replayed["status"], replayed["error_code"]) == ("received", None)
    org.function.work()
    assert shown(org, delivery_id)["status"] == "handled"


def test_other_functions_dead_letters_are_left_to_them(org: WebhookOrg) -> None:
    delivery_id = take_in(org)
    message = Message({"delivery_id": delivery_id}, {"event_id": "e", "org_id": str(org.id)})
    for source in ({DEAD_LETTER_SOURCE: "projects/p/subscriptions/scan-shards"}, {}):
        assert org.function.push(message, "webhook-dead-letters", **source).status_code == 204
    assert shown(org, delivery_id)["status"] == "received"


def test_a_replay_is_worked_on_once_more_and_audited(org: WebhookOrg) -> None:
    delivery_id = take_in(org)
    path = f"/webhook-deliveries/{delivery_id}/replay"
    org.refused("POST", path, None, 409, "delivery_in_progress")
    org.function.work()
    org.done("POST", path, status=202)
    org.refused("POST", path, None, 409, "delivery_in_progress")
    org.function.work()
    org.function.work()
    assert (shown(org, delivery_id)["status"], shown(org, delivery_id)["tries"]) == ("handled", 2)
    assert len(org.function.events(org.id)) == 2
    assert [action for action, _ in org.audits() if ":delivery:" in action] == ["webhook:delivery:replayed"]


def test_a_replay_needs_the_body_and_the_organisation(org: WebhookOrg) -> None:
    delivery_id = take_in(org)
    org.function.work()
    stranger = WebhookOrg.make(org.function)
    stranger.refused("POST", f"/webhook-deliveries/{delivery_id}/replay", None, 404, "not_found")
    org.refused("POST", f"/webhook-deliveries/{uuid4()}/replay", None, 404, "not_found")
    org.function.clock.advance(7 * DAY_SECONDS)
    org.function.tick("webhook-purge")
    assert shown(org, delivery_id)["has_body"] is False
    org.refused("POST", f"/webhook-deliveries/{delivery_id}/replay", None, 409, "body_purged")


def test_work_that_comes_after_the_body_is_gone_says_so(org: WebhookOrg) -> None:
    delivery_id = take_in(org)
    org.function.clock.advance(7 * DAY_SECONDS)
    org.function.tick("webhook-purge")
    org.function.work()
    assert (shown(org, delivery_id)["status"], shown(org, delivery_id)["error_code"]) == ("failed", "body_purged")


def test_a_delivery_whose_config_was_removed_is_gone(org: WebhookOrg) -> None:
    config = org.make_config("standard")
    take_in(org, config=config)
    org.done("DELETE", f"/webhook-configs/{config['id']}", status=204)
    org.function.work()
    assert org.deliveries() == []
    assert org.function.events(org.id) == []


def test_what_need_not_be_kept_is_purged_for_every_organisation_and_nothing_else(org: WebhookOrg) -> None:
    stranger = WebhookOrg.make(org.function)
    configs = {owner.id: owner.make_config("standard") for owner in (org, stranger)}

    def counts() -> list[Any]:
        return org.function.database.owner.run(
            "select (select count(*) from webhook.deliveries_in), (select count(*) from webhook.deliveries_in where body_encrypted is "
            "not null), (select count(*) from webhook.body_claims)"
        )[0]  # type: ignore[no-any-return]

    for day in (0, 24, 29, 29.5):
        org.function.clock.advance(day * DAY_SECONDS - (org.function.clock.monotonic_seconds()))
        for owner in (org, stranger):
            take_in(owner, json.dumps({"day": day}).encode(), configs[owner.id])
    assert counts() == [8, 8, 8]
    org.function.clock.advance(0.5 * DAY_SECONDS - 1)
    assert org.function.tick("webhook-purge") == {"purged": 6}, (
        "the claims of days 0, 24 and its neighbour's; the body of day 0"
    )
    assert counts() == [8, 6, 4]
    org.function.clock.advance(1)
    org.function.tick("webhook-purge")
    assert counts() == [6, 6, 2], "thirty days after it came the first delivery is gone"
    assert org.function.tick("webhook-purge") == {"purged": 0}


def test_more_than_one_batch_is_purged_at_a_time(org: WebhookOrg) -> None:
    config = org.make_config("github")
    org.function.database.owner.run(
        "insert into webhook.deliveries_in (org_id, config_id, provider, proved_by, body_sha256, body_bytes, received_at) "
        "select cast(:org_id as uuid), cast(:config_id as uuid), 'github', 'current', cast(repeat('x', 32) as bytea), 0, "
        "cast('2025-01-01' as timestamptz) from generate_series(1, 1203)",
        org_id=org.id,
        config_id=config["id"],
    )
    assert org.function.tick("webhook-purge") == {"purged": 1203}
    assert org.deliveries() == []


def test_deliveries_are_filtered_and_paged(org: WebhookOrg) -> None:
    github, standard = org.make_config("github"), org.make_config("standard")
    for number in range(4):
        take_in(org, json.dumps({"n": number}).encode(), (github, standard)[number % 2])
    org.function.push(org.function.waiting()[0])
    everything = [item["id"] for item in org.deliveries()]
    assert len(everything) == 4
    first = org.done("GET", "/webhook-deliveries?limit=3")
    rest = org.done("GET", f"/webhook-deliveries?limit=3&cursor={first['next_cursor']}")
    assert [item["id"] for item in (*first["items"], *rest["items"])] == everything
    assert rest["next_cursor"] is None
    assert len(org.deliveries(f"?config_id={github['id']}")) == len(org.deliveries("?provider=standard")) == 2
    assert len(org.deliveries("?status=handled")) == 1
    assert len(org.deliveries("?status=received")) == 3
    assert len(org.deliveries("?proved_by=previous")) == 0
    for query in ("?status=x", "?provider=x", "?config_id=x", "?direction=x", "?limit=0"):
        org.refused("GET", f"/webhook-deliveries{query}", None, 422, "invalid")
    assert UUID(everything[0])
