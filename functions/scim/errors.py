"""Errors of the routes that people call; what a directory is told stands in `domain.errors`."""

from __future__ import annotations

from shared.http.errors import AppError


class TokenLimitReached(AppError):
    """409 `scim_token_limit_reached`: two tokens work, which is what a rotation takes."""

    code, status, title = (
        "scim_token_limit_reached",
        409,
        "An organisation has at most two live SCIM tokens; revoke one",
    )


class TokenRevoked(AppError):
    """409 `scim_token_revoked`: it was revoked before."""

    code, status, title = "scim_token_revoked", 409, "The token was revoked before"


class TokenExpiryPast(AppError):
    """422 `expiry_past`: the expiry lies in the past."""

    code, status, title = "expiry_past", 422, "The expiry lies in the past"


class LastOwner(AppError):
    """403 `last_owner`: an organisation is never without an owner, whatever its directory says."""

    code, status, title = "last_owner", 403, "The last owner of the organisation cannot be taken out by its directory"


class UnknownMember(AppError):
    """404 `unknown_member`: a group names somebody whom the organisation's directory does not have."""

    code, status, title = "unknown_member", 404, "There is no such user"


class NoPerson(AppError):
    """501 `no_person`: a directory's token stands for no person. Source: RFC 7644 section 3.11."""

    code, status, title = "no_person", 501, "A SCIM token stands for no person, so there is no /Me"


class FilterForbidden(AppError):
    """403 `filter_forbidden`: what the service says about itself is not filtered. Source: RFC 7644 section 4."""

    code, status, title = "filter_forbidden", 403, "This list takes no filter"
