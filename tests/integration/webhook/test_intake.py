"""Deliveries as they arrive, over a real Postgres: each proven one is taken in once, nobody else gets in or learns anything."""

from __future__ import annotations

import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from flask import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.ports.secret_store import Secret
from shared.security import signatures
from shared.security.signatures import PROVIDERS
from tests.support.database import ClonedDatabase
from tests.support.http_app import PUBLIC_URL, call, problem
from tests.support.webhook_function import WebhookFunction, WebhookOrg, sender_of
from tests.support.webhook_senders import SECRETS, Sent

THEIRS = {"stripe": SECRETS["stripe"], "slack": SECRETS["slack"]}
DAY_SECONDS = 24 * 3600

each_provider = pytest.mark.parametrize("provider", sorted(PROVIDERS))


def body_of(number: int = 1) -> bytes:
    return json.dumps(
        {"type": "run.planned", "id": f"evt_{number}", "event_id": f"Ev{number}", "number": number}
    ).encode()


def config_of(org: WebhookOrg, provider: str) -> dict[str, Any]:
    if provider in THEIRS:
        return org.make_config(provider, secret=THEIRS[provider]) | {"secret": THEIRS[provider]}
    return org.make_config(provider)


def send(org: WebhookOrg, config: dict[str, Any], body: bytes, event_id: str | None = None) -> Response:
    return org.function.deliver(config["url"], sender_of(config).send(body, org.function.now, event_id))


def accepted(response: Response) -> str:
    found = json.loads(response.get_data())
    assert (response.status_code, found.get("status"), set(found)) == (202, "accepted", {"status", "id"}), found
    return str(found["id"])


def already(response: Response) -> None:
    assert (response.status_code, json.loads(response.get_data())) == (200, {"status": "already_processed"})


# --- Taken in once -----------------------------------------------------------------------------------------------------


@each_provider
def test_a_delivery_is_taken_in_and_its_work_asked_for_once_however_often_it_comes(
    org: WebhookOrg, provider: str
) -> None:
    config = config_of(org, provider)
    delivery_id = accepted(send(org, config, body_of(), "evt_1"))
    for _ in range(3):
        org.function.clock.advance(30)  # the provider tries again, with a time and a signature of now
        already(send(org, config, body_of(), "evt_1"))
    (shown,) = org.deliveries()
    assert (shown["id"], shown["config_id"], shown["provider"]) == (delivery_id, config["id"], provider)
    assert (shown["status"], shown["tries"], shown["repeats"], shown["proved_by"]) == ("received", 0, 3, "current")
    assert (shown["body_sha256"], shown["body_bytes"]) == (hashlib.sha256(body_of()).hexdigest(), len(body_of()))
    assert [message.payload for message in org.function.waiting()] == [{"delivery_id": delivery_id}]


@each_provider
def test_the_very_same_request_again_has_no_second_effect(org: WebhookOrg, provider: str) -> None:
    config = config_of(org, provider)
    sent = sender_of(config).send(body_of(), org.function.now, "evt_1")
    accepted(org.function.deliver(config["url"], sent))
    already(org.function.deliver(config["url"], sent))
    assert len(org.function.waiting()) == 1


@each_provider
def test_deliveries_in_another_order_are_each_taken_in(org: WebhookOrg, provider: str) -> None:
    config = config_of(org, provider)
    made = [sender_of(config).send(body_of(number), org.function.now, f"evt_{number}") for number in range(3)]
    for sent in reversed(made):
        accepted(org.function.deliver(config["url"], sent))
    assert len(org.deliveries()) == 3


def test_a_body_that_comes_again_under_another_name_is_a_replay_for_a_day(org: WebhookOrg) -> None:
    """GitHub does not sign the delivery's id: who recorded a request could send it again under a new one."""
    config = config_of(org, "github")
    sent = sender_of(config).send(body_of(), org.function.now, "first")
    accepted(org.function.deliver(config["url"], sent))
    already(org.function.deliver(config["url"], sent.changed(x_github_delivery="second")))
    already(org.function.deliver(config["url"], sent.changed(x_github_delivery=None)))
    org.function.clock.advance(DAY_SECONDS - 1)
    already(org.function.deliver(config["url"], sent.changed(x_github_delivery="third")))
    org.function.clock.advance(1)
    accepted(org.function.deliver(config["url"], sent.changed(x_github_delivery="fourth")))
    already(org.function.deliver(config["url"], sent.changed(x_github_delivery="fifth")))
    already(org.function.deliver(config["url"], sent))
    assert [item["external_id"] for item in org.deliveries()] == ["fourth", "first"]


