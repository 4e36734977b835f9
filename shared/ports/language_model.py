"""Language models: one question, one answer, and every way in which there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from shared.http.errors import AppError

Fault: TypeAlias = Literal["access", "model", "request", "answer"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question.

    Attributes:
        system: our instructions; from `shared.security.passages`, with its contract.
        user: the user's message.
        schema: JSON schema of the answer, in the subset that every vendor takes: objects that forbid further members and require
            all of theirs, arrays, strings, no limits.
        schema_name: letters, digits and underscores.
        most_output_tokens: what the answer may cost, reasoning included.
    """

    system: str
    user: str
    schema: Mapping[str, Any]
    schema_name: str
    most_output_tokens: int = 8_000


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. It was written by a stranger: read it as `functions/analyze/domain/claims.py` does, or not at all.

    Attributes:
        text: as the model wrote it.
        input_tokens, output_tokens: what the vendor counted; 0 when it does not say.
    """

    text: str
    input_tokens: int
    output_tokens: int


class LanguageModel(Protocol):
    """Asks one model of one vendor."""

    def ask(self, prompt: Prompt, *, within_seconds: float) -> Answer:
        """Ask once; trying again is part of it.

        Args:
            prompt: see there.
            within_seconds: the deadline of everything, waits included.

        Raises:
            ModelAway: (503 `model_away`) no answer in time, too many calls, or the vendor has trouble.
            ModelMisconfigured: (422 `model_misconfigured`) trying again cannot help.
            ModelDeclined: (422 `model_declined`) the vendor or the model will not answer this.
            AnswerUnusable: (502 `model_answer_unusable`) what came is no answer: cut short, empty, or in another form.
            EgressRefused: (422 `egress_refused`) its address must not be called.
        """
        ...


class ModelFailed(AppError):
    """Something that a model could not do; `input_tokens` and `output_tokens` are what it cost all the same."""

    input_tokens: int = 0
    output_tokens: int = 0


class ModelAway(ModelFailed):
    """503 `model_away`: the model did not answer in time, or is asked too often."""

    code, status, title = "model_away", 503, "The language model did not answer"

    def __init__(self, *, retry_after_seconds: int | None = None) -> None:
        super().__init__("try again later", retry_after_seconds=retry_after_seconds or 30)


class ModelMisconfigured(ModelFailed):
    """422 `model_misconfigured`: the vendor refuses the credentials, the model or the form of the request; `fault` says which."""

    code, status, title = "model_misconfigured", 422, "The language model is not set up as its vendor wants it"

    def __init__(self, fault: Fault, *, vendor_status: int) -> None:
        super().__init__(_FAULTS[fault], fault=fault, vendor_status=vendor_status)


class ModelDeclined(ModelFailed):
    """422 `model_declined`: the model, or a filter before it, will not answer."""

    code, status, title = "model_declined", 422, "The language model declined to answer"


class AnswerUnusable(ModelFailed):
    """502 `model_answer_unusable`: what came back is no answer in the form that was asked for."""

    code, status, title = "model_answer_unusable", 502, "The language model's answer cannot be used"


_FAULTS: dict[Fault, str] = {
    "access": "the vendor does not accept the credentials, or they may not use this model",
    "model": "the vendor does not know this model, deployment or endpoint",
    "request": "the vendor does not accept the request: does this model support structured output?",
    "answer": "what answers at this endpoint is no such vendor",
}
