"""Messages go out, over a real Postgres and real sockets: signed, in order, at least once, whatever the other side does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as StandardWebhook
from svix.webhooks import Webhook as SvixWebhook

from shared.ports.queue import Message
from tests.support.notified_org import NotifiedOrg, body_of, reach, receiver, signed_by
from tests.support.tls_server import Authority, Behaviour, Seen, Server, answer, redirect, say_forever
from tests.support.webhook_function import WebhookFunction, WebhookOrg

CHANNELS = "/notification-channels"
DAY = 24 * 3600.0


def said(server: Server) -> list[str]:
    """Return the kinds of the messages that came, in order."""
    return [str(body_of(seen)["type"]) for seen in server.requests]


@pytest.fixture(params=["standardwebhooks", "svix"])
def peer(request: pytest.FixtureRequest) -> Callable[[str], Any]:
    """Return what makes another project's verifier of a secret; it reads the machine's clock."""
    peers: dict[str, Callable[[str], Any]] = {"standardwebhooks": StandardWebhook, "svix": SvixWebhook}
    return peers[request.param]


def test_other_projects_verify_what_we_sign(
    authority: Authority, server: Server, database: Any, peer: Callable[[str], Any]
) -> None:
    function = WebhookFunction(database)
    function.clock.advance(time.time() - function.clock.now().timestamp())
    reach(function, authority, server)
    made = WebhookOrg.make(function)
    org = NotifiedOrg(function, made.id, made.admin)
    first = org.make_channel(server)
    org.tell("auth:member:joined", name="Ünï \u202e <b>")
    org.send()
    second = org.done("POST", f"{CHANNELS}/{first['id']}/rotate", {"grace_seconds": 3600}, 201)
    org.tell("auth:member:left")
    org.send()
    before, after = server.requests
    peer(first["secret"]).verify(before.content, dict(before.headers))
    for secret in (first["secret"], second["secret"]):
        peer(secret).verify(after.content, dict(after.headers))
    with pytest.raises(Exception, match=r"(?i)no matching signature"):
        peer(second["secret"]).verify(before.content, dict(before.headers))
    with pytest.raises(Exception, match=r"(?i)no matching signature"):
        peer(first["secret"]).verify(before.content + b" ", dict(before.headers))


@pytest.mark.parametrize("kind", ["slack", "teams"])
def test_slack_and_teams_get_their_own_form_and_no_signature(told: NotifiedOrg, server: Server, kind: str) -> None:
    told.make_channel(server, kind)
    told.tell()
    told.send()
    (seen,) = server.requests
    assert seen.header("webhook-signature") is None
    assert seen.header("content-type") == "application/json"
    assert ("blocks" if kind == "slack" else "attachments") in body_of(seen)


def test_the_channel_is_told_in_the_order_of_events_and_nothing_overtakes(told: NotifiedOrg, server: Server) -> None:
    told.make_channel(server)
    server.behave = answer(status="500 Broken")
    for number in range(4):
        told.tell(f"a:b:c{number}")
    told.send()
    assert said(server) == ["a:b:c0"], "a message overtook one that failed"
    assert told.sweep() == 0, "those behind it call for a try before its time"
    server.behave = answer(b"ok")
    told.later(60)
    assert said(server) == ["a:b:c0", "a:b:c0", "a:b:c1", "a:b:c2", "a:b:c3"]
    ids = [seen.header("webhook-id") for seen in server.requests]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4
    assert [each["tries"] for each in told.outgoing()] == [2, 1, 1, 1]


def test_a_second_try_has_the_same_id_and_body_and_a_fresh_time(told: NotifiedOrg, server: Server) -> None:
    channel = told.make_channel(server)
    server.behave = answer(status="500 Broken")
    told.tell()
    told.send()
    server.behave = answer(b"ok")
    told.later(3600)
    first, second = server.requests
    assert (first.header("webhook-id"), first.content) == (second.header("webhook-id"), second.content)
    assert int(second.header("webhook-timestamp") or 0) - int(first.header("webhook-timestamp") or 0) == 3600
    assert signed_by(second, told.function, channel["secret"]) == 0


def hang(connection: socket.socket, _: Seen) -> None:
    time.sleep(2.5)


def lie(connection: socket.socket, _: Seen) -> None:
    """Say 200 and promise a body, then break the connection."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()