def test_a_name_that_comes_again_with_another_body_is_a_replay_and_claims_nothing(org: WebhookOrg) -> None:
    config = config_of(org, "github")
    accepted(send(org, config, body_of(1), "evt_1"))
    already(send(org, config, body_of(2), "evt_1"))
    accepted(send(org, config, body_of(2), "evt_2"))
    assert [item["repeats"] for item in org.deliveries()] == [0, 1]


def test_stripes_second_try_is_known_by_its_id_although_its_body_changed(org: WebhookOrg) -> None:
    config = config_of(org, "stripe")
    accepted(send(org, config, b'{"id":"evt_9","type":"x","pending_webhooks":2}'))
    already(send(org, config, b'{"id":"evt_9","type":"x","pending_webhooks":1}'))


def test_configs_do_not_know_each_others_deliveries(org: WebhookOrg) -> None:
    first, second = config_of(org, "github"), config_of(org, "github")
    accepted(send(org, first, body_of(), "evt_1"))
    accepted(send(org, second, body_of(), "evt_1"))
    other = WebhookOrg.make(org.function)
    accepted(send(other, config_of(other, "github"), body_of(), "evt_1"))
    assert (len(org.deliveries()), len(other.deliveries())) == (2, 1)


def test_a_delivery_posted_twenty_times_at_once_has_one_effect(database: ClonedDatabase) -> None:
    org = WebhookOrg.make(WebhookFunction(database, pool_size=10))
    config = config_of(org, "standard")
    sent = sender_of(config).send(body_of(), org.function.now, "evt_1")
    with ThreadPoolExecutor(20) as pool:
        statuses = [
            response.status_code
            for response in pool.map(lambda _: org.function.deliver(config["url"], sent), range(20))
        ]
    assert sorted(statuses) == [200] * 19 + [202]
    (shown,) = org.deliveries()
    assert shown["repeats"] == 19
    assert len(org.function.waiting()) == 1


def test_names_and_bodies_that_cross_at_once_neither_block_each_other_nor_come_twice(database: ClonedDatabase) -> None:
    org = WebhookOrg.make(WebhookFunction(database, pool_size=10))
    config = config_of(org, "github")
    sender, now = sender_of(config), org.function.now
    crossed = [
        sender.send(body_of(body), now, f"evt_{name}") for _ in range(6) for body in range(3) for name in range(3)
    ]
    with ThreadPoolExecutor(12) as pool:
        statuses = [
            response.status_code
            for response in pool.map(lambda sent: org.function.deliver(config["url"], sent), crossed)
        ]
    assert set(statuses) == {200, 202}
    taken = org.deliveries()
    assert len(taken) == statuses.count(202) == len(org.function.waiting())
    assert len({item["external_id"] for item in taken}) == len({item["body_sha256"] for item in taken}) == len(taken)


def test_what_was_taken_in_is_worked_on_even_when_the_queue_was_away(org: WebhookOrg) -> None:
    config = config_of(org, "github")
    org.function.queue.is_away = True
    accepted(send(org, config, body_of()))
    already(send(org, config, body_of()))
    org.function.queue.is_away = False
    org.function.database.owner.run("update core.outbox set created_at = now() - interval '1 minute'")
    assert org.function.tick("outbox-relay") == {"relayed": 1}
    assert len(org.function.waiting()) == 1


