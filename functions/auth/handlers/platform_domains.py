"""Domains of the people who run the platform, and whether one is one of them."""

from __future__ import annotations

from uuid import UUID

from shared.data.errors import UniqueViolated
from shared.http.call import Call
from shared.http.paging import TextPageQuery, text_page
from shared.http.reply import Reply
from shared.security.errors import NotFound

from ..errors import DomainExists
from ..models.platform import CreateDomain, DomainView, PlatformMeView, is_domain
from ..queries import platform as queries
from ..wiring import AuthDeps


def show_platform_me(call: Call, _deps: AuthDeps) -> Reply:
    """Tell whether who calls runs the platform."""
    return Reply.ok(PlatformMeView(id=call.actor.id, is_platform_admin=call.actor.is_platform_admin))


def list_domains(call: Call, deps: AuthDeps) -> Reply:
    """List the domains whose people run the platform, but for those that the deployment itself names."""
    query = call.query(TextPageQuery)
    with deps.db.unit_in(None, call.actor) as tx:
        rows = queries.list_domains(tx, after_domain=query.after_text(), most=query.limit + 1)
    return Reply.ok(text_page(rows, query, DomainView.model_validate, by="domain"))


def create_domain(call: Call, deps: AuthDeps) -> Reply:
    """Add a domain: its first person to sign in runs the platform if nobody ever did."""
    wish = call.body(CreateDomain)
    with deps.db.unit_in(None, call.actor) as tx:
        try:
            row = queries.insert_domain(tx, wish.domain, created_by=UUID(call.actor.id))
        except UniqueViolated as error:
            raise DomainExists(domain=wish.domain) from error
        tx.audit_platform("auth:domain:added", "domain", wish.domain)
    return Reply.created(DomainView.model_validate(row))


def delete_domain(call: Call, deps: AuthDeps) -> Reply:
    """Remove a domain; who runs the platform already goes on doing so."""
    domain = call.path["domain"].lower()
    if not is_domain(domain):
        raise NotFound
    with deps.db.unit_in(None, call.actor) as tx:
        queries.delete_domain(tx, domain)
        tx.audit_platform("auth:domain:removed", "domain", domain)
    return Reply.no_content()
