"""PATCH beside npm's `scim-patch`: the same outcome, but for differences that are listed with their reasons."""

from __future__ import annotations

import random
from typing import Any

from functions.scim.domain.errors import ScimError
from functions.scim.domain.operations import parse_patch
from functions.scim.domain.patch import apply_patch
from functions.scim.domain.schemas import ENTERPRISE_URN, GROUP, GROUP_URN, USER, USER_URN
from tests.support.scim_patch_peer import PatchCase, patched_by_peer

PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ANNA: dict[str, Any] = {
    "schemas": [USER_URN, ENTERPRISE_URN], "userName": "anna", "active": True, "title": "Engineer",
    "name": {"familyName": "Berg", "givenName": "Anna"},
    "emails": [
        {"value": "anna@work.example", "type": "work", "primary": True}, {"value": "anna@home.example", "type": "home"},
    ],
    "addresses": [{"type": "work", "locality": "Lund"}],
    ENTERPRISE_URN: {"department": "Sales", "manager": {"value": "m1"}},
}  # fmt: skip
TEAM: dict[str, Any] = {
    "schemas": [GROUP_URN], "displayName": "Team", "members": [{"value": "1"}, {"value": "2"}, {"value": "3"}],
}  # fmt: skip
BARE: dict[str, Any] = {"schemas": [USER_URN], "userName": "bare"}
NEW = {"value": "new@work.example", "type": "other"}


def op(word: str, path: str | None = None, *value: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"op": word}
    if path is not None:
        found["path"] = path
    return {**found, "value": value[0]} if value else found


# What both must make the same of: one resource, one line of operations.
SAME: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    (resource, [op(word, path, value)])
    for word in ("add", "Add", "replace", "Replace")
    for resource, path, value in (
        (ANNA, "title", "Boss"), (BARE, "title", "Boss"), (ANNA, "active", False), (ANNA, "name.givenName", "A."), (BARE, "name.givenName", "B"),
        (ANNA, "name", {"givenName": "A."}), (BARE, "name", {"familyName": "B"}), (ANNA, "emails", [NEW]), (BARE, "emails", [NEW]),
        (ANNA, 'emails[type eq "work"].value', "x@y.example"), (BARE, 'emails[type eq "work"].value', "x@y.example"),
        (ANNA, 'emails[type eq "other"].value', "x@y.example"), (ANNA, 'emails[value eq "anna@home.example"].display', "Home"),
        (ANNA, f"{ENTERPRISE_URN}:department", "R&D"), (BARE, f"{ENTERPRISE_URN}:department", "R&D"), (ANNA, f"{USER_URN}:title", "Boss"),
        (ANNA, f"{ENTERPRISE_URN}:manager.value", "m2"), (BARE, f"{ENTERPRISE_URN}:manager.value", "m2"), (BARE, f"{ENTERPRISE_URN}:manager", {"value": "m2"}),
        (TEAM, "members", [{"value": "4"}]), (TEAM, "members", [{"value": "1"}, {"value": "5"}]), (TEAM, "displayName", "Crew"),
        (ANNA, 'addresses[type eq "work"].country', "SE"), (BARE, 'addresses[type eq "work"].country', "SE"),
        (ANNA, None, {"title": "Boss"}), (ANNA, None, {"title": "Boss", "name.givenName": "A.", f"{ENTERPRISE_URN}:department": "R&D"}),
        (BARE, None, {"name.givenName": "B", "nickName": "b"}), (BARE, None, {"emails": [NEW]}), (BARE, None, {"name": {"givenName": "B"}}),
    )
] + [
    (resource, [op(word, path)])
    for word in ("remove", "Remove")
    for resource, path in (
        (ANNA, "title"), (BARE, "title"), (ANNA, "name.givenName"), (BARE, "name.givenName"), (ANNA, "name"), (ANNA, "emails"), (BARE, "emails"),
        (ANNA, 'emails[type eq "work"]'), (ANNA, 'emails[type eq "work" and value co "work"]'), (ANNA, 'emails[type eq "home"].type'),
        (ANNA, 'emails[not (type eq "work")]'), (ANNA, 'emails[type eq "work" or type eq "home"]'), (ANNA, "emails[primary eq true]"),
        (ANNA, 'emails[type eq "none"]'), (ANNA, 'addresses[type eq "work"].locality'), (ANNA, f"{ENTERPRISE_URN}:department"),
        (ANNA, f"{ENTERPRISE_URN}:manager.value"), (BARE, f"{ENTERPRISE_URN}:department"), (TEAM, 'members[value eq "2"]'), (TEAM, "members"),
        (TEAM, 'members[value eq "2" or value eq "3"]'), (TEAM, 'members[value ne "2"]'), (ANNA, 'emails[value sw "anna"]'), (ANNA, 'emails[value ew "home.example"]'),
        (ANNA, "emails[display pr]"), (ANNA, "emails[type pr and primary pr]"),
    )
] + [
    (TEAM, [op("Remove", "members", [{"value": "2"}])]), (TEAM, [op("Remove", "members", [{"value": "1"}, {"value": "3"}])]),
    (TEAM, [op("remove", "members", [{"value": "9"}])]), (TEAM, [op("remove", "members", {"value": "2"})]),
    (TEAM, [op("replace", "members", [])]), (TEAM, [op("remove", 'members[value eq "1"]'), op("add", "members", [{"value": "1"}])]),
    (ANNA, [op("replace", "title", "A"), op("remove", "title"), op("add", "title", "B")]),
    (ANNA, [op("remove", 'emails[type eq "home"]'), op("add", 'emails[type eq "home"].value', "h@x.example")]),
    (ANNA, [op("remove", None)]), (ANNA, [op("delete", "title")]), (ANNA, [op("add", "title")]), (ANNA, [op("remove", 'emails[type eq "work"')]),
    (ANNA, [op("replace", 'emails[type eq "none"]', {"value": "x"})]), (ANNA, [op("replace", 'emails[type eq "work"', "x")]),
]  # fmt: skip