def test_a_body_is_stored_as_ciphertext_of_its_own_place(org: WebhookOrg) -> None:
    config = config_of(org, "github")
    accepted(send(org, config, b'{"password":"tiger-secret"}'))
    rows = org.function.database.owner.run("select cast(to_jsonb(d) as text) from webhook.deliveries_in d")
    assert "tiger-secret" not in rows[0][0]
    assert b"tiger-secret".hex() not in rows[0][0]
    secrets = org.function.database.owner.run("select current_secret_encrypted from webhook.configs")
    assert config["secret"].encode() not in bytes(secrets[0][0])


def test_slacks_question_is_answered_for_who_signs_and_stored_nowhere(org: WebhookOrg) -> None:
    config = config_of(org, "slack")
    question = b'{"type":"url_verification","challenge":"3eZbrw1aB"}'
    response = send(org, config, question)
    assert (response.status_code, json.loads(response.get_data())) == (200, {"challenge": "3eZbrw1aB"})
    unsigned = sender_of(config, "another-signing-secret").send(question, org.function.now)
    problem(org.function.deliver(config["url"], unsigned), 401, "signature_refused")
    assert org.deliveries() == []


# --- Nobody else -------------------------------------------------------------------------------------------------------


def test_a_stranger_hears_the_same_whatever_there_is(org: WebhookOrg, monkeypatch: pytest.MonkeyPatch) -> None:
    """No config, another provider's, a disabled one, one without a secret, a wrong signature: one answer, for as much work."""
    config, disabled, empty = config_of(org, "github"), config_of(org, "github"), org.make_config("stripe")
    rotated = config_of(org, "github")
    org.rotate(rotated)
    org.done("PATCH", f"/webhook-configs/{disabled['id']}", {"is_disabled": True})
    right = sender_of(config).send(body_of(), org.function.now)
    forged = sender_of(config, SECRETS["github"]).send(body_of(), org.function.now)
    stripe = sender_of(empty, SECRETS["stripe"]).send(body_of(), org.function.now)
    places = [
        (f"{PUBLIC_URL}/webhooks/github/{uuid4()}", right),
        (f"{PUBLIC_URL}/webhooks/atlantis/{config['id']}", right),
        (disabled["url"], sender_of(disabled).send(body_of(), org.function.now)),
        (empty["url"], stripe),
        (config["url"], forged),
        (rotated["url"], forged),
    ]
    digests: list[int] = []

    def counted(key: bytes, message: bytes, name: str) -> bytes:
        digests.append(len(message))
        return hmac.digest(key, message, name)

    # The module's own name alone is replaced: opening a sealed secret takes an HMAC too, which is not the check's.
    counting = SimpleNamespace(digest=counted, compare_digest=hmac.compare_digest)
    heard, worked = set(), set()
    for url, sent in places:
        digests.clear()
        with monkeypatch.context() as patch:
            patch.setattr(signatures, "hmac", counting)
            response = org.function.deliver(url, sent, **{"X-Request-Id": "the-same"})
        problem(response, 401, "signature_refused")
        heard.add((response.get_data(), tuple(sorted(set(response.headers.keys()) - {"traceparent"}))))
        worked.add(len(digests))
    assert len(heard) == 1
    assert worked == {2}
    assert org.deliveries() == []


@pytest.mark.parametrize("path", ["bitbucket/{id}", "GITHUB/{id}", "github/not-an-id", "github/%00", "github/{id}/x"])
def test_what_can_be_no_address_of_ours_is_not_found(org: WebhookOrg, path: str) -> None:
    config = config_of(org, "github")
    sent = sender_of(config).send(body_of(), org.function.now)
    response = org.function.deliver(f"{PUBLIC_URL}/webhooks/{path.format(id=config['id'])}", sent)
    assert response.status_code == 404, response.get_data()


@each_provider
def test_a_changed_body_header_or_time_is_refused_and_leaves_nothing(org: WebhookOrg, provider: str) -> None:
    config = config_of(org, provider)
    now = org.function.now
    sent = sender_of(config).send(body_of(), now)
    changed = [Sent(provider, sent.headers, body_of() + b" "), Sent(provider, {}, body_of())]
    changed += [
        sent.changed(**{name: f"{value}0"})
        for name, value in sent.headers.items()
        if "signature" in name and name != "x-hub-signature"
    ]
    if provider in {"stripe", "slack", "standard", "gitlab"}:
        changed += [sender_of(config).send(body_of(), now + skew) for skew in (301, -301)]
    for item in changed:
        problem(org.function.deliver(config["url"], item), 401, "signature_refused")
    assert org.deliveries() == []
    accepted(org.function.deliver(config["url"], sent))


