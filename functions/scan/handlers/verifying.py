"""The call that tries what an account was given: it names each permission that is missing, whatever the cloud."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

from shared.data.rows import Row
from shared.http.call import Call
from shared.http.reply import Reply

from ..account_models import VerifyView
from ..domain.inventory import GENERIC
from ..domain.resources import NotChecked, Unread
from ..domain.shards import GLOBAL, is_resolved
from ..errors import CredentialsRefused
from ..models import GapView
from ..queries import accounts as queries
from ..readers.aws import SERVICES
from ..readers.aws.base import Gap, Listing, Scope, attempt, collect
from ..readers.aws.regions import read_regions
from ..readers.aws.session import AwsAccount
from ..wiring import ScanDeps

_VERIFY_THREADS = 8


def verify_account(call: Call, deps: ScanDeps) -> Reply:
    """Try what a scan would ask for, with the account's credentials, and name each permission that is missing."""
    account_id = call.path_uuid("account_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.get_account(tx, account_id)
    try:
        found = _way(row["provider"])(call, deps, row)
    except CredentialsRefused as error:
        return Reply.ok(_refused(error))
    if found.identity:
        with deps.db.unit(call.actor) as tx:
            queries.set_verified(tx, account_id)
    return Reply.ok(found)


def view(identity: str, gaps: Sequence[GapView], reported_at: datetime | None = None) -> VerifyView:
    """Return the answer: complete when nothing is in the way."""
    missing = sorted({gap.permission for gap in gaps if gap.permission})
    return VerifyView(
        is_complete=not gaps, identity=identity, missing_permissions=missing, gaps=list(gaps), reported_at=reported_at
    )


def _refused(error: CredentialsRefused) -> VerifyView:
    named = error.facts.get("permission")
    permission = str(named) if named else None
    reason = str(error.facts.get("reason") or "access_denied")
    gap = GapView(types=[], region=GLOBAL, reason=reason, permission=permission, detail=str(error))
    return view("", [gap])


def _aws(call: Call, deps: ScanDeps, row: Row) -> VerifyView:
    account = deps.sign_in(call.org_id, row)
    gaps = [*_try_everything(account, row["regions"]), *_try_further(account)]
    return view(account.identity, gaps)


def _way(provider: str) -> Callable[[Call, ScanDeps, Row], VerifyView]:
    from . import verifying_clouds as clouds  # with the tables of clouds that few calls need

    return {"aws": _aws, "gcp": clouds.google, "azure": clouds.azure, "kubernetes": clouds.kubernetes}[provider]


def _try_everything(account: AwsAccount, regions: Sequence[str]) -> list[GapView]:
    """Try every listing in one region, and to look the regions up where they are not named."""
    if is_resolved(regions):
        return list(_try_listings(account, regions[0]))
    home, gaps = account.scope(GLOBAL), list[GapView]()
    found = read_regions(home)
    if isinstance(found, Gap):
        view = GapView(types=[], region=GLOBAL, reason=found.reason, permission=found.permission, detail=found.detail)
        gaps.append(view)
    return gaps + list(_try_listings(account, home.region))


def _try_listings(account: AwsAccount, region: str) -> Iterator[GapView]:
    def attempt(listing: Listing) -> list[GapView]:
        place = GLOBAL if listing.is_global else region
        scope: Scope = account.scope(place)
        found: dict[tuple[object, ...], GapView] = {}  # a permission that is missing is missing for every resource
        for item in collect(listing, scope):
            if isinstance(item, NotChecked | Unread):
                types = item.types if isinstance(item, NotChecked) else (item.type,)
                view = GapView(
                    types=list(types), region=place, reason=item.reason, permission=item.permission, detail=item.detail
                )
                found.setdefault((types, item.reason, item.permission), view)
        return list(found.values())

    listings = [listing for service in SERVICES for listing in service.listings]
    with ThreadPoolExecutor(_VERIFY_THREADS) as pool:
        for gaps in pool.map(attempt, listings):
            yield from gaps


def _try_further(account: AwsAccount) -> Iterator[GapView]:
    """Try once what a scan asks for beside the listings; only a denial is told, since not every region offers them."""
    scope = account.scope(GLOBAL)
    calls: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
        ("tag", "resourcegroupstaggingapi", lambda client: client.get_resources(ResourcesPerPage=1)),
        ("resource-explorer-2", "resource-explorer-2", lambda client: client.list_indexes(MaxResults=1)),
        ("cloudtrail", "cloudtrail", lambda client: client.lookup_events(MaxResults=1)),
    )
    for prefix, service, ask in calls:
        found = attempt(prefix, partial(ask, scope.client(service)))
        if isinstance(found, Gap) and found.permission is not None:
            types = [] if prefix == "cloudtrail" else [GENERIC]
            yield GapView(
                types=types, region=GLOBAL, reason=found.reason, permission=found.permission, detail=found.detail
            )
