"""A directory of 10,000 people with a group that holds all of them: what each of its calls takes.

In one process without a socket, over a real Postgres: routing, authentication, transaction and rendering are in, the wire is not.
Each call is measured in turn with the cheapest of them, the reading of one person by id.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from statistics import median
from urllib.parse import quote

from tests.support.database import database_server
from tests.support.scim_function import GROUP, PATCH, USER, ScimFunction, ScimOrg

from .result import Result

PEOPLE = 10_000
_ROUNDS = 15
_MOST_MS, _MOST_PAGE_MS = 50.0, 10.0
_PERSON = """
insert into scim.users (org_id, user_name, external_id, active, display_name, family_name, given_name, email_key, document)
select :org_id, 'person-' || n || '@big.example', 'x-' || n, true, 'Person ' || n, 'Family ' || n % 97, 'Given ' || n, 'person-' || n || '@big.example',
  jsonb_build_object('userName', 'person-' || n || '@big.example', 'externalId', 'x-' || n, 'active', true, 'displayName', 'Person ' || n,
    'name', jsonb_build_object('familyName', 'Family ' || n % 97, 'givenName', 'Given ' || n), 'title', 'Engineer ' || n % 31,
    'emails', jsonb_build_array(jsonb_build_object('value', 'person-' || n || '@big.example', 'type', 'work', 'primary', true)))
from generate_series(1, :people) n
"""
_MEMBERS = """
insert into scim.group_members (org_id, group_id, user_id)
select :org_id, cast(:group_id as uuid), u.id from scim.users u where u.org_id = :org_id
"""


@dataclass(frozen=True)
class _Big:
    """The organisation, its group of everybody, and one of its people."""

    org: ScimOrg
    group: str
    person: str
    everybody: list[str]


def measure() -> list[Result]:
    """Measure every call."""
    with database_server() as server, server.clone() as database:
        big = _fill(ScimOrg.make(ScimFunction(database)))
        database.owner.run("analyze")
        gc.freeze()  # as the function's wiring does
        read = _send(big, "GET", f"/Users/{big.person}")
        return [_beside(read, what, call, most) for what, call, most in _calls(big)]


def _fill(org: ScimOrg) -> _Big:
    owner = org.function.database.owner
    owner.run(_PERSON, org_id=org.id, people=PEOPLE)
    group = org.make_group("Everybody")["id"]
    owner.run(_MEMBERS, org_id=org.id, group_id=group)
    everybody = [str(row[0]) for row in owner.run("select id from scim.users where org_id = :o order by id", o=org.id)]
    for number in range(199):
        org.make_group(f"Group {number}", everybody[number])
    return _Big(org, group, everybody[PEOPLE // 2], everybody)


def _calls(big: _Big) -> list[tuple[str, Callable[[], None], float]]:
    numbers = count(1)
    group, person = f"/Groups/{big.group}", f"/Users/{big.person}"

    def listed(path: str, text: str = "", more: str = "") -> Callable[[], None]:
        return _send(big, "GET", f"{path}?{more}" + (f"&filter={quote(text)}" if text else ""))

    def patch(place: str, **operation: object) -> Callable[[], None]:
        return _send(big, "PATCH", place, {"schemas": [PATCH], "Operations": [operation]})

    def create() -> None:
        number = next(numbers)
        body = {"schemas": [USER], "userName": f"new-{number}@{big.org.domain}", "active": True}
        big.org.ask("POST", "/Users", body, 201)

    def rename() -> None:
        patch(person, op="replace", path="title", value=f"Title {next(numbers)}")()

    def come_and_go() -> None:
        patch(group, op="remove", path=f'members[value eq "{big.person}"]')()
        patch(group, op="add", path="members", value=[{"value": big.person}])()

    whole = {"schemas": [GROUP], "displayName": "Everybody", "members": [{"value": item} for item in big.everybody]}
    return [
        ("a person by name", listed("/Users", 'userName eq "PERSON-5000@big.example"'), _MOST_MS),
        ("a person by external id", listed("/Users", 'externalId eq "x-5000"'), _MOST_MS),
        ("a page of 100 people", listed("/Users", more="startIndex=5001&count=100"), _MOST_MS),
        ("a sorted page of 100 people", listed("/Users", more="sortBy=name.familyName&startIndex=5001"), _MOST_MS),
        ("people by part of an attribute", listed("/Users", 'title co "neer 7" and active eq true'), _MOST_MS),
        ("people by an address", listed("/Users", 'emails[type eq "work" and value sw "person-77"]'), _MOST_MS),
        ("a new person, who becomes a member", create, _MOST_MS),
        ("a person changed", rename, _MOST_MS),
        ("a page of 100 groups without members", listed("/Groups", more="excludedAttributes=members"), _MOST_PAGE_MS),
        ("the group without its members", _send(big, "GET", f"{group}?excludedAttributes=members"), _MOST_PAGE_MS),
        ("the group with 10,000 members", _send(big, "GET", group), _MOST_MS),
        ("the group of a member", listed("/Groups", f'members.value eq "{big.person}"', "excludedAttributes=members"), _MOST_MS),
        ("a member taken out and put in again", come_and_go, 2 * _MOST_MS),
        ("the whole group sent again", _send(big, "PUT", group, whole), _MOST_MS),
    ]  # fmt: skip


def _send(big: _Big, method: str, path: str, body: object = None) -> Callable[[], None]:
    content = json.dumps(body).encode() if body is not None else b""

    def send() -> None:
        answer = big.org.send(method, path, content=content)
        assert answer.status_code == 200, answer.get_data(as_text=True)[:300]

    return send


def _beside(read: Callable[[], None], what: str, call: Callable[[], None], most_ms: float) -> Result:
    call()
    pairs = [(_milliseconds(read), _milliseconds(call)) for _ in range(_ROUNDS)]
    bare, our = (median(pair[side] for pair in pairs) for side in (0, 1))
    measured = f"{our:.1f} ms, {bare:.1f} ms"
    return Result(what, "a person by id", measured, our / bare, f"under {most_ms:.0f} ms", our < most_ms)


def _milliseconds(call: Callable[[], None]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000
