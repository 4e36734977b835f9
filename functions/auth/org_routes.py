"""The part of the surface that is about organisations: themselves, their members, invitations, usage, audit logs."""

from __future__ import annotations

from shared.http.paging import PageQuery
from shared.http.permissions import may
from shared.http.routes import Route
from shared.security.errors import FreshLoginRequired, NotFound, RoleRequired
from shared.security.plans import FeatureRequired
from shared.security.ratelimit import SIGNED_IN

from . import errors
from .handlers import audit, audit_exports, invitations, members, orgs, usage
from .models import members as shapes
from .models.audit import AuditLogPage, AuditLogQuery, AuditVerdictView, VerifyQuery
from .models.audit_exports import AuditExportPage, AuditExportView, CreateAuditExport
from .models.orgs import ChangeOrg, CreateOrg, OrgPage, OrgView, UsageView
from .wiring import AuthDeps

_ORGS = "/api/v2/orgs"
_O = f"{_ORGS}/{{org_id}}"
_MEMBER = f"{_O}/members/{{user_id}}"
_EXPORT = f"{_O}/audit-exports/{{export_id}}"
_EXPORTING = SIGNED_IN.costing(120)  # each reads the organisation's whole history
_FETCHING = SIGNED_IN.costing(60)
_INVITING = SIGNED_IN.costing(20)  # each may become somebody's e-mail

ORG_ROUTES: list[Route[AuthDeps]] = [
    Route("GET", _ORGS, orgs.list_orgs, may("orgs:list"), query=PageQuery, reply=OrgPage),
    Route(
        "POST", _ORGS, orgs.create_org, may("orgs:create"),
        body=CreateOrg, reply=OrgView, status=201, errors=(errors.SessionBound,),
    ),
    Route("GET", _O, orgs.get_org, may("org:read"), reply=OrgView),
    Route("PATCH", _O, orgs.change_org, may("org:change"), body=ChangeOrg, reply=OrgView),
    Route("DELETE", _O, orgs.delete_org, may("org:delete"), status=204),
    Route(
        "POST", f"{_O}/ownership-transfer", members.transfer_ownership, may("org:transfer"),
        body=shapes.TransferOwnership, reply=shapes.MemberView,
        errors=(errors.RoleAboveYours, errors.TransferToSelf, errors.MemberDisabled),
    ),
    Route("GET", f"{_O}/usage", usage.show_usage, may("usage:read"), reply=UsageView),
    Route("GET", f"{_O}/members", members.list_members, may("members:read"), query=PageQuery, reply=shapes.MemberPage),
    Route(
        "PATCH", _MEMBER, members.change_member, may("members:change"),
        body=shapes.ChangeMember, reply=shapes.MemberView, errors=(errors.RoleAboveYours, errors.LastOwner),
    ),
    Route(  # of oneself; for others the handler asks for `members:remove`
        "DELETE", _MEMBER, members.remove_member, may("members:leave"), status=204,
        errors=(errors.RoleAboveYours, errors.LastOwner, RoleRequired, FreshLoginRequired),
    ),
    Route(
        "GET", f"{_O}/invitations", invitations.list_invitations, may("invitations:read"),
        query=PageQuery, reply=shapes.InvitationPage,
    ),
    Route(
        "POST", f"{_O}/invitations", invitations.create_invitation, may("invitations:create"),
        body=shapes.CreateInvitation, reply=shapes.NewInvitationView, status=201, limit=_INVITING,
        errors=(errors.RoleAboveYours, errors.AlreadyMember, errors.SeatLimitReached),
    ),
    Route(
        "DELETE", f"{_O}/invitations/{{invitation_id}}", invitations.revoke_invitation, may("invitations:revoke"), status=204,
        errors=(errors.RoleAboveYours, errors.InvitationEnded),
    ),
    Route(
        "POST", "/api/v2/invitations/accept", invitations.accept_invitation, may("invitations:accept"),
        body=shapes.AcceptInvitation, reply=OrgView,
        errors=(
            errors.InvitationUnknown, errors.InvitationForOther, errors.InvitationEnded, errors.AlreadyMember,
            errors.SeatLimitReached, errors.SessionBound, errors.SwitchedOff, NotFound,
        ),
    ),
    Route("GET", f"{_O}/audit-log", audit.list_audit_log, may("audit_log:read"), query=AuditLogQuery, reply=AuditLogPage),
    Route(
        "GET", f"{_O}/audit-log/verify", audit.verify_audit_log, may("audit_log:read"),
        query=VerifyQuery, reply=AuditVerdictView,
    ),
    Route(
        "POST", f"{_O}/audit-exports", audit_exports.create_audit_export, may("audit_exports:create"),
        body=CreateAuditExport, reply=AuditExportView, status=202, limit=_EXPORTING,
        errors=(FeatureRequired, errors.AuditWindowTooLong, errors.TooManyAuditExports),
    ),
    Route(
        "GET", f"{_O}/audit-exports", audit_exports.list_audit_exports, may("audit_exports:read"),
        query=PageQuery, reply=AuditExportPage,
    ),
    Route("GET", _EXPORT, audit_exports.get_audit_export, may("audit_exports:read"), reply=AuditExportView),
    Route("DELETE", _EXPORT, audit_exports.delete_audit_export, may("audit_exports:delete"), status=204),
    Route(
        "GET", f"{_EXPORT}/download", audit_exports.download_audit_export, may("audit_exports:read"),
        limit=_FETCHING, errors=(errors.AuditExportUnfinished,),
    ),
]  # fmt: skip
