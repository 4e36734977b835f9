"""Domains of an organisation: claimed, proven by DNS, given up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.data.errors import UniqueViolated
from shared.http.call import Call
from shared.http.reply import Reply
from shared.security.errors import NotFound
from shared.security.plans import require_feature

from ..domain import sso as domain
from ..errors import DomainInvalid, DomainProofMissing, DomainTaken, TooManyDomains
from ..models.sso import AddDomain, DomainPage, DomainView
from ..queries import sso as queries
from ..wiring import AuthDeps

_MOST_DOMAINS = 100


def list_domains(call: Call, deps: AuthDeps) -> Reply:
    """List the organisation's domains and the DNS records that prove them."""
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_domains(tx)
    return Reply.ok(DomainPage(items=[_view(row) for row in rows]))


def add_domain(call: Call, deps: AuthDeps) -> Reply:
    """Claim a domain; it counts once it is proven."""
    require_feature("saml", call.actor.plan)
    name = domain.read_domain(call.body(AddDomain).domain)
    with deps.db.unit(call.actor) as tx:
        if len(queries.list_domains(tx)) >= _MOST_DOMAINS:
            raise TooManyDomains
        row = queries.insert_domain(tx, domain=name, challenge=domain.make_challenge(deps.entropy))
        tx.audit("auth:sso_domain:added", "domain", name)
        tx.emit("org-events", {"event": "auth:sso_domain:added", "domain": name})
    return Reply.created(_view(row))


def verify_domain(call: Call, deps: AuthDeps) -> Reply:
    """Look whether the domain's owner published the record; from then on the organisation's provider speaks for it."""
    name = _named(call)
    with deps.db.unit(call.actor) as tx:
        row = queries.lock_domain(tx, name)
    if row is None:
        raise NotFound
    record, wanted = domain.txt_name(name), domain.txt_value(row["challenge"])
    if wanted not in deps.domain_records.read_txt(record):  # asked outside of the transaction
        raise DomainProofMissing("DNS may need a while", txt_name=record, txt_value=wanted)
    try:
        with deps.db.unit(call.actor) as tx:
            row = queries.set_verified(tx, name, now=deps.clock.now())
            tx.audit("auth:sso_domain:verified", "domain", name)
            tx.emit("org-events", {"event": "auth:sso_domain:verified", "domain": name})
    except UniqueViolated as error:
        raise DomainTaken from error
    return Reply.ok(_view(row))


def delete_domain(call: Call, deps: AuthDeps) -> Reply:
    """Give a domain up; people of it can no longer sign in by the organisation's provider."""
    name = _named(call)
    with deps.db.unit(call.actor) as tx:
        if not queries.delete_domain(tx, name):
            raise NotFound
        tx.audit("auth:sso_domain:deleted", "domain", name)
        tx.emit("org-events", {"event": "auth:sso_domain:deleted", "domain": name})
    return Reply.no_content()


def _named(call: Call) -> str:
    """Return the domain in the path. Raises: NotFound (404 `not_found`): it is none, so nobody has it."""
    try:
        return domain.read_domain(call.path["domain"])
    except DomainInvalid:
        raise NotFound from None


def _view(row: Mapping[str, Any]) -> DomainView:
    return DomainView(
        domain=row["domain"],
        is_verified=row["verified_at"] is not None,
        verified_at=row["verified_at"],
        created_at=row["created_at"],
        txt_name=domain.txt_name(row["domain"]),
        txt_value=domain.txt_value(row["challenge"]),
    )
