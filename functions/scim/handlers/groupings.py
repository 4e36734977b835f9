"""What a directory does to groups, inside a unit of work: for single calls and for those of a bulk request.

A group's people stand in a table of their own: they are read only where somebody asks for them, and written as differences.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.security.errors import NotFound

from ..domain.errors import InvalidValue
from ..domain.etags import check_if_match, write_etag
from ..domain.members import MembersDelta, members_delta
from ..domain.operations import Operation, parse_patch
from ..domain.patch import apply_patch
from ..domain.projection import Projection
from ..domain.schemas import GROUP, GROUP_URN
from ..domain.values import MOST_MEMBERS, read_new, read_replacement
from ..errors import UnknownMember
from ..queries import groups, memberships
from .access_changes import give_roles
from .people import Place, meta_of

Resource = dict[str, Any]
_ID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_IDS = re.compile(rf"(?:{_ID.pattern}\n)*+")
_MOST_NAME, _MOST_TEXT = 320, 512
_OURS = frozenset({"id", "meta", "schemas", "members"})
_PLAIN = frozenset({"value", "$ref", "display"})  # `type` is read: a group is no member


@dataclass
class _Changed:
    """Who came into a group and who left it."""

    added: set[UUID]
    removed: set[UUID]

    @property
    def people(self) -> list[UUID]:
        return sorted(self.added | self.removed)


def create_group(tx: UnitOfWork, place: Place, body: object) -> Row:
    """Make a group with its people; returns its row.

    Raises:
        InvalidSyntax, InvalidValue: (400).
        UnknownMember: (404 `unknown_member`).
        UniqueViolated: the name is taken.
    """
    body, named = _split(body)
    resource = read_new(body, GROUP)
    wanted = _ids(resource) if named is None else named
    memberships.hold_org(tx)
    group_id = place.deps.entropy.uuid()
    groups.insert_group(tx, id=group_id, now=place.now, **_row(resource))
    _refuse_unknown(groups.list_unknown(tx, wanted) if wanted else [])
    changed = _Changed(groups.insert_members(tx, group_id, wanted) if wanted else set(), set())
    roles = give_roles(tx, changed.people)
    tx.audit("scim:group:created", "scim_group", group_id, **_facts(resource, changed, roles))
    return get_group(tx, group_id)


def get_group(tx: UnitOfWork, group_id: UUID) -> Row:
    """Return one group's row. Raises: NotFound (404)."""
    row = groups.find_group(tx, group_id)
    if row is None:
        raise NotFound
    return row


def replace_group(tx: UnitOfWork, place: Place, group_id: UUID, body: object, if_match: str | None) -> Row:
    """Put a group in the place of what is there. Raises: as `create_group`; NotFound (404), VersionMismatch (412)."""
    body, named = _split(body)
    before = _lock(tx, group_id, if_match)
    resource = read_replacement(body, GROUP, _current(before))
    wanted = _ids(resource) if named is None else named
    delta = MembersDelta(True, wanted, frozenset(), ())
    _change(tx, place, before, resource, delta)
    return get_group(tx, group_id)


def patch_group(tx: UnitOfWork, place: Place, group_id: UUID, body: object, if_match: str | None) -> Row:
    """Change a group. Raises: as `replace_group`; InvalidPath, InvalidFilter, Mutability, NoTarget (400)."""
    operations = parse_patch(body)
    before = _lock(tx, group_id, if_match)
    delta = members_delta(operations) or _delta_by_reading(tx, group_id, before, operations)
    delta = replace(delta, add=_known_form(delta.add))
    resource = apply_patch(_current(before), delta.others, GROUP).resource if delta.others else _current(before)
    _change(tx, place, before, resource, delta)
    return get_group(tx, group_id)


def delete_group(tx: UnitOfWork, group_id: UUID, if_match: str | None) -> None:
    """Delete a group; its people stay, with the roles of their other groups. Raises: NotFound (404), VersionMismatch (412)."""
    before = _lock(tx, group_id, if_match)
    people = groups.list_member_ids(tx, group_id)
    groups.delete_group(tx, group_id)
    roles = give_roles(tx, sorted(people))
    facts = {"display_name": before["display_name"], "members": len(people), "roles_changed": roles}
    tx.audit("scim:group:deleted", "scim_group", group_id, **facts)


def show_groups(rows: Sequence[Row], base_url: str) -> list[Resource]:
    """Return groups as they are shown, without their people."""
    return [
        {
            "schemas": [GROUP_URN],
            "id": str(row["id"]),
            **row["document"],
            "meta": meta_of("Group", row, f"{base_url}/Groups/{row['id']}"),
        }
        for row in rows
    ]


def members_text(tx: UnitOfWork, rows: Sequence[Row], base_url: str, projection: Projection) -> Mapping[UUID, str]:
    """Return the people of groups as JSON text, by group; empty groups are left out. Names are told to who asks for them."""
    with_names = projection.wanted is not None and any(name.endswith("members.display") for name in projection.wanted)
    ids = [row["id"] for row in rows]
    return groups.list_members_of(tx, ids, users_url=f"{base_url}/Users/", with_names=with_names)


