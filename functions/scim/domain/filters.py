"""Filters: read, resolved against a schema, and evaluated in memory. Source: RFC 7644 section 3.4.2.2.

The grammar is scim2-models' (LALR, so linear in the text); what the names mean, which comparisons are allowed and what a missing value
answers is decided here, once, for `matches` and for `filter_sql` alike:

- a comparison is true or false, never unknown, so that `not` is what it says;
- a missing attribute equals nothing: `ne` is true of it, every other comparison false; `eq null` asks for a missing one;
- a comparison with a multi-valued attribute is true when one of its elements satisfies it; an attribute without elements is a missing one;
- text is compared by its Unicode case folding unless the schema says `caseExact`, and ordered by code point.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from scim2_models import ScimFilter
from scim2_models.exceptions import SCIMException
from scim2_models.path import AttrPath, FilterNode, LogicalExpr, LogicalOperator
from scim2_models.path import Comparison as ParsedComparison
from scim2_models.path import Not as ParsedNot
from scim2_models.path import Present as ParsedPresent
from scim2_models.path import ValuePath as ParsedValuePath

from shared.http.strict_json import is_storable

from .errors import InvalidFilter
from .schemas import Attribute, ResourceSchema, Target

MOST_CHARACTERS: Final = 4_096
MOST_DEPTH: Final = 32
MOST_COMPARISONS: Final = 100

Operator = Literal["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]
Scalar = str | bool | int | float | datetime
_OPERATORS: Final[Mapping[str, Operator]] = {name: name for name in get_args(Operator)}
_ORDERING: Final = frozenset({"gt", "ge", "lt", "le"})
_PARTIAL: Final = frozenset({"co", "sw", "ew"})
_ALWAYS_THERE: Final = frozenset({"schemas", "meta", "meta.resourceType", "meta.location", "meta.version"})
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\Z)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`userName eq "bjensen"`; the value is of the attribute's type."""

    target: Target
    operator: Operator
    value: Scalar


@dataclass(frozen=True, slots=True)
class Present:
    """`title pr`: there is a value, and it is not empty."""

    target: Target


@dataclass(frozen=True, slots=True)
class ValuePath:
    """`emails[type eq "work" and value co "@x"]`: one element satisfies all; targets inside are sub-attributes of the same attribute."""

    target: Target
    inner: Filter


@dataclass(frozen=True, slots=True)
class Not:
    """`not (...)`."""

    inner: Filter


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of them."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """What an attribute that this type does not have answers, in a search over several types (RFC 7644 section 3.4.2.1)."""

    value: bool


Filter = Comparison | Present | ValuePath | Not | And | Or | Constant


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
            return Not(Present(target)) if operator == "eq" else Present(target)
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


def read_boolean(value: object) -> bool | None:
    """Read a boolean, also as the text that Entra ID sends; None when it is none.

    Source: https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    return None


def read_moment(text: str) -> datetime | None:
    """Read an xsd:dateTime with its offset (RFC 7643 section 2.3.5); None when it is none."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None


_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.IGNORECASE | re.ASCII)


def _example(target: Target) -> str:
    return f"{target.path}.{next(iter(target.attribute.sub_attributes.values())).name}"


def fold(text: str, attribute: Attribute) -> str:
    """Return the form that texts of an attribute are compared in."""
    return text if attribute.case_exact else text.casefold()


def matches(found: Filter, resource: Mapping[str, object]) -> bool:
    """Evaluate a filter.

    Args:
        found: from `parse_filter`.
        resource: a resource as it is stored and answered: names in the schema's own letters, each extension under its URN.
    """
    match found:
        case Constant(value):
            return value
        case Not(inner):
            return not matches(inner, resource)
        case And(parts):
            return all(matches(part, resource) for part in parts)
        case Or(parts):
            return any(matches(part, resource) for part in parts)
        case ValuePath(target, inner):
            return any(matches_element(inner, element) for element in elements_of(resource, target))
        case Present(target):
            return _present(resource, target)
        case Comparison(target):
            if not target.attribute.multi_valued:
                return _compare(found, value_of(resource, target))
            elements = elements_of(resource, target) or [{}]
            return any(_compare(found, _part(element, target)) for element in elements)


def matches_element(found: Filter, element: object) -> bool:
    """Evaluate what stands between the brackets of a value path on one element."""
    match found:
        case Not(inner):
            return not matches_element(inner, element)
        case And(parts):
            return all(matches_element(part, element) for part in parts)
        case Or(parts):
            return any(matches_element(part, element) for part in parts)
        case Present(target):
            return _filled(_part(element, target))
        case Comparison(target):
            return _compare(found, _part(element, target))
        case _:
            raise AssertionError("the grammar has nothing else between brackets")


def value_of(resource: Mapping[str, object], target: Target) -> object:
    """Return what stands at a target that is not within a multi-valued attribute; None when nothing does."""
    holder = resource.get(target.urn) if target.urn else resource
    found = holder.get(target.attribute.name) if isinstance(holder, Mapping) else None
    if target.sub is None:
        return found
    return found.get(target.sub.name) if isinstance(found, Mapping) else None


def elements_of(resource: Mapping[str, object], target: Target) -> Sequence[object]:
    """Return the elements of a multi-valued attribute."""
    found = value_of(resource, Target(target.urn, target.attribute))
    return found if isinstance(found, list) else []


def _part(element: object, target: Target) -> object:
    if target.sub is None:
        return element
    return element.get(target.sub.name) if isinstance(element, Mapping) else None


def _present(resource: Mapping[str, object], target: Target) -> bool:
    if target.attribute.multi_valued:
        return any(_filled(_part(element, target)) for element in elements_of(resource, target))
    return _filled(value_of(resource, target))


def _filled(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_filled(part) for part in value.values())
    if isinstance(value, list):
        return any(_filled(part) for part in value)
    return value is not None and value != ""


_TESTS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "eq": lambda found, asked: found == asked,
    "co": lambda found, asked: asked in found,
    "sw": lambda found, asked: found.startswith(asked),
    "ew": lambda found, asked: found.endswith(asked),
    "gt": lambda found, asked: found > asked,
    "ge": lambda found, asked: found >= asked,
    "lt": lambda found, asked: found < asked,
    "le": lambda found, asked: found <= asked,
}


def _compare(found: Comparison, value: object) -> bool:
    if found.operator == "ne":
        return not _satisfies(found, "eq", value)
    return _satisfies(found, found.operator, value)


def _satisfies(found: Comparison, operator: str, value: object) -> bool:
    leaf, asked = found.target.leaf, found.value
    if isinstance(asked, str):
        return isinstance(value, str) and _TESTS[operator](fold(value, leaf), fold(asked, leaf))
    if isinstance(asked, datetime):
        moment = read_moment(value) if isinstance(value, str) else value
        return isinstance(moment, datetime) and _ordered(operator, moment, asked)
    return type(value) is type(asked) and value == asked


def _ordered(operator: str, found: datetime, asked: datetime) -> bool:
    if operator == "eq":
        return found == asked
    if operator in {"gt", "ge"}:
        return found > asked or (operator == "ge" and found == asked)
    return found < asked or (operator == "le" and found == asked)
