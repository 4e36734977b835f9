"""The whole surface of the function."""

from __future__ import annotations

from shared.http.access import Access
from shared.http.errors import Invalid, MalformedRequest, MediaTypeUnsupported
from shared.http.health import health_route
from shared.http.paging import PageQuery
from shared.http.routes import Route
from shared.ports.errors import ServiceAway
from shared.security.actor import Role
from shared.security.egress import EgressFailed, EgressRefused, EgressTimeout, EgressTooLarge
from shared.security.plans import FeatureRequired
from shared.security.ratelimit import SIGNED_IN

from . import errors
from .handlers import audit, discovery, orgs, saml, sessions, sign_in, sso_config, sso_domains, tokens
from .models.audit import AuditLogPage, AuditLogQuery, AuditVerdictView, VerifyQuery
from .models.orgs import CreateOrg, OrgPage, OrgView
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
from .models.sso import AddDomain, DomainPage, DomainView, PutSsoConfig, SamlLoginQuery, SsoConfigView
from .wiring import AuthDeps

_ORGS = "/api/v2/orgs"
_PLATFORM = "/api/v2/admin"
_SAML = "/auth/saml/{connection}"
_SSO = f"{_ORGS}/{{org_id}}/sso-config"
_RAW = (MalformedRequest, MediaTypeUnsupported, Invalid)  # of bodies that may be forms
_GUESSING = SIGNED_IN.costing(60)  # a code that a person types is short: nobody gets to try many

