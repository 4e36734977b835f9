"""Parse, unit of work, reply."""

from __future__ import annotations

import base64
from uuid import UUID

from shared.http.call import Call
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply
from shared.security.errors import Unauthenticated

from . import domain, queries
from .errors import SignInFailed
from .models import CallbackQuery, CreateOrg, MeView, OrgView, TokenView
from .oidc import Person
from .wiring import AuthDeps


def show_configuration(_call: Call, deps: AuthDeps) -> Reply:
    """Publish the issuer's metadata (OpenID Connect Discovery 1.0); public by nature."""
    issuer = deps.settings.public_url
    body = {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "authorization_endpoint": f"{issuer}/auth/login",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }
    reply = Reply.ok(body)
    reply.headers["Cache-Control"] = "public, max-age=300"
    return reply


def show_jwks(_call: Call, deps: AuthDeps) -> Reply:
    """Publish the token keys (RFC 7517); public by nature."""
    reply = Reply.ok(deps.issuer.jwks())
    reply.headers["Cache-Control"] = "public, max-age=300"
    return reply


def begin_sign_in(call: Call, deps: AuthDeps) -> Reply:
    """Send the browser to the identity provider; anyone may begin."""
    state, nonce, code_verifier = (_token(deps.entropy.token_bytes(32)) for _ in range(3))
    now = deps.clock.now()
    location = deps.provider.authorization_url(
        redirect_uri=_redirect_uri(deps), state=state, nonce=nonce, code_verifier=code_verifier
    )
    with deps.db.unit(call.actor) as tx:
        queries.delete_expired_sign_ins(tx, now=now)
        queries.insert_sign_in(
            tx,
            state_hash=domain.hash_state(state),
            nonce=nonce,
            code_verifier=code_verifier,
            return_path="/",
            expires_at=now + domain.SIGN_IN_LIFETIME,
        )
    reply = Reply.redirect(location)
    reply.headers["Set-Cookie"] = (
        f"{domain.STATE_COOKIE}={state}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={int(domain.SIGN_IN_LIFETIME.total_seconds())}"
    )
    return reply


def finish_sign_in(call: Call, deps: AuthDeps) -> Reply:
    """Take the browser back from the identity provider and hand out an access token.

    Anyone may call: the state, bound to this browser by a cookie, is the proof.
    """
    answer = call.query(CallbackQuery)
    with deps.db.unit(call.actor) as tx:
        found = queries.take_sign_in(tx, domain.hash_state(answer.state))
    begun = domain.check_sign_in(
        found, cookie=call.cookies.get(domain.STATE_COOKIE), state=answer.state, now=deps.clock.now()
    )
    if answer.error is not None or answer.code is None:
        raise SignInFailed(provider_error=answer.error)
    person = deps.provider.finish(
        code=answer.code,
        iss=answer.iss,
        redirect_uri=_redirect_uri(deps),
        nonce=begun["nonce"],
        code_verifier=begun["code_verifier"],
        secret=deps.secrets.read("oidc-client-secret"),
    )
    return _hand_out_token(_resolve_user(call, deps, person), person, deps)


def show_me(call: Call, _deps: AuthDeps) -> Reply:
    """Tell who is calling."""
    actor = call.actor
    view = MeView(
        kind=actor.kind,
        id=actor.id,
        email=actor.email or None,
        name=actor.name or None,
        is_platform_admin=actor.is_platform_admin,
        org_id=actor.org_id,
        scopes=sorted(actor.scopes),
    )
    return Reply.ok(view)


def list_orgs(call: Call, deps: AuthDeps) -> Reply:
    """List the organisations of the person who calls."""
    query = call.query(PageQuery)
    rows = queries.list_orgs(deps.db, UUID(call.actor.id), after_id=query.after_id(), most=query.limit + 1)
    return Reply.ok(page(rows, query, OrgView.model_validate))


def create_org(call: Call, deps: AuthDeps) -> Reply:
    """Make an organisation; who makes it owns it."""
    wish = call.body(CreateOrg)
    org_id = deps.entropy.uuid()
    with deps.db.unit_in(org_id, call.actor) as tx:
        row = queries.insert_org(tx, name=wish.name, owner_id=UUID(call.actor.id))
        tx.audit("auth:org:created", "org", org_id, name=wish.name)
    return Reply.created(OrgView(role="owner", **row))


def get_org(call: Call, deps: AuthDeps) -> Reply:
    """Show one organisation."""
    with deps.db.unit(call.actor) as tx:
        row = queries.get_org(tx)
    return Reply.ok(OrgView(role=call.actor.role.name.lower() if call.actor.role else "viewer", **row))


def _resolve_user(call: Call, deps: AuthDeps, person: Person) -> UUID:
    with deps.db.unit(call.actor) as tx:
        known = queries.find_identity(tx, issuer=person.issuer, subject=person.subject)
        if known is not None:
            return known
        user = queries.upsert_user(tx, email=person.email, name=person.name)
        if user["disabled_at"] is not None:
            raise Unauthenticated
        queries.insert_identity(tx, issuer=person.issuer, subject=person.subject, user_id=user["id"])
        tx.audit_platform("auth:identity:linked", "user", user["id"], issuer=person.issuer)
        known = queries.find_identity(tx, issuer=person.issuer, subject=person.subject)
        if known is None:
            raise Unauthenticated
        return known


def _hand_out_token(user_id: UUID, person: Person, deps: AuthDeps) -> Reply:
    token = deps.issuer.issue(
        {"sub": str(user_id), "auth_time": person.signed_in_at},
        audience=deps.settings.public_url,
        kind="at+jwt",
        lifetime=domain.ACCESS_TOKEN_LIFETIME,
    )
    reply = Reply.ok(TokenView(access_token=token, expires_in=int(domain.ACCESS_TOKEN_LIFETIME.total_seconds())))
    reply.headers["Set-Cookie"] = f"{domain.STATE_COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
    return reply


def _redirect_uri(deps: AuthDeps) -> str:
    return f"{deps.settings.public_url}/auth/callback"


def _token(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
