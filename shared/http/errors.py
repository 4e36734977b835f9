"""The one base of every error that a caller may see. Domain code raises; only `shared.http` renders."""

from __future__ import annotations

from typing import ClassVar


class AppError(Exception):
    """An error with a public face (RFC 9457).

    A subclass sets `code` (stable, snake_case), `status` and `title`; an instance adds `detail` and facts.
    Facts are shown to the caller: never put a secret, a foreign id or a stack trace into one.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(self, detail: str | None = None, *, retry_after_seconds: int | None = None, **facts: object) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
        self.facts = facts


class MalformedRequest(AppError):
    """400 `malformed_request`: the request is not well-formed."""

    code, status, title = "malformed_request", 400, "The request is malformed"


class RouteNotFound(AppError):
    """404 `not_found`: no such path."""

    code, status, title = "not_found", 404, "Not found"


class MethodNotAllowed(AppError):
    """405 `method_not_allowed`: the path exists, with other methods."""

    code, status, title = "method_not_allowed", 405, "This method is not allowed here"


class BodyTooLarge(AppError):
    """413 `body_too_large`: the body is over the cap of this call."""

    code, status, title = "body_too_large", 413, "The body is too large"


class MediaTypeUnsupported(AppError):
    """415 `media_type_unsupported`: the body is of a type this call does not take."""

    code, status, title = "media_type_unsupported", 415, "This media type is not supported here"


class Invalid(AppError):
    """422 `invalid`: well-formed but not valid; `errors` names each field."""

    code, status, title = "invalid", 422, "The request is not valid"


class BodyTooSlow(AppError):
    """408 `body_too_slow`: the body did not arrive in time."""

    code, status, title = "body_too_slow", 408, "The body took too long to arrive"


class UriTooLong(AppError):
    """414 `uri_too_long`: the path or the query is over its cap."""

    code, status, title = "uri_too_long", 414, "The address is too long"


class HeadersTooLarge(AppError):
    """431 `headers_too_large`: there are too many headers, or they are too long."""

    code, status, title = "headers_too_large", 431, "The headers are too large"
