"""A directory (SCIM) that provisions people and groups. It has no Idempotency-Key: after a lost answer it looks what is there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import quote, urlsplit

from ..calls import RefusedError, document
from ..violations import Violation
from .journey import OrgOfJourney, Scene
from .ledger import Ledger, Values

_URN = "urn:ietf:params:scim:"
_USER, _GROUP = f"{_URN}schemas:core:2.0:User", f"{_URN}schemas:core:2.0:Group"
_PATCH = f"{_URN}api:messages:2.0:PatchOp"
_HEADERS = {"Content-Type": "application/scim+json"}
_DOMAIN = """
insert into core.sso_domains (org_id, domain, challenge, verified_at) values (:org_id, :domain, :challenge, now())
"""
_PEOPLE = """
select u.user_name, u.active, exists (
  select 1 from core.members m where m.org_id = u.org_id and m.user_id = u.user_id
) from scim.users u where u.org_id = :org_id
"""
_MEMBERSHIPS = """
select u.user_name, g.display_name from scim.group_members m
join scim.users u on u.org_id = m.org_id and u.id = m.user_id
join scim.groups g on g.org_id = m.org_id and g.id = m.group_id
where m.org_id = :org_id
"""


class Directory:
    """An identity provider that tells of its people."""

    name = "directory"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._people, self._groups = Ledger(), Ledger()
        self._active: dict[str, Values[bool]] = {}
        self._groups_of: dict[str, Values[frozenset[str]]] = {}
        self._ids: dict[str, str] = {}
        self._numbers = count(1)

    def prepare(self) -> None:
        """Make the organisation with a proven domain, and a token; its people become members."""
        self.org: OrgOfJourney = self._scene.make_org()
        self._domain = f"{self.org.marker}.example"
        self.org.arrange(_DOMAIN, domain=self._domain, challenge="c" * 16)
        self._scene.suite.sign_in_anew()
        token = self.org.insist("POST", "/scim-tokens", json={"name": self.org.marker})
        self._scene.calls.keep_secret(token["raw_token"])
        self._root = urlsplit(token["scim_endpoint"]).path
        self._machine = self._scene.caller(token["raw_token"], self.org.marker)

    def turn(self) -> None:
        """Make a person; make a group for every fifth; put the person in; switch another off, or on again."""
        number = next(self._numbers)
        name, group = f"person-{number}@{self._domain}", f"{self.org.marker} {(number - 1) // 5}"
        self._active[name], self._groups_of[name] = Values(True), Values(frozenset())  # noqa: FBT003
        with self._people.making(name):
            body = {"schemas": [_USER], "userName": name, "displayName": self.org.marker, "active": True}
            self._make("/Users", "userName", name, {**body, "emails": [{"value": name, "primary": True}]})
        if group not in self._ids:
            with self._groups.making(group):
                self._make("/Groups", "displayName", group, {"schemas": [_GROUP], "displayName": group})
        with self._groups_of[name].setting(frozenset({group})):
            added = [{"value": self._ids[name]}]
            self._patch(f"/Groups/{self._ids[group]}", {"op": "add", "path": "members", "value": added})
        other = self._earlier(number)
        with self._active[other].setting(number % 4 < 2):
            self._patch(f"/Users/{self._ids[other]}", {"op": "replace", "path": "active", "value": number % 4 < 2})

    def check(self) -> Iterator[Violation]:
        """Compare people, whether each is active and a member, groups, and who is in them."""
        rows = self.org.arrange(_PEOPLE)
        yield from self._people.compare(self.name, "person", (str(name) for name, _, _ in rows))
        memberships: dict[str, set[str]] = {}
        for name, group in self.org.arrange(_MEMBERSHIPS):
            memberships.setdefault(str(name), set()).add(str(group))
        for name, is_active, is_member in rows:
            if str(name) not in self._active:
                continue
            yield from self._active[str(name)].compare(self.name, f"{name} active", bool(is_active))
            if is_active != is_member:
                text = f"{name} is {'' if is_active else 'not '}active and {'a' if is_member else 'no'} member"
                yield Violation("directory: member", text)
            groups = frozenset(memberships.get(str(name), ()))
            yield from self._groups_of[str(name)].compare(self.name, f"groups of {name}", groups)
        found = self.org.arrange("select display_name from scim.groups where org_id = :org_id")
        yield from self._groups.compare(self.name, "group", (str(group) for (group,) in found))

    def _earlier(self, number: int) -> str:
        """Return somebody who was promised before."""
        promised = self._people.promised()
        return promised[number // 2 % len(promised)]

    def _make(self, path: str, attribute: str, name: str, body: dict[str, Any]) -> None:
        """Make a resource, or find the one that an attempt made whose answer was lost."""
        reply = self._machine.insist(
            "POST", self._root + path, json=body, headers=dict(_HEADERS), expect=frozenset({201, 409})
        )
        made = document(reply)
        if reply.status_code == 409:
            query = quote(f'{attribute} eq "{name}"')
            listed = document(self._machine.insist("GET", f"{self._root}{path}?filter={query}"))
            if listed["totalResults"] != 1:
                raise RefusedError(f"{name} is taken, and {listed['totalResults']} are found")
            made = listed["Resources"][0]
        self._ids[name] = str(made["id"])

    def _patch(self, path: str, *operations: dict[str, Any]) -> None:
        body = {"schemas": [_PATCH], "Operations": list(operations)}
        self._machine.insist("PATCH", self._root + path, json=body, headers=dict(_HEADERS))
