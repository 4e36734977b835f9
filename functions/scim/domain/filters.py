"""Filters: read, and resolved against a schema. Source: RFC 7644 section 3.4.2.2.

The grammar is scim2-models' (LALR, so linear in the text); what the names mean, which comparisons are allowed and what a missing value
answers is decided here and in `matching.py`, for `filter_sql.py` too:

- a comparison is true or false, never unknown, so that `not` is what it says;
- a missing attribute equals nothing but null: `ne "x"` and `eq null` are true of it, every other comparison is false;
- a comparison with a multi-valued attribute is true when one of its elements satisfies it; an attribute without elements is a missing one;
- text is compared by its Unicode case folding unless the schema says `caseExact`, and ordered by code point.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, get_args

from scim2_models import ScimFilter
from scim2_models.exceptions import SCIMException
from scim2_models.path import AttrPath, FilterNode, LogicalExpr, LogicalOperator
from scim2_models.path import Comparison as ParsedComparison
from scim2_models.path import Not as ParsedNot
from scim2_models.path import Present as ParsedPresent
from scim2_models.path import ValuePath as ParsedValuePath

from shared.storable import is_storable

from .errors import InvalidFilter
from .filter_tree import And, Comparison, Constant, Filter, Not, NullTest, Operator, Or, Present, Scalar, ValuePath
from .matching import matches
from .scalars import read_boolean, read_moment
from .schemas import ResourceSchema, Target

__all__ = [
    "And", "Comparison", "Constant", "Filter", "Not", "NullTest", "Or", "Present", "ValuePath", "matches", "parse_filter",
]  # fmt: skip

MOST_CHARACTERS: Final = 4_096
MOST_DEPTH: Final = 32
MOST_COMPARISONS: Final = 100

_OPERATORS: Final[Mapping[str, Operator]] = {name: name for name in get_args(Operator)}
_ORDERING: Final = frozenset({"gt", "ge", "lt", "le"})
_PARTIAL: Final = frozenset({"co", "sw", "ew"})
_ALWAYS_THERE: Final = frozenset({"schemas", "meta", "meta.resourceType", "meta.location", "meta.version"})
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\Z)', re.DOTALL)


def parse_filter(text: str, schema: ResourceSchema, *, tolerate_unknown: bool = False) -> Filter:
    """Read a filter.

    Args:
        text: at most `MOST_CHARACTERS`, nested at most `MOST_DEPTH`, with at most `MOST_COMPARISONS`.
        schema: what its names mean.
        tolerate_unknown: an attribute that the schema does not have is a missing one, instead of an error; for searches over several types.

    Raises:
        InvalidFilter: (400 `invalidFilter`) with the place or the attribute.
    """
    check_size(text)
    try:
        found = ScimFilter(text).ast
    except SCIMException as error:
        raise InvalidFilter(error.detail) from None
    return resolve_filter(found, schema, tolerate_unknown=tolerate_unknown)


def check_size(text: str) -> None:
    """Refuse what is too long or too deep before a parser sees it.

    Raises:
        InvalidFilter: (400 `invalidFilter`).
    """
    if len(text) > MOST_CHARACTERS:
        raise InvalidFilter(f"a filter has at most {MOST_CHARACTERS} characters")
    depth = deepest = 0
    for character in _TEXT.sub("", text):
        if character in "([":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]":
            depth -= 1
    if deepest > MOST_DEPTH:
        raise InvalidFilter(f"a filter is nested at most {MOST_DEPTH} deep")


def resolve_filter(node: FilterNode, schema: ResourceSchema, *, tolerate_unknown: bool = False) -> Filter:
    """Give a parsed filter its meaning.

    Raises:
        InvalidFilter: (400 `invalidFilter`).
    """
    return _Resolver(schema, tolerate_unknown).resolve(node)


def resolve_value_filter(node: FilterNode, schema: ResourceSchema, target: Target) -> Filter:
    """Give the filter between the brackets of a value path its meaning.

    Args:
        node: what stands between the brackets.
        schema: of the resource.
        target: the multi-valued attribute before them.

    Raises:
        InvalidFilter: (400 `invalidFilter`).
    """
    return _Resolver(schema, tolerate_unknown=False, within=target).resolve(node)


@dataclass
class _Resolver:
    schema: ResourceSchema
    tolerate_unknown: bool
    within: Target | None = None
    comparisons: int = 0

    def resolve(self, node: FilterNode) -> Filter:
        if isinstance(node, LogicalExpr):
            parts = tuple(self.resolve(term) for term in node.terms)
            return And(parts) if node.op is LogicalOperator.and_ else Or(parts)
        if isinstance(node, ParsedNot):
            return Not(self.resolve(node.expr))
        self.comparisons += 1
        if self.comparisons > MOST_COMPARISONS:
            raise InvalidFilter(f"a filter has at most {MOST_COMPARISONS} comparisons")
        if isinstance(node, ParsedValuePath):
            return self._value_path(node)
        if isinstance(node, ParsedPresent):
            target = self._find(node.attr_path)
            if target is None or target.path in _ALWAYS_THERE:
                return Constant(value=target is not None)
            return Present(target)
        if isinstance(node, ParsedComparison):
            return self._comparison(node)
        raise AssertionError("the grammar has no other expression")

    def _value_path(self, node: ParsedValuePath) -> Filter:
        target = self._find(node.attr_path)
        if target is None:
            return Constant(value=False)
        if not target.attribute.multi_valued or target.attribute.type != "complex":
            raise InvalidFilter(f"{target.path} has one value: there is nothing to select by brackets")
        self.within = target
        try:
            return ValuePath(target, self.resolve(node.val_filter))
        finally:
            self.within = None

    def _comparison(self, node: ParsedComparison) -> Filter:
        operator = _OPERATORS[node.op.value]
        target = self._find(node.attr_path)
        if node.value is None and operator not in {"eq", "ne"}:
            raise InvalidFilter(f"{node.attr_path}: null is compared by eq and ne only")
        if target is None:
            return Constant(value=(operator == "ne") != (node.value is None))
        if target.path in _ALWAYS_THERE:
            return self._of_the_type(target, operator, node.value)
        if node.value is None:
            return NullTest(target, is_null=operator == "eq")
        if target.leaf.type == "complex":
            value = target.attribute.sub("value")
            if value is None:
                raise InvalidFilter(f"{target.path} is compared by its sub-attributes, e.g. {_example(target)}")
            target = Target(target.urn, target.attribute, value)
        return Comparison(target, operator, _operand(target, operator, node.value))

    def _of_the_type(self, target: Target, operator: Operator, value: object) -> Filter:
        """Compare what depends on the type, and on which extensions a resource has values of, and is kept nowhere."""
        if operator not in {"eq", "ne"} or target.path not in {"schemas", "meta.resourceType"}:
            raise InvalidFilter(f"{target.path} is not compared by {operator}")
        found: Filter = Constant(value=value == (self.schema.urn if target.path == "schemas" else self.schema.name))
        if target.path == "schemas" and isinstance(value, str) and value in self.schema.extensions:
            found = Or(tuple(Present(Target(value, one)) for one in self.schema.extensions[value].values()))
        return found if operator == "eq" else Not(found)

    def _find(self, path: AttrPath) -> Target | None:
        if self.within is not None:
            sub = self.within.attribute.sub(path.attr) if path.uri is None and path.sub_attr is None else None
            if sub is None:
                raise InvalidFilter(f"{self.within.path} has no sub-attribute {path}")
            return Target(self.within.urn, self.within.attribute, sub)
        found = self.schema.find(path.attr, path.sub_attr, path.uri)
        if found is None and not self.tolerate_unknown:
            raise InvalidFilter(f"{self.schema.name} has no attribute {path}")
        return found


def _operand(target: Target, operator: Operator, value: object) -> Scalar:
    """Check that attribute, operator and value go together; reads the text "True" as a boolean, as Entra ID writes it."""
    attribute = target.leaf
    if attribute.is_text and isinstance(value, str):
        if not is_storable(value):
            raise InvalidFilter(f"{target.path}: a text holds NUL or half of a surrogate pair")
        if attribute.type == "binary" and operator in _ORDERING:
            raise InvalidFilter(f"{target.path}: binary values have no order")
        return value
    if attribute.type == "boolean":
        if operator not in {"eq", "ne"}:
            raise InvalidFilter(f"{target.path}: booleans are compared by eq and ne only")
        read = read_boolean(value)
        if read is not None:
            return read
    if attribute.type == "dateTime" and isinstance(value, str):
        if operator in _PARTIAL:
            raise InvalidFilter(f"{target.path}: times are compared by eq, ne, gt, ge, lt and le only")
        moment = read_moment(value)
        if moment is not None:
            return moment
    raise InvalidFilter(f"{target.path} is compared with a {attribute.type}")


def _example(target: Target) -> str:
    return f"{target.path}.{next(iter(target.attribute.sub_attributes.values())).name}"
