"""Calls on state sources."""

from __future__ import annotations

from typing import Any

from shared.http.call import Call
from shared.http.errors import AppError, Invalid
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply
from shared.security.plans import limit_of

from .. import ingestion
from ..errors import SourceLimitReached, SourceNotUploadable
from ..models import CreateSource, SourceView, UploadQuery
from ..queries import accounts as account_queries
from ..queries import sources as queries
from ..wiring import ScanDeps


def create_source(call: Call, deps: ScanDeps) -> Reply:
    """Add a state source to an account."""
    wish = call.body(CreateSource)
    _check_kind(wish)
    with deps.db.unit(call.actor, call.idempotency) as tx:
        account_queries.get_account(tx, wish.account_id)
        account_queries.lock_plan(tx)
        cap, used = limit_of("state_sources", call.actor.plan), queries.count_sources(tx)
        if cap.is_reached(used):
            raise SourceLimitReached(cap, used)
        row = queries.insert_source(tx, **wish.model_dump())
        tx.audit("scan:state_source:created", "state_source", row["id"], name=wish.name, kind=wish.kind)
        return tx.settle(Reply.created(SourceView.of(row)))


def list_sources(call: Call, deps: ScanDeps) -> Reply:
    """List state sources, newest first."""
    query = call.query(PageQuery)
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_sources(tx, after_id=query.after_id(), most=query.limit + 1, skipped=query.offset)
    return Reply.ok(page(rows, query, SourceView.of))


def get_source(call: Call, deps: ScanDeps) -> Reply:
    """Show one source and the outcome of its last fetch."""
    source_id = call.path_uuid("source_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.get_source(tx, source_id)
    return Reply.ok(SourceView.of(row))


def delete_source(call: Call, deps: ScanDeps) -> Reply:
    """Remove a source and what its state declares."""
    source_id = call.path_uuid("source_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.delete_source(tx, source_id)
        tx.audit("scan:state_source:deleted", "state_source", source_id, name=row["name"])
    return Reply.no_content()


def upload_state(call: Call, deps: ScanDeps) -> Reply:
    """Take a state file, as its plain bytes."""
    source_id, query = call.path_uuid("source_id"), call.query(UploadQuery)
    state = ingestion.read_state(call.content)
    seal = deps.sealer(call.org_id)
    with deps.db.unit(call.actor) as tx:
        source = queries.lock_source(tx, source_id)
        if source["kind"] != "upload":
            raise SourceNotUploadable(kind=source["kind"])
        row = ingestion.store_state(tx, source, call.content, state, seal, force=query.force)
        tx.audit("scan:state:uploaded", "state_source", source_id, serial=state.serial, lineage=state.lineage)
    return Reply.ok(SourceView.of(row))


def refresh_source(call: Call, deps: ScanDeps) -> Reply:
    """Fetch a source's state now; the answer shows the outcome, good or bad."""
    source_id = call.path_uuid("source_id")
    with deps.db.unit(call.actor) as tx:
        source = queries.get_source(tx, source_id)
        account = account_queries.get_account(tx, source["account_id"])
    if source["kind"] == "upload":
        return Reply.ok(SourceView.of(source))
    fetch_and_store(call, deps, source, account)
    with deps.db.unit(call.actor) as tx:
        row = queries.get_source(tx, source_id)
    return Reply.ok(SourceView.of(row))


def fetch_and_store(call: Call, deps: ScanDeps, source: Any, account: Any) -> bool:
    """Fetch a state and store it, or store why that failed; returns whether it went well.

    A state that cannot be had or read is the source's own trouble: it is shown there and stops nothing else. Trouble of
    ours (database, KMS) is raised, so that the queue tries again.
    """
    org_id = call.actor.org_id or call.org_id
    try:
        content = ingestion.fetch_from_s3(source, deps.sign_in(org_id, account))
        state = ingestion.read_state(content)
    except AppError as error:
        if error.status >= 500:
            raise
        detail = str(error) + "".join(f"; {name}: {value}" for name, value in sorted(error.facts.items()))
        with deps.db.unit(call.actor) as tx:
            queries.set_failed(tx, source["id"], error_code=error.code, error_detail=detail)
        return False
    with deps.db.unit(call.actor) as tx:
        ingestion.store_state(tx, queries.lock_source(tx, source["id"]), content, state, deps.sealer(org_id))
    return True


def _check_kind(wish: CreateSource) -> None:
    needed = {"bucket": wish.bucket, "object_key": wish.object_key} if wish.kind == "s3" else {}
    problems = [{"field": name, "problem": "needed for kind s3"} for name, value in needed.items() if not value]
    if wish.kind == "upload" and (wish.bucket or wish.object_key or wish.bucket_region):
        problems.append({"field": "bucket", "problem": "an upload has no bucket"})
    if problems:
        raise Invalid("see `errors` for each field", errors=problems)
