"""Calls on language models: the organisation's own, a test of it, and what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import cast

from shared.http.call import Call
from shared.http.reply import Reply
from shared.ports.language_model import AnswerUnusable, ModelFailed, Prompt
from shared.ports.secret_store import Secret
from shared.security.errors import NotFound
from shared.security.passages import Passage, wrap

from ..domain.claims import SCHEMA_NAME
from ..errors import UnknownField
from ..language_models.choosing import Choice
from ..models.llm import (
    Credentials,
    LlmConfigView,
    LlmTestView,
    LlmTotalsView,
    LlmUsagePage,
    LlmUsageQuery,
    LlmUsageView,
    Provider,
    PutLlmConfig,
)
from ..narrating import Chosen, count
from ..queries import llm as queries
from ..wiring import AnalyzeDeps, credentials_place

_TEST_SECONDS = 20.0
_TEST_TOKENS = 2_000
_TEST_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["word"],
    "properties": {"word": {"type": "string"}},
}
_TEST_INSTRUCTIONS = 'Answer with one JSON object whose member "word" is the word that stands in the data.'


def get_llm_config(call: Call, deps: AnalyzeDeps) -> Reply:
    """Show whose model explains this organisation's plans; never its credentials."""
    with deps.db.unit(call.actor) as tx:
        row = queries.find_llm_config(tx)
    return Reply.ok(LlmConfigView.of(row) if row is not None else _platform(deps))


def put_llm_config(call: Call, deps: AnalyzeDeps) -> Reply:
    """Set up a model of the organisation's own, or replace it as a whole."""
    _refuse_unknown(call)
    wish = call.body(PutLlmConfig)
    if wish.endpoint is not None:
        deps.egress.check(wish.endpoint)
    config_id = deps.entropy.uuid()
    secrets = {name: Secret(value.encode()) for name, value in wish.credentials.given().items()}
    choice = Choice(wish.provider, wish.model, wish.endpoint, wish.region, secrets)
    sealed = deps.envelope.seal(choice.sealed_text(), credentials_place(call.org_id, config_id))
    with deps.db.unit(call.actor) as tx:
        row = queries.put_llm_config(
            tx,
            id=config_id,
            provider=wish.provider,
            model=wish.model,
            endpoint=wish.endpoint,
            region=wish.region,
            credentials_encrypted=sealed,
            now=deps.clock.now(),
        )
        facts = {"provider": wish.provider, "model": wish.model, "endpoint": wish.endpoint}
        tx.audit("analyze:llm_config:changed", "llm_config", config_id, **facts)
        tx.emit("org-events", {"event": "analyze:llm_config:changed", "provider": row["provider"]})
    return Reply.ok(LlmConfigView.of(row))


def delete_llm_config(call: Call, deps: AnalyzeDeps) -> Reply:
    """Forget the organisation's own model and its credentials."""
    with deps.db.unit(call.actor) as tx:
        row = queries.delete_llm_config(tx)
        facts = {"provider": row["provider"], "model": row["model"]}
        tx.audit("analyze:llm_config:deleted", "llm_config", row["id"], **facts)
        tx.emit("org-events", {"event": "analyze:llm_config:deleted", "provider": row["provider"]})
    return Reply.no_content()


def test_llm_config(call: Call, deps: AnalyzeDeps) -> Reply:
    """Ask the organisation's own model something small, and say whether the answer can be used."""
    with deps.db.unit(call.actor) as tx:
        row = queries.find_llm_config(tx)
        if row is None:
            raise NotFound
        tx.audit("analyze:llm_config:tested", "llm_config", row["id"], provider=row["provider"], model=row["model"])
    opened = deps.envelope.open(bytes(row["credentials_encrypted"]), credentials_place(call.org_id, row["id"]))
    choice = Choice.of_sealed(opened)
    chosen = Chosen(deps.models.own(choice, str(call.org_id)), "own", choice.provider, choice.model)
    wrapped = wrap(_TEST_INSTRUCTIONS, [Passage("Word", "drift")], deps.entropy)
    prompt = Prompt(wrapped.system, wrapped.user, _TEST_SCHEMA, SCHEMA_NAME, _TEST_TOKENS)
    began_at = deps.clock.monotonic_seconds()
    try:
        answer = chosen.model.ask(prompt, within_seconds=_TEST_SECONDS)
    except ModelFailed as error:
        count(deps, call.actor, chosen, answer=error, is_usable=False)
        raise
    is_usable = '"word"' in answer.text
    count(deps, call.actor, chosen, answer=answer, is_usable=is_usable)
    if not is_usable:
        raise AnswerUnusable
    view = LlmTestView(
        is_working=True,
        seconds=round(deps.clock.monotonic_seconds() - began_at, 3),
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
    )
    return Reply.ok(view)


def show_llm_usage(call: Call, deps: AnalyzeDeps) -> Reply:
    """Show what was asked, by day and model, own and the platform's."""
    days = call.query(LlmUsageQuery).days
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_llm_usage(tx, after_day=deps.clock.now().date() - timedelta(days=days))
    items = [LlmUsageView.of(row) for row in rows]
    totals = LlmTotalsView(
        calls=sum(item.calls for item in items),
        failures=sum(item.failures for item in items),
        input_tokens=sum(item.input_tokens for item in items),
        output_tokens=sum(item.output_tokens for item in items),
    )
    return Reply.ok(LlmUsagePage(items=items, totals=totals))


def _platform(deps: AnalyzeDeps) -> LlmConfigView:
    settings = deps.settings
    if not settings.llm_provider:
        return LlmConfigView.of_platform(None, None)
    return LlmConfigView.of_platform(cast("Provider", settings.llm_provider), settings.llm_model)


def _refuse_unknown(call: Call) -> None:
    """Refuse members that no configuration has, before anything else: a misspelt credential must not pass for none.

    Raises:
        UnknownField: (400 `unknown_field`) names them.
    """
    if not isinstance(call.json, Mapping):
        return
    unknown = [name for name in call.json if name not in PutLlmConfig.model_fields]
    for name, field in PutLlmConfig.model_fields.items():
        inner = call.json.get(name)
        if field.annotation is Credentials and isinstance(inner, Mapping):
            unknown += [f"{name}.{part}" for part in inner if part not in Credentials.model_fields]
    if unknown:
        raise UnknownField(unknown)
