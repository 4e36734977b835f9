"""What a directory does to people, inside a unit of work: for single calls and for those of a bulk request.

A resource stands for the person with its address, once the organisation has proven the address's domain; until then it is kept
and gives nobody access. Once it stands for a person it goes on to, whatever becomes of the address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.deps import Deps
from shared.security.errors import NotFound

from ..domain.errors import InvalidValue, Mutability
from ..domain.etags import check_if_match, write_etag
from ..domain.operations import parse_patch
from ..domain.patch import apply_patch
from ..domain.schemas import ENTERPRISE_URN, USER, USER_URN
from ..domain.values import read_new, read_replacement
from ..queries import memberships, users
from .access_changes import let_in, take_out

Resource = dict[str, Any]
_ADDRESS = re.compile(r"[^\s@]{1,64}@[A-Za-z0-9.-]{3,253}")
_MOST_NAME, _MOST_TEXT = 320, 512
_MOST_ADDRESSES = 10
_OURS = frozenset({"id", "meta", "schemas", "groups"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when something is done to the organisation's resources.

    Attributes:
        base_url: what their addresses begin with.
        now: time of the call, aware UTC.
    """

    deps: Deps
    base_url: str
    now: datetime


def create_user(tx: UnitOfWork, place: Place, body: object) -> Resource:
    """Make a person's resource; an active one of a proven domain becomes a member.

    Raises:
        InvalidSyntax, InvalidValue: (400).
        UniqueViolated: the name, or the person behind the address, is taken.
        LastOwner: (403 `last_owner`).
    """
    resource = read_new(body, USER)
    memberships.hold_org(tx)
    user_id = place.deps.entropy.uuid()
    row = _settle(tx, None, user_id, resource, place)
    tx.audit("scim:user:created", "scim_user", user_id, **_facts(row))
    return get_user(tx, place, user_id)


def get_user(tx: UnitOfWork, place: Place, user_id: UUID) -> Resource:
    """Return one person. Raises: NotFound (404)."""
    row = users.find_user(tx, user_id)
    if row is None:
        raise NotFound
    return show_users(tx, place, [row])[0]


def replace_user(tx: UnitOfWork, place: Place, user_id: UUID, body: object, if_match: str | None) -> Resource:
    """Put a person's resource in the place of what is there. Raises: as `create_user`; NotFound (404), VersionMismatch (412)."""
    before = _lock(tx, user_id, if_match)
    _change(tx, place, before, read_replacement(body, USER, _current(before)))
    return get_user(tx, place, user_id)


def patch_user(tx: UnitOfWork, place: Place, user_id: UUID, body: object, if_match: str | None) -> Resource:
    """Change a person's resource. Raises: as `replace_user`; InvalidPath, InvalidFilter, Mutability, NoTarget (400)."""
    operations = parse_patch(body)
    before = _lock(tx, user_id, if_match)
    result = apply_patch(_current(before), operations, USER)
    if "active" in before["document"] and "active" not in result.resource:
        raise Mutability("active cannot be removed: it always has a value")
    if result.changed:
        _change(tx, place, before, result.resource)
    return get_user(tx, place, user_id)


def delete_user(tx: UnitOfWork, place: Place, user_id: UUID, if_match: str | None) -> None:
    """Delete a person's resource and end what it gave. Raises: NotFound (404), VersionMismatch (412), LastOwner (403)."""
    before = _lock(tx, user_id, if_match)
    if before["active"]:
        take_out(tx, _people(tx, before["user_id"], before["email_key"]), user_id, place.now)
    users.delete_user(tx, user_id)
    tx.audit("scim:user:deleted", "scim_user", user_id, **_facts(before))


def show_users(tx: UnitOfWork, place: Place, rows: Sequence[Row], *, with_groups: bool = True) -> list[Resource]:
    """Return people as they are shown."""
    groups = users.list_groups_of(tx, [row["id"] for row in rows]) if with_groups else {}
    return [_show(row, groups.get(row["id"], ()), place.base_url) for row in rows]


def _lock(tx: UnitOfWork, user_id: UUID, if_match: str | None) -> Row:
    memberships.hold_org(tx)
    row = users.lock_user(tx, user_id)
    if row is None:
        raise NotFound
    check_if_match(if_match, write_etag(row["version"]))
    return row


def _change(tx: UnitOfWork, place: Place, before: Row, resource: Resource) -> None:
    resource.setdefault("active", before["active"])  # who takes the attribute away switches nobody on or off
    if _document(resource) == before["document"]:
        return
    row = _settle(tx, before, before["id"], resource, place)
    action = "changed"
    if row["active"] != before["active"]:
        action = "activated" if row["active"] else "deactivated"
    tx.audit(f"scim:user:{action}", "scim_user", before["id"], **_facts(row))


