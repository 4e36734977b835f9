"""The whole surface of the function."""

from __future__ import annotations

from shared.data.errors import DatabaseAway, PoolExhausted, QueryTimeout, WriteConflict
from shared.http.access import Access
from shared.http.errors import Invalid, MalformedRequest
from shared.http.health import health_route
from shared.http.paging import PageQuery
from shared.http.permissions import may
from shared.http.resealing import resealing_route
from shared.http.routes import Route
from shared.ports.errors import ServiceAway
from shared.security.egress import EgressFailed, EgressRefused, EgressTimeout
from shared.security.errors import NotFound, SignatureRefused
from shared.security.ratelimit import SIGNED_IN, Limit, Quota

from . import account_models as account
from . import errors, models
from . import feed_models as feeds
from . import fix_models as fixes
from . import report_models as reports
from . import schedule_models as timed
from . import source_models as places
from . import triage_models as triage
from .cloud_access.calling import MOST_STATE_BYTES
from .handlers import (
    accounts,
    asset_feeds,
    attributing,
    comparing,
    drift,
    fixing,
    ignoring,
    progress,
    purge,
    reporting,
    scans,
    schedules,
    sources,
    trends,
    trust,
    turns,
    verifying,
    worker,
)
from .wiring import ScanDeps

_O = "/api/v2/orgs/{org_id}"
_HEAVY, _HEAVIEST = SIGNED_IN.costing(10), SIGNED_IN.costing(20)  # calls that ask a cloud, or make a lot of work
_PUSHES = Limit((Quota("asset-feed", "address", 6000),))  # Google pushes for all customers from a few addresses
_STATE_ERRORS = (errors.StateUnreadable, errors.StateVersionUnsupported, errors.StateEncrypted, errors.StateTooLarge)


def _account_routes(root: str) -> list[Route[ScanDeps]]:
    one = f"{root}/{{account_id}}"
    return [
        Route(
            "POST", root, accounts.create_account, may("cloud_accounts:create"),
            body=account.CreateAccount, reply=account.AccountView, status=201,
            errors=(errors.AccountExists, errors.AccountLimitReached),
        ),
        Route("GET", root, accounts.list_accounts, may("cloud_accounts:read"), query=PageQuery, reply=account.AccountPage),
        Route("GET", one, accounts.get_account, may("cloud_accounts:read"), reply=account.AccountView),
        Route("PATCH", one, accounts.change_account, may("cloud_accounts:change"), body=account.ChangeAccount, reply=account.AccountView),
        Route("DELETE", one, accounts.delete_account, may("cloud_accounts:delete"), status=204),
        Route("GET", f"{one}/trust", trust.show_trust, may("cloud_accounts:read"), reply=account.TrustView),
        Route("POST", f"{one}/verify", verifying.verify_account, may("cloud_accounts:verify"), reply=account.VerifyView, limit=_HEAVY),
        Route("GET", f"{one}/asset-feed", asset_feeds.get_asset_feed, may("cloud_accounts:read"), reply=feeds.AssetFeedView),
        Route(
            "PUT", f"{one}/asset-feed", asset_feeds.put_asset_feed, may("cloud_accounts:change"),
            body=feeds.PutAssetFeed, reply=feeds.AssetFeedView,
        ),
        Route("DELETE", f"{one}/asset-feed", asset_feeds.delete_asset_feed, may("cloud_accounts:change"), status=204),
    ]  # fmt: skip