SLOW = say_forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", lambda: time.sleep(0.2))
FLOOD = say_forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"8000\r\n" + b"x" * 0x8000 + b"\r\n")


@pytest.mark.parametrize(
    ("behave", "code", "status"),
    [
        pytest.param(hang, "egress_timeout", None, id="hanging"),
        pytest.param(SLOW, "egress_timeout", None, id="slow"),
        pytest.param(lie, "egress_failed:connection", None, id="lying"),
        pytest.param(FLOOD, "egress_too_large", None, id="flooding"),
        pytest.param(redirect("https://169.254.169.254/"), "unexpected_status", 302, id="redirecting"),
        pytest.param(answer(status="307 Go", headers=["Location: https://x.example/"]), "unexpected_status", 307, id="sending-on"),
        pytest.param(answer(b"no", "404 Gone"), "unexpected_status", 404, id="missing"),
    ],
)  # fmt: skip
def test_a_bad_endpoint_does_harm_to_its_own_channel_only(
    function: WebhookFunction, authority: Authority, server: Server, behave: Behaviour, code: str, status: int | None
) -> None:
    with receiver(authority, behave) as bad:
        reach(function, authority, server, bad, deadline_seconds=1.0)
        made = WebhookOrg.make(function)
        org = NotifiedOrg(function, made.id, made.admin)
        bad_id, good_id = (org.make_channel(each)["id"] for each in (bad, server))
        started = time.monotonic()
        for number in range(2):
            org.tell(f"a:b:c{number}")
        org.send()
        assert time.monotonic() - started < 4
    by_channel = {each["channel_id"]: each for each in org.outgoing() if each["seq"] == 1}
    assert by_channel[good_id]["status"] == "delivered"
    found = by_channel[bad_id]
    assert (found["status"], found["error_code"], found["response_status"]) == ("pending", code, status)
    assert len(bad.requests) == 1, "it was asked again at once"
    assert said(server) == ["a:b:c0", "a:b:c1"]


def test_a_name_that_moves_inside_is_not_followed(told: NotifiedOrg, server: Server) -> None:
    channel = told.make_channel(server)
    told.function.resolver.others["hooks.example.com"] = ("10.0.0.7",)  # type: ignore[attr-defined]
    told.tell()
    told.send()
    (found,) = told.outgoing()
    assert (found["error_code"], found["response_status"], server.connections) == (
        "egress_refused:destination",
        None,
        0,
    )
    assert told.channel(channel)["failing_since"] is not None


