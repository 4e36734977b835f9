"""Amazon Bedrock's Converse API, signed with Signature Version 4.

botocore signs, and does nothing else here: the request goes out through the egress guard like every other.
Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html;
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

from shared.ports.language_model import Answer, ModelAway, ModelFailed, Prompt
from shared.ports.secret_store import Secret

from .exchange import Document, Request, finished, member, post, texts, tokens_of

_REASONS = {
    "end_turn": True, "stop_sequence": True, "guardrail_intervened": False, "content_filtered": False,
}  # fmt: skip
_INPUTS = ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")


@dataclass(frozen=True, slots=True)
class Bedrock:
    """One model, or inference profile, in one region, by an access key.

    Attributes:
        model: id or ARN.
        session_token: of temporary credentials.
    """

    model: str
    region: str
    access_key_id: str
    secret_access_key: Secret
    session_token: Secret | None = None
    base_url: str = ""
    name: ClassVar[str] = "bedrock"

    @property
    def url(self) -> str:
        base = self.base_url or f"https://bedrock-runtime.{self.region}.amazonaws.com"
        return f"{base}/model/{quote(self.model, safe='')}/converse"

    def request(self, prompt: Prompt) -> Request:
        schema = {"name": prompt.schema_name, "schema": json.dumps(prompt.schema)}
        body = {
            "system": [{"text": prompt.system}],
            "messages": [{"role": "user", "content": [{"text": prompt.user}]}],
            "inferenceConfig": {"maxTokens": prompt.most_output_tokens},
            "outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}},
        }
        return self._signed(post(self.url, {}, body))

    def answer(self, found: Document) -> Answer:
        tokens = tokens_of(found, "usage", _INPUTS, ("outputTokens",))
        content = member(found, "output", "message").get("content")
        return finished(found.get("stopReason"), _REASONS, texts(content), tokens)

    def failure(self, status: int, _found: Document) -> ModelFailed | None:
        return ModelAway() if status == 424 else None  # ModelErrorException: the model failed, not the request

    def _signed(self, request: Request) -> Request:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        token = self.session_token.reveal().decode() if self.session_token is not None else None
        credentials = Credentials(self.access_key_id, self.secret_access_key.reveal().decode(), token)
        signing = AWSRequest("POST", request.url, {"Content-Type": "application/json"}, request.content)
        SigV4Auth(credentials, "bedrock", self.region).add_auth(signing)
        return Request(request.url, {**request.headers, **dict(signing.headers.items())}, request.content)
