"""Calls on notification channels, over a real Postgres: who may have which, what is shown, what is stored."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.webhook.wiring import SECRETS_KEY
from shared.security.envelope import key_version
from tests.support.http_app import SETTINGS
from tests.support.notified_org import NAME, PATH, NotifiedOrg, reach, signed_by, url_of
from tests.support.tls_server import Authority, Server, answer
from tests.support.webhook_function import WebhookFunction, WebhookOrg

CHANNELS = "/notification-channels"
MAIL = replace(SETTINGS, smtp_host="127.0.0.1", smtp_from="no-reply@ops.example")


def stored(org: WebhookOrg) -> list[Any]:
    rows: list[Any] = org.function.database.owner.run(
        "select to_jsonb(c)::text, target_encrypted, current_secret_encrypted, previous_secret_encrypted"
        " from webhook.notification_channels c where org_id = :org order by id",
        org=org.id,
    )
    return rows


@pytest.mark.parametrize("kind", ["webhook", "slack", "teams"])
def test_an_address_and_a_secret_are_taken_and_never_shown_or_stored_again(
    told: NotifiedOrg, server: Server, kind: str
) -> None:
    made = told.make_channel(server, kind)
    assert (made["kind"], made["target"]) == (kind, f"{NAME}:{server.port}/…-url")
    assert (made["secret"] or "").startswith("whsec_") is (kind == "webhook")
    secrets = [PATH, "secret-part", *([made["secret"]] if made["secret"] else [])]
    shown = [
        told.done("GET", CHANNELS)["items"][0],
        told.channel(made),
        told.done("PATCH", f"{CHANNELS}/{made['id']}", {}),
    ]
    for found in (*shown, stored(told)[0][0], told.audits(), told.function.queue.messages("org-events")):
        assert not [secret for secret in secrets if secret in json.dumps(found, default=str)]
    assert all("secret" not in each for each in shown)
    assert bytes(stored(told)[0][1])[:1] == b"\x02", "it is not an envelope"


def test_an_e_mail_channel_shows_first_letters_and_needs_the_operators_server(
    function: WebhookFunction, authority: Authority
) -> None:
    org = WebhookOrg.make(function)
    wish = {"kind": "email", "name": "on call", "recipients": ["ann@a.example", "bob@b.example"]}
    function.settings = MAIL
    function.deps = function.build_deps()
    made = org.done("POST", CHANNELS, wish, 201)
    assert (made["target"], made["secret"]) == ("a…@a.example, b…@b.example", None)
    assert "ann@" not in stored(org)[0][0]
    without = WebhookFunction(function.database)
    WebhookOrg.make(without).refused("POST", CHANNELS, wish, 409, "mail_not_set_up")


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"kind": "webhook"}, 422, "invalid"),
        ({"kind": "webhook", "url": "https://x.example/", "recipients": ["a@b.example"]}, 422, "invalid"),
        ({"kind": "email", "url": "https://x.example/"}, 422, "invalid"),
        ({"kind": "email", "recipients": []}, 422, "invalid"),
        ({"kind": "email", "recipients": ["a@b.example\r\nBcc: c@d.example"]}, 422, "invalid"),
        ({"kind": "email", "recipients": ["Ann <a@b.example>"]}, 422, "invalid"),
        ({"kind": "email", "recipients": [f"p{number}@b.example" for number in range(21)]}, 422, "invalid"),
        ({"kind": "pager", "url": "https://x.example/"}, 422, "invalid"),
        ({"kind": "webhook", "url": "http://x.example/"}, 422, "egress_refused"),
        ({"kind": "webhook", "url": "https://user:pass@x.example/"}, 422, "egress_refused"),
        ({"kind": "webhook", "url": "https://127.0.0.1/"}, 422, "egress_refused"),
        ({"kind": "webhook", "url": "https://169.254.169.254/"}, 422, "egress_refused"),
        ({"kind": "webhook", "url": "https://inner.example.com/"}, 422, "egress_refused"),
        ({"kind": "webhook", "url": "https://x.example:8080/"}, 422, "egress_refused"),
        ({"kind": "webhook", "url": "https://x.example/", "secret": "mine"}, 422, "invalid"),
        ({"kind": "webhook", "url": "https://x.example/", "events": []}, 422, "invalid"),
        ({"kind": "webhook", "url": "https://x.example/", "events": ["*" + "a*" * 9]}, 422, "invalid"),
        ({"kind": "webhook", "url": "https://x.example/", "time_zone": "Mars/Olympus"}, 422, "invalid"),
        ({"kind": "webhook", "url": "https://x.example/", "time_zone": "../../etc/passwd"}, 422, "invalid"),
        ({"kind": "webhook", "url": "https://x.example/", "quiet_hours": {"start": "22:00", "end": "22:00"}}, 422, "invalid"),
        ({"kind": "webhook", "url": "https://x.example/", "quiet_hours": {"start": "22:00"}}, 422, "invalid"),
        ({"kind": "webhook", "url": "https://x.example/", "digest_hour": 24}, 422, "invalid"),
        ({"kind": "webhook", "url": "https://x.example/", "least_severity": "awful"}, 422, "invalid"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_channel_is_refused_without_repeating_it(
    told: NotifiedOrg, wish: dict[str, Any], status: int, code: str
) -> None:
    told.function.resolver.others["inner.example.com"] = ("10.0.0.7",)  # type: ignore[attr-defined]
    problem = told.refused("POST", CHANNELS, {"name": "n", **wish}, status, code)
    assert "pass@" not in json.dumps(problem)
    assert told.done("GET", CHANNELS)["items"] == []


def test_slack_is_for_the_team_plan_and_dearer_ones(told: NotifiedOrg, server: Server) -> None:
    made = told.make_channel(server, "slack")
    owner = told.function.database.owner
    owner.run("update core.orgs set plan = 'free' where id = :org", org=told.id)
    wish = {"kind": "slack", "name": "n", "url": url_of(server)}
    problem = told.refused("POST", CHANNELS, wish, 402, "feature_required")
    assert (problem["required_feature"], problem["required_plan"]) == ("slack", "team")
    told.refused("POST", f"{CHANNELS}/{made['id']}/test", None, 402, "feature_required")
    told.refused("PATCH", f"{CHANNELS}/{made['id']}", {"is_disabled": False}, 402, "feature_required")
    told.done("PATCH", f"{CHANNELS}/{made['id']}", {"is_disabled": True})
    told.make_channel(server, "teams")


def test_there_are_fifty_channels_at_most(told: NotifiedOrg, server: Server) -> None:
    told.make_channel(server)
    told.function.database.owner.run(
        "insert into webhook.notification_channels (org_id, kind, name, target_encrypted, target_hint, events)"
        " select :org, 'teams', 'n', 'x', 'x', '{*}' from generate_series(1, 49)", org=told.id,
    )  # fmt: skip
    wish = {"kind": "webhook", "name": "n", "url": url_of(server)}
    assert told.refused("POST", CHANNELS, wish, 409, "channel_limit_reached")["cap"] == 50


def test_a_repeated_call_makes_no_second_channel_and_shows_no_secret(told: NotifiedOrg, server: Server) -> None:
    wish = {"kind": "webhook", "name": "n", "url": url_of(server)}
    first, again = (told.call("POST", CHANNELS, wish, **{"Idempotency-Key": "k1"}) for _ in range(2))
    assert json.loads(first.get_data())["secret"].startswith("whsec_")
    found = json.loads(again.get_data())
    assert (again.status_code, found["id"], found.get("secret")) == (201, json.loads(first.get_data())["id"], None)
    assert len(stored(told)) == 1


def test_everything_of_a_channel_can_be_changed_and_what_is_left_out_stays(told: NotifiedOrg, server: Server) -> None:
    account_id = str(told.make_account())
    made = told.make_channel(server, quiet_hours={"start": "22:00", "end": "07:00"}, time_zone="Europe/Berlin")
    path = f"{CHANNELS}/{made['id']}"
    wish = {
        "name": "new", "events": ["scan:*"], "least_severity": "high", "account_ids": [account_id], "digest": "daily", "digest_hour": 7,
    }  # fmt: skip
    changed = told.done("PATCH", path, wish)
    assert {name: changed[name] for name in wish} == wish
    assert changed["quiet_hours"] == {"start": "22:00:00", "end": "07:00:00"}
    assert told.done("PATCH", path, {"quiet_hours": None})["quiet_hours"] is None
    assert told.done("PATCH", path, {"url": url_of(server, "/another/long/path/that/is/secret")})["target"].endswith(
        "…cret"
    )
    told.refused("PATCH", path, {"recipients": ["a@b.example"]}, 422, "target_not_of_kind")
    told.refused("PATCH", path, {"url": "https://10.0.0.1/"}, 422, "egress_refused")
    disabled = told.done("PATCH", path, {"is_disabled": True})
    assert disabled["disabled_because"] == "person"
    assert told.done("PATCH", path, {"is_disabled": False})["disabled_at"] is None
    told.done("DELETE", path, None, 204)
    told.refused("GET", path, None, 404, "not_found")
    actions = [action for action, _ in told.audits()]
    assert actions == ["webhook:channel:created", *["webhook:channel:changed"] * 5, "webhook:channel:deleted"]


@pytest.mark.parametrize(("method", "path", "body"), [
    ("GET", "", None), ("PATCH", "", {"name": "theirs"}), ("DELETE", "", None), ("POST", "/test", None), ("POST", "/rotate", {}),
])  # fmt: skip
def test_another_organisations_channel_is_not_there(
    told: NotifiedOrg, server: Server, method: str, path: str, body: Any
) -> None:
    made, other = told.make_channel(server), WebhookOrg.make(told.function)
    other.refused(method, f"{CHANNELS}/{made['id']}{path}", body, 404, "not_found")
    assert other.done("GET", CHANNELS)["items"] == []
    assert (told.channel(made)["name"], server.connections) == ("ours", 0)


@pytest.mark.parametrize("role", ["viewer", "member"])
def test_channels_are_for_admins(told: NotifiedOrg, server: Server, role: str) -> None:
    wish = {"kind": "webhook", "name": "n", "url": url_of(server)}
    assert told.call("POST", CHANNELS, wish, role=role).status_code == 403
    assert told.call("GET", CHANNELS, role=role).status_code == 403


def test_a_test_message_is_sent_at_once_and_the_answer_says_what_came_of_it(told: NotifiedOrg, server: Server) -> None:
    made = told.make_channel(server, digest="daily")
    path = f"{CHANNELS}/{made['id']}/test"
    told.done("PATCH", f"{CHANNELS}/{made['id']}", {"is_disabled": True})
    assert told.done("POST", path) == {"is_delivered": True, "response_status": 200, "error_code": None}
    assert signed_by(server.requests[0], told.function, made["secret"]) == 0
    server.behave = answer(b"secret words", "503 Busy")
    found = told.done("POST", path)
    assert found == {"is_delivered": False, "response_status": 503, "error_code": "unexpected_status"}
    assert told.audits()[-1] == ("webhook:channel:tested", {"name": "ours", "error_code": "unexpected_status"})
    assert told.outgoing() == []


def test_messages_are_signed_with_both_secrets_until_the_grace_is_over(told: NotifiedOrg, server: Server) -> None:
    first = told.make_channel(server)
    path = f"{CHANNELS}/{first['id']}"
    second = told.done("POST", f"{path}/rotate", {"grace_seconds": 3600}, 201)
    assert second["secret"] != first["secret"]
    assert second["previous_expires_at"] is not None
    told.refused("POST", f"{path}/rotate", {}, 409, "rotation_under_way")
    told.done("POST", f"{path}/test")
    told.function.clock.advance(3600)
    told.done("POST", f"{path}/test")
    both, one = (dict(seen.headers)["webhook-signature"].split() for seen in server.requests)
    assert (len(both), len(one)) == (2, 1)
    told.done("POST", f"{path}/rotate", {"grace_seconds": 3600}, 201)
    assert told.done("PATCH", path, {"end_grace": True})["previous_expires_at"] is None
    teams = told.make_channel(server, "teams")
    told.refused("POST", f"{CHANNELS}/{teams['id']}/rotate", {}, 409, "channel_signs_nothing")


def test_old_secrets_are_valid_in_what_is_signed_with_both(told: NotifiedOrg, server: Server) -> None:
    first = told.make_channel(server)
    second = told.done("POST", f"{CHANNELS}/{first['id']}/rotate", {"grace_seconds": 3600}, 201)
    told.done("POST", f"{CHANNELS}/{first['id']}/test")
    for secret in (first["secret"], second["secret"]):
        assert signed_by(server.requests[0], told.function, secret) == 0


def test_a_secret_whose_grace_ended_is_forgotten_by_the_purge(told: NotifiedOrg, server: Server) -> None:
    first = told.make_channel(server)
    told.done("POST", f"{CHANNELS}/{first['id']}/rotate", {"grace_seconds": 60}, 201)
    assert told.function.tick("notification-purge")["purged"] == 0
    told.function.clock.advance(60)
    assert told.function.tick("notification-purge")["purged"] == 1
    assert stored(told)[0][3] is None


def test_addresses_and_secrets_outlive_the_version_of_the_key_that_wrapped_them(
    told: NotifiedOrg, server: Server, authority: Authority
) -> None:
    made = told.make_channel(server)
    second = told.done("POST", f"{CHANNELS}/{made['id']}/rotate", {"grace_seconds": 86_400}, 201)
    told.make_channel(server, "teams")
    vault = told.function.vault
    vault.add_wrapping_key(SECRETS_KEY)
    done = told.function.tick("webhook-sealed-columns")
    assert (done["opened"], done["changed"], done["unreadable"]) == (3, 4, 0)
    for row in stored(told):
        assert {key_version(bytes(sealed)) for sealed in row[1:] if sealed is not None} == {2}
    vault.disable_version(SECRETS_KEY, "1")
    fresh = WebhookFunction(told.function.database, clock=told.function.clock, vault=vault)
    fresh.world = told.function.world
    reach(fresh, authority, server)  # a process that remembers nothing
    org = NotifiedOrg(fresh, told.id, told.admin)
    assert org.done("POST", f"{CHANNELS}/{made['id']}/test")["is_delivered"]
    for secret in (made["secret"], second["secret"]):
        assert signed_by(server.requests[-1], told.function, secret) == 0