def _change(tx: UnitOfWork, place: Place, before: Row, resource: Resource, delta: MembersDelta) -> None:
    group_id: UUID = before["id"]
    changed = _apply(tx, group_id, delta)
    is_renamed = resource["displayName"] != before["display_name"]
    if not changed.people and _document(resource) == before["document"]:
        return
    groups.update_group(tx, group_id, now=place.now, **_row(resource))
    people = set(changed.people) | (groups.list_member_ids(tx, group_id) if is_renamed else set())
    roles = give_roles(tx, sorted(people))
    tx.audit("scim:group:changed", "scim_group", group_id, **_facts(resource, changed, roles))


def _apply(tx: UnitOfWork, group_id: UUID, delta: MembersDelta) -> _Changed:
    """Store a difference of people, those to be added in PostgreSQL's form. An id to be taken out that is nobody's takes nobody out."""
    wanted: Sequence[str] = delta.add
    removable: Sequence[str] = [text.lower() for text in delta.remove if _ID.fullmatch(text)]
    if delta.replaces_all:
        difference = groups.compare_members(tx, group_id, wanted)
        wanted, removable, unknown = difference.missing, difference.surplus, difference.unknown
    else:
        unknown = groups.list_unknown(tx, wanted) if wanted else []
    _refuse_unknown(unknown)
    removed = groups.delete_members(tx, group_id, removable) if removable else set()
    added = groups.insert_members(tx, group_id, wanted) if wanted else set()
    return _Changed(added, removed)


def _delta_by_reading(tx: UnitOfWork, group_id: UUID, before: Row, operations: Sequence[Operation]) -> MembersDelta:
    """Express a PATCH as a difference that is none of ids alone: by carrying it out on the whole group."""
    present = groups.list_member_ids(tx, group_id)
    whole = {**_current(before), "members": [{"value": str(item), "type": "User"} for item in sorted(present)]}
    result = apply_patch(whole, operations, GROUP).resource
    others = {name: value for name, value in result.items() if name != "members"}
    add = _ids(result)
    return MembersDelta(True, add, frozenset(), (Operation("replace", None, others),))


def _lock(tx: UnitOfWork, group_id: UUID, if_match: str | None) -> Row:
    memberships.hold_org(tx)
    row = groups.lock_group(tx, group_id)
    if row is None:
        raise NotFound
    check_if_match(if_match, write_etag(row["version"]))
    return row


def _refuse_unknown(unknown: Sequence[str]) -> None:
    """Refuse ids that name nobody of this organisation; another organisation's are no different."""
    if unknown:
        raise UnknownMember(f"there is no user {unknown[0]}")


def _split(body: object) -> tuple[object, tuple[str, ...] | None]:
    """Take the people out of a whole group where each is named by id alone, which a directory does for thousands at once.

    Returns:
        The body without them, and their ids; None where they have to be read with care.
    """
    if not isinstance(body, dict):
        return body, None
    members = body.get("members")
    if not isinstance(members, list) or not 0 < len(members) <= MOST_MEMBERS:
        return body, None
    try:
        texts = [item["value"] for item in members if item.keys() <= _PLAIN]
    except (AttributeError, KeyError):
        return body, None
    if len(texts) != len(members) or set(map(type, texts)) != {str}:
        return body, None
    return {name: value for name, value in body.items() if name != "members"}, _known_form(texts)


def _ids(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the people that a whole group names, each once."""
    texts: list[str] = []
    for element in resource.get("members") or ():
        if not element.get("value"):
            raise InvalidValue("members.value is the id of a member")
        if str(element.get("type", "User")).lower() != "user":
            raise InvalidValue("members are users; groups in groups are not taken")
        texts.append(element["value"])
    return _known_form(texts)


def _known_form(texts: Sequence[str]) -> tuple[str, ...]:
    """Return ids in the form that PostgreSQL writes, each once; ten thousand of them are not worth as many objects."""
    joined = "\n".join([*texts, ""])
    if _IDS.fullmatch(joined) is None:
        wrong = next(text for text in texts if _ID.fullmatch(text) is None)
        raise UnknownMember(f"there is no user {wrong[:64]}")
    return tuple(dict.fromkeys(joined.lower().splitlines()))


def _row(resource: Mapping[str, Any]) -> dict[str, Any]:
    name, external_id = resource["displayName"], resource.get("externalId")
    if len(name) > _MOST_NAME:
        raise InvalidValue(f"displayName has more than {_MOST_NAME} characters")
    if external_id is not None and len(external_id) > _MOST_TEXT:
        raise InvalidValue(f"externalId has more than {_MOST_TEXT} characters")
    return {
        "display_name": name,
        "external_id": external_id or None,
        "document": json.dumps(_document(resource)),
    }


def _document(resource: Mapping[str, Any]) -> Resource:
    return {name: value for name, value in resource.items() if name not in _OURS}


def _current(row: Row) -> Resource:
    return {"id": str(row["id"]), **row["document"]}


def _facts(resource: Mapping[str, Any], changed: _Changed, roles: int) -> dict[str, object]:
    return {
        "display_name": resource["displayName"],
        "members_added": len(changed.added),
        "members_removed": len(changed.removed),
        "roles_changed": roles,
    }
