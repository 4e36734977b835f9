"""The part of the surface that is for the people who run the platform."""

from __future__ import annotations

from shared.http.paging import TextPageQuery
from shared.http.permissions import may
from shared.http.routes import Route

from . import errors
from .handlers import audit, platform_domains, platform_orgs, platform_users
from .models import platform as shapes
from .models.audit import AuditLogPage, AuditLogQuery, AuditVerdictView, VerifyQuery
from .wiring import AuthDeps

_ADMIN = "/api/v2/admin"
_USER = f"{_ADMIN}/users/{{user_id}}"
_ORG = f"{_ADMIN}/orgs/{{target_org_id}}"  # not {org_id}: who calls acts in no organisation

PLATFORM_ROUTES: list[Route[AuthDeps]] = [
    Route("GET", f"{_ADMIN}/me", platform_domains.show_platform_me, may("me:read"), reply=shapes.PlatformMeView),
    Route(
        "GET", f"{_ADMIN}/domains", platform_domains.list_domains, may("platform:read_domains"),
        query=TextPageQuery, reply=shapes.DomainPage,
    ),
    Route(
        "POST", f"{_ADMIN}/domains", platform_domains.create_domain, may("platform:change_domains"),
        body=shapes.CreateDomain, reply=shapes.DomainView, status=201, errors=(errors.DomainExists,),
    ),
    Route(
        "DELETE", f"{_ADMIN}/domains/{{domain}}", platform_domains.delete_domain, may("platform:change_domains"), status=204
    ),
    Route(
        "GET", f"{_ADMIN}/users", platform_users.list_users, may("platform:read_users"),
        query=shapes.UserQuery, reply=shapes.UserPage,
    ),
    Route("GET", _USER, platform_users.get_user, may("platform:read_users"), reply=shapes.UserDetailView),
    Route(
        "PATCH", _USER, platform_users.change_user, may("platform:change_users"),
        body=shapes.ChangeUser, reply=shapes.UserView, errors=(errors.LastPlatformAdmin,),
    ),
    Route(
        "DELETE", _USER, platform_users.delete_user, may("platform:change_users"), status=204,
        errors=(errors.LastPlatformAdmin, errors.LastOwner, errors.UserBusy, errors.RoleAboveYours),
    ),
    Route(
        "GET", f"{_ADMIN}/orgs", platform_orgs.list_platform_orgs, may("platform:read_orgs"),
        query=shapes.PlatformOrgQuery, reply=shapes.PlatformOrgPage,
    ),
    Route("GET", _ORG, platform_orgs.get_platform_org, may("platform:read_orgs"), reply=shapes.PlatformOrgView),
    Route(
        "PATCH", _ORG, platform_orgs.change_platform_org, may("platform:change_orgs"),
        body=shapes.ChangePlatformOrg, reply=shapes.PlatformOrgView,
        errors=(errors.OrgDeleted, errors.OrgPurged, errors.OrgOwnerless),
    ),
    Route(
        "DELETE", _ORG, platform_orgs.delete_platform_org, may("platform:change_orgs"), status=204,
        errors=(errors.OrgDeleted,),
    ),
    Route(
        "GET", f"{_ADMIN}/audit-log", audit.list_platform_audit_log, may("platform:read_audit_log"),
        query=AuditLogQuery, reply=AuditLogPage,
    ),
    Route(
        "GET", f"{_ADMIN}/audit-log/verify", audit.verify_platform_audit_log, may("platform:read_audit_log"),
        query=VerifyQuery, reply=AuditVerdictView,
    ),
]  # fmt: skip