@pytest.mark.parametrize("provider", ["stripe", "slack", "standard", "gitlab"])
def test_a_clock_that_is_five_minutes_off_is_let_in_either_way(org: WebhookOrg, provider: str) -> None:
    config = config_of(org, provider)
    for number, skew in enumerate((300, -300)):
        sent = sender_of(config).send(body_of(number), org.function.now + skew)
        accepted(org.function.deliver(config["url"], sent))


def test_a_vendors_config_lets_nobody_in_until_the_vendors_secret_is_there(org: WebhookOrg) -> None:
    config = org.make_config("stripe")
    assert (config["secret"], config["has_secret"]) == (None, False)
    sent = sender_of(config, SECRETS["stripe"]).send(body_of(), org.function.now)
    problem(org.function.deliver(config["url"], sent), 401, "signature_refused")
    problem(
        org.function.deliver(config["url"], sender_of(config, "whsec_").send(body_of(), org.function.now)),
        401,
        "signature_refused",
    )
    org.rotate(config, secret=SECRETS["stripe"])
    accepted(org.function.deliver(config["url"], sent))


def test_a_disabled_config_lets_nobody_in_until_it_is_enabled(org: WebhookOrg) -> None:
    config = config_of(org, "github")
    sent = sender_of(config).send(body_of(), org.function.now)
    org.done("PATCH", f"/webhook-configs/{config['id']}", {"is_disabled": True})
    problem(org.function.deliver(config["url"], sent), 401, "signature_refused")
    org.done("PATCH", f"/webhook-configs/{config['id']}", {"is_disabled": False})
    accepted(org.function.deliver(config["url"], sent))
    org.done("DELETE", f"/webhook-configs/{config['id']}", status=204)
    problem(org.function.deliver(config["url"], sent), 401, "signature_refused")


def test_nothing_is_let_in_for_an_organisation_that_is_gone(org: WebhookOrg) -> None:
    config = config_of(org, "github")
    org.function.database.owner.run("update core.orgs set deleted_at = now() where id = :id", id=org.id)
    sent = sender_of(config).send(body_of(), org.function.now)
    problem(org.function.deliver(config["url"], sent), 401, "signature_refused")


def test_a_config_that_ends_while_a_delivery_is_checked_takes_nothing_in(
    org: WebhookOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(org, "github")
    sent = sender_of(config).send(body_of(), org.function.now)
    real = org.function.deps.envelope.seal

    def delete_first(plaintext: Secret, place: Any) -> bytes:
        org.function.database.owner.run("delete from webhook.configs where id = cast(:id as uuid)", id=config["id"])
        return real(plaintext, place)

    monkeypatch.setattr(type(org.function.deps.envelope), "seal", lambda _self, *arguments: delete_first(*arguments))
    problem(org.function.deliver(config["url"], sent), 401, "signature_refused")
    assert org.function.waiting() == []


def test_a_body_over_the_cap_is_refused_before_anything_else(org: WebhookOrg) -> None:
    config = config_of(org, "github")
    most = 1024 * 1024
    accepted(send(org, config, b"x" * most))
    problem(send(org, config, b"x" * (most + 1)), 413, "body_too_large")


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x" * 500],
)
def test_any_media_type_is_taken_as_bytes(org: WebhookOrg, content_type: str) -> None:
    config = config_of(org, "github")
    sent = sender_of(config).send(b"payload=%7B%7D", org.function.now)
    path = config["url"].removeprefix(PUBLIC_URL)
    accepted(call(org.function.app, "POST", path, headers=sent.headers, content=sent.body, content_type=content_type))


