"""One request and one answer, as the stand-ins see them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked.

    Attributes:
        method: in capitals.
        path: without query, unquoted.
        query: in order; names may come more than once.
        headers: names in lower case.
        body: the bytes.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes = b""

    @classmethod
    def of(cls, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Request:
        """Read a request line's target."""
        parts = urlsplit(target)
        return cls(
            method,
            unquote(parts.path),
            tuple(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in headers.items()},
            body,
        )

    def values(self, name: str) -> list[str]:
        """Return every value of a query parameter."""
        return [value for known, value in self.query if known == name]

    def value(self, name: str) -> str:
        """Return the first value of a query parameter, empty when there is none."""
        return next(iter(self.values(name)), "")

    @property
    def form(self) -> dict[str, str]:
        """Return the body as a form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace")))

    @property
    def document(self) -> dict[str, Any]:
        """Return the body as a JSON object; an empty one when it is none."""
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def bearer(self) -> str:
        """Return the access token, empty when there is none."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token if kind.lower() == "bearer" else ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back.

    Attributes:
        status: status code.
        document: JSON; None for no body.
        headers: further headers.
        content: the bytes, where they are no JSON.
    """

    status: int
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None

    @property
    def body(self) -> bytes:
        """Return the bytes to send."""
        if self.content is not None:
            return self.content
        return b"" if self.document is None else json.dumps(self.document).encode()
