"""How a call to a user-given URL fails. Owns the reason words; none of them says what a name resolved to."""

from __future__ import annotations

from typing import Literal

from shared.http.errors import AppError

Reason = Literal[
    "length", "character", "scheme", "userinfo", "host", "name", "number", "port", "destination",
    "redirect", "method", "header", "body",
]  # fmt: skip

_DETAILS: dict[Reason, str] = {
    "length": "the URL is too long",
    "character": "the URL holds a character that must be percent-encoded or that no URL may hold",
    "scheme": "the URL must begin with https://",
    "userinfo": "the URL must not hold a user name or password",
    "host": "the host is not a well-formed public domain name or address",
    "name": "this name is reserved for private or special use",
    "number": "an address in a URL must be four decimal numbers without leading zeros, or an IPv6 address in brackets",
    "port": "this port is not allowed",
    "destination": "the host does not lead to the public internet",
    "redirect": "the server redirects to where this call must not follow",
    "method": "this method is not allowed",
    "header": "a header is not well-formed or is not the caller's to set",
    "body": "the body is too large to send",
}


class EgressRefused(AppError):
    """422 `egress_refused`: the URL, or where it leads, is not allowed; `reason` is one word."""

    code, status, title = "egress_refused", 422, "This URL is not allowed"

    def __init__(self, reason: Reason) -> None:
        super().__init__(_DETAILS[reason], reason=reason)
        self.reason: Reason = reason


class EgressFailed(AppError):
    """502 `egress_failed`: the server could not be reached, its certificate is wrong, or it does not speak HTTP."""

    code, status, title = "egress_failed", 502, "The server behind the URL did not answer as it should"


class EgressTimeout(AppError):
    """504 `egress_timeout`: the whole exchange took longer than the policy allows."""

    code, status, title = "egress_timeout", 504, "The server behind the URL took too long"


class EgressTooLarge(AppError):
    """502 `egress_too_large`: the answer is larger than the policy allows."""

    code, status, title = "egress_too_large", 502, "The server behind the URL answered with too much"
