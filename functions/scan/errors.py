"""Every error that the scan function can answer, each with its stable code."""

from __future__ import annotations

from datetime import timedelta

from shared.http.errors import AppError
from shared.security.plans import PLANS, SHORTEST_INTERVALS, LimitReached, PlanRefused


class StateUnreadable(AppError):
    """422 `state_unreadable`: the bytes are not a Terraform state."""

    code, status, title = "state_unreadable", 422, "The state cannot be read"


class StateVersionUnsupported(AppError):
    """422 `state_version_unsupported`: a state format other than version 4."""

    code, status, title = "state_version_unsupported", 422, "The state's format version is not supported"


class StateEncrypted(AppError):
    """422 `state_encrypted`: OpenTofu encrypted the state and DriftWise holds no key."""

    code, status, title = "state_encrypted", 422, "The state is encrypted"


class StateOlder(AppError):
    """409 `state_older`: a newer state of the same lineage is known already."""

    code, status, title = "state_older", 409, "A newer state is known already"


class StateTooLarge(AppError):
    """413 `state_too_large`: the state is over the cap."""

    code, status, title = "state_too_large", 413, "The state is too large"


class StateUnreachable(AppError):
    """422 `state_unreachable`: the source does not give the state."""

    code, status, title = "state_unreachable", 422, "The state cannot be fetched"


class StatesIncomplete(AppError):
    """422 `states_incomplete`: some states of a source could not be taken in; the others are exact."""

    code, status, title = "states_incomplete", 422, "Some states could not be taken in"


class StatesTooMany(AppError):
    """422 `states_too_many`: more states lie under one prefix than a source may have."""

    code, status, title = "states_too_many", 422, "There are too many states under this prefix"


class SourceNotUploadable(AppError):
    """409 `source_not_uploadable`: only sources of kind `upload` take a state."""

    code, status, title = "source_not_uploadable", 409, "This source fetches its state by itself"


class SourceNotFetchable(AppError):
    """409 `source_not_fetchable`: an upload has nowhere to be fetched from."""

    code, status, title = "source_not_fetchable", 409, "This source has nowhere to be fetched from"


class AccountExists(AppError):
    """409 `account_exists`: this cloud account is connected already."""

    code, status, title = "account_exists", 409, "This cloud account is connected already"


class AccountLimitReached(LimitReached):
    """402 `account_limit_reached`: the plan allows no more cloud accounts."""

    code, title = "account_limit_reached", "Your plan's number of cloud accounts is used up"


class SourceLimitReached(LimitReached):
    """402 `source_limit_reached`: the plan allows no more state sources."""

    code, title = "source_limit_reached", "Your plan's number of state sources is used up"


class ScanLimitReached(LimitReached):
    """402 `scan_limit_reached`: the plan allows no more scans at the same time."""

    code, title = "scan_limit_reached", "Your plan's number of scans at the same time is used up"


class CredentialsRefused(AppError):
    """422 `credentials_refused`: the cloud does not accept the credentials."""

    code, status, title = "credentials_refused", 422, "The cloud refuses these credentials"


class ScanInProgress(AppError):
    """409 `scan_in_progress`: this account is being scanned already."""

    code, status, title = "scan_in_progress", 409, "This account is being scanned already"


class ScanEnded(AppError):
    """409 `scan_ended`: the scan is over."""

    code, status, title = "scan_ended", 409, "The scan is over"


class ScanNotComparable(AppError):
    """409 `scan_not_comparable`: only a finished scan that is the account's latest can be compared again."""

    code, status, title = "scan_not_comparable", 409, "This scan cannot be compared again"


class ScheduleLimitReached(LimitReached):
    """402 `schedule_limit_reached`: the plan allows no more schedules."""

    code, title = "schedule_limit_reached", "Your plan's number of schedules is used up"


class IntervalTooShort(PlanRefused):
    """402 `interval_too_short`: the plan wants more time between two runs of a schedule."""

    code, title = "interval_too_short", "Your plan wants more time between two runs of a schedule"

    def __init__(self, plan: str, gap: timedelta, shortest: timedelta) -> None:
        """Tell which plan would do; none when the gap is shorter than every plan's.

        Args:
            plan: of the organisation.
            gap: the shortest one that was asked for.
            shortest: what the plan allows.
        """
        needed = next((name for name in PLANS if SHORTEST_INTERVALS[name] <= gap), None)
        used, cap = int(gap.total_seconds()), int(shortest.total_seconds())
        super().__init__(limit="shortest_interval_seconds", plan=plan, required_plan=needed, used=used, cap=cap)


class StreamsBusy(AppError):
    """503 `streams_busy`: this process holds as many streams open as it may; ask for the scan itself instead."""

    code, status, title = "streams_busy", 503, "Too many streams are open; poll the scan instead"


class TooManyIgnoreRules(AppError):
    """409 `too_many_ignore_rules`: an organisation has at most so many."""

    code, status, title = "too_many_ignore_rules", 409, "There are too many ignore rules"


class ReportGone(AppError):
    """409 `report_gone`: nothing is kept of this report; the operator begins a new one."""

    code, status, title = "report_gone", 409, "There is no such report any more"


class ReportGap(AppError):
    """409 `report_gap`: parts before this one did not arrive."""

    code, status, title = "report_gap", 409, "Parts of the report are missing"


class ReportMismatch(AppError):
    """409 `report_mismatch`: this part came before, with another body."""

    code, status, title = "report_mismatch", 409, "This part of the report came before with another body"


class ReportTooLarge(AppError):
    """413 `report_too_large`: the cluster has more objects than are kept of one."""

    code, status, title = "report_too_large", 413, "The report is too large"