# Where we differ, why, and what we make of it ("refused" for an error).
DIFFERENT: dict[str, tuple[PatchCase, Any]] = {
    "a value that is there, by its value and type, is changed and not repeated (RFC 7643 section 2.4)": (
        PatchCase(ANNA, [op("add", "emails", [{"value": "anna@home.example", "type": "home", "display": "Home"}])]),
        {**ANNA, "emails": [ANNA["emails"][0], {**ANNA["emails"][1], "display": "Home"}]},
    ),
    "a replaced element is replaced, not merged (RFC 7644 section 3.5.2.3: matching record values SHALL be replaced)": (
        PatchCase(ANNA, [op("replace", 'emails[type eq "home"]', {"value": "h@x.example"})]),
        {**ANNA, "emails": [ANNA["emails"][0], {"value": "h@x.example"}]},
    ),
    "a complex attribute without a path keeps what the value does not name (section 3.5.2.3: left unchanged)": (
        PatchCase(ANNA, [op("replace", None, {"name": {"givenName": "A."}})]), {**ANNA, "name": {"familyName": "Berg", "givenName": "A."}},
    ),
    "values are added without a path as with one: no duplicate (section 3.5.2.1)": (
        PatchCase(ANNA, [op("add", None, {"emails": [ANNA["emails"][0]]})]), ANNA,
    ),
    "an extension is an object under its URN (RFC 7643 section 3.3); the peer cuts the URN at its last colon": (
        PatchCase(ANNA, [op("replace", None, {ENTERPRISE_URN: {"department": "R&D"}})]),
        {**ANNA, ENTERPRISE_URN: {"department": "R&D", "manager": {"value": "m1"}}},
    ),
    "text without caseExact is selected without case (RFC 7643 section 2.2)": (
        PatchCase(ANNA, [op("remove", 'emails[type eq "WORK"]')]), {**ANNA, "emails": [ANNA["emails"][1]]},
    ),
    "names of attributes have no case (RFC 7643 section 2.1)": (
        PatchCase(ANNA, [op("replace", "TITLE", "Boss")]), {**ANNA, "title": "Boss"},
    ),
    "a value that becomes primary is the only one that is (section 3.5.2)": (
        PatchCase(ANNA, [op("add", "emails", [{**NEW, "primary": True}])]),
        {**ANNA, "emails": [{**ANNA["emails"][0], "primary": False}, ANNA["emails"][1], {**NEW, "primary": True}]},
    ),
    "a boolean as text is a boolean (Entra ID)": (
        PatchCase(ANNA, [op("Replace", "active", "False")]), {**ANNA, "active": False},
    ),
    "a member is removed by its value, whatever else the client tells of it (Entra ID sends `$ref: null`)": (
        PatchCase(TEAM, [op("Remove", "members", [{"$ref": None, "value": "2"}])]), {**TEAM, "members": [{"value": "1"}, {"value": "3"}]},
    ),
    "a manager may be a text (Entra ID)": (
        PatchCase(ANNA, [op("Replace", f"{ENTERPRISE_URN}:manager", "m2")]), {**ANNA, ENTERPRISE_URN: {"department": "Sales", "manager": {"value": "m2"}}},
    ),
    "an element that two conditions describe is made as one": (
        PatchCase(BARE, [op("add", 'emails[type eq "work" and primary eq true].value', "x@y.example")]),
        {**BARE, "emails": [{"type": "work", "primary": True, "value": "x@y.example"}]},
    ),
    "a removal that finds nothing has nothing to do, so a repeated one succeeds": (
        PatchCase(BARE, [op("remove", 'emails[type eq "work"]')]), BARE,
    ),
    "a required attribute is not removed (section 3.5.2.2)": (PatchCase(ANNA, [op("remove", "userName")]), "refused"),
    "a value has its attribute's type": (PatchCase(ANNA, [op("replace", "title", {"a": 1})]), "refused"),
    "an attribute that the schema does not have is no place": (PatchCase(ANNA, [op("replace", "nosuch", "x")]), "refused"),
    "what is read-only is not written": (PatchCase(ANNA, [op("replace", "meta.location", "x")]), "refused"),
}  # fmt: skip


