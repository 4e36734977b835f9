"""Calls on cloud accounts."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shared.data.errors import UniqueViolated
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply
from shared.ports.secret_store import Secret
from shared.security.plans import limit_of

from ..domain.resources import NotChecked, Unread
from ..domain.shards import GLOBAL, is_resolved
from ..errors import AccountExists, AccountLimitReached, CredentialsRefused
from ..models import AccountView, AssumedRole, ChangeAccount, CreateAccount, GapView, StaticKey, VerifyView
from ..queries import accounts as queries
from ..readers.aws import SERVICES
from ..readers.aws.base import Gap, Listing, Scope, collect
from ..readers.aws.regions import read_regions
from ..readers.aws.session import AwsAccount
from ..wiring import CREDENTIALS_SEPARATOR, ScanDeps, credentials_place

_VERIFY_THREADS = 8


def create_account(call: Call, deps: ScanDeps) -> Reply:
    """Connect a cloud account; credentials are stored only as ciphertext."""
    wish = call.body(CreateAccount)
    account_id = deps.entropy.uuid()
    static = wish.auth if isinstance(wish.auth, StaticKey) else None
    role = None if isinstance(wish.auth, StaticKey) else wish.auth
    values: dict[str, Any] = {
        "id": account_id,
        "provider": wish.provider,
        "name": wish.name,
        "external_account": wish.external_account,
        "regions": sorted(set(wish.regions)),
        "auth_kind": wish.auth.kind,
        "role_arn": role.role_arn if role else None,
        "through": role.through if role else None,
        "credentials_encrypted": _sealed(call, deps, static, account_id) if static else None,
    }
    with deps.db.unit(call.actor, call.idempotency) as tx:
        queries.lock_plan(tx)
        cap, used = limit_of("cloud_accounts", call.actor.plan), queries.count_accounts(tx)
        if cap.is_reached(used):
            raise AccountLimitReached(cap, used)
        try:
            row = queries.insert_account(tx, **values, external_id=_external_id(tx, deps, role))
        except UniqueViolated as error:
            raise AccountExists(external_account=wish.external_account) from error
        tx.audit("scan:cloud_account:created", "cloud_account", account_id, name=wish.name, auth_kind=wish.auth.kind)
        return tx.settle(Reply.created(AccountView.of(row)))


def list_accounts(call: Call, deps: ScanDeps) -> Reply:
    """List connected accounts, newest first."""
    query = call.query(PageQuery)
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_accounts(tx, after_id=query.after_id(), most=query.limit + 1, skipped=query.offset)
    return Reply.ok(page(rows, query, AccountView.of))


def get_account(call: Call, deps: ScanDeps) -> Reply:
    """Show one account."""
    account_id = call.path_uuid("account_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.get_account(tx, account_id)
    return Reply.ok(AccountView.of(row))


def change_account(call: Call, deps: ScanDeps) -> Reply:
    """Change an account's name or regions."""
    account_id, wish = call.path_uuid("account_id"), call.body(ChangeAccount)
    regions = sorted(set(wish.regions)) if wish.regions else None
    with deps.db.unit(call.actor) as tx:
        row = queries.update_account(tx, account_id, name=wish.name, regions=regions)
        changed = sorted(wish.model_fields_set)
        tx.audit("scan:cloud_account:changed", "cloud_account", account_id, changed=changed)
    return Reply.ok(AccountView.of(row))


def delete_account(call: Call, deps: ScanDeps) -> Reply:
    """Disconnect an account; its credentials, sources, scans and drift go with it."""
    account_id = call.path_uuid("account_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.delete_account(tx, account_id)
        tx.audit("scan:cloud_account:deleted", "cloud_account", account_id, name=row["name"])
    return Reply.no_content()


def verify_account(call: Call, deps: ScanDeps) -> Reply:
    """Try every listing once with the account's credentials and name each permission that is missing."""
    account_id = call.path_uuid("account_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.get_account(tx, account_id)
    try:
        account = deps.sign_in(call.org_id, row)
    except CredentialsRefused as error:
        named = error.facts.get("permission")
        permission = str(named) if named else None
        reason = str(error.facts.get("reason") or "access_denied")
        gap = GapView(types=[], region=GLOBAL, reason=reason, permission=permission, detail=str(error))
        missing = [permission] if permission else []
        return Reply.ok(VerifyView(is_complete=False, identity="", missing_permissions=missing, gaps=[gap]))
    gaps = _try_everything(account, row["regions"])
    with deps.db.unit(call.actor) as tx:
        queries.set_verified(tx, account_id)
    missing = sorted({gap.permission for gap in gaps if gap.permission})
    return Reply.ok(VerifyView(is_complete=not gaps, identity=account.identity, missing_permissions=missing, gaps=gaps))


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


def _sealed(call: Call, deps: ScanDeps, static: StaticKey, account_id: Any) -> bytes:
    secret = static.secret_access_key.get_secret_value().encode()
    plaintext = Secret(static.access_key_id.encode() + CREDENTIALS_SEPARATOR + secret)
    return deps.envelope.seal(plaintext, credentials_place(call.org_id, account_id))


def _external_id(tx: UnitOfWork, deps: ScanDeps, role: AssumedRole | None) -> str | None:
    """Return the external id of a new account. Those behind one hub share theirs: the hub's trust policy then names one, not hundreds.

    It stays the organisation's own: another one that names the same hub has another external id, which the hub refuses.
    """
    if role is None:
        return None
    known = queries.find_external_id_of_hub(tx, role.through) if role.through is not None else None
    return known or make_external_id(deps)


def make_external_id(deps: ScanDeps) -> str:
    """Make the external id that the customer's trust policy demands: ours to choose, so that nobody else can borrow it.

    Source: AWS IAM User Guide, "The confused deputy problem".
    """
    return "dw-" + base64.b32encode(deps.entropy.token_bytes(20)).decode().lower()
