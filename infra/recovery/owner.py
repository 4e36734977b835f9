"""The database as its owner: every organisation in turn, each in a unit of work under a function's own work role.

Row-level security binds the owner too. So the owner becomes a member of the work roles for as long as this is open, as
whoever made a role may, and reads and writes one organisation at a time, like the functions do.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, Literal, TypeAlias
from uuid import UUID

from shared.data.migrations import connect
from shared.data.rows import Row
from shared.data.sessions import Session
from shared.data.unit_of_work import LEFT_CLEAN, UnitOfWork, begin_script
from shared.security.actor import Actor

WorkRole: TypeAlias = Literal["auth_work", "keys_work", "scim_work"]
_ROLES: Final = ("auth_work", "core_lookup", "keys_work", "scim_work")
_OPERATOR = Actor(kind="event", id="recovery")


class OwnerDatabase:
    """One connection of the owner."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @contextmanager
    def unit(self, role: WorkRole, org_id: UUID | None) -> Generator[UnitOfWork]:
        """Open a unit of work under a work role, in an organisation or in none; committed at its end."""
        self.session.simple(begin_script(role, org_id))
        tx = UnitOfWork(self.session, _OPERATOR, org_id)
        try:
            yield tx
            tx.commit()
        except BaseException:
            self.session.simple(f"rollback{LEFT_CLEAN}")
            raise

    def lookup(self, sql: str) -> list[Row]:
        """Read what the lookup functions may read of all organisations."""
        self.session.simple("begin; set local role core_lookup")
        try:
            return self.session.run(sql)
        finally:
            self.session.simple(f"rollback{LEFT_CLEAN}")


def step_into(tx: UnitOfWork, role: WorkRole | Literal["owner"]) -> None:
    """Go on in the same unit of work under another role; `owner` for what belongs to no organisation."""
    tx.execute("set local role none" if role == "owner" else f'set local role "{role}"')


@contextmanager
def owner_database(url: str) -> Generator[OwnerDatabase]:
    """Connect as the owner, a member of the work roles until the end.

    Args:
        url: `postgresql://owner@host:port/database`, e.g. of the Cloud SQL Auth Proxy.

    Raises:
        DatabaseAway: it cannot be reached.
    """
    session = Session(lambda: connect(url))
    try:
        session.simple("; ".join(f'grant "{role}" to current_user with inherit false, set true' for role in _ROLES))
        try:
            yield OwnerDatabase(session)
        finally:
            session.simple("; ".join(f'revoke "{role}" from current_user' for role in _ROLES))
    finally:
        session.close()
