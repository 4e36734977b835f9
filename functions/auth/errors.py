"""Every error of its own that the auth function can answer."""

from __future__ import annotations

from enum import StrEnum

from shared.http.errors import AppError


class SignInFailed(AppError):
    """401 `sign_in_failed`: the provider refused, or its answer does not fit the sign-in that was begun."""

    code, status, title = "sign_in_failed", 401, "The sign-in failed; start again"


class ProviderAway(AppError):
    """503 `provider_away`: the identity provider does not answer."""

    code, status, title = "provider_away", 503, "The identity provider does not answer"


class EmailUnverified(AppError):
    """403 `email_unverified`: the provider does not vouch for the e-mail address."""

    code, status, title = "email_unverified", 403, "Your identity provider has not verified your e-mail address"


class SamlRefused(AppError):
    """401 `saml_refused`: the identity provider's answer was not accepted; `reason` is for the audit log alone.

    The caller is told nothing else: whoever forges answers would learn from it how far the last one came.
    """

    code, status, title = "saml_refused", 401, "The sign-in was refused; start again, or ask your administrator"

    def __init__(self, reason: StrEnum) -> None:
        super().__init__()
        self.reason = reason


class SamlMetadataInvalid(AppError):
    """422 `saml_metadata_invalid`: the identity provider's metadata cannot be used; `detail` tells the administrator why."""

    code, status, title = "saml_metadata_invalid", 422, "The identity provider's metadata cannot be used"
