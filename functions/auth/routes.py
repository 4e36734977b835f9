"""The whole surface of the function."""

from __future__ import annotations

from shared.http.access import Access
from shared.http.health import health_route
from shared.http.paging import PageQuery
from shared.http.routes import Route
from shared.security.actor import Role
from shared.security.errors import Unauthenticated

from . import audit_handlers, errors, handlers, purge_handlers
from .models import (
    AuditLogPage,
    AuditLogQuery,
    AuditVerdictView,
    CallbackQuery,
    CreateOrg,
    MeView,
    OrgPage,
    OrgView,
    TokenView,
    VerifyQuery,
)
from .wiring import AuthDeps

_ORGS = "/api/v2/orgs"
_PLATFORM = "/api/v2/admin"

ROUTES: list[Route[AuthDeps]] = [
    Route("GET", "/.well-known/openid-configuration", handlers.show_configuration, Access.anyone()),
    Route("GET", "/.well-known/jwks.json", handlers.show_jwks, Access.anyone()),
    health_route("/auth"),
    Route("GET", "/auth/login", handlers.begin_sign_in, Access.anyone(), status=302, errors=(errors.ProviderAway,)),
    Route(
        "GET",
        "/auth/callback",
        handlers.finish_sign_in,
        Access.anyone(),
        query=CallbackQuery,
        reply=TokenView,
        errors=(errors.SignInFailed, errors.EmailUnverified, errors.ProviderAway, Unauthenticated),
    ),
    Route("GET", "/api/v2/me", handlers.show_me, Access.signed_in(), reply=MeView),
    Route("GET", _ORGS, handlers.list_orgs, Access.human(), query=PageQuery, reply=OrgPage),
    Route("POST", _ORGS, handlers.create_org, Access.human(), body=CreateOrg, reply=OrgView, status=201),
    Route("GET", f"{_ORGS}/{{org_id}}", handlers.get_org, Access.member(Role.VIEWER), reply=OrgView),
    Route(
        "GET",
        f"{_ORGS}/{{org_id}}/audit-log",
        audit_handlers.list_audit_log,
        Access.member(Role.ADMIN),
        query=AuditLogQuery,
        reply=AuditLogPage,
    ),
    Route(
        "GET",
        f"{_ORGS}/{{org_id}}/audit-log/verify",
        audit_handlers.verify_audit_log,
        Access.member(Role.ADMIN),
        query=VerifyQuery,
        reply=AuditVerdictView,
    ),
    Route(
        "GET",
        f"{_PLATFORM}/audit-log",
        audit_handlers.list_platform_audit_log,
        Access.platform(),
        query=AuditLogQuery,
        reply=AuditLogPage,
    ),
    Route(
        "GET",
        f"{_PLATFORM}/audit-log/verify",
        audit_handlers.verify_platform_audit_log,
        Access.platform(),
        query=VerifyQuery,
        reply=AuditVerdictView,
    ),
]
EVENT_ROUTES: list[Route[AuthDeps]] = [
    Route("POST", "/_events/audit-anchors", audit_handlers.anchor_audit_heads, Access.from_event("audit-anchors")),
    Route("POST", "/_events/sign-in-purge", purge_handlers.purge_sign_ins, Access.from_event("sign-in-purge")),
]
