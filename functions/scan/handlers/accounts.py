"""Calls on cloud accounts."""

from __future__ import annotations

from typing import Any

from shared.data.errors import UniqueViolated
from shared.http.call import Call
from shared.http.errors import Invalid
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply
from shared.security.plans import limit_of

from ..account_models import AccountView, ChangeAccount, CreateAccount, CreateAwsAccount
from ..domain.access import ANYWHERE
from ..errors import AccountExists, AccountLimitReached
from ..queries import accounts as queries
from ..wiring import ScanDeps
from .account_access import access_columns, external_id_for


def create_account(call: Call, deps: ScanDeps) -> Reply:
    """Connect a cloud account; credentials are stored only as ciphertext."""
    wish = call.body(CreateAccount).root
    account_id = deps.entropy.uuid()
    values: dict[str, Any] = {
        "id": account_id,
        "provider": wish.provider,
        "name": wish.name,
        "external_account": str(wish.external_account),
        "regions": sorted(set(wish.regions)) if isinstance(wish, CreateAwsAccount) else list(ANYWHERE),
        **access_columns(call, deps, account_id, wish.provider, wish.auth),
    }
    with deps.db.unit(call.actor, call.idempotency) as tx:
        queries.lock_plan(tx)
        cap, used = limit_of("cloud_accounts", call.actor.plan), queries.count_accounts(tx)
        if cap.is_reached(used):
            raise AccountLimitReached(cap, used)
        try:
            row = queries.insert_account(tx, **values, external_id=external_id_for(tx, deps, wish.auth))
        except UniqueViolated as error:
            raise AccountExists(external_account=str(wish.external_account)) from error
        tx.audit(
            "scan:cloud_account:created", "cloud_account", account_id,
            name=wish.name, provider=wish.provider, auth_kind=wish.auth.kind,
        )  # fmt: skip
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
    """Change an account's name or regions, or how it is signed in to."""
    account_id, wish = call.path_uuid("account_id"), call.body(ChangeAccount)
    with deps.db.unit(call.actor) as tx:
        known = queries.get_account(tx, account_id)
    if wish.regions is not None and known["provider"] != "aws":
        problem = {"field": "regions", "problem": f"an account of {known['provider']} is read as a whole"}
        raise Invalid("see `errors` for each field", errors=[problem])
    access = access_columns(call, deps, account_id, known["provider"], wish.auth) if wish.auth is not None else None
    regions = sorted(set(wish.regions)) if wish.regions else None
    with deps.db.unit(call.actor) as tx:
        row = queries.update_account(tx, account_id, name=wish.name, regions=regions)
        if wish.auth is not None and access is not None:
            external_id = external_id_for(tx, deps, wish.auth, row["external_id"])
            row = queries.set_access(tx, account_id, **access, external_id=external_id)
        changed = sorted(wish.model_fields_set)
        tx.audit("scan:cloud_account:changed", "cloud_account", account_id, changed=changed, auth_kind=row["auth_kind"])
    return Reply.ok(AccountView.of(row))


def delete_account(call: Call, deps: ScanDeps) -> Reply:
    """Disconnect an account; its credentials, sources, scans and drift go with it."""
    account_id = call.path_uuid("account_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.delete_account(tx, account_id)
        tx.audit("scan:cloud_account:deleted", "cloud_account", account_id, name=row["name"])
    return Reply.no_content()
