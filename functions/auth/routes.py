"""The whole surface of the function."""

from __future__ import annotations

from shared.http.access import Access
from shared.http.errors import Invalid, MalformedRequest, MediaTypeUnsupported
from shared.http.health import health_route
from shared.http.paging import PageQuery
from shared.http.permissions import may
from shared.http.resealing import resealing_route
from shared.http.routes import Route
from shared.security.errors import NotFound
from shared.security.ratelimit import SIGNED_IN

from . import errors
from .handlers import (
    audit,
    audit_packing,
    discovery,
    purge,
    secret_rotation,
    sessions,
    sign_in,
    sign_in_purge,
    sso_config,
    tokens,
)
from .models.sign_in import (
    CallbackQuery,
    DeviceAnswer,
    DeviceCodesView,
    DeviceQuery,
    DeviceView,
    EndedView,
    LoginQuery,
    LogoutView,
    MeView,
    ProviderList,
    SessionPage,
    TokenView,
)
from .org_routes import ORG_ROUTES
from .platform_routes import PLATFORM_ROUTES
from .sso_routes import SSO_ROUTES
from .wiring import AuthDeps

_RAW = (MalformedRequest, MediaTypeUnsupported, Invalid)  # of bodies that may be forms
_GUESSING = SIGNED_IN.costing(60)  # a code that a person types is short: nobody gets to try many

ROUTES: list[Route[AuthDeps]] = [
    Route("GET", "/.well-known/openid-configuration", discovery.show_configuration, may("discovery:read")),
    Route("GET", "/.well-known/jwks.json", discovery.show_jwks, may("discovery:read")),
    Route("GET", "/.well-known/audit-export-keys.json", discovery.show_export_keys, may("discovery:read")),
    Route("GET", "/.well-known/security.txt", discovery.show_security_txt, may("discovery:read"), errors=(NotFound,)),
    health_route("/auth"),
    Route("GET", "/auth/providers", discovery.list_providers, may("sign_in:begin"), reply=ProviderList),
    Route(
        "GET",
        "/auth/login",
        sign_in.begin_sign_in,
        may("sign_in:begin"),
        query=LoginQuery,
        status=302,
        errors=(errors.ProviderAway, errors.ProviderUnknown),
    ),
    Route(
        "GET",
        "/auth/callback",
        sign_in.finish_sign_in,
        may("sign_in:finish"),
        query=CallbackQuery,
        status=303,
        errors=(
            errors.SignInFailed,
            errors.EmailUnverified,
            errors.DomainNotAllowed,
            errors.IdentityConflict,
            errors.PersonDisabled,
            errors.ProviderAway,
            errors.ProviderUnknown,
        ),
    ),
    Route(
        "POST",
        "/auth/token",
        tokens.issue_token,
        may("tokens:issue"),
        reply=TokenView,
        is_raw=True,
        errors=(
            *_RAW,
            errors.InvalidGrant,
            errors.AuthorizationPending,
            errors.SlowDown,
            errors.DeviceDenied,
            errors.DeviceExpired,
        ),
    ),
    Route(
        "POST",
        "/auth/device/code",
        tokens.begin_device,
        may("terminals:begin"),
        reply=DeviceCodesView,
        is_raw=True,
        errors=_RAW,
    ),
    Route(
        "GET",
        "/auth/device",
        tokens.show_device,
        may("terminals:approve"),
        query=DeviceQuery,
        reply=DeviceView,
        errors=(errors.UserCodeUnknown,),
        limit=_GUESSING,
    ),
    Route(
        "POST",
        "/auth/device",
        tokens.answer_device,
        may("terminals:approve"),
        body=DeviceAnswer,
        status=204,
        errors=(errors.UserCodeUnknown, errors.SessionNeeded),
        limit=_GUESSING,
    ),
    Route(
        "POST", "/auth/logout", sessions.log_out, may("sessions:end"), reply=LogoutView, errors=(errors.SessionNeeded,)
    ),
    Route(
        "POST",
        "/auth/backchannel-logout/{provider}",
        sessions.take_logout_notice,
        may("logout_notices:send"),
        status=204,
        is_raw=True,
        errors=(*_RAW, errors.LogoutTokenRefused, errors.ProviderUnknown, errors.ProviderAway),
    ),
    Route("GET", "/auth/sessions", sessions.list_sessions, may("sessions:read"), query=PageQuery, reply=SessionPage),
    Route(
        "DELETE",
        "/auth/sessions",
        sessions.end_other_sessions,
        may("sessions:end"),
        reply=EndedView,
        errors=(errors.SessionNeeded,),
    ),
    Route("DELETE", "/auth/sessions/{session_id}", sessions.end_session, may("sessions:end"), status=204),
    Route("GET", "/api/v2/me", sessions.show_me, may("me:read"), reply=MeView),
    *ORG_ROUTES,
    *PLATFORM_ROUTES,
    *SSO_ROUTES,
]
EVENT_ROUTES: list[Route[AuthDeps]] = [
    Route("POST", "/_events/sso-metadata", sso_config.refresh_metadata, Access.from_event("sso-metadata")),
    Route("POST", "/_events/audit-anchors", audit.anchor_audit_heads, Access.from_event("audit-anchors")),
    Route("POST", "/_events/audit-exports", audit_packing.build_audit_export, Access.from_event("audit-exports")),
    Route(
        "POST",
        "/_events/audit-export-sweep",
        audit_packing.tend_audit_exports,
        Access.from_event("audit-export-sweep"),
    ),
    Route("POST", "/_events/org-purge", purge.purge_orgs, Access.from_event("org-purge")),
    Route("POST", "/_events/secret-rotations", secret_rotation.rotate_secret, Access.from_event("secret-rotations")),
    Route("POST", "/_events/sign-in-purge", sign_in_purge.purge_sign_ins, Access.from_event("sign-in-purge")),
    resealing_route("auth-sealed-columns"),
]
