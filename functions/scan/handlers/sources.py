"""Calls on state sources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from shared.http.call import Call
from shared.http.errors import Invalid
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply
from shared.ports.secret_store import Secret
from shared.security.plans import limit_of

from .. import ingestion
from ..access_models import ServiceAccountKey
from ..cloud_access.google import email_of
from ..domain.source_rules import TRUSTING, check_place, choose_auth
from ..errors import SourceLimitReached, SourceNotUploadable
from ..queries import accounts as account_queries
from ..queries import sources as queries
from ..source_models import ChangeSource, CreateSource, SourceAccess, SourceView, UploadQuery
from ..state_sources.port import SUFFIX
from ..state_sources.tfc import PUBLIC
from ..wiring import ScanDeps, source_place
from .account_access import make_external_id
from .fetching import fetch_and_store

_REFRESH_SECONDS = 40.0


def create_source(call: Call, deps: ScanDeps) -> Reply:
    """Add a state source to an account; credentials are stored only as ciphertext."""
    wish = call.body(CreateSource)
    place = wish.model_dump(exclude={"account_id", "name", "auth"})
    source_id = deps.entropy.uuid()
    problems = list(check_place(wish.kind, place))
    access = _access(call, deps, source_id, wish.kind, wish.auth, problems)
    if wish.kind == "tfc":
        place["url"] = (wish.url or PUBLIC).rstrip("/")
    elif wish.object_prefix is not None and wish.object_suffix is None:
        place["object_suffix"] = SUFFIX
    if place["url"] is not None:
        deps.egress.check(place["url"])
    with deps.db.unit(call.actor, call.idempotency) as tx:
        account_queries.get_account(tx, wish.account_id)
        account_queries.lock_plan(tx)
        cap, used = limit_of("state_sources", call.actor.plan), queries.count_sources(tx)
        if cap.is_reached(used):
            raise SourceLimitReached(cap, used)
        row = queries.insert_source(tx, id=source_id, account_id=wish.account_id, name=wish.name, **place, **access)
        tx.audit(
            "scan:state_source:created", "state_source", source_id, name=wish.name, kind=wish.kind,
            auth_kind=access["auth_kind"],
        )  # fmt: skip
        return tx.settle(Reply.created(SourceView.of(row)))


def change_source(call: Call, deps: ScanDeps) -> Reply:
    """Change a source's name, or how it is signed in to."""
    source_id, wish = call.path_uuid("source_id"), call.body(ChangeSource)
    access: dict[str, Any] = dict.fromkeys(("auth_kind", "auth", "credentials_encrypted"))
    if wish.auth is not None:
        with deps.db.unit(call.actor) as tx:
            source = queries.get_source(tx, source_id)
        kept_id = source["auth"].get("external_id")
        access = _access(call, deps, source_id, source["kind"], wish.auth, [], external_id=kept_id)
    with deps.db.unit(call.actor) as tx:
        row = queries.change_source(tx, source_id, name=wish.name, **access)
        tx.audit(
            "scan:state_source:changed", "state_source", source_id, changed=sorted(wish.model_fields_set),
            auth_kind=row["auth_kind"],
        )  # fmt: skip
    return Reply.ok(SourceView.of(row))


def list_sources(call: Call, deps: ScanDeps) -> Reply:
    """List state sources, newest first."""
    query = call.query(PageQuery)
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_sources(tx, after_id=query.after_id(), most=query.limit + 1, skipped=query.offset)
    return Reply.ok(page(rows, query, SourceView.of))


def list_states(call: Call, deps: ScanDeps) -> Reply:
    """List the states that were found under a source's prefix, each with the outcome of its last fetch."""
    source_id, query = call.path_uuid("source_id"), call.query(PageQuery)
    with deps.db.unit(call.actor) as tx:
        queries.get_source(tx, source_id)
        rows = queries.list_sources(
            tx, after_id=query.after_id(), most=query.limit + 1, skipped=query.offset, parent_id=source_id
        )
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
        parent = queries.get_source(tx, source["parent_id"]) if source["parent_id"] else None
    if source["kind"] == "upload":
        return Reply.ok(SourceView.of(source))
    fetch_and_store(call, deps, source, account, parent=parent, within_seconds=_REFRESH_SECONDS)
    with deps.db.unit(call.actor) as tx:
        row = queries.get_source(tx, source_id)
    return Reply.ok(SourceView.of(row))


def _access(
    call: Call,
    deps: ScanDeps,
    source_id: UUID,
    kind: str,
    auth: SourceAccess | None,
    problems: list[dict[str, str]],
    *,
    external_id: str | None = None,
) -> dict[str, Any]:
    """Return the columns that say how a source is signed in to.

    Args:
        call: whose.
        deps: seals secrets.
        source_id: the row that the ciphertext is bound to.
        kind: of the source.
        auth: the wish.
        problems: what is wrong with the wish otherwise.
        external_id: what trust policies demand already.

    Raises:
        Invalid: (422 `invalid`) with every problem.
    """
    way, problem = choose_auth(kind, auth.kind if auth else None)
    problems = [*problems, *([problem] if problem else [])]
    if isinstance(auth, ServiceAccountKey) and email_of(auth.key_json.get_secret_value()) is None:
        problems.append({"field": "auth.key_json", "problem": "this is no key file of a service account"})
    if problems:
        raise Invalid("see `errors` for each field", errors=problems)
    fields: Mapping[str, Any] = {name: getattr(auth, name) for name in type(auth).model_fields} if auth else {}
    secrets = {name: value.get_secret_value() for name, value in fields.items() if isinstance(value, SecretStr)}
    shown = {
        name: str(value)
        for name, value in fields.items()
        if value is not None and name not in {"kind", "access_key_id", *secrets}
    }
    if "access_key_id" in fields:
        secrets["access_key_id"] = fields["access_key_id"]
    if way in TRUSTING:
        shown["external_id"] = external_id or make_external_id(deps)
    sealed = (
        deps.envelope.seal(Secret(json.dumps(secrets).encode()), source_place(call.org_id, source_id))
        if secrets
        else None
    )
    return {"auth_kind": way, "auth": json.dumps(shown), "credentials_encrypted": sealed}
