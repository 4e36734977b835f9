"""The Chat Completions API: OpenAI's own, Azure's, and what others offer in its form.

Source: https://platform.openai.com/docs/api-reference/chat/create; .../docs/guides/structured-outputs;
.../docs/guides/error-codes; https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle (the v1 API);
https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from shared.ports.language_model import Answer, ModelDeclined, ModelFailed, ModelMisconfigured, Prompt
from shared.ports.secret_store import Secret

from .exchange import Document, Request, fail, finished, member, post, tokens_of

_REASONS = {"stop": True, "content_filter": False}
_DECLINED = frozenset({"content_filter", "content_policy_violation"})


@dataclass(frozen=True, slots=True)
class OpenAI:
    """One model of OpenAI's under one API key."""

    model: str
    api_key: Secret
    base_url: str = "https://api.openai.com/v1"
    name: ClassVar[str] = "openai"

    @property
    def url(self) -> str:
        return f"{self.base_url}/chat/completions"

    def request(self, prompt: Prompt) -> Request:
        body = {**_body(self.model, prompt), "max_completion_tokens": prompt.most_output_tokens, "store": False}
        return post(self.url, _bearer(self.api_key), body)

    def answer(self, found: Document) -> Answer:
        return _answer(found)

    def failure(self, status: int, found: Document) -> ModelFailed | None:
        return _failure(status, found)


@dataclass(frozen=True, slots=True)
class AzureOpenAI:
    """One deployment of an Azure resource, by its key.

    Attributes:
        model: name of the deployment.
        endpoint: of the resource, e.g. `https://example.openai.azure.com`.
    """

    model: str
    api_key: Secret
    endpoint: str
    name: ClassVar[str] = "azure_openai"

    @property
    def url(self) -> str:
        return f"{self.endpoint.rstrip('/')}/openai/v1/chat/completions"

    def request(self, prompt: Prompt) -> Request:
        body = {**_body(self.model, prompt), "max_completion_tokens": prompt.most_output_tokens}
        return post(self.url, {"api-key": self.api_key.reveal().decode()}, body)

    def answer(self, found: Document) -> Answer:
        return _answer(found)

    def failure(self, status: int, found: Document) -> ModelFailed | None:
        return _failure(status, found)


@dataclass(frozen=True, slots=True)
class OpenAICompatible:
    """One model behind an endpoint of somebody's own.

    Attributes:
        endpoint: what `/chat/completions` stands below, e.g. `https://models.example.com/v1`.
        api_key: None where the endpoint asks for none.
    """

    model: str
    endpoint: str
    api_key: Secret | None = None
    name: ClassVar[str] = "openai_compatible"

    @property
    def url(self) -> str:
        return f"{self.endpoint.rstrip('/')}/chat/completions"

    def request(self, prompt: Prompt) -> Request:
        body = {**_body(self.model, prompt), "max_tokens": prompt.most_output_tokens}
        headers = _bearer(self.api_key) if self.api_key is not None else {}
        return post(self.url, headers, body)

    def answer(self, found: Document) -> Answer:
        return _answer(found)

    def failure(self, status: int, found: Document) -> ModelFailed | None:
        return _failure(status, found)


def _bearer(api_key: Secret) -> dict[str, str]:
    return {"Authorization": f"Bearer {api_key.reveal().decode()}"}


def _body(model: str, prompt: Prompt) -> dict[str, Any]:
    return {
        "model": model,
        "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": prompt.schema_name, "strict": True, "schema": prompt.schema},
        },
    }


def _answer(found: Document) -> Answer:
    tokens = tokens_of(found, "usage", ("prompt_tokens",), ("completion_tokens",))
    choice = member(found, "choices", 0)
    message = member(choice, "message")
    if message.get("refusal"):
        fail(ModelDeclined(), tokens)
    content = message.get("content")
    return finished(choice.get("finish_reason"), _REASONS, content if isinstance(content, str) else "", tokens)


def _failure(status: int, found: Document) -> ModelFailed | None:
    error: Mapping[str, Any] = member(found, "error")
    if (
        status == 429 and error.get("code") == "insufficient_quota"
    ):  # what was paid for is used up: waiting does not help
        return ModelMisconfigured("access", vendor_status=status)
    return ModelDeclined() if status == 400 and error.get("code") in _DECLINED else None