def test_who_crashes_between_sending_and_noting_it_sends_again_under_the_same_id(
    told: NotifiedOrg, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.make_channel(server)
    told.tell("a:b:one")
    told.tell("a:b:two")
    with monkeypatch.context() as broken:
        broken.setattr("functions.webhook.handlers.senders._note_delivered", _crash)
        told.send()
        assert said(server) == ["a:b:one"]
        told.send()
        assert said(server) == ["a:b:one"], "the lease of the one that crashed does not hold"
    assert told.later(60) == 0
    assert told.later(61) == 1
    assert said(server) == ["a:b:one", "a:b:one", "a:b:two"]
    first, again, _ = server.requests
    assert first.header("webhook-id") == again.header("webhook-id")
    assert {each["status"] for each in told.outgoing()} == {"delivered"}


def test_a_message_whose_call_for_sending_was_lost_is_found_by_the_sweep(told: NotifiedOrg, server: Server) -> None:
    told.make_channel(server)
    told.tell()
    assert told.function.tick("notification-sweep")["asked"] == 1
    told.send()
    assert len(server.requests) == 1
    assert told.function.tick("notification-sweep")["asked"] == 0


def test_two_workers_at_once_send_each_message_once_and_in_order(told: NotifiedOrg, server: Server) -> None:
    told.make_channel(server)

    def slowly(connection: socket.socket, seen: Seen) -> None:
        time.sleep(0.05)
        answer(b"ok")(connection, seen)

    server.behave = slowly
    messages = [told.tell(f"a:b:c{number}") for number in range(6)]
    assert len(messages) == 6
    asked = told.function.queue.messages("notification-sends")
    threads = [
        threading.Thread(target=told.function.push, args=(message, "notification-sends")) for message in asked[:4]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    told.send()
    assert said(server) == [f"a:b:c{number}" for number in range(6)]


def test_many_messages_are_sent_in_several_goes(told: NotifiedOrg, server: Server) -> None:
    told.make_channel(server)
    for number in range(45):
        told.tell(f"a:b:c{number:02}")
    told.function.push(told.function.queue.messages("notification-sends")[0], "notification-sends")
    assert len(server.requests) == 20, "one go is bounded"
    told.send()
    assert said(server) == [f"a:b:c{number:02}" for number in range(45)]


def test_retry_after_is_honoured(told: NotifiedOrg, server: Server) -> None:
    told.make_channel(server)
    server.behave = answer(status="429 Slow down", headers=["Retry-After: 7200"])
    told.tell()
    told.send()
    (found,) = told.outgoing()
    assert datetime.fromisoformat(found["due_at"]) - told.function.clock.now() == timedelta(hours=2)
    assert told.later(7199) == 0
    assert told.later(1) == 1


def test_who_says_gone_is_disabled_at_once_with_a_notice(told: NotifiedOrg, server: Server) -> None:
    channel = told.make_channel(server)
    server.behave = answer(status="410 Gone")
    told.tell("a:b:one")
    told.tell("a:b:two")
    told.send()
    found = told.channel(channel)
    assert (found["disabled_because"], len(server.requests)) == ("gone", 1)
    assert [(each["status"], each["error_code"]) for each in told.outgoing()] == [
        ("failed", "unexpected_status"), ("failed", "channel_disabled"),
    ]  # fmt: skip
    facts = {"kind": "webhook", "because": "gone", "given_up": 2}
    assert ("webhook:channel:disabled", {"name": "ours", **facts}) in told.audits()
    events = [dict(each.payload) for each in told.function.queue.messages("org-events")]
    assert {"event": "webhook:channel:disabled", "channel_id": channel["id"], **facts} in events
    told.tell("a:b:three")
    assert len(told.outgoing()) == 2, "a disabled channel is told something"


def test_a_channel_that_fails_for_a_day_is_disabled_and_the_others_hear_of_it(
    function: WebhookFunction, authority: Authority, server: Server
) -> None:
    with receiver(authority, answer(status="500 Broken")) as bad:
        reach(function, authority, server, bad)
        made = WebhookOrg.make(function)
        org = NotifiedOrg(function, made.id, made.admin)
        channel = org.make_channel(bad)
        org.make_channel(server, events=["webhook:channel:disabled"])
        org.tell("a:b:one")
        org.send()
        passed = 0.0
        while org.channel(channel)["disabled_at"] is None:
            assert passed <= DAY, "it is asked for longer than a day"
            org.later(600)
            passed += 600
        assert passed == DAY
        assert len(bad.requests) < 25
        told_of = [each for each in function.queue.messages("org-events") if "disabled" in str(each.payload["event"])]
        assert len(told_of) == 1
        function.push(told_of[0], "notification-events")
        org.send()
        (seen,) = server.requests
        facts = body_of(seen)["data"]["notices"][0]["facts"]
        assert (facts["channel"], facts["because"]) == ("ours", "failing")
        bad.behave = answer(b"ok")
        assert org.done("PATCH", f"{CHANNELS}/{channel['id']}", {"is_disabled": False})["failing_since"] is None
        org.tell("a:b:two")
        org.send()
        assert said(bad)[-1] == "a:b:two", "what was given up holds the channel up"


def test_a_delivery_is_replayed_under_its_id(told: NotifiedOrg, server: Server) -> None:
    channel = told.make_channel(server)
    told.tell("a:b:one")
    path = f"/webhook-deliveries/{told.outgoing()[0]['id']}/replay"
    told.refused("POST", path, None, 409, "delivery_in_progress")
    told.send()
    found = told.done("POST", path, None, 202)
    assert (found["direction"], found["status"], found["replays"]) == ("out", "pending", 1)
    told.send()
    first, again = server.requests
    assert first.header("webhook-id") == again.header("webhook-id")
    told.done("PATCH", f"{CHANNELS}/{channel['id']}", {"is_disabled": True})
    told.refused("POST", path, None, 409, "channel_disabled")
    assert ("webhook:delivery:replayed", {"channel_id": channel["id"], "was": "delivered"}) in told.audits()


def test_what_a_stranger_answers_is_kept_short_and_without_secrets(told: NotifiedOrg, server: Server) -> None:
    told.make_channel(server)
    token = "ghp_" + "a1B2" * 9
    server.behave = answer(f"broken {token} \u202e\r\n".encode() + b"x" * 5000, "500 Broken")
    told.tell()
    told.send()
    shown = told.outgoing()[0]["response_start"]
    assert shown.startswith("broken [redacted]")
    assert token not in shown
    assert shown.isprintable()
    assert len(shown) <= 300


def test_a_body_is_at_most_20_kb_with_a_link_for_the_rest(told: NotifiedOrg, server: Server) -> None:
    told.make_channel(server)
    told.make_channel(server, "slack")
    items = [{"rule": f"rule {number} " + "ü" * 300, "address": "ß" * 900} for number in range(90)]
    _, scan_id = told.find_drift(items)
    told.tell("scan:scan:done", scan_id=str(scan_id))
    told.send()
    assert len(server.requests) == 2
    for seen in server.requests:
        assert len(seen.content) <= 20_000
        assert f"/scans/{scan_id}/drift" in seen.content.decode()


def test_without_kms_nothing_is_sent_and_nothing_lost(told: NotifiedOrg, server: Server) -> None:
    channel = told.make_channel(server)
    told.tell()
    message = told.function.queue.messages("notification-sends")[-1]
    told.function.vault.is_away = True
    assert told.function.push(message, "notification-sends").status_code == 503
    told.function.vault.is_away = False
    assert told.function.push(message, "notification-sends").status_code == 204
    assert (len(server.requests), told.channel(channel)["failing_since"]) == (1, None)


def test_an_address_that_cannot_be_opened_fails_its_channel_only(told: NotifiedOrg, server: Server) -> None:
    bad, good = told.make_channel(server), told.make_channel(server)
    told.function.database.owner.run(
        "update webhook.notification_channels set target_encrypted = (select target_encrypted from webhook.notification_channels"
        " where id = :good) where id = :bad", good=good["id"], bad=bad["id"],
    )  # fmt: skip
    told.tell()
    told.send()
    assert {each["channel_id"]: each["error_code"] for each in told.outgoing()} == {
        bad["id"]: "target_unreadable", good["id"]: None,
    }  # fmt: skip
    assert len(server.requests) == 1


def test_old_deliveries_are_purged(told: NotifiedOrg, server: Server) -> None:
    told.make_channel(server)
    told.tell()
    told.send()
    told.function.clock.advance(30 * DAY - 1)
    assert told.function.tick("notification-purge")["purged"] == 0
    told.function.clock.advance(1)
    assert told.function.tick("notification-purge")["purged"] == 1
    assert told.outgoing() == []


@pytest.mark.parametrize(
    "payload", [{}, {"channel_id": "x"}, {"channel_id": None}, {"channel_id": "00000000-0000-0000-0000-000000000001"}]
)
def test_a_message_that_names_no_channel_harms_nobody(told: NotifiedOrg, payload: dict[str, Any]) -> None:
    message = Message(payload, {"event_id": "e", "org_id": str(told.id)})
    assert told.function.push(message, "notification-sends").status_code == 204


def test_a_removed_channel_is_told_nothing_more(told: NotifiedOrg, server: Server) -> None:
    channel = told.make_channel(server)
    told.tell()
    told.done("DELETE", f"{CHANNELS}/{channel['id']}", None, 204)
    told.send()
    assert server.requests == []
    assert told.sweep() == 0


def _crash(*_: object, **__: object) -> None:
    raise RuntimeError("a crash")
