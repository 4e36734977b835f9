"""Every error that the analyze function can answer, each with its stable code."""

from __future__ import annotations

from collections.abc import Sequence

from shared.http.errors import AppError

_MOST_NAMES, _MOST_NAME = 20, 100


class PlanUnreadable(AppError):
    """422 `plan_unreadable`: the bytes are not a Terraform plan as JSON; `looks_like` says what they seem to be."""

    code, status, title = "plan_unreadable", 422, "The plan cannot be read"


class PlanVersionUnsupported(AppError):
    """422 `plan_version_unsupported`: a plan format of another major version."""

    code, status, title = "plan_version_unsupported", 422, "The plan's format version is not supported"


class PlanTooLarge(AppError):
    """413 `plan_too_large`: the plan is over the cap."""

    code, status, title = "plan_too_large", 413, "The plan is too large"


class PlanTooComplex(AppError):
    """422 `plan_too_complex`: judging takes longer than one call may; nothing is said about a plan judged in part."""

    code, status, title = "plan_too_complex", 422, "The plan takes too long to judge"


class RiskGate(AppError):
    """409 `risk_gate`: the plan was judged, and its risk reaches the gate that the caller set."""

    code, status, title = "risk_gate", 409, "The plan's risk reaches the gate"


class BodyPurged(AppError):
    """409 `body_purged`: the delivery's body is no longer kept."""

    code, status, title = "body_purged", 409, "The delivery's body is no longer kept"


class CodeHostExists(AppError):
    """409 `code_host_exists`: there is a connection for this owner at this host."""

    code, status, title = "code_host_exists", 409, "There is a connection for this owner"


class TooManyCodeHosts(AppError):
    """409 `too_many_code_hosts`: an organisation has at most so many connections."""

    code, status, title = "too_many_code_hosts", 409, "There are too many connections to code hosts"


class PrivateKeyUnusable(AppError):
    """422 `private_key_unusable`: not an RSA private key of at least 2,048 bits as PEM without a pass phrase."""

    code, status, title = "private_key_unusable", 422, "The private key cannot be used"


class CredentialNotTaken(AppError):
    """422 `credential_not_taken`: a connection of this kind has no such credential."""

    code, status, title = "credential_not_taken", 422, "A connection of this kind has no such credential"


class CodeHostAway(AppError):
    """503 `code_host_away`: the code host did not answer, is in trouble, or limits how often it is asked."""

    code, status, title = "code_host_away", 503, "The code host did not answer"


class PullRequestBusy(AppError):
    """503 `pull_request_busy`: another worker is writing about the same pull request."""

    code, status, title = "pull_request_busy", 503, "Another worker is at this pull request"


class CodeHostRefused(AppError):
    """422: the code host answered, and trying again would not help. The code says why.

    `code_host_access` the credentials are not taken or not enough, `code_host_permissions` the App lacks a permission or the
    repository, `code_host_not_found` no such repository or pull request for it, `code_host_locked` nobody may comment,
    `code_host_answer` an answer that is none of the documented ones.
    """

    code, status, title = "code_host_answer", 422, "The code host refused"


class CodeHostAccess(CodeHostRefused):
    """422 `code_host_access`."""

    code = "code_host_access"


class CodeHostPermissions(CodeHostRefused):
    """422 `code_host_permissions`."""

    code = "code_host_permissions"


class CodeHostNotFound(CodeHostRefused):
    """422 `code_host_not_found`."""

    code = "code_host_not_found"


class CodeHostLocked(CodeHostRefused):
    """422 `code_host_locked`."""

    code = "code_host_locked"


class ConnectionMissing(AppError):
    """422 `connection_missing`: no connection, or not just one, is for the organisation of Terraform Cloud whose run it is."""

    code, status, title = "connection_missing", 422, "There is no connection by which the plan can be read"


class UnknownField(AppError):
    """400 `unknown_field`: the body holds a member that there is none of; `errors` names each."""

    code, status, title = "unknown_field", 400, "The request holds an unknown field"

    def __init__(self, names: Sequence[str]) -> None:
        problems = [{"field": name[:_MOST_NAME], "problem": "there is no such field"} for name in names[:_MOST_NAMES]]
        super().__init__("see `errors` for each field", errors=problems)


class PolicyChanged(AppError):
    """409 `policy_changed`: the policy is at another version than the one that was to be replaced; read it again."""

    code, status, title = "policy_changed", 409, "The policy was changed meanwhile"


class TooManyCustomRules(AppError):
    """409 `too_many_custom_rules`: an organisation has at most so many rules of its own."""

    code, status, title = "too_many_custom_rules", 409, "There are too many custom rules"


class CustomRuleExists(AppError):
    """409 `custom_rule_exists`: there is a rule of this name."""

    code, status, title = "custom_rule_exists", 409, "There is a custom rule of this name"


class TooManySuppressions(AppError):
    """409 `too_many_suppressions`: an organisation suppresses at most so much."""

    code, status, title = "too_many_suppressions", 409, "There are too many suppressions"
