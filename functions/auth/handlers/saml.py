"""Signing in by an organisation's own identity provider: to it and back, ending in a session that reaches this organisation.

Source: ADR-0014; SAML profiles 4.1 (web browser sign-on).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.reply import Reply
from shared.security.actor import Actor
from shared.security.errors import NotFound
from shared.security.plans import limit_of

from ..domain import members as member_domain
from ..domain import sessions, sign_in
from ..domain import sso as domain
from ..errors import SamlRefused, SeatLimitReached
from ..models.sso import SamlLoginQuery, SamlResponseForm
from ..queries import members, orgs
from ..queries import sign_in as people
from ..queries import sso as queries
from ..starting import start_browser_session
from ..wiring import AuthDeps

if TYPE_CHECKING:
    from ..saml.models import VerifiedAssertion


def show_saml_metadata(call: Call, deps: AuthDeps) -> Reply:
    """Publish our metadata for one connection; public by nature: an administrator hands it to the identity provider."""
    from ..saml.sp_metadata import ServiceProvider, write_metadata
    from ..saml_party import acs_url, certificate_der, sp_entity_id

    _, row = _connection(call, deps)
    certificate, url = certificate_der(row), deps.settings.public_url
    provider = ServiceProvider(sp_entity_id(url, row["id"]), acs_url(url, row["id"]), [certificate], [certificate])
    return Reply(200, content=write_metadata(provider), content_type="application/samlmetadata+xml")


def begin_saml_sign_in(call: Call, deps: AuthDeps) -> Reply:
    """Send the browser to the organisation's identity provider with a signed request; anyone may begin."""
    from ..saml.requests import AuthnRequest, post_form, redirect_url
    from ..saml.signing import PrivateKeySigner
    from ..saml_pages import post_page
    from ..saml_party import acs_url, open_key, read_provider, sp_entity_id

    query, now = call.query(SamlLoginQuery), deps.clock.now()
    org_id, row = _connection(call, deps)
    provider = read_provider(deps, row["metadata_xml"], row["idp_entity_id"], now)
    signer = PrivateKeySigner(open_key(deps, org_id, row))
    state, url = sessions.make_token(deps.entropy, ""), deps.settings.public_url
    request = AuthnRequest(
        id=domain.request_id_of(state),
        issued_at=now,
        destination=provider.sso_redirect_url or provider.sso_post_url or "",
        sp_entity_id=sp_entity_id(url, row["id"]),
        acs_url=acs_url(url, row["id"]),
        force_authn=query.fresh,
    )
    with deps.db.unit(call.actor) as tx:
        queries.insert_request(
            tx,
            request_hash=sign_in.hash_state(state),
            connection_id=row["id"],
            return_path=query.return_to,
            expires_at=now + domain.REQUEST_LIFETIME,
        )
    if provider.sso_redirect_url is not None:
        reply = Reply.redirect(redirect_url(request, signer, state))
    else:
        reply = post_page(post_form(request, signer, state), deps.entropy)
    reply.cookies = (_state_cookie(state, int(domain.REQUEST_LIFETIME.total_seconds())),)
    return reply


def finish_saml_sign_in(call: Call, deps: AuthDeps) -> Reply:
    """Take a browser back from the organisation's identity provider and begin its session.

    Anyone may call: the assertion, signed by the provider for us and this request, is the proof.
    """
    form = call.form(SamlResponseForm)
    org_id, row = _connection(call, deps)
    with deps.db.unit(call.actor) as tx:
        found = queries.take_request(tx, sign_in.hash_state(form.RelayState))
    cookie = call.cookies.get(domain.STATE_COOKIE)
    begun = domain.check_request(
        found, connection_id=row["id"], cookie=cookie, state=form.RelayState, now=deps.clock.now()
    )
    request_id = domain.request_id_of(form.RelayState) if begun is not None else None
    visitor = Actor("anonymous", org_id=org_id)
    try:
        assertion = _verify(deps, org_id, row, form.SAMLResponse, request_id)
    except SamlRefused as error:
        with deps.db.unit(visitor) as tx:
            tx.audit("auth:saml_response:refused", "sso_connection", row["id"], reason=str(error.reason))
        raise
    with deps.db.unit(visitor) as tx:
        cookie_line = _sign_in(tx, deps, call, row, assertion)
    reply = Reply.see_other(begun["return_path"] if begun is not None else "/")
    reply.cookies = (cookie_line, _state_cookie("", 0))
    return reply