def test_without_its_key_service_nothing_is_lost_silently(org: WebhookOrg) -> None:
    """A sender that is told 503 tries again; one that is told 2xx would not."""
    config = config_of(org, "github")
    org.function.vault.is_away = True
    problem(send(org, config, body_of(1)), 503, "service_away")
    org.function.vault.is_away = False
    accepted(send(org, config, body_of(1)))
    org.function.vault.is_away = True
    forged = sender_of(config, SECRETS["github"]).send(body_of(2), org.function.now)
    problem(org.function.deliver(config["url"], forged), 401, "signature_refused")
    org.function.vault.is_away = False


def test_an_opened_secret_is_remembered_for_a_while(org: WebhookOrg) -> None:
    config = config_of(org, "github")
    accepted(send(org, config, body_of(1)))
    asked: list[str] = []
    real = org.function.vault.unwrap
    org.function.vault.unwrap = lambda key, *rest, **named: asked.append(key) or real(key, *rest, **named)  # type: ignore[method-assign,func-returns-value]
    accepted(send(org, config, body_of(2)))
    assert asked == []
    org.function.clock.advance(300)
    accepted(send(org, config, body_of(3)))
    assert len(asked) == 1


def test_a_secret_that_was_moved_to_another_config_opens_nothing(org: WebhookOrg) -> None:
    config, other = config_of(org, "github"), config_of(org, "github")
    org.function.database.owner.run(
        "update webhook.configs set current_secret_encrypted = (select current_secret_encrypted from webhook.configs "
        "where id = cast(:other as uuid)) where id = cast(:id as uuid)",
        id=config["id"],
        other=other["id"],
    )
    sent = sender_of(other).send(body_of(), org.function.now)
    problem(org.function.deliver(config["url"], sent), 500, "ciphertext_refused")


_JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(["", "push", "\x00", "é", "\ud800"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["type", "id", "event_id", "event", "action", "notifications", "payload"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)
_HEADERS = st.dictionaries(
    st.sampled_from(
        ["x-github-delivery", "x-github-event", "x-gitlab-event", "webhook-id", "idempotency-key", "content-type"]
    ),
    st.binary(max_size=40).map(lambda value: value.decode("latin-1").replace("\r", "").replace("\n", "")),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    provider=st.sampled_from(sorted(PROVIDERS)),
    document=_JSON,
    raw=st.binary(max_size=200),
    is_raw=st.booleans(),
    headers=_HEADERS,
)
def test_whatever_a_sender_signs_is_taken_in_and_worked_on(
    org: WebhookOrg, provider: str, document: Any, raw: bytes, is_raw: bool, headers: dict[str, str]
) -> None:
    configs = org.function.__dict__.setdefault("configs", {})
    config = configs.get(provider) or configs.setdefault(provider, config_of(org, provider))
    content = raw if is_raw else json.dumps(document).encode()
    sent = sender_of(config).send(content, org.function.now)
    kept = {name: value for name, value in headers.items() if name not in sent.headers or name.startswith("x-github")}
    response = org.function.deliver(config["url"], sent, **kept)
    assert response.status_code in {200, 202}, response.get_data()
    if response.status_code == 202:
        assert org.function.push(org.function.waiting()[-1]).status_code == 204
        assert org.deliveries("?limit=1")[0]["status"] in {"handled", "failed"}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    provider=st.sampled_from(sorted(PROVIDERS)),
    body=st.binary(max_size=100),
    values=st.lists(st.binary(max_size=90), min_size=8, max_size=8),
)
def test_whatever_a_stranger_sends_is_refused(org: WebhookOrg, provider: str, body: bytes, values: list[bytes]) -> None:
    configs = org.function.__dict__.setdefault("configs", {})
    config = configs.get(provider) or configs.setdefault(provider, config_of(org, provider))
    names = ("x-atlantis-signature", "x-hub-signature-256", "x-gitlab-token", "x-tfe-notification-signature", "stripe-signature",
             "x-slack-signature", "x-slack-request-timestamp", "webhook-signature")  # fmt: skip
    headers = {
        name: value.decode("latin-1").replace("\r", "").replace("\n", "")
        for name, value in zip(names, values, strict=True)
    }
    problem(org.function.deliver(config["url"], Sent(provider, headers, body)), 401, "signature_refused")
