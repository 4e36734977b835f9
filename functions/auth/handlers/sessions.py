"""A person's sessions: who one is, where one is signed in, signing out; and providers' notices that somebody signed out."""

from __future__ import annotations

from uuid import UUID

from shared.http.call import Call
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply
from shared.security.errors import NotFound
from shared.security.sessions import COOKIE, IDLE_LIFETIME, csrf_token, ended_cookie

from ..errors import SessionNeeded
from ..models.sign_in import EndedView, LogoutTokenForm, LogoutView, MeView, SessionView
from ..queries import sessions as queries
from ..wiring import AuthDeps


def show_me(call: Call, _deps: AuthDeps) -> Reply:
    """Tell who is calling."""
    actor = call.actor
    is_cookie = not call.headers.keys() & {"authorization", "x-api-key"}
    view = MeView(
        kind=actor.kind,
        id=actor.id,
        email=actor.email or None,
        name=actor.name or None,
        is_platform_admin=actor.is_platform_admin,
        org_id=actor.org_id,
        scopes=sorted(actor.scopes),
        session_id=actor.session_id,
        signed_in_at=actor.signed_in_at,
        csrf_token=csrf_token(call.cookies[COOKIE]) if is_cookie and COOKIE in call.cookies else None,
    )
    return Reply.ok(view)


def list_sessions(call: Call, deps: AuthDeps) -> Reply:
    """List where the person who calls is signed in, newest first."""
    query, now = call.query(PageQuery), deps.clock.now()
    with deps.db.unit_in(None, call.actor) as tx:
        rows = queries.list_sessions(
            tx,
            UUID(call.actor.id),
            now=now,
            idle_since=now - IDLE_LIFETIME,
            after_id=query.after_id(),
            most=query.limit + 1,
        )
    current = call.actor.session_id
    return Reply.ok(page(rows, query, lambda row: SessionView(is_current=row["id"] == current, **row)))


def end_session(call: Call, deps: AuthDeps) -> Reply:
    """End one of the caller's sessions; it is refused everywhere with its next call."""
    session_id = call.path_uuid("session_id")
    with deps.db.unit_in(None, call.actor) as tx:
        if not queries.revoke_session(tx, session_id, user_id=UUID(call.actor.id), now=deps.clock.now()):
            raise NotFound
        tx.audit_platform("auth:session:revoked", "session", session_id)
    return Reply.no_content()


def end_other_sessions(call: Call, deps: AuthDeps) -> Reply:
    """End all of the caller's sessions but the one that calls."""
    if call.actor.session_id is None:
        raise SessionNeeded
    user_id = UUID(call.actor.id)
    with deps.db.unit_in(None, call.actor) as tx:
        ended = queries.revoke_others(tx, user_id, kept_id=call.actor.session_id, now=deps.clock.now())
        tx.audit_platform("auth:session:others_revoked", "user", user_id, ended=ended)
    return Reply.ok(EndedView(ended=ended))


def log_out(call: Call, deps: AuthDeps) -> Reply:
    """End the session that calls, take the browser's cookie away, and say where to sign out as well."""
    session_id, logout_url = call.actor.session_id, None
    if session_id is None:
        raise SessionNeeded
    with deps.db.unit_in(None, call.actor) as tx:
        found = queries.get_session(tx, session_id)
        queries.revoke_session(tx, session_id, user_id=UUID(call.actor.id), now=deps.clock.now())
        tx.audit_platform("auth:session:revoked", "session", session_id)
    if found is not None:
        logout_url = deps.providers.logout_url(found["issuer"], f"{deps.settings.public_url}/")
    reply = Reply.ok(LogoutView(logout_url=logout_url))
    reply.cookies = (ended_cookie(),)
    return reply


def take_logout_notice(call: Call, deps: AuthDeps) -> Reply:
    """Take a provider's notice that somebody signed out there; anyone may call, its signed token is the proof.

    Source: OpenID Connect Back-Channel Logout 1.0 section 2.7.
    """
    _, provider = deps.providers.find(call.path["provider"])
    notice = provider.read_logout_token(call.form(LogoutTokenForm).logout_token)
    with deps.db.unit_in(None, call.actor) as tx:
        is_first = queries.claim_logout_token(tx, issuer=notice.issuer, jti=notice.jti, expires_at=notice.expires_at)
        if is_first:
            ended = queries.revoke_at_issuer(
                tx,
                issuer=notice.issuer,
                subject=notice.subject,
                issuer_session=notice.issuer_session,
                now=deps.clock.now(),
            )
            tx.audit_platform("auth:session:ended_by_provider", "issuer", notice.issuer, ended=ended)
    return Reply.no_content()
