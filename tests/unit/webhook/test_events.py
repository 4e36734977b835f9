"""What a delivery is about, in each provider's words; whatever it holds, reading it breaks nothing."""

from __future__ import annotations

import json
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.webhook.domain.events import challenge, event_name, external_id, kind_of
from shared.http.errors import MalformedRequest
from shared.security.signatures import PROVIDERS, Provider
from tests.support.webhook_senders import VENDOR

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
BODIES = VENDOR["bodies"]


def kind(provider: str, body: Any, name: str = "", content_type: str = JSON) -> str:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return kind_of(cast("Provider", provider), name, content_type, content)


@pytest.mark.parametrize(
    "provider, name, body, expected",
    [
        ("github", "pull_request", {"action": "opened"}, "pull_request.opened"),
        ("github", "push", {"ref": "refs/heads/main"}, "push"),
        ("github", "ping", {"zen": "…"}, "ping"),
        ("gitlab", "Push Hook", {"object_kind": "push"}, "push"),
        ("gitlab", "Merge Request Hook", {"object_kind": "merge_request", "object_attributes": {"action": "open"}}, "merge_request.open"),
        ("gitlab", "Some New Hook", {}, "Some New Hook"),
        ("terraform_cloud", "", BODIES["terraform_cloud_run"], "run:errored"),
        ("terraform_cloud", "", BODIES["terraform_cloud_assessment"], "assessment:drifted"),
        ("terraform_cloud", "", {"notifications": [{"trigger": "verification"}]}, "verification"),
        ("stripe", "", {"id": "evt_1", "type": "invoice.paid"}, "invoice.paid"),
        ("slack", "", {"type": "event_callback", "event": {"type": "app_mention"}}, "app_mention"),
        ("standard", "", {"type": "contact.created", "data": {}}, "contact.created"),
        ("atlantis", "", BODIES["atlantis_apply"], "apply.succeeded"),
        ("atlantis", "", {**BODIES["atlantis_apply"], "Success": False}, "apply.failed"),
        ("atlantis", "", BODIES["atlantis_drift"], "drift"),
        ("atlantis", "", {"format_version": "1.2", "resource_changes": []}, "plan"),
        ("atlantis", "", {"event": "plan"}, "plan"),
    ],
)  # fmt: skip
def test_the_kind_of_an_event_is_what_the_provider_calls_it(provider: str, name: str, body: Any, expected: str) -> None:
    assert kind(provider, body, name) == expected


def test_githubs_and_slacks_forms_are_read() -> None:
    form = urlencode({"payload": json.dumps({"action": "closed"})}).encode()
    assert kind("github", form, "pull_request", FORM) == "pull_request.closed"
    assert kind("github", form, "pull_request", FORM + "; charset=utf-8") == "pull_request.closed"
    assert kind("slack", VENDOR["signed"]["slack"]["body"].encode(), "", FORM) == "slash_command"
    assert (
        kind("slack", urlencode({"payload": json.dumps({"type": "block_actions"})}).encode(), "", FORM)
        == "block_actions"
    )


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_what_says_nothing_of_itself_is_unknown_and_no_error(provider: str) -> None:
    for body in ({}, [], None, 7, "x", {"type": 7, "action": {}, "notifications": [7], "object_kind": [], "event": []}):
        assert kind(provider, body) == "unknown"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a":1,"a":2}', b'{"type":"\\u0000"}', b"[" * 10_000])
def test_a_body_that_cannot_be_read_is_said_to_be_malformed(body: bytes) -> None:
    for provider in sorted(PROVIDERS):
        with pytest.raises(MalformedRequest):
            kind(provider, body)


def test_the_senders_name_for_a_delivery_stays_the_same_when_it_is_sent_again() -> None:
    def found(provider: str, headers: dict[str, str], body: Any = None, content_type: str = JSON) -> str | None:
        return external_id(cast("Provider", provider), headers, content_type, json.dumps(body).encode())

    assert (
        found("github", {"x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958"})
        == "72d3162e-cc78-11e3-81ab-4c9367dc0958"
    )
    assert found("gitlab", {"webhook-id": "a", "idempotency-key": "b", "x-gitlab-event-uuid": "c"}) == "a"
    assert found("gitlab", {"idempotency-key": "b", "x-gitlab-event-uuid": "c"}) == "b"
    assert found("gitlab", {"x-gitlab-event-uuid": "c"}) is None, "several deliveries share it"
    assert found("standard", {"webhook-id": "msg_1"}) == "msg_1"
    assert (
        found("stripe", {}, {"id": "evt_1", "pending_webhooks": 1})
        == found("stripe", {}, {"id": "evt_1", "pending_webhooks": 0})
        == "evt_1"
    )
    assert found("slack", {}, {"event_id": "Ev1"}) == "Ev1"
    for provider in ("atlantis", "terraform_cloud"):
        assert found(provider, {"x-request-id": "a", "webhook-id": "b"}, {"id": "c"}) is None
    for strange in ("", "a b", "x" * 201, "\x00", "é"):
        assert found("github", {"x-github-delivery": strange}) is None
        assert found("stripe", {}, {"id": strange}) is None
    assert found("stripe", {}, {"id": 7}) is None


def test_slacks_question_is_answered_and_nobody_elses() -> None:
    question = json.dumps({"type": "url_verification", "challenge": "3eZb"}).encode()
    assert challenge("slack", JSON, question) == "3eZb"
    assert challenge("standard", JSON, question) is None
    assert challenge("slack", JSON, b'{"type":"event_callback","text":"url_verification"}') is None
    assert challenge("slack", JSON, b"url_verification {") is None


_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.binary(max_size=20).map(lambda value: value.decode("latin-1"))
)
_KEYS = st.sampled_from(
    ["type", "action", "event", "object_kind", "object_attributes", "notifications", "trigger", "Success", "detection_id", "payload",
     "id", "event_id", "challenge", "command"]
)  # fmt: skip
_DOCUMENTS = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=5)),
    max_leaves=12,
)


@settings(deadline=None)
@given(
    provider=st.sampled_from(sorted(PROVIDERS)),
    document=_DOCUMENTS,
    raw=st.binary(max_size=60),
    is_raw=st.booleans(),
    name=st.sampled_from(["", "push", "\x00", "x" * 500]),
    content_type=st.sampled_from([JSON, FORM, "", "text/plain", FORM + ";"]),
)
def test_whatever_a_proven_sender_sends_it_has_a_kind_or_is_malformed(
    provider: Provider, document: Any, raw: bytes, is_raw: bool, name: str, content_type: str
) -> None:
    content = raw if is_raw else json.dumps(document).encode()
    headers = {"x-github-event": name, "x-gitlab-event": name, "webhook-id": name, "x-github-delivery": name}
    told = event_name(provider, headers)
    assert "\x00" not in told
    found = external_id(provider, headers, content_type, content)
    assert found is None or 0 < len(found) <= 200
    challenge(provider, content_type, content)
    try:
        kind = kind_of(provider, told, content_type, content)
    except MalformedRequest:
        return
    assert 0 < len(kind) <= 200
    assert "\x00" not in kind