ROUTES: list[Route[ScanDeps]] = [
    health_route("/scan"),
    *_account_routes(f"{_O}/cloud-accounts"),
    *_account_routes(f"{_O}/accounts"),
    Route(
        "POST", f"{_O}/state-sources", sources.create_source, may("state_sources:create"),
        body=places.CreateSource, reply=places.SourceView, status=201,
        errors=(errors.SourceLimitReached, EgressRefused, EgressFailed, EgressTimeout),
    ),
    Route("GET", f"{_O}/state-sources", sources.list_sources, may("state_sources:read"), query=PageQuery, reply=places.SourcePage),
    Route("GET", f"{_O}/state-sources/{{source_id}}", sources.get_source, may("state_sources:read"), reply=places.SourceView),
    Route(
        "PATCH", f"{_O}/state-sources/{{source_id}}", sources.change_source, may("state_sources:change"),
        body=places.ChangeSource, reply=places.SourceView,
    ),
    Route(
        "GET", f"{_O}/state-sources/{{source_id}}/states", sources.list_states, may("state_sources:read"),
        query=PageQuery, reply=places.SourcePage,
    ),
    Route("DELETE", f"{_O}/state-sources/{{source_id}}", sources.delete_source, may("state_sources:delete"), status=204),
    Route(
        "PUT", f"{_O}/state-sources/{{source_id}}/state", sources.upload_state, may("states:upload"),
        query=places.UploadQuery, reply=places.SourceView, body_limit_bytes=MOST_STATE_BYTES, is_raw=True, takes_gzip=True,
        limit=_HEAVIEST, errors=(*_STATE_ERRORS, errors.StateOlder, errors.SourceNotUploadable),
    ),
    Route("POST", f"{_O}/state-sources/{{source_id}}/refresh", sources.refresh_source, may("state_sources:refresh"), reply=places.SourceView, limit=_HEAVY),
    Route(
        "POST", f"{_O}/scans", scans.start_scan, may("scans:start"),
        body=models.StartScan, reply=models.StartedScan, status=202, errors=(errors.ScanInProgress, errors.ScanLimitReached),
        limit=_HEAVIEST,
    ),
    Route("GET", f"{_O}/scans", scans.list_scans, may("scans:read"), query=PageQuery, reply=models.ScanPage),
    Route("GET", f"{_O}/scans/{{scan_id}}", scans.get_scan, may("scans:read"), reply=models.ScanView),
    Route("POST", f"{_O}/scans/{{scan_id}}/cancel", scans.cancel_scan, may("scans:cancel"), reply=models.ScanView, errors=(errors.ScanEnded,)),
    Route(
        "GET", f"{_O}/scans/{{scan_id}}/resources", scans.list_resources, may("scans:read"),
        query=models.ResourceQuery, reply=models.ResourcePage,
    ),
    Route("GET", f"{_O}/scans/{{scan_id}}/coverage", scans.show_coverage, may("scans:read"), reply=models.CoverageView),
    Route(
        "POST", f"{_O}/scans/{{scan_id}}/drift", scans.compare_again, may("scans:compare"),
        reply=models.ScanView, status=202, errors=(errors.ScanNotComparable,), limit=_HEAVY,
    ),
    Route(
        "GET", f"{_O}/scans/{{scan_id}}/drift", drift.list_scan_drift, may("drift:read"), query=models.DriftQuery, reply=models.DriftPage
    ),
    Route(
        "GET", f"{_O}/scans/{{scan_id}}/events", progress.stream_scan, may("scans:read"), errors=(errors.StreamsBusy,),
    ),
    Route(
        "POST", f"{_O}/schedules", schedules.create_schedule, may("schedules:change"),
        body=timed.CreateSchedule, reply=timed.ScheduleView, status=201,
        errors=(errors.ScheduleLimitReached, errors.IntervalTooShort),
    ),
    Route("GET", f"{_O}/schedules", schedules.list_schedules, may("schedules:read"), query=PageQuery, reply=timed.SchedulePage),
    Route("GET", f"{_O}/schedules/{{schedule_id}}", schedules.get_schedule, may("schedules:read"), reply=timed.ScheduleView),
    Route(
        "PUT", f"{_O}/schedules/{{schedule_id}}", schedules.change_schedule, may("schedules:change"),
        body=timed.ChangeSchedule, reply=timed.ScheduleView, errors=(errors.IntervalTooShort,),
    ),
    Route("DELETE", f"{_O}/schedules/{{schedule_id}}", schedules.delete_schedule, may("schedules:change"), status=204),
    Route(
        "POST", f"{_O}/schedules/{{schedule_id}}/run", schedules.run_schedule, may("schedules:run"),
        reply=models.ScanView, status=202, errors=(errors.ScanInProgress, errors.ScanLimitReached), limit=_HEAVIEST,
    ),
    Route("GET", f"{_O}/trends", trends.show_trends, may("trends:read"), query=timed.TrendQuery, reply=timed.TrendView, limit=_HEAVY),
    Route("GET", f"{_O}/drift/{{item_id}}/fix", fixing.show_fix, may("drift:read"), reply=fixes.FixView),
    Route("PATCH", f"{_O}/drift/{{item_id}}", ignoring.change_drift, may("drift:change"), body=triage.ChangeDrift, reply=models.DriftView),
    Route(
        "POST", f"{_O}/ignore-rules", ignoring.create_ignore_rule, may("ignore_rules:change"),
        body=triage.CreateIgnoreRule, reply=triage.IgnoreRuleView, status=201, errors=(errors.TooManyIgnoreRules,), limit=_HEAVY,
    ),
    Route("GET", f"{_O}/ignore-rules", ignoring.list_ignore_rules, may("ignore_rules:read"), query=PageQuery, reply=triage.IgnoreRulePage),
    Route("GET", f"{_O}/ignore-rules/{{ignore_rule_id}}", ignoring.get_ignore_rule, may("ignore_rules:read"), reply=triage.IgnoreRuleView),
    Route("DELETE", f"{_O}/ignore-rules/{{ignore_rule_id}}", ignoring.delete_ignore_rule, may("ignore_rules:change"), status=204),
    Route(  # the key says whose cluster it is; its signature over the body is checked before the body is read
        "POST", "/api/v2/operator/report", reporting.take_report, may("operator_reports:send"),
        reply=reports.ReportAnswer, is_raw=True, takes_gzip=True, body_limit_bytes=reporting.MOST_PART_BYTES,
        errors=(
            SignatureRefused, MalformedRequest, Invalid, NotFound, errors.ReportGone, errors.ReportGap, errors.ReportMismatch,
            errors.ReportTooLarge,
        ),
    ),
    Route(  # open to anyone: the token of the feed's push account is checked before the body is read
        "POST", "/api/v2/asset-feeds/{feed_id}", asset_feeds.take_push, may("asset_changes:send"),
        reply=feeds.PushAnswer, status=202, is_raw=True, body_limit_bytes=asset_feeds.MOST_PUSH_BYTES, limit=_PUSHES,
        errors=(SignatureRefused, MalformedRequest, ServiceAway, DatabaseAway, PoolExhausted, QueryTimeout, WriteConflict),
    ),
    Route("GET", f"{_O}/drift", drift.list_drift, may("drift:read"), query=models.DriftQuery, reply=models.DriftPage),
]  # fmt: skip

EVENT_ROUTES: list[Route[ScanDeps]] = [
    Route("POST", "/_events/scan-shards", worker.work_shard, Access.from_event("scan-shards")),
    Route("POST", "/_events/scan-comparisons", comparing.work_comparison, Access.from_event("scan-comparisons")),
    Route("POST", "/_events/scan-attributions", attributing.work_attribution, Access.from_event("scan-attributions")),
    Route("POST", "/_events/attribution-sweep", attributing.sweep_attributions, Access.from_event("attribution-sweep")),
    Route("POST", "/_events/dead-letters", worker.work_dead_letter, Access.from_event("scan-dead-letters")),
    Route("POST", "/_events/scan-sweep", worker.sweep_scans, Access.from_event("scan-sweep")),
    Route("POST", "/_events/scan-schedules", turns.run_due_schedules, Access.from_event("scan-schedules")),
    Route("POST", "/_events/scan-purge", purge.purge_scans, Access.from_event("scan-purge")),
    resealing_route("sealed-columns"),
]
