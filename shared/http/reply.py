"""What a handler answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel


class Chunks(Protocol):
    """Bytes that come one after the other, of what has to be closed."""

    def __iter__(self) -> Iterator[bytes]:
        """Yield them."""
        ...

    def close(self) -> None:
        """Let go of what they hold; called once or more, begun or not."""
        ...


@dataclass(slots=True)
class Reply:
    """One answer.

    Attributes:
        status: HTTP status.
        body: JSON-ready value, or None for no body.
        headers: more headers.
        content: bytes to send instead of JSON.
        content_type: of the body, or of the bytes.
        cookies: values of `Set-Cookie` fields.
        chunks: bytes to send as they come, instead of `content`; closed when they were sent, or were not.
        shown_once: top-level members that are left out when the answer is stored for a repeated request.
    """

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    content_type: str = "application/json"
    shown_once: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()
    chunks: Chunks | None = None

    @classmethod
    def ok(cls, body: BaseModel | Mapping[str, Any]) -> Reply:
        """Answer 200 with a body."""
        return cls(200, _json(body))

    @classmethod
    def created(cls, body: BaseModel, *, shown_once: tuple[str, ...] = ()) -> Reply:
        """Answer 201 with what was made."""
        return cls(201, _json(body), shown_once=shown_once)

    @classmethod
    def accepted(cls, body: BaseModel | Mapping[str, Any]) -> Reply:
        """Answer 202: the work goes on in the background."""
        return cls(202, _json(body))

    @classmethod
    def no_content(cls) -> Reply:
        """Answer 204."""
        return cls(204)

    @classmethod
    def redirect(cls, location: str) -> Reply:
        """Answer 302; the location is ours or the sign-in provider's, never the caller's."""
        return cls(302, headers={"Location": location, "Cache-Control": "no-store"})

    @classmethod
    def see_other(cls, location: str) -> Reply:
        """Answer 303: go on with GET; the location as for `redirect`."""
        return cls(303, headers={"Location": location, "Cache-Control": "no-store"})

    @classmethod
    def text(cls, content: str, content_type: str) -> Reply:
        """Answer 200 with a text of another type than JSON."""
        return cls(200, content=content.encode(), content_type=f"{content_type}; charset=utf-8")

    @classmethod
    def stream(cls, chunks: Chunks, content_type: str) -> Reply:
        """Answer 200 with bytes that come over time; nothing in between keeps them together or keeps them."""
        headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store, no-transform"}
        return cls(200, chunks=chunks, content_type=f"{content_type}; charset=utf-8", headers=headers)

    def storable_body(self) -> Any:
        """Return the body without what is shown only once."""
        if self.shown_once and isinstance(self.body, Mapping):
            return {name: None if name in self.shown_once else value for name, value in self.body.items()}
        return self.body


def _json(body: BaseModel | Mapping[str, Any]) -> Any:
    return body.model_dump(mode="json") if isinstance(body, BaseModel) else body
