"""Google's Gemini API.

Source: https://ai.google.dev/api/generate-content; https://ai.google.dev/gemini-api/docs/structured-output;
https://ai.google.dev/gemini-api/docs/troubleshooting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

from shared.ports.language_model import Answer, ModelDeclined, ModelFailed, ModelMisconfigured, Prompt
from shared.ports.secret_store import Secret

from .exchange import Document, Request, fail, finished, member, post, texts, tokens_of

_REASONS = {
    "STOP": True, "SAFETY": False, "RECITATION": False, "LANGUAGE": False, "BLOCKLIST": False, "PROHIBITED_CONTENT": False,
    "SPII": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gemini:
    """One model under one API key."""

    model: str
    api_key: Secret
    base_url: str = "https://generativelanguage.googleapis.com"
    name: ClassVar[str] = "gemini"

    @property
    def url(self) -> str:
        return f"{self.base_url}/v1beta/models/{quote(self.model, safe='')}:generateContent"

    def request(self, prompt: Prompt) -> Request:
        body = {
            "systemInstruction": {"parts": [{"text": prompt.system}]},
            "contents": [{"role": "user", "parts": [{"text": prompt.user}]}],
            "generationConfig": {
                "responseMimeType": "application/json",
                "responseJsonSchema": prompt.schema,
                "maxOutputTokens": prompt.most_output_tokens,
                "candidateCount": 1,
            },
        }
        return post(self.url, {"x-goog-api-key": self.api_key.reveal().decode()}, body)

    def answer(self, found: Document) -> Answer:
        tokens = tokens_of(
            found, "usageMetadata", ("promptTokenCount",), ("candidatesTokenCount", "thoughtsTokenCount")
        )
        if member(found, "promptFeedback").get("blockReason"):
            fail(ModelDeclined(), tokens)
        candidate = member(found, "candidates", 0)
        parts = member(candidate, "content").get("parts")
        said = (
            [part for part in parts if isinstance(part, dict) and not part.get("thought")]
            if isinstance(parts, list)
            else []
        )
        return finished(candidate.get("finishReason"), _REASONS, texts(said), tokens)

    def failure(self, status: int, found: Document) -> ModelFailed | None:
        details = member(found, "error").get("details")
        reasons = (
            {item.get("reason") for item in details if isinstance(item, dict)} if isinstance(details, list) else set()
        )
        is_key = status == 400 and "API_KEY_INVALID" in reasons
        return ModelMisconfigured("access", vendor_status=status) if is_key else None
