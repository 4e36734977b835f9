"""Every vendor's adapter against a server that speaks that vendor's documented form, in good health and in bad."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from functions.analyze.domain.claims import SCHEMA, SCHEMA_NAME
from functions.analyze.language_models.anthropic import Anthropic
from functions.analyze.language_models.asking import MOST_ATTEMPTS, POLICY, AskedModel, guarded
from functions.analyze.language_models.bedrock import Bedrock
from functions.analyze.language_models.breakers import MOST_FAILURES, OPEN_SECONDS, Breakers
from functions.analyze.language_models.exchange import Vendor
from functions.analyze.language_models.gemini import Gemini
from functions.analyze.language_models.openai import AzureOpenAI, OpenAI, OpenAICompatible
from shared.ports.clock import Clock, SystemClock, SystemEntropy
from shared.ports.language_model import Answer, AnswerUnusable, ModelAway, ModelDeclined, ModelMisconfigured, Prompt
from shared.ports.secret_store import Secret
from shared.security.egress import EgressGuard, EgressRefused, SystemResolver
from shared.testing.clock import FakeClock, FixedEntropy
from tests.support.model_server import (
    ModelServer,
    Play,
    anthropic_reply,
    bedrock_reply,
    cuts,
    drips,
    gemini_reply,
    hangs,
    model_server,
    openai_reply,
    says,
)

KEY = "test-key-" + "k" * 20
SECRET = Secret(KEY.encode())
PROMPT = Prompt("the system's text", "the user's text", SCHEMA, SCHEMA_NAME, 900)
TEXT = '{"summary": [], "explanations": []}'
AWS_ID, AWS_SECRET = "AKID" + "X" * 16, "s" * 40


@dataclass(frozen=True)
class Spoken:
    """One vendor, as the tests need it.

    Attributes:
        at: makes the adapter that calls a base address.
        reply: makes a reply of a text and a reason.
        declined, cut_short: its words for an answer that was declined, and for one that was cut.
        credential: the header that the key is in.
    """

    at: Callable[[str], Vendor]
    reply: Callable[..., dict[str, Any]]
    path: str
    declined: tuple[str, ...]
    cut_short: tuple[str, ...]
    credential: str


VENDORS: Mapping[str, Spoken] = {
    "anthropic": Spoken(
        lambda base: Anthropic("claude-x", SECRET, base), anthropic_reply, "/v1/messages",
        ("refusal",), ("max_tokens", "model_context_window_exceeded", "pause_turn", "tool_use", "something new"), "x-api-key",
    ),
    "openai": Spoken(
        lambda base: OpenAI("gpt-x", SECRET, f"{base}/v1"), openai_reply, "/v1/chat/completions",
        ("content_filter",), ("length", "tool_calls", "something new"), "authorization",
    ),
    "azure_openai": Spoken(
        lambda base: AzureOpenAI("deployment", SECRET, f"{base}/"), openai_reply, "/openai/v1/chat/completions",
        ("content_filter",), ("length",), "api-key",
    ),
    "gemini": Spoken(
        lambda base: Gemini("gemini-x", SECRET, base), gemini_reply, "/v1beta/models/gemini-x:generateContent",
        ("SAFETY", "RECITATION", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST"), ("MAX_TOKENS", "MALFORMED_FUNCTION_CALL", "OTHER"), "x-goog-api-key",
    ),
    "bedrock": Spoken(
        lambda base: Bedrock("vendor.model-v1:0", "eu-west-1", AWS_ID, Secret(AWS_SECRET.encode()), base_url=base), bedrock_reply,
        "/model/vendor.model-v1%3A0/converse", ("guardrail_intervened", "content_filtered"),
        ("max_tokens", "malformed_model_output", "tool_use", "model_context_window_exceeded"), "authorization",
    ),
    "openai_compatible": Spoken(
        lambda base: OpenAICompatible("local", f"{base}/v1/", SECRET), openai_reply, "/v1/chat/completions",
        ("content_filter",), ("length",), "authorization",
    ),
}  # fmt: skip
every_vendor = pytest.mark.parametrize("name", VENDORS)


def asking(
    name: str, server: ModelServer, clock: Clock | None = None, breakers: Breakers | None = None, owner: str = "org"
) -> AskedModel:
    clock = clock or SystemClock()
    policy = replace(POLICY, loopback=frozenset({server.endpoint}), plain_http=frozenset({server.endpoint}))
    return AskedModel(
        VENDORS[name].at(server.url),
        guarded(EgressGuard(policy, SystemResolver(), SystemClock())),
        owner=owner,
        clock=clock,
        entropy=FixedEntropy("jitter"),
        breakers=breakers or Breakers(clock),
    )


@every_vendor
def test_an_answer_is_read_with_what_it_cost(name: str) -> None:
    spoken = VENDORS[name]
    with model_server(says(spoken.reply(TEXT))) as server:
        assert asking(name, server).ask(PROMPT, within_seconds=10) == Answer(TEXT, 11, 7)
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", spoken.path)
    assert asked.headers["content-type"] == "application/json"
    assert (AWS_ID if name == "bedrock" else KEY) in asked.headers[spoken.credential]
    assert KEY not in asked.path + asked.content.decode()
    assert AWS_SECRET not in str(asked)


def test_anthropic_is_asked_in_its_form() -> None:
    with model_server(says(anthropic_reply(TEXT))) as server:
        asking("anthropic", server).ask(PROMPT, within_seconds=10)
    (asked,) = server.asked
    assert asked.headers["anthropic-version"] == "2023-06-01"
    assert asked.body == {
        "model": "claude-x",
        "max_tokens": 900,
        "system": PROMPT.system,
        "messages": [{"role": "user", "content": PROMPT.user}],
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    }


@pytest.mark.parametrize("name, more", [
    ("openai", {"model": "gpt-x", "max_completion_tokens": 900, "store": False}),
    ("azure_openai", {"model": "deployment", "max_completion_tokens": 900}),
    ("openai_compatible", {"model": "local", "max_tokens": 900}),
])  # fmt: skip
def test_chat_completions_are_asked_in_their_form(name: str, more: dict[str, Any]) -> None:
    with model_server(says(openai_reply(TEXT))) as server:
        asking(name, server).ask(PROMPT, within_seconds=10)
    schema = {"name": SCHEMA_NAME, "strict": True, "schema": SCHEMA}
    assert server.asked[0].body == {
        "messages": [{"role": "system", "content": PROMPT.system}, {"role": "user", "content": PROMPT.user}],
        "response_format": {"type": "json_schema", "json_schema": schema},
        **more,
    }


def test_gemini_is_asked_in_its_form() -> None:
    with model_server(says(gemini_reply(TEXT))) as server:
        asking("gemini", server).ask(PROMPT, within_seconds=10)
    assert server.asked[0].body == {
        "systemInstruction": {"parts": [{"text": PROMPT.system}]},
        "contents": [{"role": "user", "parts": [{"text": PROMPT.user}]}],
        "generationConfig": {
            "responseMimeType": "application/json", "responseJsonSchema": SCHEMA, "maxOutputTokens": 900, "candidateCount": 1,
        },
    }  # fmt: skip


def test_bedrock_is_asked_as_the_vendors_own_model_of_its_api_wants_it() -> None:
    with model_server(says(bedrock_reply(TEXT))) as server:
        asking("bedrock", server).ask(PROMPT, within_seconds=10)
    body = server.asked[0].body
    converse = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2")).operation_model("Converse")
    assert (
        ParamValidator().validate({"modelId": "vendor.model-v1:0", **body}, converse.input_shape).generate_report()
        == ""
    )
    assert json.loads(body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"]) == SCHEMA


def test_bedrocks_signature_is_that_of_the_specification() -> None:
    with model_server(says(bedrock_reply(TEXT))) as server:
        asking("bedrock", server).ask(PROMPT, within_seconds=10)
    (asked,) = server.asked
    fields = dict(
        part.split("=", 1) for part in asked.headers["authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(", ")
    )
    day, region, service, end = fields["Credential"].split("/")[1:]
    assert (region, service, end) == ("eu-west-1", "bedrock", "aws4_request")
    names = fields["SignedHeaders"].split(";")
    assert {"host", "x-amz-date"} <= set(names)
    canonical = "\n".join([
        "POST", quote(asked.path, safe="/"), "", *(f"{name}:{asked.headers[name]}" for name in names), "", ";".join(names),
        hashlib.sha256(asked.content).hexdigest(),
    ])  # fmt: skip
    scope = f"{day}/{region}/{service}/{end}"
    to_sign = "\n".join([
        "AWS4-HMAC-SHA256", asked.headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest(),
    ])  # fmt: skip
    key = f"AWS4{AWS_SECRET}".encode()
    for part in (day, region, service, end):
        key = hmac.digest(key, part.encode(), "sha256")
    assert hmac.new(key, to_sign.encode(), "sha256").hexdigest() == fields["Signature"]


@every_vendor
def test_a_model_that_declines_is_not_asked_again(name: str) -> None:
    spoken = VENDORS[name]
    for reason in spoken.declined:
        with model_server(says(spoken.reply("I will not", reason))) as server, pytest.raises(ModelDeclined) as caught:
            asking(name, server).ask(PROMPT, within_seconds=10)
        assert len(server.asked) == 1
        assert (caught.value.input_tokens, caught.value.output_tokens) == (11, 7)


@every_vendor
def test_an_answer_that_is_not_whole_is_none_and_its_price_is_known(name: str) -> None:
    spoken = VENDORS[name]
    for reason in spoken.cut_short:
        with model_server(says(spoken.reply(TEXT, reason))) as server, pytest.raises(AnswerUnusable) as caught:
            asking(name, server).ask(PROMPT, within_seconds=10)
        assert (caught.value.input_tokens, caught.value.output_tokens) == (11, 7)


@pytest.mark.parametrize("play", [
    says(openai_reply(None, refusal="I will not")),
    says({"error": {"code": "content_filter", "message": "x"}}, 400),
], ids=["a refusal", "a filter before it"])  # fmt: skip
def test_other_ways_in_which_openai_declines(play: Play) -> None:
    with model_server(play) as server, pytest.raises(ModelDeclined):
        asking("azure_openai", server).ask(PROMPT, within_seconds=10)


def test_other_ways_in_which_gemini_declines() -> None:
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 5}}
    with model_server(says(blocked)) as server, pytest.raises(ModelDeclined):
        asking("gemini", server).ask(PROMPT, within_seconds=10)


@every_vendor
@pytest.mark.parametrize("body", [
    b"", b"<html>", b"[]", b"{}", b"null", b'{"a": 1, "a": 2}', b"\xff\xfe", b'{"choices": [], "content": 3, "candidates": {}, "output": []}',
    b'{"choices": [{"message": {"content": 3}, "finish_reason": ["stop"]}], "usage": {"prompt_tokens": "many"}}', b"[" * 5_000,
], ids=range(10))  # fmt: skip
def test_what_is_no_answer_of_the_vendors_form_is_none(name: str, body: bytes) -> None:
    with model_server(says(body)) as server, pytest.raises(AnswerUnusable):
        asking(name, server).ask(PROMPT, within_seconds=10)
    assert len(server.asked) == 1


@every_vendor
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
def test_a_busy_vendor_is_asked_again(name: str, status: int) -> None:
    spoken = VENDORS[name]
    busy = says({"error": {"message": "busy"}}, status)
    with model_server(busy, busy, says(spoken.reply(TEXT))) as server:
        assert asking(name, server, FakeClock()).ask(PROMPT, within_seconds=30).text == TEXT
    assert len(server.asked) == 3


@every_vendor
@pytest.mark.parametrize("status, fault", [
    (400, "request"), (401, "access"), (403, "access"), (404, "model"), (413, "request"), (422, "request"), (301, "answer"), (204, "answer"),
])  # fmt: skip
def test_what_waiting_cannot_help_is_not_tried_again(name: str, status: int, fault: str) -> None:
    content = b"" if status == 204 else json.dumps({"error": {"message": f"the key {KEY} is wrong"}}).encode()
    with model_server(says(content, status)) as server, pytest.raises(ModelMisconfigured) as caught:
        asking(name, server, FakeClock()).ask(PROMPT, within_seconds=30)
    assert len(server.asked) == 1
    assert caught.value.facts == {"fault": fault, "vendor_status": status}
    assert KEY not in f"{caught.value!r} {caught.value} {caught.value.detail}"


def test_a_used_up_account_is_no_busy_vendor() -> None:
    with (
        model_server(says({"error": {"code": "insufficient_quota"}}, 429)) as server,
        pytest.raises(ModelMisconfigured),
    ):
        asking("openai", server, FakeClock()).ask(PROMPT, within_seconds=30)
    assert len(server.asked) == 1


def test_a_wrong_key_of_gemini_is_told_apart_from_a_wrong_request() -> None:
    body = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}
    with model_server(says(body, 400)) as server, pytest.raises(ModelMisconfigured) as caught:
        asking("gemini", server).ask(PROMPT, within_seconds=10)
    assert caught.value.facts["fault"] == "access"


@pytest.mark.parametrize("spelled", ["7", "date"])
def test_a_vendor_that_says_how_long_is_left_alone_so_long(spelled: str) -> None:
    clock = FakeClock()
    value = format_datetime(clock.now() + timedelta(seconds=7), usegmt=True) if spelled == "date" else spelled
    with model_server(says({}, 429, Retry_After=value), says(openai_reply(TEXT))) as server:
        asking("openai", server, clock).ask(PROMPT, within_seconds=30)
    assert 7 <= clock.monotonic_seconds() < 8


def test_a_pause_longer_than_what_is_left_is_not_waited_for() -> None:
    clock = FakeClock()
    with model_server(says({}, 429, Retry_After="120")) as server, pytest.raises(ModelAway) as caught:
        asking("openai", server, clock).ask(PROMPT, within_seconds=30)
    assert (len(server.asked), clock.monotonic_seconds()) == (1, 0)
    assert caught.value.retry_after_seconds == 121


@pytest.mark.parametrize("value", ["", "soon", "-1", "1e9", "99999999999999999999", "Thu, 99 Foo 2026"])
def test_a_pause_in_no_known_form_is_none(value: str) -> None:
    clock = FakeClock()
    with model_server(says({}, 503, Retry_After=value), says(openai_reply(TEXT))) as server:
        asking("openai", server, clock).ask(PROMPT, within_seconds=30)
    assert clock.monotonic_seconds() < 2


def test_attempts_have_an_end_and_pauses_grow_with_jitter() -> None:
    clock = FakeClock()
    with model_server(says({}, 500)) as server, pytest.raises(ModelAway):
        asking("openai", server, clock).ask(PROMPT, within_seconds=1_000)
    assert len(server.asked) == MOST_ATTEMPTS
    assert 0 < clock.monotonic_seconds() < 0.5 + 1 + 2 + 0.001


@pytest.mark.parametrize("play", [hangs(), drips()], ids=["a hang", "a drip"])
def test_nothing_outlives_the_deadline(play: Play) -> None:
    began = time.monotonic()
    with model_server(play) as server, pytest.raises(ModelAway):
        asking("openai", server).ask(PROMPT, within_seconds=1.5)
    assert time.monotonic() - began < 3.0
    assert len(server.asked) == 1


def test_a_connection_that_is_cut_is_tried_again() -> None:
    with model_server(cuts(), cuts(b""), says(openai_reply(TEXT))) as server:
        assert asking("openai", server, FakeClock()).ask(PROMPT, within_seconds=30).text == TEXT
    assert len(server.asked) == 3


def test_a_flood_is_cut() -> None:
    flood = says(openai_reply("x" * (3 * POLICY.most_response_bytes)))
    with model_server(flood) as server, pytest.raises(AnswerUnusable):
        asking("openai", server).ask(PROMPT, within_seconds=20)
    assert len(server.asked) == 1


def test_a_redirect_is_not_followed() -> None:
    with model_server(says(b"", 307, Location="http://127.0.0.1:1/")) as server, pytest.raises(ModelMisconfigured):
        asking("openai", server).ask(PROMPT, within_seconds=10)


def test_an_endpoint_inside_is_not_called() -> None:
    clock = SystemClock()
    model = AskedModel(
        OpenAICompatible("x", "https://169.254.169.254/v1", SECRET),
        guarded(EgressGuard(POLICY, SystemResolver(), clock)),
        owner="org", clock=clock, entropy=SystemEntropy(), breakers=Breakers(clock),
    )  # fmt: skip
    with pytest.raises(EgressRefused):
        model.ask(PROMPT, within_seconds=5)


def test_who_does_not_answer_is_left_alone_for_a_while_and_nobody_else_is() -> None:
    clock = FakeClock()
    breakers = Breakers(clock)
    with model_server(says({}, 500)) as server:
        model = asking("openai", server, clock, breakers)
        for _ in range(MOST_FAILURES):
            with pytest.raises(ModelAway):
                model.ask(PROMPT, within_seconds=30)
        before = len(server.asked)
        with pytest.raises(ModelAway) as caught:
            model.ask(PROMPT, within_seconds=30)
        assert len(server.asked) == before, "an open breaker lets calls through"
        assert caught.value.retry_after_seconds
        with pytest.raises(ModelAway):  # another organisation's key is another breaker
            asking("openai", server, clock, breakers, owner="another").ask(PROMPT, within_seconds=30)
        assert len(server.asked) > before
        clock.advance(OPEN_SECONDS)
        server.plays[:] = [says(openai_reply(TEXT))]
        assert model.ask(PROMPT, within_seconds=30).text == TEXT
        assert model.ask(PROMPT, within_seconds=30).text == TEXT


def test_after_the_pause_one_call_finds_out_for_all() -> None:
    clock = FakeClock()
    breakers = Breakers(clock)
    for _ in range(MOST_FAILURES):
        breakers.note("e", answered=False)
    clock.advance(OPEN_SECONDS)
    breakers.check("e")
    with pytest.raises(ModelAway):
        breakers.check("e")
    breakers.note("e", answered=True)
    breakers.check("e")


@every_vendor
def test_no_form_of_a_vendor_shows_its_key(name: str) -> None:
    vendor = VENDORS[name].at("http://127.0.0.1:1")
    request = vendor.request(PROMPT)
    for shown in (repr(vendor), repr(request), str(vendor)):
        assert KEY not in shown
        assert AWS_SECRET not in shown
    assert urlsplit(request.url).query == ""