def patched_by_us(case: PatchCase) -> Any:
    schema = GROUP if GROUP_URN in case.resource["schemas"] else USER
    try:
        operations = parse_patch({"schemas": [PATCH_URN], "Operations": case.operations})
        return without_nothing(apply_patch(case.resource, operations, schema).resource)
    except ScimError:
        return "refused"


def without_nothing(value: Any) -> Any:
    """Leave out what is no value: `{}` and `[]` are how the peer says that nothing is left."""
    if isinstance(value, dict):
        kept = {name: without_nothing(part) for name, part in value.items()}
        return {name: part for name, part in kept.items() if part not in ({}, [], None)}
    if isinstance(value, list):
        return [part for one in value if (part := without_nothing(one)) not in ({}, None)]
    return value


def peer_results(cases: list[PatchCase]) -> list[Any]:
    return [
        without_nothing(found["resource"]) if "resource" in found else "refused" for found in patched_by_peer(cases)
    ]


def test_patch_comes_to_what_the_peer_makes_of_it():
    cases = [PatchCase(resource, operations) for resource, operations in SAME] + random_cases(400)
    differing = [
        f"{case.operations}\n  on    {case.resource}\n  ours  {ours}\n  peer  {theirs}"
        for case, theirs in zip(cases, peer_results(cases), strict=True)
        if (ours := patched_by_us(case)) != theirs
    ]
    assert not differing, f"{len(differing)} of {len(cases)}:\n" + "\n".join(differing[:15])


def test_each_difference_is_one_and_is_as_described():
    cases = [case for case, _ in DIFFERENT.values()]
    for reason, theirs in zip(DIFFERENT, peer_results(cases), strict=True):
        case, expected = DIFFERENT[reason]
        assert patched_by_us(case) == expected, reason
        assert theirs != expected, f"the peer agrees by now: {reason}"


POOL = (
    {"value": "a@x.example", "type": "work"}, {"value": "b@x.example", "type": "home"}, {"value": "c@x.example", "type": "other", "display": "C"},
)  # fmt: skip


def random_cases(count: int) -> list[PatchCase]:
    """Make lines of operations on what both understand alike; the same ones in each run."""
    chance = random.Random(7644)
    return [_random_case(chance) for _ in range(count)]


def _random_case(chance: random.Random) -> PatchCase:
    resource = without_nothing({
        "schemas": [USER_URN, ENTERPRISE_URN], "userName": "someone", "title": chance.choice(["T", None]),
        "name": chance.choice([{}, {"familyName": "F"}, {"familyName": "F", "givenName": "G"}]),
        "emails": chance.sample(POOL, chance.randint(0, 3)), ENTERPRISE_URN: chance.choice([{}, {"department": "D"}]),
    })  # fmt: skip
    state, operations = resource, list[dict[str, Any]]()
    for _ in range(chance.randint(1, 5)):
        operation = _random_operation(chance, state)
        operations.append(operation)
        state = patched_by_us(PatchCase(state, [operation]))
        assert state != "refused", operation
    return PatchCase(resource, operations)


def _random_operation(chance: random.Random, state: dict[str, Any]) -> dict[str, Any]:
    word, text = chance.choice(["add", "replace", "Add", "Replace"]), chance.choice(["x", "Y", "å"])
    simple = chance.choice(
        [
            "title",
            "nickName",
            "name.familyName",
            "name.givenName",
            f"{ENTERPRISE_URN}:department",
            f"{USER_URN}:displayName",
        ]
    )
    selection = f'emails[type eq "{chance.choice(["work", "home", "other"])}"]'
    emails = chance.sample(POOL, chance.randint(1, 3))
    found = state.get("emails", [])
    if any(email not in found and email["value"] in (one.get("value") for one in found) for email in emails):
        word = word.replace("add", "replace").replace("Add", "Replace")  # adding it again is one of the differences
    choices = [
        op(word, simple, text), op(chance.choice(["remove", "Remove"]), simple), op(word, "name", {"givenName": text}),
        op(word, "emails", emails), op("remove", "emails"), op(word, f"{selection}.display", text),
        op(word, None, {"title": text, "name.familyName": text}),
    ]  # fmt: skip
    if any(email.get("type") == selection.split('"')[1] for email in found):
        choices += [op("remove", selection), op("Remove", f"{selection}.display"), op("remove", f"{selection}.value")]
    return chance.choice(choices)
