"""What every vendor's adapter is made of: a request as that vendor documents it, and how its replies are read. Sends nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn, Protocol, TypeAlias

from shared.http.errors import MalformedRequest
from shared.http.strict_json import parse_json
from shared.ports.language_model import (
    Answer,
    AnswerUnusable,
    ModelAway,
    ModelDeclined,
    ModelFailed,
    ModelMisconfigured,
    Prompt,
)

Document: TypeAlias = Mapping[str, Any]

_MOST_TOKENS = 100_000_000
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504, 529})  # 529: Anthropic, overloaded


@dataclass(frozen=True, slots=True)
class Request:
    """One POST.

    Attributes:
        url: where to.
        headers: with credentials in them.
        content: JSON.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


class Vendor(Protocol):
    """One vendor's form of question and answer, with the credentials to ask.

    Attributes:
        name: the vendor, as in a configuration.
    """

    name: ClassVar[str]

    @property
    def model(self) -> str:
        """The model, as the vendor calls it."""
        ...

    @property
    def url(self) -> str:
        """Where it is asked; no secret stands in it."""
        ...

    def request(self, prompt: Prompt) -> Request:
        """Write the question; made anew for each attempt, as signatures carry the time."""
        ...

    def answer(self, found: Document) -> Answer:
        """Read what came with status 200.

        Raises:
            ModelDeclined, AnswerUnusable: see `shared.ports.language_model`.
        """
        ...

    def failure(self, status: int, found: Document, /) -> ModelFailed | None:
        """Say what this vendor means by a status and a body, where it is not what everybody means by the status."""
        ...


def post(url: str, headers: Mapping[str, str], body: Document) -> Request:
    """Make a request of a JSON body."""
    content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return Request(url, {"Content-Type": "application/json", "Accept": "application/json", **headers}, content)


def read(vendor: Vendor, status: int, content: bytes) -> Answer:
    """Read a vendor's reply.

    Raises:
        ModelFailed: one of those that `shared.ports.language_model` names.
    """
    found = _document(content)
    if status == 200:
        if found is None:
            raise AnswerUnusable
        return vendor.answer(found)
    raise vendor.failure(status, found or {}) or failure_of(status)


def failure_of(status: int) -> ModelFailed:
    """Return what everybody means by a status."""
    if status in _BUSY:
        return ModelAway()
    if status in {401, 402, 403}:
        return ModelMisconfigured("access", vendor_status=status)
    if status in {404, 410}:
        return ModelMisconfigured("model", vendor_status=status)
    if 400 <= status < 500:
        return ModelMisconfigured("request", vendor_status=status)
    return ModelAway() if status >= 500 else ModelMisconfigured("answer", vendor_status=status)


def finished(reason: object, reasons: Mapping[str, bool], text: str, tokens: tuple[int, int]) -> Answer:
    """Return the answer, when the vendor says that it is whole.

    Args:
        reason: why the model stopped, in the vendor's words.
        reasons: reason -> whether the answer is whole; False where the model declined. Any other means that it was cut.
        text: what it wrote.
        tokens: input and output.

    Raises:
        ModelDeclined, AnswerUnusable: with what they cost.
    """
    whole = reasons.get(reason) if isinstance(reason, str) else None
    if whole and text:
        return Answer(text, *tokens)
    return fail(ModelDeclined() if whole is False else AnswerUnusable(), tokens)


def fail(error: ModelFailed, tokens: tuple[int, int]) -> NoReturn:
    """Raise an error with what the answer cost."""
    error.input_tokens, error.output_tokens = tokens
    raise error


def tokens_of(found: Document, usage: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> tuple[int, int]:
    """Return how many tokens a vendor counted, added up over some members; what is no number counts as nothing."""
    counted = member(found, usage)
    return sum(_number(counted.get(name)) for name in inputs), sum(_number(counted.get(name)) for name in outputs)


def member(found: Document, *path: str | int) -> Document:
    """Return an object inside a document, an empty one where there is none."""
    value: Any = found
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and -len(value) <= step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def texts(items: object, name: str = "text") -> str:
    """Return the texts of a list of objects, put together."""
    found = [item.get(name) for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
    return "".join(text for text in found if isinstance(text, str))


def _document(content: bytes) -> Document | None:
    try:
        found = parse_json(content)
    except MalformedRequest:
        return None
    return found if isinstance(found, Mapping) else None


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS else 0
