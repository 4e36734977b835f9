"""Events become messages, over a real Postgres: to whom, once, grouped, at the right time."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from shared.ports.queue import Message
from tests.support.notified_org import NotifiedOrg, body_of, url_of
from tests.support.tls_server import Server
from tests.support.webhook_function import WebhookOrg, sender_of

CHANNELS = "/notification-channels"
HOUR = 3600.0


def titles(server: Server) -> list[list[str]]:
    """Return the titles of every message that came."""
    return [[notice["title"] for notice in body_of(seen)["data"]["notices"]] for seen in server.requests]


def test_an_event_goes_to_the_channels_that_want_it(told: NotifiedOrg, server: Server) -> None:
    wanted = [told.make_channel(server), told.make_channel(server, events=["keys:*", "auth:*"])]
    told.make_channel(server, events=["scan:*"])
    told.make_channel(server, least_severity="low")
    off = told.make_channel(server)
    told.done("PATCH", f"{CHANNELS}/{off['id']}", {"is_disabled": True})
    told.tell("auth:member:joined", role="admin")
    told.send()
    assert {each["channel_id"] for each in told.outgoing()} == {each["id"] for each in wanted}
    assert {each["status"] for each in told.outgoing()} == {"delivered"}
    assert titles(server) == [["auth: member joined"]] * 2


def test_an_event_that_comes_again_changes_nothing(told: NotifiedOrg, server: Server) -> None:
    told.make_channel(server)
    message = told.tell()
    told.function.push(message, "notification-events")
    told.send()
    assert len(told.outgoing()) == len(server.requests) == 1


def test_a_refused_routing_leaves_no_claim_behind(
    told: NotifiedOrg, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.make_channel(server)
    with monkeypatch.context() as broken:
        broken.setattr("functions.webhook.queries.deliveries_out.insert_out", _fails)
        message = _message(told)
        assert told.function.push(message, "notification-events").status_code == 500
    assert told.function.push(message, "notification-events").status_code == 204
    assert len(told.outgoing()) == 1


def test_one_cause_over_forty_resources_is_one_message(told: NotifiedOrg, server: Server) -> None:
    told.make_channel(server)
    items = [{"address": f"aws_s3_bucket.b{number:02}"} for number in range(40)]
    items.append(
        {"rule": "aws.iam.wildcard", "severity": "critical", "kind": "unmanaged", "address": "aws_iam_policy.p"}
    )
    account_id, scan_id = told.find_drift(items)
    told.tell("scan:scan:done", scan_id=str(scan_id))
    told.send()
    (seen,) = server.requests
    (notice,) = body_of(seen)["data"]["notices"]
    assert notice["title"].startswith("41 new drift items in production (aws ")
    assert (notice["severity"], notice["account_id"]) == ("critical", str(account_id))
    assert [(group["rule"], group["count"]) for group in notice["groups"]] == [
        ("aws.iam.wildcard", 1),
        ("aws.s3.public", 40),
    ]
    assert len(notice["groups"][1]["examples"]) == 3
    assert notice["link"].endswith(f"/scans/{scan_id}/drift?format=markdown")


def test_drift_is_told_once_when_it_is_new(told: NotifiedOrg, server: Server) -> None:
    told.make_channel(server)
    account_id, first = told.find_drift([{}])
    told.function.clock.advance(HOUR)
    _, second = told.find_drift([{}, {}], account_id=account_id)
    told.function.clock.advance(HOUR)
    _, third = told.find_drift([], account_id=account_id)
    for scan_id in (first, second, third):  # the queue may be late
        told.tell("scan:scan:done", scan_id=str(scan_id))
    told.send()
    assert [found[0].split()[0] for found in titles(server)] == ["1", "2"]


def test_severity_and_account_decide_about_drift(told: NotifiedOrg, server: Server) -> None:
    mine, other = told.make_account("mine"), told.make_account("other")
    told.make_channel(server, account_ids=[str(mine)], least_severity="high")
    for account_id, severity in ((mine, "medium"), (other, "critical"), (mine, "high")):
        _, scan_id = told.find_drift([{"severity": severity}], account_id=account_id)
        told.function.clock.advance(HOUR)
        told.tell("scan:scan:done", scan_id=str(scan_id))
    told.send()
    assert [found[0].split(" in ")[1].split()[0] for found in titles(server)] == ["mine"]


def test_an_organisation_is_told_nothing_of_another(told: NotifiedOrg, server: Server) -> None:
    told.make_channel(server)
    made = WebhookOrg.make(told.function)
    other = NotifiedOrg(told.function, made.id, made.admin)
    theirs = other.make_channel(server)
    _, scan_id = other.find_drift([{}])
    told.tell("scan:scan:done", scan_id=str(scan_id))  # a forged id finds nothing
    other.tell("auth:member:joined")
    other.send()
    assert told.outgoing() == []
    assert [each["channel_id"] for each in other.outgoing()] == [theirs["id"]]
    told.refused("POST", f"/webhook-deliveries/{other.outgoing()[0]['id']}/replay", None, 404, "not_found")


def test_a_plan_that_was_judged_is_told(told: NotifiedOrg, server: Server) -> None:
    told.make_channel(server, least_severity="high")
    ids = [uuid4(), uuid4()]
    for analysis_id, level in zip(ids, ("critical", "low"), strict=True):
        told.function.database.owner.run(
            "insert into analysis.analyses (org_id, id, requested_by, repository, pull_request, risk_level, summary, answer,"
            " created_at) values (:org, :id, 'human:x', 'acme/infra', 7, :level, 'It deletes a database.', '{}', now())",
            org=told.id, id=analysis_id, level=level,
        )  # fmt: skip
        told.tell("analyze:analysis:created", analysis_id=str(analysis_id), risk_level=level)
    told.send()
    assert titles(server) == [["Risk of acme/infra#7: critical"]]
    assert body_of(server.requests[0])["data"]["notices"][0]["facts"]["summary"] == "It deletes a database."


@pytest.mark.parametrize("payload", [
    {"event": "scan:scan:done"}, {"event": "scan:scan:done", "scan_id": "x"}, {"event": "scan:scan:done", "scan_id": str(uuid4())},
    {"event": "analyze:analysis:created", "analysis_id": None}, {"event": "x"}, {"event": ""}, {"event": "e" * 5000},
])  # fmt: skip
def test_an_event_that_is_odd_harms_nobody(told: NotifiedOrg, server: Server, payload: dict[str, Any]) -> None:
    told.make_channel(server)
    told.tell(**payload)
    told.tell("auth:member:joined")
    told.send()
    assert titles(server)[-1] == ["auth: member joined"]


def test_a_delivery_that_was_handled_is_told_to_nobody_or_a_circle_would_never_stop(
    told: NotifiedOrg, server: Server
) -> None:
    told.make_channel(server)
    told.tell("webhook:delivery:handled", delivery_id=str(uuid4()))
    assert told.outgoing() == []


def test_an_event_of_an_organisation_that_is_gone_is_taken_off_the_queue(told: NotifiedOrg) -> None:
    message = Message({"event": "a:b:c"}, {"event_id": str(uuid4()), "org_id": str(uuid4())})
    assert told.function.push(message, "notification-events").status_code == 204


def test_a_slack_channel_falls_silent_with_the_plan(told: NotifiedOrg, server: Server) -> None:
    told.make_channel(server, "slack")
    told.function.database.owner.run("update core.orgs set plan = 'free' where id = :org", org=told.id)
    told.tell()
    assert told.outgoing() == []


def test_a_digest_collects_and_comes_at_the_full_hour(told: NotifiedOrg, server: Server) -> None:
    told.function.clock.advance(10 * 60)
    channel = told.make_channel(server, digest="hourly")
    for number in range(3):
        told.tell(f"auth:member:joined_{number}")
    told.send()
    assert (told.sweep(), server.requests) == (0, []), "it came before its time"
    (waiting,) = told.outgoing()
    assert (waiting["status"], waiting["event_kind"], waiting["channel_id"]) == (
        "collecting", "notification:digest:due", channel["id"],
    )  # fmt: skip
    assert told.later(50 * 60 - 1) == 0
    assert told.later(1) == 1
    assert titles(server) == [[f"auth: member joined {number}" for number in range(3)]]
    told.tell("auth:member:left")
    told.later(HOUR)
    assert titles(server)[1:] == [["auth: member left"]]
    assert [each["seq"] for each in told.outgoing()] == [1, 2]


def test_what_happens_in_quiet_hours_is_one_message_when_they_end(told: NotifiedOrg, server: Server) -> None:
    told.make_channel(server, quiet_hours={"start": "22:00", "end": "07:00"}, time_zone="Europe/Berlin")
    told.function.clock.advance(20 * HOUR)  # 21:00 in Berlin
    told.tell("a:b:before")
    told.send()
    told.function.clock.advance(2 * HOUR)
    for name in ("one", "two"):
        told.tell(f"a:b:{name}")
    told.send()
    assert told.later(8 * HOUR - 60) == 0
    assert told.later(60) == 1
    told.tell("a:b:after")
    told.send()
    assert titles(server) == [["a: b before"], ["a: b one", "a: b two"], ["a: b after"]]


def test_a_changed_schedule_lets_out_what_was_collected_and_keeps_the_order(told: NotifiedOrg, server: Server) -> None:
    channel = told.make_channel(server, digest="daily")
    told.tell("a:b:one")
    told.done("PATCH", f"{CHANNELS}/{channel['id']}", {"digest": "immediately"})
    told.tell("a:b:two")
    told.send()
    assert titles(server) == [["a: b one"], ["a: b two"]]


def test_a_digest_that_is_on_its_way_takes_nothing_in(told: NotifiedOrg, server: Server) -> None:
    told.make_channel(server, digest="hourly")
    told.tell("a:b:one")
    told.function.clock.advance(HOUR)
    told.tell("a:b:two")
    told.sweep()
    assert titles(server) == [["a: b one"]]
    told.later(HOUR)
    assert titles(server) == [["a: b one"], ["a: b two"]]


def test_deliveries_in_and_out_are_listed_together_and_apart(told: NotifiedOrg, server: Server) -> None:
    channel = told.make_channel(server)
    config = told.make_config()
    for number in range(3):
        body = json.dumps({"number": number}).encode()
        assert told.function.deliver(config["url"], sender_of(config).send(body, told.function.now)).status_code == 202
        told.tell(f"a:b:c{number}")
    told.send()
    every = told.deliveries()
    assert sorted(each["direction"] for each in every) == ["in"] * 3 + ["out"] * 3
    assert [each["id"] for each in every] == sorted((each["id"] for each in every), reverse=True)
    first = told.done("GET", "/webhook-deliveries?limit=4")
    rest = told.done("GET", f"/webhook-deliveries?limit=4&cursor={first['next_cursor']}")
    assert [*first["items"], *rest["items"]] == every
    assert told.deliveries("?limit=4&offset=4") == every[4:]
    for query, direction in (
        ("direction=in", "in"), ("direction=out", "out"), (f"channel_id={channel['id']}", "out"), (f"config_id={config['id']}", "in"),
        ("status=received", "in"), ("status=delivered", "out"), ("provider=github", "in"),
    ):  # fmt: skip
        assert [each["direction"] for each in told.deliveries(f"?{query}")] == [direction] * 3, query
    assert told.deliveries(f"?direction=in&channel_id={channel['id']}") == []
    assert url_of(server) not in json.dumps(every)


def _fails(*_: object, **__: object) -> None:
    raise RuntimeError("a crash")


def _message(org: NotifiedOrg) -> Message:
    return Message({"event": "a:b:c"}, {"event_id": str(uuid4()), "org_id": str(org.id)})
