"""The shape of a journey, and what all of them stand on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from pg8000 import native

from tests.support.running_suite import RunningSuite

from ..calls import Caller, Calls, document
from ..violations import Violation


class Journey(Protocol):
    """One kind of user. Turns run on a thread of the journey's own, one after the other."""

    @property
    def name(self) -> str:
        """What the report calls it."""
        ...

    def prepare(self) -> None:
        """Make what the turns need, before any fault."""
        ...

    def turn(self) -> None:
        """Do what this user does, once, and remember what was promised.

        Raises:
            GaveUpError: nothing was promised; what was asked may have been done or not.
            RefusedError: a final answer that such a user would never expect: the campaign reports it.
        """
        ...

    def check(self) -> Iterator[Violation]:
        """Compare what was promised with what is there, once everything is settled: nothing lost, nothing doubled."""
        ...


@dataclass
class Scene:
    """The running suite, as journeys see it."""

    suite: RunningSuite
    calls: Calls
    callers: list[Caller] = field(default_factory=list)

    def caller(self, credential: str = "", marker: str = "") -> Caller:
        """Return a client; all of them end with the load."""
        made = Caller(self.suite.url, self.calls, credential, marker)
        self.callers.append(made)
        return made

    def make_org(self, plan: str = "enterprise") -> OrgOfJourney:
        """Make an organisation of the seeded owner's, with a word of its own."""
        marker = self.calls.new_marker()
        caller = self.caller(self.suite.tokens["owner"], marker)
        made = document(caller.insist("POST", "/api/v2/orgs", json={"name": marker}))
        org = OrgOfJourney(self, UUID(made["id"]), marker, caller)
        org.arrange("update core.orgs set plan = :plan where id = :org_id", plan=plan)
        return org

    def owner(self) -> native.Connection:
        """Open a connection as the database's owner, past every fault, to arrange and to look."""
        return self.suite.owner()


@dataclass
class OrgOfJourney:
    """One organisation, and its owner as a client."""

    scene: Scene
    id: UUID
    marker: str
    caller: Caller

    def path(self, rest: str) -> str:
        """Return a path below the organisation."""
        return f"/api/v2/orgs/{self.id}{rest}"

    def arrange(self, statement: str, **values: object) -> list[list[object]]:
        """Run a statement as the database's owner; `:org_id` is this organisation."""
        connection = self.scene.owner()
        try:
            rows: list[list[object]] = connection.run(statement, org_id=self.id, **values)
        finally:
            connection.close()
        return rows
