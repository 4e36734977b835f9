"""Errors as directories see them: below the root of SCIM every answer that is no success has SCIM's own shape.

Source: RFC 7644 section 3.12.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from shared.security.redact import redact

from .errors import AppError
from .problems import add_error_headers

if TYPE_CHECKING:
    from flask import Response

ROOT: Final = "/scim/v2/"
MEDIA_TYPE: Final = "application/scim+json"
ERROR_SCHEMA: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
_TYPES = {"malformed_request": "invalidSyntax", "invalid": "invalidValue"}  # of errors that are not SCIM's own


def status_of(error: AppError | type[AppError]) -> int:
    """Return the status that a directory gets: the standard knows no 422, what is not valid is a 400 to it."""
    return HTTPStatus.BAD_REQUEST if error.status == HTTPStatus.UNPROCESSABLE_ENTITY else error.status


def scim_error_body(error: AppError) -> dict[str, object]:
    """Return the members of an error document; `status` is a string, as the standard wants it."""
    body: dict[str, object] = {"schemas": [ERROR_SCHEMA], "status": str(int(status_of(error)))}
    scim_type = getattr(error, "scim_type", "") or _TYPES.get(error.code, "")
    if scim_type:
        body["scimType"] = scim_type
    return {**body, "detail": redact(error.detail or error.title, has_people=True)}


def render_scim_error(error: AppError) -> Response:
    """Render an error as a response."""
    from flask import Response

    response = Response(json.dumps(scim_error_body(error)), status=int(status_of(error)), mimetype=MEDIA_TYPE)
    add_error_headers(response, error)
    return response