def _connection(call: Call, deps: AuthDeps) -> tuple[UUID, Mapping[str, Any]]:
    """Find the connection in the path, with its organisation. Raises: NotFound (404 `not_found`)."""
    connection_id = call.path_uuid("connection")
    org_id = queries.find_connection(deps.db, connection_id)
    if org_id is None:
        raise NotFound
    with deps.db.unit_in(org_id, call.actor) as tx:
        row = queries.get_connection(tx)
    if row is None or row["id"] != connection_id:
        raise NotFound
    return org_id, row


def _verify(
    deps: AuthDeps, org_id: UUID, row: Mapping[str, Any], response: str, request_id: str | None
) -> VerifiedAssertion:
    from ..saml.documents import decode_message
    from ..saml.encryption import PrivateKeyDecryptor
    from ..saml.models import ExpectedResponse
    from ..saml.responses import verify_response
    from ..saml_party import acs_url, connection_of, open_key, read_provider, sp_entity_id

    now, url = deps.clock.now(), deps.settings.public_url
    provider = read_provider(deps, row["metadata_xml"], row["idp_entity_id"], now)
    expected = ExpectedResponse(request_id, acs_url(url, row["id"]), sp_entity_id(url, row["id"]), now)
    decryptor = PrivateKeyDecryptor([open_key(deps, org_id, row)])
    return verify_response(decode_message(response), connection_of(row, provider), expected, decryptor)


def _sign_in(tx: UnitOfWork, deps: AuthDeps, call: Call, row: Mapping[str, Any], assertion: VerifiedAssertion) -> str:
    """Let the person of a verified assertion in, once; returns the cookie to set."""
    from ..saml.models import AttributeNames
    from ..saml.profiles import read_profile
    from ..saml.reasons import Refusal

    digest = hashlib.sha256(f"{assertion.issuer}\n{assertion.assertion_id}".encode()).digest()
    is_first = queries.claim_assertion(
        tx, connection_id=row["id"], assertion_hash=digest, expires_at=assertion.remember_until
    )
    if not is_first:
        raise SamlRefused(Refusal.REPLAYED)
    profile = read_profile(assertion, AttributeNames(email=row["email_attribute"] or None))
    email = domain.check_email(profile.email, queries.list_proven(tx))
    person = sign_in.Person(
        issuer=domain.issuer_of(row["id"]),
        subject=domain.subject_of(assertion.name_id, assertion.name_id_format, email),
        email=email,
        is_email_verified=True,
        name=profile.name or "",
        signed_in_at=int(assertion.authn_instant.timestamp()),
        issuer_session=(assertion.session_index or "")[:255],
    )
    user_id = _resolve_user(tx, person)
    _join(tx, row["default_role"], user_id, email)
    return start_browser_session(
        tx, deps, call, user_id, person, bound_org_id=tx.org_id, ends_at=assertion.session_not_on_or_after
    )


def _resolve_user(tx: UnitOfWork, person: sign_in.Person) -> UUID:
    """Find or make the account: the provider speaks for the address's domain, which the organisation has proven."""
    known = people.find_known(tx, issuer=person.issuer, subject=person.subject)
    account = known or people.find_account(tx, person.email)
    domain.check_enabled(account)
    if known is not None:
        known_id: UUID = known["id"]
        return known_id
    user_id: UUID = people.upsert_user(tx, email=person.email, name=person.name)["id"]
    people.insert_identity(tx, issuer=person.issuer, subject=person.subject, user_id=user_id)
    tx.audit("auth:identity:linked", "user", user_id, issuer=person.issuer, is_new=account is None)
    return user_id


def _join(tx: UnitOfWork, role: str, user_id: UUID, email: str) -> None:
    """Make the person a member, when it is the first time and a seat is free."""
    org = orgs.lock_org(tx)  # others who join wait here, so that the last seat is taken once
    if members.find_member(tx, user_id) is not None:
        return
    member_domain.check_switched_on(is_switched_off=members.is_switched_off(tx, user_id, email))
    seats, used = limit_of("seats", org["plan"]), members.count_members(tx)
    if seats.is_reached(used):
        raise SeatLimitReached(seats, used)
    members.insert_member(tx, user_id, role)
    tx.audit("auth:member:joined", "user", user_id, role=role, by="saml")


def _state_cookie(state: str, seconds: int) -> str:
    """Return the cookie that ties an answer to this browser; the provider's page posts it from another site."""
    return f"{domain.STATE_COOKIE}={state}; Path=/; Secure; HttpOnly; SameSite=None; Max-Age={seconds}"
