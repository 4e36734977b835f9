"""AWS clients whose calls are answered in this process: for services that the AWS stand-in does not have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any, TypeAlias, cast

import boto3

from functions.scan.readers.aws.base import Scope

ACCOUNT, REGION = "123456789012", "us-east-1"
Reply: TypeAlias = "Mapping[str, Any] | str"
Answer: TypeAlias = "Reply | Callable[[Mapping[str, Any]], Reply]"


@dataclass
class Replies:
    """Answers by `service:Operation`, or by `service:Operation@region`; a text is the code of an error.

    Attributes:
        answers: what is answered.
        asked: every call made, as (operation, region, arguments).
    """

    answers: dict[str, Answer]
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    message: str = ""

    def scope(self) -> Scope:
        """Return a scope whose clients are answered from here."""
        return Scope(ACCOUNT, REGION, "aws", lambda service: self._client(service, REGION), self._client)

    def __post_init__(self) -> None:
        self._client: Callable[[str, str], Any] = cache(self._made)

    def _made(self, service: str, region: str) -> Any:
        session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name=region)
        made = cast("Any", session).client(service)

        def answer(model: Any, params: Any, **_others: object) -> Any:
            name = f"{service}:{model.name}"
            wish = made_of.pop(model.name, {})
            self.asked.append((model.name, region, wish))
            found = self.answers.get(f"{name}@{region}", self.answers.get(name, "AccessDeniedException"))
            found = found(wish) if callable(found) else found
            if isinstance(found, str):
                message = self.message or "no"
                return SimpleNamespace(status_code=400), {
                    "Error": {"Code": found, "Message": message},
                    "ResponseMetadata": {},
                }
            return SimpleNamespace(status_code=200), {**found, "ResponseMetadata": {}}

        made_of: dict[str, dict[str, Any]] = {}

        def note(params: dict[str, Any], model: Any, **_others: object) -> None:
            made_of[model.name] = dict(params)

        made.meta.events.register("provide-client-params.*.*", note)
        made.meta.events.register("before-call.*.*", answer)
        return made
