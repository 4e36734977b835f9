"""Tells a verdict in words: by the organisation's own model, by the platform's, or by the templates alone. Never fails.

Owns which model is asked and what is counted. A model that is away, declines or talks nonsense costs its sentences and
nothing else: the analysis is answered with the templates' text and a note that says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from shared.data.model_quota import take_model_call
from shared.http.errors import AppError
from shared.ports.language_model import Answer, LanguageModel, ModelAway, ModelFailed
from shared.security.actor import Actor
from shared.telemetry.log import logger

from .domain.asking import ask_about
from .domain.claims import NoAnswer, accept
from .domain.facts import Facts
from .domain.narrative import Narrative, write
from .language_models.choosing import Choice
from .models.llm import Source
from .models.narratives import NarrativeView
from .queries import llm as queries
from .wiring import PLATFORM_SECRET, AnalyzeDeps, credentials_place

WITHIN_SECONDS: Final = 45.0
_LEAST_SECONDS = 2.0

_log = logger("narrating")
_BY_TEMPLATE: Final = "These texts are written from templates: "
_NOTES: Mapping[str, str] = {
    "model_calls_used": "your plan's calls to our language model are used up for now. A model key of your own has no cap.",
    "model_away": "the language model did not answer in time.",
    "model_misconfigured": "the language model is not set up as its vendor wants it; an administrator can test it.",
    "model_declined": "the language model declined to answer.",
    "model_answer_unusable": "the language model's answer could not be used.",
    "egress_refused": "the language model's endpoint must not be called.",
}
_TROUBLE: Final = "the language model could not be asked."
_NOTHING_LEFT: Final = "nothing that the language model wrote is borne out by the findings."


@dataclass(frozen=True, slots=True)
class Chosen:
    """A model, and whose it is."""

    model: LanguageModel
    source: Source
    provider: str
    name: str


def narrate(deps: AnalyzeDeps, actor: Actor, facts: Facts, *, within_seconds: float = WITHIN_SECONDS) -> Narrative:
    """Tell a verdict in words.

    Takes units of work of its own: call it outside of any.

    Args:
        deps: clients.
        actor: who asked, in the organisation that it is for.
        facts: the verdict.
        within_seconds: how long it may take, all in all.
    """
    written = write(facts)
    if not facts.findings or within_seconds < _LEAST_SECONDS:
        return written
    try:
        return _told(deps, actor, facts, written, deps.clock.monotonic_seconds() + within_seconds)
    except AppError as error:
        _log.warning("no model told the plan", code=error.code)
        return written.noting(_BY_TEMPLATE + _NOTES.get(error.code, _TROUBLE))
    except Exception:  # noqa: BLE001  # an explanation is worth less than the verdict, whatever went wrong
        _log.exception("a narrative failed")
        return written.noting(_BY_TEMPLATE + _TROUBLE)


def view_of(narrative: Narrative) -> NarrativeView:
    """Return a narrative as it is shown and stored."""
    return NarrativeView.model_validate(asdict(narrative))


def choose(deps: AnalyzeDeps, actor: Actor) -> Chosen | None:
    """Return the model that explains plans to an organisation, None when there is none; a call to the platform's is taken.

    Raises:
        ModelCallsUsed: (402 `model_calls_used`) the platform's may not be asked now.
        ModelAway: (503 `model_away`) the platform's did not answer lately and is left alone for now.
        ServiceAway: (503 `service_away`) KMS or Secret Manager did not answer.
    """
    with deps.db.unit(actor) as tx:
        row = queries.find_llm_config(tx)
        org_id = tx.org_id
    if row is not None and org_id is not None:
        opened = deps.envelope.open(bytes(row["credentials_encrypted"]), credentials_place(org_id, row["id"]))
        choice = Choice.of_sealed(opened)
        return Chosen(deps.models.own(choice, str(org_id)), "own", choice.provider, choice.model)
    settings = deps.settings
    if not settings.llm_provider:
        return None
    choice = Choice.of_operator(
        settings.llm_provider,
        settings.require("llm_model"),
        settings.llm_endpoint,
        settings.llm_region,
        deps.secrets.read(PLATFORM_SECRET),
    )
    model = deps.models.platform(choice)
    if model.is_resting:  # it would not be asked: then it costs nothing
        raise ModelAway
    with deps.db.unit(actor) as tx:
        take_model_call(tx, actor.plan, now=deps.clock.now())
    return Chosen(model, "platform", choice.provider, choice.model)


def count(deps: AnalyzeDeps, actor: Actor, chosen: Chosen, *, answer: Answer | ModelFailed, is_usable: bool) -> None:
    """Add a call to what was asked today; a database that is away loses a line of statistics and nothing else."""
    try:
        with deps.db.unit(actor) as tx:
            queries.count_llm_call(
                tx,
                day=deps.clock.now().date(),
                source=chosen.source,
                provider=chosen.provider,
                model=chosen.name,
                failures=0 if is_usable else 1,
                input_tokens=answer.input_tokens,
                output_tokens=answer.output_tokens,
            )
    except AppError as error:
        _log.warning("a model call was not counted", code=error.code)


def _told(deps: AnalyzeDeps, actor: Actor, facts: Facts, written: Narrative, ends_at: float) -> Narrative:
    chosen = choose(deps, actor)
    if chosen is None:
        return written
    prompt = ask_about(facts, deps.entropy)
    try:
        answer = chosen.model.ask(prompt, within_seconds=max(ends_at - deps.clock.monotonic_seconds(), _LEAST_SECONDS))
    except ModelFailed as error:
        count(deps, actor, chosen, answer=error, is_usable=False)
        raise
    try:
        accepted = accept(answer.text, facts)
    except NoAnswer:
        count(deps, actor, chosen, answer=answer, is_usable=False)
        return written.noting(_BY_TEMPLATE + _NOTES["model_answer_unusable"])
    has_said = bool(accepted.summary or accepted.why or accepted.action)
    count(deps, actor, chosen, answer=answer, is_usable=has_said)
    _log.info("a model told a plan", source=chosen.source, provider=chosen.provider, dropped=dict(accepted.dropped))
    told = written.told_by(accepted, chosen.source, f"{chosen.provider}/{chosen.name}")
    return told if has_said else told.noting(_BY_TEMPLATE + _NOTHING_LEFT)
