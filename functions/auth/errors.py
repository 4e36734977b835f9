"""Every error of its own that the auth function can answer."""

from __future__ import annotations

from enum import StrEnum

from shared.http.errors import AppError
from shared.security.plans import LimitReached, PlanRefused


class SignInFailed(AppError):
    """401 `sign_in_failed`: the provider refused, or its answer does not fit the sign-in that was begun."""

    code, status, title = "sign_in_failed", 401, "The sign-in failed; start again"


class PersonDisabled(AppError):
    """401 `person_disabled`: the account is switched off."""

    code, status, title = "person_disabled", 401, "This account is switched off"


class ProviderAway(AppError):
    """503 `provider_away`: the identity provider does not answer."""

    code, status, title = "provider_away", 503, "The identity provider does not answer"


class ProviderUnknown(AppError):
    """404 `provider_unknown`: no such identity provider is configured."""

    code, status, title = "provider_unknown", 404, "There is no such identity provider"


class EmailUnverified(AppError):
    """403 `email_unverified`: the provider does not vouch for the e-mail address."""

    code, status, title = "email_unverified", 403, "Your identity provider has not verified your e-mail address"


class DomainNotAllowed(AppError):
    """403 `domain_not_allowed`: this provider is not used for the e-mail address's domain."""

    code, status, title = "domain_not_allowed", 403, "This identity provider is not used for your e-mail domain"


class IdentityConflict(AppError):
    """409 `identity_conflict`: an account with this e-mail address signs in by another provider."""

    code, status, title = "identity_conflict", 409, "Sign in as you did before: an account with this address exists"


class OAuthError(AppError):
    """400: an answer of the token endpoint; `error` is the member that OAuth clients read (RFC 6749 section 5.2)."""

    status = 400
    error = "invalid_request"

    def __init__(self) -> None:
        super().__init__(error=self.error)


class InvalidGrant(OAuthError):
    """400 `invalid_grant`: unknown, used, ended or too old."""

    code, title, error = "invalid_grant", "The token or code is not valid", "invalid_grant"


class AuthorizationPending(OAuthError):
    """400 `authorization_pending`: nobody has answered yet; poll again (RFC 8628 section 3.5)."""

    code, title, error = "authorization_pending", "Nobody has approved yet", "authorization_pending"


class SlowDown(OAuthError):
    """400 `slow_down`: polled too soon (RFC 8628 section 3.5)."""

    code, title, error = "slow_down", "Poll more slowly", "slow_down"


class DeviceDenied(OAuthError):
    """400 `access_denied`: a person said no."""

    code, title, error = "access_denied", "The request was denied", "access_denied"


class DeviceExpired(OAuthError):
    """400 `expired_token`: the device code is too old."""

    code, title, error = "expired_token", "The device code has expired; start again", "expired_token"


class UserCodeUnknown(AppError):
    """404 `user_code_unknown`: no terminal waits under this code."""

    code, status, title = "user_code_unknown", 404, "No terminal waits under this code"


class SessionNeeded(AppError):
    """403 `session_needed`: only somebody who signed in here can do this."""

    code, status, title = "session_needed", 403, "Sign in here to do this"


class LogoutTokenRefused(AppError):
    """400 `logout_token_refused`: the provider's notice is not valid."""

    code, status, title = "logout_token_refused", 400, "The logout token is not valid"


class SessionBound(AppError):
    """403 `session_bound`: the session was vouched for by one organisation's own identity provider and reaches no other."""

    code, status, title = (
        "session_bound",
        403,
        "This session reaches one organisation only; sign in without its provider",
    )


class RoleAboveYours(AppError):
    """403 `role_above_yours`: nobody gives a role above their own, or changes somebody who has one."""

    code, status, title = "role_above_yours", 403, "That role is above yours"


class LastOwner(AppError):
    """409 `last_owner`: an organisation is never without an owner."""

    code, status, title = "last_owner", 409, "An organisation needs an owner; give the ownership to somebody else first"


class MemberDisabled(AppError):
    """409 `member_disabled`: the account of this member is switched off."""

    code, status, title = "member_disabled", 409, "This member's account is switched off"


class TransferToSelf(AppError):
    """409 `transfer_to_self`: ownership goes to somebody else."""

    code, status, title = "transfer_to_self", 409, "You own this organisation already"


