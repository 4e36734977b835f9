"""ARM ids: case carries no meaning in them.

Source: Azure Resource Manager documentation, "Naming rules and restrictions for Azure resources" and "resourceId".
"""

from __future__ import annotations

import re

from ...domain.resources import Attributes, Parent
from ...domain.shapes import Canonical, text
from ...domain.specs import KeyRule, ParentRule

_SUBSCRIPTION = re.compile(r"/subscriptions/([^/|]+)", re.IGNORECASE)
_GROUP = re.compile(r"(/subscriptions/[^/|]+/resourcegroups/[^/|]+)", re.IGNORECASE)


def arm_id(value: object) -> Canonical:
    """An ARM id in lower case, without a slash at its end; no id is null."""
    found = text(value)
    return found.rstrip("/").lower() or None if isinstance(found, str) else found


def key_of(value: object) -> str | None:
    """Return the match key of an ARM id, None when there is none."""
    found = arm_id(value)
    return found if isinstance(found, str) else None


def arm_key(attributes: Attributes) -> str | None:
    """Match by the id that the provider keeps, which is ARM's."""
    return key_of(attributes.get("id"))


def key_from(attribute: str) -> KeyRule:
    """Match by another attribute that holds the ARM id."""
    return lambda attributes: key_of(attributes.get(attribute))


def joined_key(*names: str) -> KeyRule:
    """Match a link between two resources by both of their ids."""

    def key(attributes: Attributes) -> str | None:
        parts = [key_of(attributes.get(name)) for name in names]
        return "|".join(part for part in parts if part) if all(parts) else None

    return key


def inside(kind: str, collection: str, attribute: str) -> ParentRule:
    """Make the parent rule of a child that ARM keeps inside another resource: its id says which.

    Args:
        kind: Terraform type of the parent.
        collection: the segment before the child's name, e.g. `subnets`.
        attribute: the parent's attribute that may hold the child inline.
    """
    mark = f"/{collection.lower()}/"

    def parent(attributes: Attributes) -> Parent | None:
        head, found, _ = (arm_key(attributes) or "").rpartition(mark)
        return Parent(kind, head, attribute) if found and head else None

    return parent


def parent_from(kind: str, named: str, attribute: str) -> ParentRule:
    """Make the parent rule of a link: an attribute names the parent."""

    def parent(attributes: Attributes) -> Parent | None:
        found = key_of(attributes.get(named))
        return Parent(kind, found, attribute) if found else None

    return parent


def subscription_of(value: object) -> str | None:
    """Return the subscription that an ARM id lies in, in lower case."""
    found = _SUBSCRIPTION.match(str(value or ""))
    return found[1].lower() if found else None


def group_of(value: object) -> str | None:
    """Return the id of the resource group that an ARM id lies in, in lower case."""
    found = _GROUP.match(str(value or ""))
    return found[1].lower() if found else None
