"""The whole surface of the function."""

from __future__ import annotations

from shared.http.access import Access
from shared.http.health import health_route
from shared.http.paging import PageQuery
from shared.http.routes import Route
from shared.security.actor import Role
from shared.security.errors import FeatureRequired
from shared.security.ratelimit import SIGNED_IN

from . import errors, models
from .handlers import accounts, drift, scans, sealed, sources, worker
from .ingestion import MOST_STATE_BYTES
from .wiring import ScanDeps

_O = "/api/v2/orgs/{org_id}"
_READ, _WORK, _MANAGE = Access.member(Role.VIEWER), Access.member(Role.MEMBER), Access.member(Role.ADMIN)
_HEAVY, _HEAVIEST = SIGNED_IN.costing(10), SIGNED_IN.costing(20)  # calls that ask a cloud, or make a lot of work
_STATE_ERRORS = (errors.StateUnreadable, errors.StateVersionUnsupported, errors.StateEncrypted, errors.StateTooLarge)


def _account_routes(root: str) -> list[Route[ScanDeps]]:
    one = f"{root}/{{account_id}}"
    return [
        Route(
            "POST", root, accounts.create_account, _MANAGE,
            body=models.CreateAccount, reply=models.AccountView, status=201,
            errors=(errors.AccountExists, errors.AccountLimitReached),
        ),
        Route("GET", root, accounts.list_accounts, _READ, query=PageQuery, reply=models.AccountPage),
        Route("GET", one, accounts.get_account, _READ, reply=models.AccountView),
        Route("PATCH", one, accounts.change_account, _MANAGE, body=models.ChangeAccount, reply=models.AccountView),
        Route("DELETE", one, accounts.delete_account, _MANAGE, status=204),
        Route("POST", f"{one}/verify", accounts.verify_account, _MANAGE, reply=models.VerifyView, limit=_HEAVY),
    ]  # fmt: skip


ROUTES: list[Route[ScanDeps]] = [
    health_route("/scan"),
    *_account_routes(f"{_O}/cloud-accounts"),
    *_account_routes(f"{_O}/accounts"),
    Route(
        "POST", f"{_O}/state-sources", sources.create_source, _MANAGE,
        body=models.CreateSource, reply=models.SourceView, status=201, errors=(errors.SourceLimitReached,),
    ),
    Route("GET", f"{_O}/state-sources", sources.list_sources, _READ, query=PageQuery, reply=models.SourcePage),
    Route("GET", f"{_O}/state-sources/{{source_id}}", sources.get_source, _READ, reply=models.SourceView),
    Route("DELETE", f"{_O}/state-sources/{{source_id}}", sources.delete_source, _MANAGE, status=204),
    Route(
        "PUT", f"{_O}/state-sources/{{source_id}}/state", sources.upload_state, _MANAGE,
        query=models.UploadQuery, reply=models.SourceView, body_limit_bytes=MOST_STATE_BYTES, is_raw=True, takes_gzip=True,
        limit=_HEAVIEST, errors=(*_STATE_ERRORS, errors.StateOlder, errors.SourceNotUploadable),
    ),
    Route("POST", f"{_O}/state-sources/{{source_id}}/refresh", sources.refresh_source, _MANAGE, reply=models.SourceView, limit=_HEAVY),
    Route(
        "POST", f"{_O}/scans", scans.start_scan, _WORK,
        body=models.StartScan, reply=models.ScanView, status=202, errors=(errors.ScanInProgress, FeatureRequired),
        limit=_HEAVIEST,
    ),
    Route("GET", f"{_O}/scans", scans.list_scans, _READ, query=PageQuery, reply=models.ScanPage),
    Route("GET", f"{_O}/scans/{{scan_id}}", scans.get_scan, _READ, reply=models.ScanView),
    Route("POST", f"{_O}/scans/{{scan_id}}/cancel", scans.cancel_scan, _WORK, reply=models.ScanView, errors=(errors.ScanEnded,)),
    Route(
        "GET", f"{_O}/scans/{{scan_id}}/resources", scans.list_resources, _READ,
        query=models.ResourceQuery, reply=models.ResourcePage,
    ),
    Route("GET", f"{_O}/scans/{{scan_id}}/coverage", scans.show_coverage, _READ, reply=models.CoverageView),
    Route(
        "POST", f"{_O}/scans/{{scan_id}}/drift", scans.compare_again, _WORK,
        reply=models.ScanView, status=202, errors=(errors.ScanNotComparable,), limit=_HEAVY,
    ),
    Route(
        "GET", f"{_O}/scans/{{scan_id}}/drift", drift.list_scan_drift, _READ, query=models.DriftQuery, reply=models.DriftPage
    ),
    Route("GET", f"{_O}/drift", drift.list_drift, _READ, query=models.DriftQuery, reply=models.DriftPage),
]  # fmt: skip

EVENT_ROUTES: list[Route[ScanDeps]] = [
    Route("POST", "/_events/scan-shards", worker.work_shard, Access.from_event("scan-shards")),
    Route("POST", "/_events/scan-comparisons", worker.work_comparison, Access.from_event("scan-comparisons")),
    Route("POST", "/_events/dead-letters", worker.work_dead_letter, Access.from_event("scan-dead-letters")),
    Route("POST", "/_events/scan-sweep", worker.sweep_scans, Access.from_event("scan-sweep")),
    Route("POST", "/_events/sealed-columns", sealed.tend_sealed_columns, Access.from_event("sealed-columns")),
]