ROUTES: list[Route[AuthDeps]] = [
    Route("GET", "/.well-known/openid-configuration", discovery.show_configuration, Access.anyone()),
    Route("GET", "/.well-known/jwks.json", discovery.show_jwks, Access.anyone()),
    health_route("/auth"),
    Route("GET", "/auth/providers", discovery.list_providers, Access.anyone(), reply=ProviderList),
    Route(
        "GET",
        "/auth/login",
        sign_in.begin_sign_in,
        Access.anyone(),
        query=LoginQuery,
        status=302,
        errors=(errors.ProviderAway, errors.ProviderUnknown),
    ),
    Route(
        "GET",
        "/auth/callback",
        sign_in.finish_sign_in,
        Access.anyone(),
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
        Access.anyone(),
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
        Access.anyone(),
        reply=DeviceCodesView,
        is_raw=True,
        errors=_RAW,
    ),
    Route(
        "GET",
        "/auth/device",
        tokens.show_device,
        Access.human(),
        query=DeviceQuery,
        reply=DeviceView,
        errors=(errors.UserCodeUnknown,),
        limit=_GUESSING,
    ),
    Route(
        "POST",
        "/auth/device",
        tokens.answer_device,
        Access.human(),
        body=DeviceAnswer,
        status=204,
        errors=(errors.UserCodeUnknown, errors.SessionNeeded),
        limit=_GUESSING,
    ),
    Route("POST", "/auth/logout", sessions.log_out, Access.human(), reply=LogoutView, errors=(errors.SessionNeeded,)),
    Route(
        "POST",
        "/auth/backchannel-logout/{provider}",
        sessions.take_logout_notice,
        Access.anyone(),
        status=204,
        is_raw=True,
        errors=(*_RAW, errors.LogoutTokenRefused, errors.ProviderUnknown, errors.ProviderAway),
    ),
    Route("GET", "/auth/sessions", sessions.list_sessions, Access.human(), query=PageQuery, reply=SessionPage),
    Route(
        "DELETE",
        "/auth/sessions",
        sessions.end_other_sessions,
        Access.human(),
        reply=EndedView,
        errors=(errors.SessionNeeded,),
    ),
    Route("DELETE", "/auth/sessions/{session_id}", sessions.end_session, Access.human(), status=204),
    Route("GET", "/api/v2/me", sessions.show_me, Access.signed_in(), reply=MeView),
    Route("GET", _ORGS, orgs.list_orgs, Access.human(), query=PageQuery, reply=OrgPage),
    Route("POST", _ORGS, orgs.create_org, Access.human(), body=CreateOrg, reply=OrgView, status=201),
    Route("GET", f"{_ORGS}/{{org_id}}", orgs.get_org, Access.member(Role.VIEWER), reply=OrgView),
    Route("GET", f"{_SAML}/metadata", saml.show_saml_metadata, Access.anyone()),
    Route(
        "GET",
        f"{_SAML}/login",
        saml.begin_saml_sign_in,
        Access.anyone(),
        query=SamlLoginQuery,
        status=302,
        errors=(errors.SamlMetadataInvalid, ServiceAway),
    ),
    Route(
        "POST",
        f"{_SAML}/acs",
        saml.finish_saml_sign_in,
        Access.anyone(),
        status=303,
        is_raw=True,
        errors=(
            *_RAW,
            errors.SignInFailed,
            errors.SamlRefused,
            errors.SamlMetadataInvalid,
            errors.SamlEmailMissing,
            errors.DomainUnproven,
            errors.PersonDisabled,
            errors.SeatLimitReached,
        ),
    ),
    Route("GET", _SSO, sso_config.show_sso_config, Access.member(Role.VIEWER), reply=SsoConfigView),
    Route(
        "PUT",
        _SSO,
        sso_config.put_sso_config,
        Access.human(Role.ADMIN, fresh=True),
        body=PutSsoConfig,
        reply=SsoConfigView,
        errors=(
            FeatureRequired,
            errors.SamlMetadataInvalid,
            EgressRefused,
            EgressFailed,
            EgressTimeout,
            EgressTooLarge,
            ServiceAway,
        ),
    ),
    Route("DELETE", _SSO, sso_config.delete_sso_config, Access.human(Role.ADMIN, fresh=True), status=204),
    Route("GET", f"{_SSO}/domains", sso_domains.list_domains, Access.member(Role.VIEWER), reply=DomainPage),
    Route(
        "POST",
        f"{_SSO}/domains",
        sso_domains.add_domain,
        Access.human(Role.ADMIN, fresh=True),
        body=AddDomain,
        reply=DomainView,
        status=201,
        errors=(FeatureRequired, errors.DomainInvalid, errors.TooManyDomains),
    ),
    Route(
        "POST",
        f"{_SSO}/domains/{{domain}}/verify",
        sso_domains.verify_domain,
        Access.human(Role.ADMIN),
        reply=DomainView,
        errors=(errors.DomainInvalid, errors.DomainProofMissing, errors.DomainTaken, errors.DnsAway),
        limit=SIGNED_IN.costing(20),
    ),
    Route(
        "DELETE",
        f"{_SSO}/domains/{{domain}}",
        sso_domains.delete_domain,
        Access.human(Role.ADMIN, fresh=True),
        status=204,
        errors=(errors.DomainInvalid,),
    ),
    Route(
        "GET",
        f"{_ORGS}/{{org_id}}/audit-log",
        audit.list_audit_log,
        Access.member(Role.ADMIN),
        query=AuditLogQuery,
        reply=AuditLogPage,
    ),
    Route(
        "GET",
        f"{_ORGS}/{{org_id}}/audit-log/verify",
        audit.verify_audit_log,
        Access.member(Role.ADMIN),
        query=VerifyQuery,
        reply=AuditVerdictView,
    ),
    Route(
        "GET",
        f"{_PLATFORM}/audit-log",
        audit.list_platform_audit_log,
        Access.platform(),
        query=AuditLogQuery,
        reply=AuditLogPage,
    ),
    Route(
        "GET",
        f"{_PLATFORM}/audit-log/verify",
        audit.verify_platform_audit_log,
        Access.platform(),
        query=VerifyQuery,
        reply=AuditVerdictView,
    ),
]
EVENT_ROUTES: list[Route[AuthDeps]] = [
    Route("POST", "/_events/sso-metadata", sso_config.refresh_metadata, Access.from_event("sso-metadata")),
    Route("POST", "/_events/audit-anchors", audit.anchor_audit_heads, Access.from_event("audit-anchors")),
]
