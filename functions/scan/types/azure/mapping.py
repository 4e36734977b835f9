"""How an Azure resource becomes the attributes of its Terraform type: one rule, and the exceptions of each type.

Owns the vocabulary of the Azure type tables. The rule: an attribute `soft_delete_retention_days` is ARM's
`properties.softDeleteRetentionDays`; an exception names another path or another spelling of the value. Must not do I/O.
Source: Azure Resource Manager template reference (learn.microsoft.com/azure/templates); Terraform AzureRM provider 4,
resource documentation of each type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from ...domain.resources import Declared
from ...domain.shapes import (
    Canonical,
    Shape,
    block,
    boolean,
    default_is,
    folded_text,
    keyed,
    members,
    set_of,
    string_map,
    text,
)
from ...domain.specs import Expansion, KeyRule, ParentRule, TypeSpec, no_parent
from .ids import arm_id, arm_key, key_of

Row: TypeAlias = Mapping[str, Any]  # a resource as ARM and Resource Graph write it: members that Azure documents
NOT_READ: Final = object()  # a spelling of what tells nothing of this resource: it is not compared
Spelling: TypeAlias = Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a Terraform type.

    Attributes:
        shape: its canonical form.
        path: where ARM has it, with dots; None for the rule, empty for the whole resource.
        spelled: makes the provider's spelling of ARM's value.
        default: what ARM means by leaving it out; `NOT_READ` where it means nothing (an API version that does not know it yet).
    """

    shape: Shape
    path: str | None = None
    spelled: Spelling | None = None
    default: object = None

    def read(self, name: str, row: Row, *, within: str = "properties") -> object:
        """Return the value as the provider would write it into a state."""
        path = _by_rule(name, within) if self.path is None else self.path
        found = at(row, path) if path else row
        if found is None:
            return self.default
        return self.spelled(found) if self.spelled else found


Attributes: TypeAlias = Mapping[str, Attribute]


def always(_row: Row) -> bool:
    """Say that every resource of the ARM type is of the Terraform type."""
    return True


@dataclass(frozen=True, slots=True)
class AzureType:
    """One Terraform type and where Azure has it.

    Attributes:
        type: Terraform type.
        arm: ARM type in lower case; several Terraform types may share one.
        attributes: compared attributes.
        when: tells apart Terraform types of one ARM type.
        key: match key from a state.
        live_key: the same from the id that Azure gives.
        aliases: Terraform types under whose names a state may declare the same thing.
        parent, inline, expand: as in `TypeSpec`.
        sensitive: attributes whose values are never shown.
        scaled: attributes that an autoscaler moves: they are not compared where there is one.
        renamed: older names of attributes, each with the newer one: a state that has both is compared by the newer.
    """

    type: str
    arm: str
    attributes: Attributes
    when: Callable[[Row], bool] = always
    key: KeyRule = arm_key
    live_key: Callable[[object], str | None] = key_of
    aliases: tuple[str, ...] = ()
    parent: ParentRule = no_parent
    inline: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    expand: Expansion | None = None
    sensitive: frozenset[str] = frozenset()
    scaled: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def spec(self) -> TypeSpec:
        """Return the rules of the comparison."""
        return TypeSpec(
            self.type,
            {name: item.shape for name, item in self.attributes.items()},
            key=self.key,
            parent=self.parent,
            inline=self.inline,
            expand=self._with_one_name if self.renamed else self.expand,
            sensitive=self.sensitive,
        )

    def _with_one_name(self, entry: Declared) -> Iterable[Declared]:
        known = entry.attributes
        twice = {old for old, new in self.renamed.items() if old in known and known.get(new) is not None}
        if twice:
            entry = replace(entry, attributes={name: item for name, item in known.items() if name not in twice})
        return self.expand(entry) if self.expand else (entry,)

    def read(self, row: Row) -> dict[str, object]:
        """Return the attributes of a resource but those that tell nothing here, each null where ARM has none and means nothing by it."""
        found = {name: item.read(name, row) for name, item in self.attributes.items()}
        return {name: value for name, value in found.items() if value is not NOT_READ}


def at(document: Any, path: str) -> Any:
    """Return what stands at a path of member names, None where there is nothing.

    Member names are compared without case where they do not fit: Resource Graph keeps whatever case a provider answers in.
    """
    for name in path.split("."):
        if not isinstance(document, Mapping):
            return None
        found = document.get(name)
        if found is None:
            wanted = name.lower()
            known = dict.keys(document) if isinstance(document, dict) else document  # looking for a name reads nothing
            spelled = next((key for key in known if str(key).lower() == wanted), None)
            found = None if spelled is None else document.get(spelled)
        document = found
    return document


def one_block(attributes: Attributes, path: str | None = None, *, default: object = None) -> Attribute:
    """Declare one nested block, mapped by the same rule from ARM's object."""
    shapes = {name: item.shape for name, item in attributes.items()}
    return Attribute(block(shapes), path, lambda found: [_members(attributes, found, "")] if found else [], default)


def named_blocks(attributes: Attributes, path: str | None = None, *, within: str = "properties") -> Attribute:
    """Declare blocks that carry a name, which stands beside `properties` in ARM."""
    shapes = {name: item.shape for name, item in attributes.items() if name != "name"}
    whole = {"name": Attribute(text, "name"), **attributes}
    return Attribute(keyed("name", shapes), path, lambda found: _each(whole, found, within))


