"""The token endpoint and terminals: refresh tokens, the device grant."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.reply import Reply

from ..domain import device
from ..domain import sessions as domain
from ..domain.sessions import Refresh
from ..errors import InvalidGrant, OAuthError, SessionNeeded
from ..models.sign_in import (
    DeviceAnswer,
    DeviceCodesView,
    DeviceQuery,
    DeviceRequest,
    DeviceView,
    TokenRequest,
    TokenView,
)
from ..queries import sessions as queries
from ..wiring import AuthDeps

_REFRESH, _DEVICE = "dwr_", "dwd_"


def issue_token(call: Call, deps: AuthDeps) -> Reply:
    """Give an access token for a refresh token or a device code; the token or code is the proof."""
    wish = call.form(TokenRequest)
    if wish.grant_type == "refresh_token":
        return _refresh(call, deps, wish.refresh_token or "")
    return _redeem_device(call, deps, wish.device_code or "")


def begin_device(call: Call, deps: AuthDeps) -> Reply:
    """Let a terminal ask for approval; anyone may, and without a person's answer nothing comes of it (RFC 8628)."""
    wish = call.form(DeviceRequest)
    device_code, user_code = domain.make_token(deps.entropy, _DEVICE), device.make_user_code(deps.entropy)
    shown = domain.shown_origin(wish.client_name or wish.client_id or "", call.address)
    with deps.db.unit(call.actor) as tx:
        queries.insert_device(
            tx,
            device_code_hash=domain.hash_token(device_code),
            user_code_hash=domain.hash_token(user_code),
            client_name=shown["user_agent"][:100],
            address=shown["address"],
            expires_at=deps.clock.now() + device.LIFETIME,
        )
    page = f"{deps.settings.public_url}/device"
    return Reply.ok(
        DeviceCodesView(
            device_code=device_code,
            user_code=user_code,
            verification_uri=page,
            verification_uri_complete=f"{page}?user_code={user_code}",
            expires_in=int(device.LIFETIME.total_seconds()),
            interval=int(device.INTERVAL.total_seconds()),
        )
    )


def show_device(call: Call, deps: AuthDeps) -> Reply:
    """Show a signed-in person which terminal waits under a code."""
    user_code = device.read_user_code(call.query(DeviceQuery).user_code)
    with deps.db.unit_in(None, call.actor) as tx:
        found = queries.find_waiting_device(tx, domain.hash_token(user_code))
    return Reply.ok(DeviceView.model_validate(dict(device.check_waiting(found, now=deps.clock.now())), extra="ignore"))


def answer_device(call: Call, deps: AuthDeps) -> Reply:
    """Let a waiting terminal in as the person who calls, or turn it away."""
    answer = call.body(DeviceAnswer)
    if call.actor.session_id is None:
        raise SessionNeeded
    code_hash, now = domain.hash_token(device.read_user_code(answer.user_code)), deps.clock.now()
    with deps.db.unit_in(None, call.actor) as tx:
        grant = device.check_waiting(queries.find_waiting_device(tx, code_hash), now=now)
        if answer.approve:
            queries.approve_device(tx, code_hash, session_id=call.actor.session_id)
        else:
            queries.deny_device(tx, code_hash, now=now)
        action = "auth:terminal:approved" if answer.approve else "auth:terminal:denied"
        tx.audit_platform(action, "user", call.actor.id, client_name=grant["client_name"], address=grant["address"])
    return Reply.no_content()


def _refresh(call: Call, deps: AuthDeps, token: str) -> Reply:
    token_hash = domain.hash_token(token)
    with deps.db.unit(call.actor) as tx:
        found = queries.lock_refresh(tx, token_hash)
        reply = _use_refresh(tx, deps, token_hash, found) if found is not None else None
    if reply is None:
        raise InvalidGrant
    return reply


def _use_refresh(tx: UnitOfWork, deps: AuthDeps, token_hash: bytes, found: Row) -> Reply | None:
    """Use a refresh token up; None when it is worth nothing."""
    now = deps.clock.now()
    verdict = domain.judge_refresh(found, now=now)
    if verdict is Refresh.REUSED:
        queries.revoke_session(tx, found["session_id"], user_id=found["user_id"], now=now)
        tx.audit_platform("auth:session:reuse_detected", "session", found["session_id"])
    if verdict is not Refresh.GOOD:
        return None
    queries.set_refresh_used(tx, token_hash, now=now)
    queries.touch_session(tx, found["session_id"], now=now)
    return _hand_out(tx, deps, found["user_id"], found["session_id"], found["signed_in_at"])


def _redeem_device(call: Call, deps: AuthDeps, code: str) -> Reply:
    code_hash, now = domain.hash_token(code), deps.clock.now()
    with deps.db.unit(call.actor) as tx:
        grant = queries.lock_device(tx, code_hash)
        verdict = device.judge_poll(grant, now=now)
        if isinstance(verdict, OAuthError):
            reply = None
            queries.set_device_polled(tx, code_hash, now=now)
        else:
            reply = _start_terminal(tx, deps, verdict)
            queries.delete_device(tx, code_hash)
    if isinstance(verdict, OAuthError):
        raise verdict
    if reply is None:
        raise InvalidGrant
    return reply


def _start_terminal(tx: UnitOfWork, deps: AuthDeps, approving_id: UUID) -> Reply | None:
    """Begin a terminal's session as the one who approved: the same person, provider and bounds, no fresher sign-in.

    It ends no later than the one that let it in: else terminals that let each other in would stay for ever.
    """
    session_id, now = deps.entropy.uuid(), deps.clock.now()
    approving = queries.lock_session(tx, approving_id)
    if approving is None or not domain.may_let_in(approving, now=now):
        return None
    queries.insert_session(
        tx,
        id=session_id,
        user_id=approving["user_id"],
        kind="terminal",
        secret_hash=None,
        issuer=approving["issuer"],
        subject=approving["subject"],
        issuer_session=approving["issuer_session"],
        bound_org_id=approving["bound_org_id"],
        signed_in_at=approving["signed_in_at"],
        last_seen_at=now,
        expires_at=min(domain.expires_at(now), approving["expires_at"]),
        user_agent="",
        address="",
    )
    return _hand_out(tx, deps, approving["user_id"], session_id, approving["signed_in_at"])


def _hand_out(tx: UnitOfWork, deps: AuthDeps, user_id: UUID, session_id: UUID, signed_in_at: datetime) -> Reply:
    """Sign an access token inside the transaction: while KMS is away nothing is used up, and the caller may try again."""
    refresh_token = domain.make_token(deps.entropy, _REFRESH)
    queries.insert_refresh(tx, token_hash=domain.hash_token(refresh_token), session_id=session_id)
    access_token = deps.issuer.issue(
        {"sub": str(user_id), "sid": str(session_id), "auth_time": int(signed_in_at.timestamp())},
        audience=deps.settings.public_url,
        kind="at+jwt",
        lifetime=domain.ACCESS_TOKEN_LIFETIME,
    )
    seconds = int(domain.ACCESS_TOKEN_LIFETIME.total_seconds())
    return Reply.ok(TokenView(access_token=access_token, expires_in=seconds, refresh_token=refresh_token))
