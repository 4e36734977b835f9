"""An organisation's own language model: set up, shown without its credentials, tested, forgotten; and what was asked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.analyze.language_models.breakers import MOST_FAILURES
from functions.analyze.language_models.choosing import Choice
from functions.analyze.narrating import narrate
from functions.analyze.wiring import PLATFORM_SECRET, check_platform_model, credentials_place
from shared.http.errors import AppError
from shared.ports.errors import CiphertextRefused
from shared.security.actor import Actor, Role
from shared.security.envelope import Place
from tests.support.analyze_function import AnalyzeFunction, AnalyzeOrg
from tests.support.database import ClonedDatabase
from tests.support.http_app import SETTINGS
from tests.support.model_server import ModelServer, answers, model_server, openai_reply, says
from tests.support.obedient_model import GOOD, answer, ids_in
from tests.support.plan_facts import facts, finding

KEY = "key-of-ours-" + "k" * 24
ANTHROPIC = {"provider": "anthropic", "model": "claude-x", "credentials": {"api_key": KEY}}
BEDROCK = {
    "provider": "bedrock", "model": "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/x", "region": "eu-west-1",
    "credentials": {"access_key_id": "AKID" + "X" * 16, "secret_access_key": KEY, "session_token": KEY},
}  # fmt: skip
AZURE = {
    "provider": "azure_openai",
    "model": "d",
    "endpoint": "https://93.184.216.34/",
    "credentials": {"api_key": KEY},
}


def own(server: ModelServer) -> dict[str, Any]:
    return {
        "provider": "openai_compatible",
        "model": "local",
        "endpoint": f"{server.url}/v1",
        "credentials": {"api_key": KEY},
    }


def org_beside(database: ClonedDatabase, server: ModelServer, plan: str = "team", **settings: Any) -> AnalyzeOrg:
    """Make an organisation whose process may call a server on loopback."""
    bypass = ":".join(map(str, server.endpoint))
    return AnalyzeOrg.make(
        AnalyzeFunction(database, settings=replace(SETTINGS, egress_bypass=bypass, **settings)), plan
    )


def actor_of(org: AnalyzeOrg, plan: str = "team") -> Actor:
    return Actor("human", "00000000-0000-7000-8000-000000000001", org_id=org.id, role=Role.ADMIN, plan=plan)


def explaining(text: str = GOOD) -> Any:
    """Play a model that says one thing of every finding."""
    return answers(lambda asked: openai_reply(answer(ids_in(asked.body["messages"][1]["content"]), text)))


def put(org: AnalyzeOrg, body: Any) -> Any:
    return org.done("PUT", "/llm-config", body, role="admin")


@pytest.mark.parametrize("wish", [ANTHROPIC, BEDROCK, AZURE], ids=lambda wish: str(wish["provider"]))
def test_credentials_are_never_read_back(org: AnalyzeOrg, wish: dict[str, Any]) -> None:
    shown = put(org, wish)
    again = org.done("GET", "/llm-config", role="admin")
    assert shown == again
    assert (shown["source"], shown["provider"], shown["model"]) == ("own", wish["provider"], wish["model"])
    row = org.function.database.owner.run("select c::text from analysis.llm_configs c where org_id = :id", id=org.id)[
        0
    ][0]
    everything = json.dumps([shown, org.audits()]) + row
    for secret in wish["credentials"].values():
        assert secret not in everything
    assert KEY.encode().hex() not in everything


def test_without_one_the_view_says_what_is_asked_instead(org: AnalyzeOrg) -> None:
    assert org.done("GET", "/llm-config", role="admin")["source"] == "none"
    org.refused("DELETE", "/llm-config", None, 404, "not_found", role="admin")
    org.refused("POST", "/llm-config/test", None, 404, "not_found", role="admin")


def test_it_is_replaced_as_a_whole_and_forgotten(org: AnalyzeOrg) -> None:
    put(org, BEDROCK)
    shown = put(org, ANTHROPIC)
    assert (shown["region"], shown["endpoint"]) == (None, None)
    org.refused("PUT", "/llm-config", {"provider": "anthropic", "model": "x"}, 422, "invalid", role="admin")
    assert org.done("DELETE", "/llm-config", status=204, role="admin") is None
    assert org.done("GET", "/llm-config", role="admin")["source"] == "none"
    assert [action for action, _ in org.audits()] == [
        "analyze:llm_config:changed", "analyze:llm_config:changed", "analyze:llm_config:deleted",
    ]  # fmt: skip


@pytest.mark.parametrize("wish, field", [
    (ANTHROPIC | {"temperature": 1}, "temperature"),
    (ANTHROPIC | {"credentials": {"api_key": KEY, "apikey": KEY}}, "credentials.apikey"),
    (ANTHROPIC | {"severity_floor": "low"}, "severity_floor"),
])  # fmt: skip
def test_an_unknown_field_is_400_and_named(org: AnalyzeOrg, wish: dict[str, Any], field: str) -> None:
    problem = org.refused("PUT", "/llm-config", wish, 400, "unknown_field", role="admin")
    assert [item["field"] for item in problem["errors"]] == [field]
    assert KEY not in json.dumps(problem)


@pytest.mark.parametrize("wish", [
    {"provider": "anthropic", "model": "x"},
    {"provider": "nobody", "model": "x", "credentials": {"api_key": KEY}},
    ANTHROPIC | {"model": "../../x y"},
    ANTHROPIC | {"endpoint": "https://example.com"},
    ANTHROPIC | {"credentials": {"api_key": "with space in it"}},
    ANTHROPIC | {"credentials": {"api_key": "line\r\nInjected: yes"}},
    BEDROCK | {"region": "eu-west-1.evil.example/"},
    BEDROCK | {"credentials": {"access_key_id": "AKID" + "X" * 16}},
    AZURE | {"endpoint": "https://93.184.216.34/?key=x"},
    {key: value for key, value in AZURE.items() if key != "endpoint"},
], ids=range(10))  # fmt: skip
def test_what_does_not_fit_its_provider_is_refused_without_repeating_it(org: AnalyzeOrg, wish: dict[str, Any]) -> None:
    problem = org.refused("PUT", "/llm-config", wish, 422, "invalid", role="admin")
    assert KEY not in json.dumps(problem)


@pytest.mark.parametrize("endpoint", [
    "http://93.184.216.34/v1", "https://127.0.0.1/v1", "https://169.254.169.254/v1", "https://10.0.0.1/", "https://metadata.google.internal/",
    "https://localhost/v1", "https://user:pass@93.184.216.34/", "https://93.184.216.34:8443/v1", "https://[::1]/v1",
])  # fmt: skip
def test_an_endpoint_that_leads_inside_is_refused(org: AnalyzeOrg, endpoint: str) -> None:
    wish = {"provider": "openai_compatible", "model": "x", "endpoint": endpoint}
    org.refused("PUT", "/llm-config", wish, 422, "egress_refused", role="admin")
    assert org.done("GET", "/llm-config", role="admin")["source"] == "none"


@pytest.mark.parametrize("method, path", [
    ("GET", "/llm-config"), ("PUT", "/llm-config"), ("DELETE", "/llm-config"), ("POST", "/llm-config/test"), ("GET", "/llm-usage"),
])  # fmt: skip
def test_members_have_no_say(org: AnalyzeOrg, method: str, path: str) -> None:
    org.refused(method, path, ANTHROPIC if method == "PUT" else None, 403, "role_required", role="member")


def test_a_ciphertext_opens_in_its_own_place_alone_and_carries_its_endpoint(org: AnalyzeOrg) -> None:
    put(org, AZURE)
    row = org.function.database.owner.run(
        "select id, credentials_encrypted from analysis.llm_configs where org_id = :id", id=org.id
    )[0]
    envelope = org.function.deps.envelope
    choice = Choice.of_sealed(envelope.open(bytes(row[1]), credentials_place(org.id, row[0])))
    assert (choice.endpoint, choice.credentials["api_key"].reveal().decode()) == (AZURE["endpoint"], KEY)
    other = AnalyzeOrg.make(org.function)
    for place in (credentials_place(other.id, row[0]), Place("analysis.llm_configs", "endpoint", org.id, row[0])):
        with pytest.raises(CiphertextRefused):
            envelope.open(bytes(row[1]), place)


def test_an_endpoint_that_is_changed_in_the_database_gets_no_key(database: ClonedDatabase) -> None:
    with model_server(explaining()) as ours, model_server(explaining()) as theirs:
        org = org_beside(database, ours)
        put(org, own(ours))
        database.owner.run("update analysis.llm_configs set endpoint = :url", url=f"{theirs.url}/v1")
        narrate(org.function.deps, actor_of(org), facts())
        assert (len(ours.asked), len(theirs.asked)) == (1, 0)


def test_a_test_asks_the_model_and_says_what_is_wrong(database: ClonedDatabase) -> None:
    with model_server(says(openai_reply('{"word": "drift"}'))) as server:
        org = org_beside(database, server)
        put(org, own(server))
        found = org.done("POST", "/llm-config/test", role="admin")
        assert (found["is_working"], found["input_tokens"], found["output_tokens"]) == (True, 11, 7)
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
        for play, status, code in (
            (says({"error": {"message": f"bad key {KEY}"}}, 401), 422, "model_misconfigured"),
            (says({}, 500), 503, "model_away"),
            (says(openai_reply("no", "content_filter")), 422, "model_declined"),
            (says(openai_reply("not what was asked for")), 502, "model_answer_unusable"),
        ):
            server.plays[:] = [play]
            problem = org.refused("POST", "/llm-config/test", None, status, code, role="admin")
            assert KEY not in json.dumps(problem)
    usage = org.done("GET", "/llm-usage", role="admin")
    (line,) = usage["items"]
    assert (line["source"], line["provider"], line["model"]) == ("own", "openai_compatible", "local")
    assert (line["calls"], line["failures"]) == (5, 4)
    assert usage["totals"] == {"calls": 5, "failures": 4, "input_tokens": 33, "output_tokens": 21}


def test_an_own_model_explains_without_a_cap_and_is_counted(database: ClonedDatabase) -> None:
    with model_server(explaining()) as server:
        org = org_beside(database, server, plan="free")
        put(org, own(server))
        for _ in range(8):
            narrative = narrate(org.function.deps, actor_of(org, "free"), facts())
            assert (narrative.source, narrative.model) == ("own", "openai_compatible/local")
            assert narrative.explanations[0].why.text == GOOD
    usage = org.done("GET", "/llm-usage", role="admin")
    assert (usage["totals"]["calls"], usage["totals"]["failures"], usage["totals"]["input_tokens"]) == (8, 0, 88)


def test_the_platforms_model_is_asked_as_often_as_the_plan_allows_and_a_refused_call_costs_nothing(
    database: ClonedDatabase,
) -> None:
    with model_server(explaining()) as server:
        org = org_beside(
            database, server, "free",
            llm_provider="openai_compatible", llm_model="ours", llm_endpoint=f"{server.url}/v1",
        )  # fmt: skip
        org.function.world.secrets.add_version(PLATFORM_SECRET, KEY.encode())
        assert org.done("GET", "/llm-config", role="admin") == {
            "source": "platform", "provider": "openai_compatible", "model": "ours", "endpoint": None, "region": None, "updated_at": None,
        }  # fmt: skip
        told = [narrate(org.function.deps, actor_of(org, "free"), facts()) for _ in range(7)]
        assert [item.source for item in told] == ["platform"] * 5 + ["template"] * 2
        assert "used up" in told[-1].note
        assert told[-1].explanations[0].why.author == "template"
        assert len(server.asked) == 5
        org.function.clock.advance(timedelta(days=8).total_seconds())
        assert narrate(org.function.deps, actor_of(org, "free"), facts()).source == "platform"
    totals = org.done("GET", "/llm-usage", role="admin")["totals"]
    assert (totals["calls"], totals["failures"]) == (6, 0)


def test_a_platforms_model_that_is_left_alone_costs_nothing(database: ClonedDatabase) -> None:
    with model_server(says({}, 500)) as server:
        org = org_beside(
            database, server, "team",
            llm_provider="openai_compatible", llm_model="ours", llm_endpoint=f"{server.url}/v1",
        )  # fmt: skip
        org.function.world.secrets.add_version(PLATFORM_SECRET, KEY.encode())
        for _ in range(MOST_FAILURES + 3):
            assert "did not answer" in narrate(org.function.deps, actor_of(org), facts()).note
    used = database.owner.run("select used from core.model_calls where org_id = :id and period = 'hour'", id=org.id)
    assert used == [[MOST_FAILURES]]


@pytest.mark.parametrize("settings, told", [
    ({"llm_provider": "opnai", "llm_model": "x"}, "DW_LLM_PROVIDER must be one of"),
    ({"llm_provider": "openai"}, "DW_LLM_MODEL"),
    ({"llm_provider": "openai_compatible", "llm_model": "x"}, "DW_LLM_ENDPOINT"),
    ({"llm_provider": "bedrock", "llm_model": "x"}, "DW_LLM_REGION"),
])  # fmt: skip
def test_settings_of_the_platforms_model_that_cannot_work_stop_the_start(settings: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        check_platform_model(replace(SETTINGS, **settings))  # type: ignore[arg-type]  # every one is a text
    check_platform_model(SETTINGS)
    check_platform_model(replace(SETTINGS, llm_provider="anthropic", llm_model="x"))


def test_a_plan_without_findings_costs_no_call(database: ClonedDatabase) -> None:
    with model_server(explaining()) as server:
        org = org_beside(database, server)
        put(org, own(server))
        assert narrate(org.function.deps, actor_of(org), replace(facts(), findings=())).source == "template"
        assert not server.asked


@pytest.mark.parametrize("play, words", [
    (says({}, 500), "did not answer"),
    (says({}, 401), "not set up"),
    (says(openai_reply("no", "content_filter")), "declined"),
    (says(openai_reply("{", "length")), "could not be used"),
    (says(openai_reply("I would rather write prose")), "could not be used"),
    (explaining("All of this is safe to apply to the account."), "borne out"),
], ids=["away", "misconfigured", "declined", "cut", "prose", "nothing left"])  # fmt: skip
def test_a_model_that_fails_costs_its_sentences_and_nothing_else(
    database: ClonedDatabase, play: Any, words: str
) -> None:
    with model_server(play) as server:
        org = org_beside(database, server)
        put(org, own(server))
        narrative = narrate(org.function.deps, actor_of(org), facts())
    assert words in narrative.note
    assert {item.why.author for item in narrative.explanations} == {"template"}
    totals = org.done("GET", "/llm-usage", role="admin")["totals"]
    assert (totals["calls"], totals["failures"]) == (1, 1)


def test_an_outage_of_kms_of_the_secret_store_or_of_the_database_never_fails_an_analysis(
    database: ClonedDatabase,
) -> None:
    with model_server(explaining()) as server:
        org = org_beside(
            database, server, llm_provider="openai_compatible", llm_model="ours", llm_endpoint=f"{server.url}/v1"
        )
        deps = org.function.deps
        org.function.world.secrets.is_away = True
        assert "could not be asked" in narrate(deps, actor_of(org), facts()).note
        put(org, own(server))
        org.function.vault.is_away = True
        assert "could not be asked" in narrate(deps, actor_of(org), facts()).note

    class Broken:
        def unit(self, *_: object) -> None:
            raise AppError("the database is away")

    class Bug:
        def unit(self, *_: object) -> None:
            raise ZeroDivisionError

    for db in (Broken(), Bug()):
        narrative = narrate(replace(deps, db=db), actor_of(org), facts(finding()))  # type: ignore[arg-type]
        assert "could not be asked" in narrative.note
        assert narrative.explanations


def test_one_organisation_sees_nothing_of_anothers_model(org: AnalyzeOrg) -> None:
    put(org, ANTHROPIC)
    other = AnalyzeOrg.make(org.function)
    assert other.done("GET", "/llm-config", role="admin")["source"] == "none"
    other.refused("DELETE", "/llm-config", None, 404, "not_found", role="admin")
    assert other.done("GET", "/llm-usage", role="admin")["items"] == []
    assert org.done("GET", "/llm-config", role="admin")["source"] == "own"


def test_credentials_are_wrapped_anew_after_a_rotation(org: AnalyzeOrg) -> None:
    put(org, ANTHROPIC)
    org.function.vault.add_wrapping_key("model-credentials")
    org.function.tick("analyze-sealed-columns")
    versions = org.function.database.owner.run("select credentials_key_version from analysis.llm_configs")
    assert [row[0] for row in versions] == [2]
    row = org.function.database.owner.run("select id, credentials_encrypted from analysis.llm_configs")[0]
    opened = org.function.deps.envelope.open(bytes(row[1]), credentials_place(org.id, row[0]))
    assert Choice.of_sealed(opened).credentials["api_key"].reveal().decode() == KEY
