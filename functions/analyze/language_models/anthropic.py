"""Anthropic's Messages API.

Source: https://platform.claude.com/docs/en/api/messages; .../docs/en/build-with-claude/structured-outputs;
.../docs/en/build-with-claude/handling-stop-reasons; .../docs/en/api/errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.ports.language_model import Answer, ModelFailed, Prompt
from shared.ports.secret_store import Secret

from .exchange import Document, Request, finished, post, texts, tokens_of

_VERSION = "2023-06-01"
_REASONS = {"end_turn": True, "stop_sequence": True, "refusal": False}
_INPUTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


@dataclass(frozen=True, slots=True)
class Anthropic:
    """One model under one API key."""

    model: str
    api_key: Secret
    base_url: str = "https://api.anthropic.com"
    name: ClassVar[str] = "anthropic"

    @property
    def url(self) -> str:
        return f"{self.base_url}/v1/messages"

    def request(self, prompt: Prompt) -> Request:
        headers = {"x-api-key": self.api_key.reveal().decode(), "anthropic-version": _VERSION}
        body = {
            "model": self.model,
            "max_tokens": prompt.most_output_tokens,
            "system": prompt.system,
            "messages": [{"role": "user", "content": prompt.user}],
            "output_config": {"format": {"type": "json_schema", "schema": prompt.schema}},
        }
        return post(self.url, headers, body)

    def answer(self, found: Document) -> Answer:
        content = found.get("content")
        written = (
            [item for item in content if isinstance(item, dict) and item.get("type") == "text"]
            if isinstance(content, list)
            else []
        )
        tokens = tokens_of(found, "usage", _INPUTS, ("output_tokens",))
        return finished(found.get("stop_reason"), _REASONS, texts(written), tokens)

    def failure(self, _status: int, _found: Document) -> ModelFailed | None:
        return None
