"""What a caller hears who is unknown or not allowed. Nothing here says which check failed to a stranger."""

from __future__ import annotations

from shared.http.errors import AppError


class Unauthenticated(AppError):
    """401 `unauthenticated`: no credential, or one that is not valid."""

    code, status, title = "unauthenticated", 401, "Sign in or send a valid API key"


class RoleRequired(AppError):
    """403 `role_required`: the caller's role is too low."""

    code, status, title = "role_required", 403, "Your role does not allow this"


class ScopeRequired(AppError):
    """403 `scope_required`: the key lacks the scope."""

    code, status, title = "scope_required", 403, "The API key's scopes do not allow this"


class HumanRequired(AppError):
    """403 `human_required`: keys are refused here whatever their scope."""

    code, status, title = "human_required", 403, "Only a signed-in person may do this"


class KeyRequired(AppError):
    """403 `key_required`: people are refused here; this is for programs."""

    code, status, title = "key_required", 403, "Only an API key may do this"


class FreshLoginRequired(AppError):
    """403 `fresh_login_required`: the sign-in is older than the call allows."""

    code, status, title = "fresh_login_required", 403, "Sign in again to do this"


class SsoRequired(AppError):
    """403 `sso_required`: the organisation takes only people whom its own identity provider signed in."""

    code, status, title = "sso_required", 403, "Sign in by your organisation's identity provider"


class PlatformAdminRequired(AppError):
    """403 `platform_admin_required`: only platform admins may do this."""

    code, status, title = "platform_admin_required", 403, "Only a platform admin may do this"


class NotFound(AppError):
    """404 `not_found`: not there, or not yours."""

    code, status, title = "not_found", 404, "Not found"


class SignatureRefused(AppError):
    """401 `signature_refused`: not signed by who may send here, or not these bytes; which of it is not told."""

    code, status, title = "signature_refused", 401, "The signature is missing or not valid"
