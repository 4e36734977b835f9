"""Configs over a real Postgres: made, shown once, listed, changed, removed; each change audited."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.security.signatures import standard_key
from tests.support.http_app import PUBLIC_URL
from tests.support.webhook_function import WebhookOrg
from tests.support.webhook_senders import SECRETS


def test_a_config_is_made_with_an_address_and_a_secret_that_is_shown_once(org: WebhookOrg) -> None:
    made = org.make_config("github", name="Plans")
    assert made["url"] == f"{PUBLIC_URL}/webhooks/github/{made['id']}"
    assert standard_key(made["secret"].encode()) is not None
    assert (made["name"], made["provider"], made["has_secret"]) == ("Plans", "github", True)
    shown = org.done("GET", f"/webhook-configs/{made['id']}")
    assert "secret" not in shown
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert org.done("GET", "/webhook-configs")["items"] == [shown]


def test_a_repeated_request_makes_one_config_and_does_not_show_its_secret_again(org: WebhookOrg) -> None:
    wish = {"provider": "standard", "name": "ours"}
    first, second = (org.call("POST", "/webhook-configs", wish, **{"Idempotency-Key": "deploy-42"}) for _ in range(2))
    made, repeated = json.loads(first.get_data()), json.loads(second.get_data())
    assert made["secret"] is not None
    assert repeated == {**made, "secret": None}
    assert second.headers["Idempotency-Replayed"] == "true"
    rotated, again = (
        org.call("POST", f"/webhook-configs/{made['id']}/rotate", {}, **{"Idempotency-Key": "rotate-42"})
        for _ in range(2)
    )
    assert json.loads(again.get_data()) == {**json.loads(rotated.get_data()), "secret": None}


@pytest.mark.parametrize("provider", ["stripe", "slack", "gitlab", "standard"])
def test_a_secret_that_the_provider_made_is_never_shown(org: WebhookOrg, provider: str) -> None:
    made = org.make_config(provider, secret=SECRETS[provider])
    assert (made["secret"], made["has_secret"]) == (None, True)


@pytest.mark.parametrize(
    "wish, status, code",
    [
        ({"provider": "github", "secret": "x" * 20}, 422, "secret_not_accepted"),
        ({"provider": "standard", "secret": "x" * 20}, 422, "secret_malformed"),
        ({"provider": "gitlab", "secret": "whsec_tooshort1234"}, 422, "secret_malformed"),
        ({"provider": "bitbucket"}, 422, "invalid"),
        ({"provider": "stripe", "secret": "short"}, 422, "invalid"),
        ({"provider": "stripe", "secret": ""}, 422, "invalid"),
        ({"provider": "stripe", "secret": "with a space in the middle"}, 422, "invalid"),
        ({"provider": "stripe", "secret": "größe" * 5}, 422, "invalid"),
        ({"provider": "stripe", "secret": "x" * 201}, 422, "invalid"),
        ({"provider": "github", "name": ""}, 422, "invalid"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_and_the_secret_not_repeated(
    org: WebhookOrg, wish: dict[str, Any], status: int, code: str
) -> None:
    told = org.refused("POST", "/webhook-configs", {"name": "ours", **wish}, status, code)
    assert not wish.get("secret") or wish["secret"] not in json.dumps(told, ensure_ascii=False)
    assert org.done("GET", "/webhook-configs")["items"] == []


def test_a_rotation_of_a_vendors_secret_brings_the_vendors(org: WebhookOrg) -> None:
    config = org.make_config("slack", secret=SECRETS["slack"])
    org.refused("POST", f"/webhook-configs/{config['id']}/rotate", {}, 422, "secret_required")
    ours = org.make_config("github")
    org.refused("POST", f"/webhook-configs/{ours['id']}/rotate", {"secret": "x" * 20}, 422, "secret_not_accepted")
    for grace in (-1, 7 * 24 * 3600 + 1, "60", 1.5, True):
        org.refused("POST", f"/webhook-configs/{ours['id']}/rotate", {"grace_seconds": grace}, 422, "invalid")


def test_a_config_is_renamed_switched_off_and_on(org: WebhookOrg) -> None:
    config = org.make_config()
    path = f"/webhook-configs/{config['id']}"
    assert org.done("PATCH", path, {"name": "Plans"})["name"] == "Plans"
    off = org.done("PATCH", path, {"is_disabled": True})
    assert (off["name"], off["disabled_at"] is not None) == ("Plans", True)
    org.function.clock.advance(60)
    assert org.done("PATCH", path, {"is_disabled": True})["disabled_at"] == off["disabled_at"], (
        "off since the first time"
    )
    assert org.done("PATCH", path, {"is_disabled": False})["disabled_at"] is None
    assert org.done("PATCH", path, {})["name"] == "Plans"
    org.refused("PATCH", path, {"provider": "gitlab"}, 422, "invalid")
    org.refused("PATCH", path, {"end_grace": False}, 422, "invalid")


def test_what_is_removed_is_gone_with_its_deliveries(org: WebhookOrg) -> None:
    config = org.make_config()
    path = f"/webhook-configs/{config['id']}"
    org.done("DELETE", path, status=204)
    for method, rest, body in (("GET", "", None), ("PATCH", "", {}), ("DELETE", "", None), ("POST", "/rotate", {})):
        org.refused(method, path + rest, body, 404, "not_found")


def test_every_change_is_audited_without_a_secret(org: WebhookOrg) -> None:
    config = org.make_config("gitlab", secret="glsecret-" + "x" * 20)
    path = f"/webhook-configs/{config['id']}"
    rotated = org.rotate(config)
    org.done("PATCH", path, {"is_disabled": True, "end_grace": True})
    org.done("DELETE", path, status=204)
    actions = org.audits()
    assert [action for action, _ in actions] == [
        "webhook:config:created", "webhook:config:rotated", "webhook:config:changed", "webhook:config:deleted",
    ]  # fmt: skip
    told = json.dumps(actions) + json.dumps(
        [dict(message.payload) for message in org.function.queue.messages("org-events")]
    )
    assert rotated["secret"] not in told
    assert "glsecret-" not in told
    assert actions[1][1]["previous_expires_at"] == rotated["previous_expires_at"].replace("Z", "+00:00")


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_only_admins_see_and_change_webhooks(org: WebhookOrg, role: str) -> None:
    config = org.make_config()
    path = f"/webhook-configs/{config['id']}"
    for method, where, body in (
        ("GET", "/webhook-configs", None), ("GET", path, None), ("GET", "/webhook-deliveries", None), ("PATCH", path, {}),
        ("POST", "/webhook-configs", {}), ("POST", f"{path}/rotate", {}), ("DELETE", path, None),
    ):  # fmt: skip
        response = org.call(method, where, body, role=role)
        assert (response.status_code, json.loads(response.get_data())["code"]) == (403, "role_required")


def test_another_organisations_config_does_not_exist(org: WebhookOrg) -> None:
    theirs = WebhookOrg.make(org.function)
    config = theirs.make_config()
    path = f"/webhook-configs/{config['id']}"
    for method, rest, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "x"}),
        ("DELETE", "", None),
        ("POST", "/rotate", {}),
    ):
        org.refused(method, path + rest, body, 404, "not_found")
    assert org.done("GET", "/webhook-configs")["items"] == []


def test_configs_are_listed_newest_first_page_by_page(org: WebhookOrg) -> None:
    made = [org.make_config(name=str(number))["id"] for number in range(5)]
    found, cursor = [], ""
    while True:
        page = org.done("GET", f"/webhook-configs?limit=2{cursor}")
        found += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == list(reversed(made))


def test_without_its_key_service_no_config_is_half_made(org: WebhookOrg) -> None:
    config = org.make_config()
    org.function.vault.is_away = True
    org.refused("POST", "/webhook-configs", {"provider": "github", "name": "x"}, 503, "service_away")
    org.refused("POST", f"/webhook-configs/{config['id']}/rotate", {}, 503, "service_away")
    org.function.vault.is_away = False
    (shown,) = org.done("GET", "/webhook-configs")["items"]
    assert shown["rotated_at"] is None
