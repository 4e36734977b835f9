"""What a User and a Group consist of: one table of attributes, which filters, PATCH, projection and discovery all read.

The attributes are those of `scim2-models` (RFC 7643 sections 4.1 to 4.3), put right (ADR 0025): no `password`,
since nobody signs in with one here; a manager needs neither `value` nor `$ref`; `active` always has a value; a member is called what the person is called,
which is told on request; the common attributes of section 3.1 are listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, Final, Literal

from scim2_models import Attribute as ModelAttribute
from scim2_models import EnterpriseUser, Extension, Resource
from scim2_models import Group as ModelGroup
from scim2_models import User as ModelUser

AttributeType = Literal["string", "boolean", "decimal", "integer", "dateTime", "reference", "binary", "complex"]
MutabilityWord = Literal["readOnly", "readWrite", "immutable", "writeOnly"]
ReturnedWord = Literal["always", "never", "default", "request"]

USER_URN: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_URN: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE_URN: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

_NOT_KEPT = {"password"}


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """One attribute or sub-attribute; there is one object of each. Source: RFC 7643 section 7.

    Attributes:
        name: as it is written in answers, e.g. `userName`.
        sub_attributes: of a complex attribute, by name in small letters.
    """

    name: str
    type: AttributeType = "string"
    multi_valued: bool = False
    required: bool = False
    case_exact: bool = False
    mutability: MutabilityWord = "readWrite"
    returned: ReturnedWord = "default"
    description: str = field(default="", repr=False)
    uniqueness: str = "none"
    canonical_values: tuple[str, ...] = field(default=(), repr=False)
    reference_types: tuple[str, ...] = field(default=(), repr=False)
    sub_attributes: Mapping[str, Attribute] = field(default_factory=dict, repr=False)

    def sub(self, name: str) -> Attribute | None:
        """Find a sub-attribute, in any case."""
        return self.sub_attributes.get(name.lower())

    @property
    def is_text(self) -> bool:
        """Whether values are compared as text."""
        return self.type in {"string", "reference", "binary"}


@dataclass(frozen=True)
class Target:
    """An attribute and where it stands.

    Attributes:
        urn: the extension's URN; None in the core schema.
        attribute: the attribute at the top.
        sub: the sub-attribute that is meant, if one is.
    """

    urn: str | None
    attribute: Attribute
    sub: Attribute | None = None

    @property
    def leaf(self) -> Attribute:
        """The attribute that holds the value."""
        return self.sub or self.attribute

    @cached_property
    def path(self) -> str:
        """Its path as RFC 7644 section 3.10 writes it, in the schema's own letters; never in those of a caller."""
        prefix = f"{self.urn}:" if self.urn else ""
        suffix = f".{self.sub.name}" if self.sub else ""
        return f"{prefix}{self.attribute.name}{suffix}"


@lru_cache(maxsize=1_024)
def sub_target(target: Target, sub: Attribute) -> Target:
    """Return a sub-attribute of a target; remembered, since ten thousand members ask for the same few."""
    return Target(target.urn, target.attribute, sub)


@dataclass(frozen=True)
class ResourceSchema:
    """A type of resource. Source: RFC 7643 section 6.

    Attributes:
        name: `User` or `Group`.
        endpoint: `/Users` or `/Groups`.
        attributes: of the core schema, the common ones included, by name in small letters.
        extensions: attributes of each extension, by its URN.
    """

    name: str
    endpoint: str
    urn: str
    description: str
    attributes: Mapping[str, Attribute] = field(repr=False)
    extensions: Mapping[str, Mapping[str, Attribute]] = field(repr=False)

    @cached_property
    def _urns(self) -> Mapping[str, str]:
        return {urn.lower(): urn for urn in (self.urn, *self.extensions)}

    def urn_of(self, text: str) -> str | None:
        """Return the schema's own spelling of a URN; None for one that this type does not have."""
        return self._urns.get(text.lower())

    def find(self, name: str, sub: str | None = None, urn: str | None = None) -> Target | None:
        """Find an attribute; names and URN in any case.

        Args:
            name: the attribute.
            sub: the sub-attribute, if one is meant.
            urn: the schema it is of; the core schema when None.
        """
        known = self.urn if urn is None else self.urn_of(urn)
        if known is None:
            return None
        found = (self.attributes if known == self.urn else self.extensions[known]).get(name.lower())
        if found is None:
            return None
        below = None
        if sub is not None:
            below = found.sub(sub)
            if below is None:
                return None
        return Target(None if known == self.urn else known, found, below)

    def targets(self) -> Iterator[Target]:
        """Yield every attribute at the top, those of extensions last."""
        for attribute in self.attributes.values():
            yield Target(None, attribute)
        for urn, attributes in self.extensions.items():
            for attribute in attributes.values():
                yield Target(urn, attribute)