def some_blocks(attributes: Attributes, path: str | None = None, *, spelled: Spelling | None = None) -> Attribute:
    """Declare blocks without a name, in any order.

    Args:
        attributes: of one block.
        path: where ARM has the list.
        spelled: takes the list out of what stands there, when that is no list.
    """
    shapes = {name: item.shape for name, item in attributes.items()}
    return Attribute(
        set_of(members(shapes)), path, lambda found: _each(attributes, spelled(found) if spelled else found, "")
    )


def flag(path: str, *, default: object = None) -> Attribute:
    """Declare a flag that ARM has at a path."""
    return Attribute(boolean, path, default=default)


def enabled(path: str, *, default: object = None) -> Attribute:
    """Declare a flag that ARM spells as a word at a path."""
    return Attribute(boolean, path, is_enabled, default=default)


def reference(path: str) -> Attribute:
    """Declare the id of another resource."""
    return Attribute(arm_id, path)


def word(path: str | None = None, *, unset: str | None = None, default: object = None) -> Attribute:
    """Declare a word whose case carries no meaning.

    Args:
        path: where ARM has it.
        unset: the word, in lower case, that means the same as none.
        default: what ARM means by leaving it out.
    """
    return Attribute(default_is(unset, folded_text) if unset else folded_text, path, default=default)


def last_segment(value: object) -> object:
    """Return the name at the end of an id."""
    return str(value).rstrip("/").rpartition("/")[2]


def without_version(value: object) -> object:
    """Return the id of a key without its version (`https://<vault>/keys/<name>`)."""
    return "/".join(str(value).rstrip("/").split("/")[:5])


def inverted(value: object) -> object:
    """Turn a flag round: the provider says `enabled` where ARM says `disabled`."""
    return not value


def is_enabled(value: object) -> object:
    """Read a flag that ARM spells as a word (`Enabled`, `Succeeded` means nothing here)."""
    return str(value).lower() == "enabled"


def ids(value: object) -> object:
    """Return the ids of references to other resources (`[{"id": …}]`)."""
    return [item.get("id") for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def any_of(*paths: str) -> Spelling:
    """Make a spelling: a list, wherever ARM keeps it; a single value is a list of one (`addressPrefix`, `addressPrefixes`)."""

    def spelled(row: Any) -> object:
        for path in paths:
            found = at(row, path)
            if found:
                return found if isinstance(found, list) else [found]
        return []

    return spelled


def location(value: object) -> Canonical:
    """An Azure location: `West Europe` is `westeurope`."""
    found = text(value)
    return found.replace(" ", "").lower() if isinstance(found, str) else found


def tags(value: object) -> Canonical:
    """Tags; links that the portal draws between resources (`hidden-link:`) are Azure's own.

    Source: Azure Monitor documentation, "Workspace-based Application Insights resources" (the tag that the portal writes).
    """
    if not isinstance(value, Mapping):
        return None
    return string_map({name: item for name, item in value.items() if not str(name).lower().startswith("hidden-link:")})


def identity_type(value: object) -> Canonical:
    """Kinds of identity; some services write `SystemAssigned,UserAssigned`, others with a blank, in either order."""
    found = text(value)
    words = sorted(word.strip().lower() for word in str(found or "").split(",") if word.strip())
    return None if words in ([], ["none"]) else ", ".join(words)


def _identity(found: Any) -> object:
    kind = at(found, "type")
    if identity_type(kind) is None:
        return []
    return [{"type": kind, "identity_ids": list(at(found, "userAssignedIdentities") or {})}]


LOCATION = Attribute(location, "location")
TAGS = Attribute(tags, "tags")
ZONES = Attribute(set_of(text), "zones")
IDENTITY = Attribute(block({"type": identity_type, "identity_ids": set_of(arm_id)}), "identity", _identity)
PLACED: Attributes = {"location": LOCATION, "tags": TAGS}


def kept_of(document: Row, names: Iterable[str]) -> Row:
    """Return the named members of a document's properties: what is not compared is not kept.

    Raises:
        TypeError: it is in another form.
    """
    found = document.get("properties")
    if not isinstance(found, Mapping) or not found:
        raise TypeError("no properties")
    return {name: found.get(name) for name in names}


def heads_of(*tables: Attributes) -> tuple[str, ...]:
    """Return the members that attributes are read from, sorted; by the rule where they name no path."""
    return tuple(
        sorted({(item.path or camel(name)).partition(".")[0] for table in tables for name, item in table.items()})
    )


def camel(name: str) -> str:
    """Spell a Terraform attribute as ARM does: `address_prefix` is `addressPrefix`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _by_rule(name: str, within: str) -> str:
    return f"{within}.{camel(name)}" if within else camel(name)


def _members(attributes: Attributes, found: Any, within: str) -> dict[str, object]:
    row: Row = found if isinstance(found, Mapping) else {}
    return {name: item.read(name, row, within=within) for name, item in attributes.items()}


def _each(attributes: Attributes, found: Any, within: str) -> list[object]:
    items = found if isinstance(found, list) else []
    return [_members(attributes, item, within) for item in items if isinstance(item, Mapping)]
