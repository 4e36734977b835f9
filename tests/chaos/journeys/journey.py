"""The shape of a journey, and what all of them stand on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
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
    """The running suite, as journeys see it.

    Attributes:
        callers: every client, for the campaign to set `stop` on.
        is_clock_wrong: set by the campaign from before a clock of the suite jumps until everything went on for a moment with the
            right time again. Until then 401 is no final answer to any client.
        settle_seconds: how long `check` waits for work that goes on in the background. The queue may wait ten minutes before it
            brings a message again that failed often.
    """

    suite: RunningSuite
    calls: Calls
    callers: list[Caller] = field(default_factory=list)
    is_clock_wrong: threading.Event = field(default_factory=threading.Event)
    settle_seconds: float = 660.0

    def caller(self, credential: str = "", marker: str = "") -> Caller:
        """Return a client; all of them end with the load."""
        made = Caller(self.suite.url, self.calls, credential, marker, is_clock_wrong=self.is_clock_wrong)
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

    def run(self, statement: str, **values: object) -> list[list[object]]:
        """Run one statement as the database's owner."""
        connection = self.owner()
        try:
            return connection.run(statement, **values) or []
        finally:
            connection.close()


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

    def insist(self, method: str, rest: str, **options: Any) -> dict[str, Any]:
        """Ask below the organisation until the answer is final; returns its JSON. See `Caller.insist` for the options."""
        reply = self.caller.insist(method, self.path(rest), **options)
        return document(reply) if reply.content else {}

    def afterwards(self) -> OrgOfJourney:
        """Return the same organisation with a client that the end of the load does not stop, for `check`."""
        return replace(self, caller=self.scene.caller(self.caller.credential, self.marker))

    def arrange(self, statement: str, **values: object) -> list[list[object]]:
        """Run a statement as the database's owner; `:org_id` is this organisation."""
        return self.scene.run(statement, org_id=self.id, **values)


def wait_for(is_so: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is so, as work goes on in the background; returns whether it came to be."""
    ends_at = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > ends_at:
            return False
        time.sleep(0.25)
    return True
