"""Signing in by OpenID Connect: to the provider and back, ending in a browser's session."""

from __future__ import annotations

import base64
from urllib.parse import urlencode
from uuid import UUID

from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.reply import Reply
from shared.security.actor import Actor

from ..domain import sign_in as domain
from ..errors import SignInFailed
from ..models.sign_in import CallbackQuery, LoginQuery
from ..providers import client_secret
from ..queries import sign_in as queries
from ..queries import sso
from ..starting import start_browser_session
from ..wiring import AuthDeps


def begin_sign_in(call: Call, deps: AuthDeps) -> Reply:
    """Send the browser to the identity provider; anyone may begin."""
    query = call.query(LoginQuery)
    if query.provider is None and (own := _own_provider(deps, query)) is not None:
        return Reply.redirect(own)
    config, provider = deps.providers.find(query.provider)
    state, nonce, code_verifier = (_token(deps.entropy.token_bytes(32)) for _ in range(3))
    location = provider.authorization_url(
        redirect_uri=_redirect_uri(deps),
        state=state,
        nonce=nonce,
        code_verifier=code_verifier,
        hint=query.email,
        is_fresh=query.fresh,
    )
    with deps.db.unit(call.actor) as tx:
        queries.insert_sign_in(
            tx,
            state_hash=domain.hash_state(state),
            provider=config.id,
            nonce=nonce,
            code_verifier=code_verifier,
            return_path=query.return_to,
            expires_at=deps.clock.now() + domain.SIGN_IN_LIFETIME,
        )
    reply = Reply.redirect(location)
    reply.cookies = (_state_cookie(state, int(domain.SIGN_IN_LIFETIME.total_seconds())),)
    return reply


def finish_sign_in(call: Call, deps: AuthDeps) -> Reply:
    """Take the browser back from the identity provider and begin its session.

    Anyone may call: the state, bound to this browser by a cookie, is the proof.
    """
    answer = call.query(CallbackQuery)
    with deps.db.unit(call.actor) as tx:
        found = queries.take_sign_in(tx, domain.hash_state(answer.state))
    cookie = call.cookies.get(domain.STATE_COOKIE)
    begun = domain.check_sign_in(found, cookie=cookie, state=answer.state, now=deps.clock.now())
    if answer.error is not None or answer.code is None:
        raise SignInFailed(provider_error=answer.error)
    config, provider = deps.providers.find(begun["provider"])
    person = provider.finish(
        code=answer.code,
        iss=answer.iss,
        redirect_uri=_redirect_uri(deps),
        nonce=begun["nonce"],
        code_verifier=begun["code_verifier"],
        secret=client_secret(deps.secrets.read("oidc-client-secret"), config.id),
    )
    with deps.db.unit(call.actor) as tx:
        user_id = _resolve_user(tx, deps, person)
        secret = start_browser_session(tx, deps, call, user_id, person)
    reply = Reply.see_other(begun["return_path"])
    reply.cookies = (secret, _state_cookie("", 0))
    return reply


def _own_provider(deps: AuthDeps, query: LoginQuery) -> str | None:
    """Return where the people of an address's domain sign in, when their organisation has an identity provider of its own."""
    domain_name = (query.email or "").rpartition("@")[2].lower()
    connection_id = sso.find_domain(deps.db, domain_name) if domain_name else None
    if connection_id is None:
        return None
    kept = {"return_to": query.return_to, **({"fresh": "true"} if query.fresh else {})}
    return f"{deps.settings.public_url}/auth/saml/{connection_id}/login?{urlencode(kept)}"


def _resolve_user(tx: UnitOfWork, deps: AuthDeps, person: domain.Person) -> UUID:
    """Find or make the account of a person whom the provider vouches for; the first of an allowed domain runs the platform."""
    known = queries.find_known(tx, issuer=person.issuer, subject=person.subject)
    platform_domains = deps.admin_domains | queries.list_allowed_domains(tx)
    if known is not None:
        domain.check_known(person, known)
        user_id: UUID = known["id"]
    else:
        account = queries.find_account(tx, person.email) if person.email else None
        domain.check_newcomer(person, account, platform_domains)
        user_id = queries.upsert_user(tx, email=person.email, name=person.name)["id"]
        queries.insert_identity(tx, issuer=person.issuer, subject=person.subject, user_id=user_id)
        tx.actor = Actor("human", str(user_id))
        tx.audit_platform("auth:identity:linked", "user", user_id, issuer=person.issuer, is_new=account is None)
    is_of_platform = person.is_email_verified and person.email_domain in platform_domains
    if is_of_platform and queries.claim_bootstrap(tx, user_id):
        tx.audit_platform("auth:platform_admin:bootstrapped", "user", user_id, domain=person.email_domain)
    return user_id


def _redirect_uri(deps: AuthDeps) -> str:
    return f"{deps.settings.public_url}/auth/callback"


def _state_cookie(state: str, seconds: int) -> str:
    return f"{domain.STATE_COOKIE}={state}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}"


def _token(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
