"""Beginning a session: what every way to sign in ends with."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.security.sessions import hash_session_secret, make_session_secret, session_cookie

from .domain import sessions as domain
from .domain.sign_in import Person
from .queries import sessions as queries
from .wiring import AuthDeps


def start_browser_session(
    tx: UnitOfWork,
    deps: AuthDeps,
    call: Call,
    user_id: UUID,
    person: Person,
    *,
    bound_org_id: UUID | None = None,
    ends_at: datetime | None = None,
) -> str:
    """Begin the session of a browser; returns the cookie to set.

    Args:
        tx: the unit of work that signs the person in.
        deps: the function's clients.
        call: the browser's.
        user_id: whose session.
        person: as the provider vouches.
        bound_org_id: the organisation whose own provider that is; the session reaches no other.
        ends_at: when the provider wants the session to be over, if it said so.
    """
    secret, now = make_session_secret(deps.entropy), deps.clock.now()
    signed_in_at = min(datetime.fromtimestamp(person.signed_in_at, UTC), now)
    queries.insert_session(
        tx,
        id=deps.entropy.uuid(),
        user_id=user_id,
        kind="browser",
        secret_hash=hash_session_secret(secret),
        issuer=person.issuer,
        subject=person.subject,
        issuer_session=person.issuer_session,
        bound_org_id=bound_org_id,
        signed_in_at=signed_in_at,
        last_seen_at=now,
        expires_at=domain.expires_at(now, ends_at),
        **domain.shown_origin(call.headers.get("user-agent", ""), call.address),
    )
    return session_cookie(secret)