class AlreadyMember(AppError):
    """409 `already_member`: the person belongs to the organisation already."""

    code, status, title = "already_member", 409, "This person belongs to the organisation already"


class SwitchedOff(AppError):
    """403 `switched_off`: the organisation's directory says that the person does not belong to it any more."""

    code, status, title = "switched_off", 403, "Your organisation's directory has switched you off"


class SeatLimitReached(LimitReached):
    """402 `seat_limit_reached`: the plan allows no more members."""

    code, title = "seat_limit_reached", "Your plan's number of seats is used up"


class InvitationUnknown(AppError):
    """404 `invitation_unknown`: there is no invitation with this token."""

    code, status, title = "invitation_unknown", 404, "There is no such invitation"


class InvitationEnded(AppError):
    """409 `invitation_ended`: accepted, revoked, expired, or made by somebody who could not make it any more."""

    code, status, title = "invitation_ended", 409, "This invitation is over; ask for a new one"


class InvitationForOther(AppError):
    """403 `invitation_for_other`: it was made for another e-mail address than the one you signed in with."""

    code, status, title = "invitation_for_other", 403, "This invitation is for another e-mail address"


class LastPlatformAdmin(AppError):
    """409 `last_platform_admin`: the platform is never without an admin."""

    code, status, title = "last_platform_admin", 409, "The platform needs an admin"


class UserBusy(AppError):
    """409 `user_busy`: the person joined an organisation while being deleted."""

    code, status, title = "user_busy", 409, "This person joined an organisation just now; try again"


class DomainExists(AppError):
    """409 `domain_exists`: the domain is on the list."""

    code, status, title = "domain_exists", 409, "This domain is on the list already"


class OrgDeleted(AppError):
    """409 `org_deleted`: the organisation is deleted; restore it first."""

    code, status, title = "org_deleted", 409, "This organisation is deleted"


class OrgPurged(AppError):
    """409 `org_purged`: the 30 days are over, its data is gone."""

    code, status, title = "org_purged", 409, "This organisation cannot be restored any more"


class OrgOwnerless(AppError):
    """409 `org_ownerless`: none of its owners has an account any more."""

    code, status, title = "org_ownerless", 409, "Nobody is left who owns this organisation"


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


class SamlEmailMissing(AppError):
    """403 `saml_email_missing`: the identity provider did not tell one e-mail address."""

    code, status, title = "saml_email_missing", 403, "Your identity provider did not tell your e-mail address"


class DomainUnproven(AppError):
    """403 `domain_unproven`: the organisation has not proven that the address's domain is its own."""

    code, status, title = "domain_unproven", 403, "Your e-mail domain is not proven to be your organisation's"


class DomainInvalid(AppError):
    """422 `domain_invalid`: not a public domain name."""

    code, status, title = "domain_invalid", 422, "This is not a domain name"


class DomainTaken(AppError):
    """409 `domain_taken`: another organisation has proven the domain."""

    code, status, title = "domain_taken", 409, "Another organisation has proven this domain; ask support"


class DomainProofMissing(AppError):
    """409 `domain_proof_missing`: the TXT record is not there yet."""

    code, status, title = "domain_proof_missing", 409, "The TXT record was not found"


class DnsAway(AppError):
    """503 `dns_away`: the domain's name servers do not answer."""

    code, status, title = "dns_away", 503, "The domain's name servers do not answer"


class TooManyDomains(AppError):
    """409 `too_many_domains`: more than an organisation may claim."""

    code, status, title = "too_many_domains", 409, "An organisation can have 100 domains"


class AuditWindowTooLong(PlanRefused):
    """402 `audit_window_too_long`: the plan's packs for auditors do not reach that far back."""

    code, title = "audit_window_too_long", "Your plan's audit exports do not reach that far back"

    def __init__(self, plan: str, *, used_days: int, cap_days: int) -> None:
        super().__init__(limit="audit_window_days", plan=plan, required_plan="enterprise", used=used_days, cap=cap_days)


class TooManyAuditExports(AppError):
    """409 `too_many_audit_exports`: some are still being built, or too many are kept."""

    code, status, title = "too_many_audit_exports", 409, "Wait for your other audit exports, or delete one"


class AuditExportUnfinished(AppError):
    """409 `audit_export_unfinished`: it is still being built, or it failed."""

    code, status, title = "audit_export_unfinished", 409, "This audit export is not whole"
