"""What a SCIM request can be refused with, and the shape it is told in. Source: RFC 7644 section 3.12, RFC 9865 section 2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from shared.http.errors import AppError

ERROR_URN: Final = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimError(AppError):
    """A refusal with SCIM's own keyword.

    Attributes:
        scim_type: the keyword of RFC 7644 table 9 or RFC 9865; None where the status says it all.
    """

    code, status, title = "scim_refused", 400, "The SCIM request is refused"
    scim_type: ClassVar[str | None] = None


class InvalidFilter(ScimError):
    """400 `invalidFilter`: the filter's syntax is wrong, or attribute and comparison do not go together."""

    code, status, title = "invalid_filter", 400, "The filter is not valid"
    scim_type = "invalidFilter"


class TooMany(ScimError):
    """400 `tooMany`: the request asks for more than is done at once."""

    code, status, title = "too_many", 400, "The request asks for too much at once"
    scim_type = "tooMany"


class Uniqueness(ScimError):
    """409 `uniqueness`: another resource has this value."""

    code, status, title = "uniqueness", 409, "Another resource has this value"
    scim_type = "uniqueness"


class Mutability(ScimError):
    """400 `mutability`: the attribute cannot be changed so."""

    code, status, title = "mutability", 400, "The attribute cannot be changed"
    scim_type = "mutability"


class InvalidSyntax(ScimError):
    """400 `invalidSyntax`: the body is not of the message's form."""

    code, status, title = "invalid_syntax", 400, "The body is not of the right form"
    scim_type = "invalidSyntax"


class InvalidPath(ScimError):
    """400 `invalidPath`: the path of an operation is not well-formed, or names no attribute."""

    code, status, title = "invalid_path", 400, "The path is not valid"
    scim_type = "invalidPath"


class NoTarget(ScimError):
    """400 `noTarget`: nothing is where the path points."""

    code, status, title = "no_target", 400, "The path points at nothing"
    scim_type = "noTarget"


class InvalidValue(ScimError):
    """400 `invalidValue`: a value is missing, or not of the attribute's type; the detail names the path."""

    code, status, title = "invalid_value", 400, "A value is not valid"
    scim_type = "invalidValue"


class InvalidCursor(ScimError):
    """400 `invalidCursor`: the cursor is not one of this list's. Source: RFC 9865 section 2.1."""

    code, status, title = "invalid_cursor", 400, "The cursor is not valid"
    scim_type = "invalidCursor"


class ExpiredCursor(ScimError):
    """400 `expiredCursor`: the cursor was good once. Source: RFC 9865 section 2.3."""

    code, status, title = "expired_cursor", 400, "The cursor has expired"
    scim_type = "expiredCursor"


class InvalidCount(ScimError):
    """400 `invalidCount`: the page size is not the one that the cursor was made with. Source: RFC 9865 section 2.4."""

    code, status, title = "invalid_count", 400, "The count is not valid"
    scim_type = "invalidCount"


class VersionMismatch(ScimError):
    """412: the resource is no longer of the version that `If-Match` names."""

    code, status, title = "version_mismatch", 412, "The resource was changed in the meantime"


class BulkTooLarge(ScimError):
    """413: more operations or bytes than a bulk request may have. Source: RFC 7644 section 3.7.4."""

    code, status, title = "bulk_too_large", 413, "The bulk request is too large"


class CircularReference(ScimError):
    """409: operations of a bulk request wait for each other. Source: RFC 7644 section 3.7.1."""

    code, status, title = "circular_reference", 409, "Operations of the bulk request wait for each other"


class ReferenceUnknown(ScimError):
    """409 `invalidValue`: a `bulkId:` names no operation that made a resource. Source: RFC 7644 section 3.7.2."""

    code, status, title = "reference_unknown", 409, "A bulkId names nothing"
    scim_type = "invalidValue"


def error_body(status: int, detail: str, scim_type: str | None = None) -> Mapping[str, object]:
    """Return the error message of SCIM; the status is a text in it, as RFC 7644 section 3.12 has it."""
    body: dict[str, object] = {"schemas": [ERROR_URN], "status": str(status)}
    if scim_type is not None:
        body["scimType"] = scim_type
    return {**body, "detail": detail}