_COMMON: Final = (
    Attribute("schemas", multi_valued=True, case_exact=True, mutability="readOnly", returned="always"),
    Attribute("id", case_exact=True, mutability="readOnly", returned="always", uniqueness="server"),
    Attribute("externalId", case_exact=True),
    Attribute(
        "meta",
        "complex",
        mutability="readOnly",
        sub_attributes={
            part.name.lower(): part
            for part in (
                Attribute("resourceType", case_exact=True, mutability="readOnly"),
                Attribute("created", "dateTime", mutability="readOnly"),
                Attribute("lastModified", "dateTime", mutability="readOnly"),
                Attribute("location", "reference", case_exact=True, mutability="readOnly"),
                Attribute("version", case_exact=True, mutability="readOnly"),
            )
        },
    ),
)  # fmt: skip


def _read(model: ModelAttribute) -> Attribute:
    if model.name is None or model.type is None:
        raise ValueError("an attribute of a schema has a name and a type")
    return Attribute(
        name=model.name,
        type=model.type.value,
        multi_valued=bool(model.multi_valued),
        required=bool(model.required),
        case_exact=bool(model.case_exact),
        mutability=model.mutability.value,
        returned=model.returned.value,
        description=" ".join((model.description or "").split()),
        uniqueness=model.uniqueness.value,
        canonical_values=tuple(model.canonical_values or ()),
        reference_types=tuple(model.reference_types or ()),
        sub_attributes={part.name.lower(): part for part in map(_read, model.sub_attributes or ())},
    )


def _table(model: type[Resource[Any] | Extension]) -> dict[str, Attribute]:
    found = (_read(attribute) for attribute in model.to_schema().attributes or ())
    return {attribute.name.lower(): attribute for attribute in found if attribute.name not in _NOT_KEPT}


def _enterprise() -> dict[str, Attribute]:
    """RFC 7643 section 8.7.1 requires no part of a manager; Entra ID sends its id alone."""
    table = _table(EnterpriseUser)
    manager = table["manager"]
    parts = {name: replace(part, required=False) for name, part in manager.sub_attributes.items()}
    return {**table, "manager": replace(manager, sub_attributes=parts)}


def _user() -> dict[str, Attribute]:
    table = _table(ModelUser)
    return {**table, "active": replace(table["active"], required=True)}


def _group() -> dict[str, Attribute]:
    table = _table(ModelGroup)
    members = table["members"]
    parts = dict(members.sub_attributes)
    parts["display"] = replace(parts["display"], mutability="readOnly", returned="request")
    return {**table, "members": replace(members, sub_attributes=parts)}


def _common() -> dict[str, Attribute]:
    return {attribute.name.lower(): attribute for attribute in _COMMON}


USER: Final = ResourceSchema(
    "User", "/Users", USER_URN, "A person of the organisation", {**_common(), **_user()},
    {ENTERPRISE_URN: _enterprise()},
)  # fmt: skip
GROUP: Final = ResourceSchema(
    "Group", "/Groups", GROUP_URN, "People who have a role together", {**_common(), **_group()}, {}
)
RESOURCE_SCHEMAS: Final = (USER, GROUP)
