"""Where an operation of PATCH points. Source: RFC 7644 section 3.5.2 figure 7; the grammar is scim2-models'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scim2_models import Path
from scim2_models.exceptions import SCIMException
from scim2_models.path import AttrPath
from scim2_models.path import ValuePath as ParsedValuePath

from .errors import InvalidFilter, InvalidPath
from .filter_tree import Filter
from .filters import check_size, resolve_value_filter
from .schemas import ResourceSchema, Target

_SCHEMES: Final = ("urn:", "http://", "https://")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an operation points.

    Attributes:
        target: attribute, and sub-attribute where one is named.
        selected: what stands between the brackets; None without them.
    """

    target: Target
    selected: Filter | None = None

    @property
    def is_element_wise(self) -> bool:
        """Whether it points into the elements of a multi-valued attribute."""
        return self.target.attribute.multi_valued and (self.selected is not None or self.target.sub is not None)


def parse_path(text: str, schema: ResourceSchema) -> Place:
    """Read a path.

    Args:
        text: `userName`, `name.familyName`, `emails[type eq "work"]`, `emails[type eq "work"].value`, each with a URN before it or without.
        schema: what its names mean.

    Raises:
        InvalidPath: (400 `invalidPath`) not well-formed, or no such attribute.
        InvalidFilter: (400 `invalidFilter`) what stands between the brackets is not right.
    """
    try:
        check_size(text)
        node = Path(text).ast
    except InvalidFilter:
        raise InvalidPath("the path is too long or nested too deep") from None
    except SCIMException as error:
        raise InvalidPath(error.detail) from None
    if isinstance(node, AttrPath):
        return Place(_find(node, node.sub_attr, schema))
    if not isinstance(node, ParsedValuePath):
        raise InvalidPath("a path is an attribute, or an attribute with a selection in brackets")
    whole = _find(node.attr_path, None, schema)
    if not whole.attribute.multi_valued or whole.attribute.type != "complex":
        raise InvalidPath(f"{whole.path} has one value: there is nothing to select by brackets")
    return Place(_find(node.attr_path, node.sub_attr, schema), resolve_value_filter(node.val_filter, schema, whole))


def is_foreign(text: str, schema: ResourceSchema) -> bool:
    """Say whether a path or a key is under a schema that the type does not have; such are passed over."""
    lowered = text.lower()
    if not lowered.startswith(_SCHEMES):
        return False
    known = (urn.lower() for urn in (schema.urn, *schema.extensions))
    return not any(lowered == urn or lowered.startswith(f"{urn}:") for urn in known)


def _find(path: AttrPath, sub: str | None, schema: ResourceSchema) -> Target:
    found = schema.find(path.attr, sub, path.uri)
    if found is None:
        raise InvalidPath(f"{schema.name} has no attribute {path.attr}" + (f".{sub}" if sub else ""))
    return found
