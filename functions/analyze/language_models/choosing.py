"""Whose model is asked, and how: a choice with its credentials becomes a model that can be asked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.ports.clock import Clock, Entropy
from shared.ports.language_model import ModelMisconfigured
from shared.ports.secret_store import Secret
from shared.security.egress import EgressGuard, EgressResponse

from .anthropic import Anthropic
from .asking import AskedModel, Sender, guarded
from .bedrock import Bedrock
from .breakers import Breakers
from .exchange import Request, Vendor
from .gemini import Gemini
from .openai import AzureOpenAI, OpenAI, OpenAICompatible

_KEY: Final = re.compile(r"[!-~]{8,4096}")


@dataclass(frozen=True, slots=True)
class Choice:
    """One model and what it takes to ask it.

    Attributes:
        provider, model: as in a configuration.
        endpoint: of `azure_openai` and `openai_compatible`.
        region: of `bedrock`.
        credentials: name to secret, as the provider needs them.
    """

    provider: str
    model: str
    endpoint: str | None = None
    region: str | None = None
    credentials: Mapping[str, Secret] = field(default_factory=dict)

    def sealed_text(self) -> Secret:
        """Return everything, to be sealed: where credentials go is sealed with them, and cannot be changed without them."""
        found = {name: secret.reveal().decode() for name, secret in self.credentials.items()}
        document = {
            "provider": self.provider,
            "model": self.model,
            "endpoint": self.endpoint,
            "region": self.region,
            "secrets": found,
        }
        return Secret(json.dumps(document).encode())

    @classmethod
    def of_sealed(cls, opened: Secret) -> Choice:
        """Read what `sealed_text` wrote."""
        found = json.loads(opened.reveal())
        secrets = {name: Secret(value.encode()) for name, value in found.pop("secrets").items()}
        return cls(**found, credentials=secrets)

    @classmethod
    def of_operator(cls, provider: str, model: str, endpoint: str, region: str, secret: Secret) -> Choice:
        """Make the platform's own from settings and its one secret: a key, or for `bedrock` a JSON object.

        A value that Secret Manager was given when it was made, and that nobody replaced, is no key.

        Raises:
            ModelMisconfigured: (422 `model_misconfigured`) the secret is not what the provider needs.
        """
        text = secret.reveal().decode("ascii", "replace").strip()
        try:
            given = json.loads(text) if provider == "bedrock" else {"api_key": text} if _KEY.fullmatch(text) else {}
            credentials = {str(name): Secret(str(value).encode()) for name, value in given.items()}
        except (ValueError, AttributeError):
            credentials = {}
        return cls(provider, model, endpoint or None, region or None, credentials)


class Models:
    """Makes models that can be asked; remembers which endpoints did not answer."""

    def __init__(self, guard: EgressGuard, clock: Clock, entropy: Entropy) -> None:
        self._guard = guard
        self._clock = clock
        self._entropy = entropy
        self._breakers = Breakers(clock)

    def own(self, choice: Choice, owner: str) -> AskedModel:
        """Return an organisation's own model; wherever it is, it is called through the egress guard.

        Raises:
            ModelMisconfigured: (422 `model_misconfigured`) the choice lacks something.
        """
        return self._asked(choice, guarded(self._guard), owner)

    def platform(self, choice: Choice) -> AskedModel:
        """Return the platform's; an endpoint that the operator names may lead into the operator's own network.

        Raises:
            ModelMisconfigured: (422 `model_misconfigured`) the choice lacks something.
        """
        return self._asked(choice, self._as_operator if choice.endpoint else guarded(self._guard), "platform")

    def _asked(self, choice: Choice, send: Sender, owner: str) -> AskedModel:
        return AskedModel(
            vendor_of(choice),
            send,
            owner=owner,
            clock=self._clock,
            entropy=self._entropy,
            breakers=self._breakers,
        )

    def _as_operator(self, request: Request, left_seconds: float) -> EgressResponse:
        from shared.security import operator_calls

        return operator_calls.call(
            "POST",
            request.url,
            service="language_model",
            clock=self._clock,
            headers=request.headers,
            content=request.content,
            within_seconds=left_seconds,
        )


def vendor_of(choice: Choice) -> Vendor:
    """Return a vendor's adapter.

    Raises:
        ModelMisconfigured: (422 `model_misconfigured`) the choice lacks something.
    """
    given = choice.credentials
    try:
        match choice.provider:
            case "anthropic":
                return Anthropic(choice.model, given["api_key"])
            case "openai":
                return OpenAI(choice.model, given["api_key"])
            case "azure_openai":
                return AzureOpenAI(choice.model, given["api_key"], _needed(choice.endpoint))
            case "gemini":
                return Gemini(choice.model, given["api_key"])
            case "bedrock":
                return Bedrock(
                    choice.model,
                    _needed(choice.region),
                    given["access_key_id"].reveal().decode(),
                    given["secret_access_key"],
                    given.get("session_token"),
                )
            case "openai_compatible":
                return OpenAICompatible(choice.model, _needed(choice.endpoint), given.get("api_key"))
            case _:
                raise ModelMisconfigured("model", vendor_status=0)
    except KeyError as error:
        raise ModelMisconfigured("access", vendor_status=0) from error


def _needed(value: str | None) -> str:
    if not value:
        raise KeyError
    return value
