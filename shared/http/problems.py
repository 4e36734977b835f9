"""Errors as callers see them: problem details. The only place that renders an error. Source: RFC 9457."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from shared.security.redact import redact
from shared.telemetry.context import current_request_id

from .errors import AppError, MethodNotAllowed
from .reply import Reply

if TYPE_CHECKING:
    from flask import Response


PROBLEM_TYPE: Final = "application/problem+json"


def problem_body(error: AppError, request_id: str) -> dict[str, object]:
    """Return the members of a problem document."""
    body: dict[str, object] = {
        "type": f"urn:driftwise:problem:{error.code}",
        "code": error.code,
        "title": error.title,
        "status": error.status,
        "request_id": request_id,
    }
    if error.detail:
        body["detail"] = error.detail
    return {**error.facts, **body}


def problem_reply(error: AppError) -> Reply:
    """Return an error as an answer that can be settled: the work was done and kept, and the caller is refused all the same."""
    body = redact(problem_body(error, current_request_id()), has_people=True)
    return Reply(error.status, body, content_type=PROBLEM_TYPE)


def render_problem(error: AppError, request_id: str) -> Response:
    """Render an error as a response."""
    from flask import Response

    response = Response(
        json.dumps(redact(problem_body(error, request_id), has_people=True)),  # its people are the caller's own
        status=error.status,
        mimetype=PROBLEM_TYPE,
    )
    add_error_headers(response, error)
    return response


def add_error_headers(response: Response, error: AppError) -> None:
    """Add what an error says beside its body, whatever shape that has."""
    if error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="driftwise"'
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(str(name) for name in error.facts.get("allowed", ()))  # type: ignore[attr-defined]
