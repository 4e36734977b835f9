"""Settings: an admin who renames the organisation, switches rules off and on, and adds and removes ignore rules."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from ..violations import Violation
from .journey import OrgOfJourney, Scene
from .ledger import Ledger, Values

_RULE = "aws-database-smaller"
_GONE = frozenset({"not_found"})
_STAY, _OF = frozenset({1, 3}), 16  # of so many ignore rules these stay: an organisation may have 200


class Settings:
    """One admin, who changes one thing after the other: the last value that was acknowledged is the value."""

    name = "settings"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._reason: Values[str | None] = Values(None)  # why the rule is switched off; None: it is on
        self._ignored = Ledger()
        self._ids: dict[str, str] = {}  # reason to the id of an ignore rule
        self._numbers = count(1)

    def prepare(self) -> None:
        """Make the organisation."""
        self.org: OrgOfJourney = self._scene.make_org()
        self._name: Values[str] = Values(self.org.marker)

    def turn(self) -> None:
        """Rename the organisation, switch the rule off or on, and add an ignore rule; most are removed again."""
        number = next(self._numbers)
        text = f"{self.org.marker} {number}"
        with self._name.setting(text):
            self.org.insist("PATCH", "", json={"name": text})
        self._switch(None if number % 3 == 0 else text)
        self._ignore(text)
        if number % _OF not in _STAY:
            with self._ignored.ending(text):
                self.org.insist("DELETE", f"/ignore-rules/{self._ids[text]}", or_codes=_GONE)

    def check(self) -> Iterator[Violation]:
        """Compare each value with those that it may have."""
        ((name,),) = self.org.arrange("select name from core.orgs where id = :org_id")
        yield from self._name.compare(self.name, "the organisation's name", str(name))
        rows = self.org.arrange(
            "select reason from analysis.disabled_rules where org_id = :org_id and rule_id = :rule_id", rule_id=_RULE
        )
        reasons: list[str | None] = [str(reason) for (reason,) in rows]
        yield from self._reason.compare(self.name, "the switched-off rule's reason", (reasons or [None])[0])
        found = self.org.arrange("select reason from scan.ignore_rules where org_id = :org_id")
        yield from self._ignored.compare(self.name, "ignore rule", (str(reason) for (reason,) in found))

    def _switch(self, reason: str | None) -> None:
        with self._reason.setting(reason):
            if reason is None:
                self.org.insist("DELETE", f"/disabled-rules/{_RULE}", or_codes=_GONE)
            else:
                self.org.insist("PUT", f"/disabled-rules/{_RULE}", json={"reason": reason})

    def _ignore(self, reason: str) -> None:
        wish = {"type": "aws_iam_role", "address": f"aws_iam_role.{self.org.marker}*", "reason": reason}
        with self._ignored.making(reason):
            self._ids[reason] = str(self.org.insist("POST", "/ignore-rules", json=wish)["id"])