def _settle(tx: UnitOfWork, before: Row | None, user_id: UUID, resource: Resource, place: Place) -> Mapping[str, Any]:
    """Store a resource, and let its person in or take them out if that is what changed."""
    row = _row(tx, resource)
    linked: UUID | None = before["user_id"] if before else None
    was_active = before is not None and before["active"]
    if linked is None and row["active"] and row["is_proven"]:
        linked = memberships.admit_person(tx, email=row["email_key"], name=_name_of(resource))
    stored = {name: value for name, value in row.items() if name != "is_proven"}
    stored |= {"user_id": linked, "now": place.now}
    if before is None:
        users.insert_user(tx, id=user_id, **stored)
    else:
        users.update_user(tx, user_id, **stored)
    is_new_link = linked is not None and (before is None or before["user_id"] is None)
    if row["active"] and linked is not None and (is_new_link or not was_active):
        let_in(tx, user_id, linked)
    elif not row["active"] and (was_active or before is None):
        proven = row["email_key"] if row["is_proven"] else None
        take_out(tx, _people(tx, linked, proven), user_id, place.now)
    return row


def _people(tx: UnitOfWork, linked: UUID | None, email: str | None) -> set[UUID]:
    """Return whom a resource stands for: its person, and members with its address who came in by another door."""
    found = {linked} if linked is not None else set[UUID]()
    if email is not None and email.rpartition("@")[2] in memberships.list_proven(tx):
        found |= memberships.find_members(tx, email)
    return found


def _row(tx: UnitOfWork, resource: Resource) -> dict[str, Any]:
    """Return the columns of a resource, and whether its address is of a proven domain."""
    proven = memberships.list_proven(tx)
    addresses = list(_addresses(resource))
    email = next((item for item in addresses if item.rpartition("@")[2] in proven), next(iter(addresses), None))
    name = resource.get("name") or {}
    return {
        "user_name": _text("userName", resource["userName"], _MOST_NAME),
        "external_id": _text("externalId", resource.get("externalId")),
        "active": bool(resource.get("active", True)),
        "display_name": _text("displayName", resource.get("displayName")),
        "family_name": _text("name.familyName", name.get("familyName")),
        "given_name": _text("name.givenName", name.get("givenName")),
        "email_key": email,
        "document": json.dumps(_document(resource)),
        "is_proven": email is not None and email.rpartition("@")[2] in proven,
    }


def _text(path: str, value: str | None, most: int = _MOST_TEXT) -> str | None:
    if value is not None and len(value) > most:
        raise InvalidValue(f"{path} has more than {most} characters")
    return value or None


def _addresses(resource: Mapping[str, Any]) -> Iterator[str]:
    """Yield the addresses of a person, the likeliest first, in small letters."""
    emails = [item for item in resource.get("emails") or () if item.get("value")][:_MOST_ADDRESSES]
    emails.sort(key=lambda item: (item.get("primary") is not True, str(item.get("type", "")).lower() != "work"))
    for text in (*(item["value"] for item in emails), resource["userName"]):
        if _ADDRESS.fullmatch(text):
            yield text.lower()


def _name_of(resource: Mapping[str, Any]) -> str:
    name = resource.get("name") or {}
    parts = (name.get("givenName"), name.get("familyName"))
    return str(resource.get("displayName") or name.get("formatted") or " ".join(filter(None, parts)))[:200]


def _document(resource: Mapping[str, Any]) -> Resource:
    return {name: value for name, value in resource.items() if name not in _OURS}


def _current(row: Row) -> Resource:
    return {"id": str(row["id"]), **row["document"]}


def _facts(row: Mapping[str, Any]) -> dict[str, object]:
    return {"user_name": row["user_name"], "external_id": row["external_id"], "active": row["active"]}


def _show(row: Row, groups: Sequence[Row], base_url: str) -> Resource:
    document, url = row["document"], f"{base_url}/Users/{row['id']}"
    schemas = [USER_URN, *([ENTERPRISE_URN] if ENTERPRISE_URN in document else [])]
    shown: Resource = {"schemas": schemas, "id": str(row["id"]), **document}
    if groups:
        shown["groups"] = [
            {
                "value": str(group["id"]),
                "$ref": f"{base_url}/Groups/{group['id']}",
                "display": group["display_name"],
                "type": "direct",
            }
            for group in groups
        ]
    shown["meta"] = meta_of("User", row, url)
    return shown


def meta_of(resource_type: str, row: Row, url: str) -> dict[str, str]:
    """Return a resource's metadata. Source: RFC 7643 section 3.1."""
    return {
        "resourceType": resource_type,
        "created": row["created_at"].isoformat().replace("+00:00", "Z"),
        "lastModified": row["modified_at"].isoformat().replace("+00:00", "Z"),
        "location": url,
        "version": write_etag(row["version"]),
    }
