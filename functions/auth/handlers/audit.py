"""The audit logs, an organisation's and the platform's: listed, verified, anchored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from shared.data.audit_log import verify_org, verify_platform
from shared.data.rows import Row
from shared.http.call import Call
from shared.http.paging import seq_page
from shared.http.reply import Reply
from shared.security.audit import PLATFORM_CHAIN, Head, Verdict, anchor_name, anchor_prefix, org_chain, read_anchor

from ..models.audit import AuditEntryView, AuditLogQuery, AuditVerdictView, VerifyQuery
from ..queries import audit as queries
from ..wiring import AuthDeps

_HEADS_PER_PAGE = 200


def list_audit_log(call: Call, deps: AuthDeps) -> Reply:
    """List who did what in the organisation, newest first."""
    return _list(call, deps, queries.list_audit)


def list_platform_audit_log(call: Call, deps: AuthDeps) -> Reply:
    """List who did what that belongs to no organisation, newest first."""
    return _list(call, deps, queries.list_platform_audit)


def verify_audit_log(call: Call, deps: AuthDeps) -> Reply:
    """Verify the organisation's whole audit log, from its first entry on, also against what was anchored."""
    return _verify(call, deps, org_chain(call.org_id), verify_org)


def verify_platform_audit_log(call: Call, deps: AuthDeps) -> Reply:
    """Verify the platform's whole audit log, from its first entry on, also against what was anchored."""
    return _verify(call, deps, PLATFORM_CHAIN, verify_platform)


def anchor_audit_heads(call: Call, deps: AuthDeps) -> Reply:
    """Keep the head of every chain that grew since the last time where nobody who holds the database can change it."""
    written = 0
    after_id: UUID | None = None
    while rows := queries.list_changed_heads(deps.db, after_id=after_id, most=_HEADS_PER_PAGE):
        for row in rows:
            _anchor(deps, org_chain(row["org_id"]), row)
            with deps.db.unit_in(row["org_id"], call.actor) as tx:
                queries.set_anchored(tx, seq=row["seq"])
        written += len(rows)
        after_id = rows[-1]["org_id"]
    with deps.db.unit_in(None, call.actor) as tx:
        platform = queries.get_changed_platform_head(tx)
    if platform is not None:
        _anchor(deps, PLATFORM_CHAIN, platform)
        with deps.db.unit_in(None, call.actor) as tx:
            queries.set_platform_anchored(tx, seq=platform["seq"])
        written += 1
    return Reply.ok({"written": written})


def _list(call: Call, deps: AuthDeps, read: Callable[..., Sequence[Row]]) -> Reply:
    query = call.query(AuditLogQuery)
    filters = query.model_dump(include={"actor", "action", "target", "from_at", "to_at"})
    with deps.db.unit(call.actor) as tx:
        rows = read(tx, before_seq=query.before_seq(), most=query.limit + 1, **filters)
    return Reply.ok(seq_page(rows, query, _audit_entry))


def _verify(call: Call, deps: AuthDeps, chain: str, judge: Callable[..., Verdict]) -> Reply:
    query = call.query(VerifyQuery)
    anchors = list(_anchors(deps, chain))  # before the chain is read, which only grows
    with deps.db.unit(call.actor) as tx:
        verdict = judge(tx, expected_min_seq=query.expected_min_seq, anchors=anchors)
    return Reply.ok(AuditVerdictView.of(verdict, anchors=len(anchors)))


def _anchor(deps: AuthDeps, chain: str, row: Mapping[str, Any]) -> None:
    """Keep one head; one that is kept already (the last run ended before it could say so) is the same."""
    head = Head(row["seq"], bytes(row["hash"]))
    told = {"chain": chain, "seq": head.seq, "hash": head.hash.hex(), "anchored_at": deps.clock.now().isoformat()}
    deps.anchors.put_new(anchor_name(chain, head), json.dumps(told).encode())


def _anchors(deps: AuthDeps, chain: str) -> Iterator[Head]:
    for name in deps.anchors.names(anchor_prefix(chain)):
        yield read_anchor(chain, name)


def _audit_entry(row: Mapping[str, Any]) -> AuditEntryView:
    return AuditEntryView.model_validate({**row, "hash": bytes(row["hash"]).hex()})
