"""Filters and orders as SQL, from a list of what may be asked: columns, tables of multi-valued attributes, one JSON document for the rest.

The text consists of constants: the caller's columns, and names from the schema. Whatever a client wrote is a named parameter. Patterns are
compared by `position`, `starts_with` and `right`, which know no wildcards, so there is nothing to escape.

What a missing value answers is decided in `filters.py`, and the SQL says the same: under a `not`, each comparison answers true or false, never
null; elsewhere null is as good as false, and a bare comparison can use an index. Case is folded by PostgreSQL's `casefold` under its own collation `pg_unicode_fast`, which needs no library of the machine and orders by code point.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from .errors import InvalidPath, InvalidValue
from .filter_tree import And, Comparison, Constant, Filter, Not, NullTest, Or, Present, ValuePath
from .schemas import Attribute, ResourceSchema, Target

Kind = Literal["text", "uuid", "boolean", "timestamp"]
_FOLDED: Final = 'casefold({} collate "pg_unicode_fast")'
_EXACT: Final = '({} collate "C")'
_NAME = re.compile(r"[A-Za-z0-9$:._-]+")
_ESCAPED = re.compile(r'["\\\x00-\x1f]')
_CONTAINING: Final = frozenset({"eq", "co", "sw", "ew"})
_SIGNS: Final = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


@dataclass(frozen=True, slots=True)
class Column:
    """An expression that holds one attribute.

    Attributes:
        sql: e.g. `u.user_name`.
        kind: its type; `timestamp` is with time zone.
        folded_sql: an expression that is indexed for comparisons without case, if there is one; equal to `casefold(sql)`.
    """

    sql: str
    kind: Kind = "text"
    folded_sql: str | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """A multi-valued attribute that has a table of its own.

    Attributes:
        source: e.g. `core.scim_members m`.
        joined: what makes its rows those of the resource, e.g. `m.org_id = g.org_id and m.group_id = g.id`.
        columns: by sub-attribute, e.g. `value`; what is not in it is a missing value.
    """

    source: str
    joined: str
    columns: Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the attributes of one type of resource are.

    Attributes:
        document: a `jsonb` expression of the resource: names in the schema's letters, each extension under its URN.
        known: by the attribute's path in the schema's letters (`userName`, `meta.created`, `members`); they come before the document.
        gathered: by the path of a sub-attribute in the document (`emails.value`), an expression with the folded text of all its values
            as JSON; it is searched before the elements are taken out of the document, which costs several times as much.
    """

    document: str
    known: Mapping[str, Column | Rows] = field(default_factory=dict)
    gathered: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL with its named parameters."""

    text: str
    parameters: Mapping[str, object] = field(default_factory=dict)


def compile_filter(found: Filter, columns: Columns, *, prefix: str = "filter") -> Sql:
    """Compile a filter to a condition that is true of the rows that match; of others it is false or null, as `where` takes it.

    Args:
        found: from `parse_filter`.
        columns: where the attributes are.
        prefix: begins the parameters' names: `filter_1`, `filter_2`.
    """
    compiler = _Compiler(columns, prefix)
    return Sql(compiler.condition(found, strict=False), compiler.parameters)


def compile_sort(path: str, order: str, columns: Columns, schema: ResourceSchema) -> Sql:
    """Compile what a list is ordered by.

    A multi-valued attribute is ordered by its primary value, else by its first; what has no value comes last in ascending order and first in
    descending order. Source: RFC 7644 section 3.4.2.3.

    Args:
        path: `userName`, `name.familyName`, `emails`, each with a URN before it or without.
        order: `ascending` or `descending`.
        columns: where the attributes are.
        schema: what the path means.

    Returns:
        an item of `order by`; without parameters. Something unique must follow it.

    Raises:
        InvalidPath: (400 `invalidPath`) no such attribute, or one that has no order.
        InvalidValue: (400 `invalidValue`) no such order.
    """
    if order not in {"ascending", "descending"}:
        raise InvalidValue("sortOrder is ascending or descending")
    return Sql(
        f"{sort_key(sort_target(path, schema), columns)} {'asc nulls last' if order == 'ascending' else 'desc nulls first'}"
    )


def sort_target(path: str, schema: ResourceSchema) -> Target:
    """Find what a list is ordered by.

    Raises:
        InvalidPath: (400 `invalidPath`) no such attribute, or one that has no order.
    """
    from .paths import parse_path

    place = parse_path(path, schema)
    target = place.target
    if target.leaf.type == "complex":
        value = target.attribute.sub("value") if target.attribute.multi_valued else None
        if value is None:
            raise InvalidPath(f"{target.path} is ordered by its sub-attributes")
        target = Target(target.urn, target.attribute, value)
    if (
        place.selected is not None
        or target.leaf.type == "binary"
        or (target.sub is None and target.attribute.multi_valued)
    ):
        raise InvalidPath(f"{target.path} has no order")
    return target


def sort_key(target: Target, columns: Columns) -> str:
    """Return the expression whose order is the target's: folded text, a time or a boolean; null where there is no value."""
    known = columns.known.get(target.path)
    if isinstance(known, Column):
        return _comparable(known, target.leaf)
    if not target.attribute.multi_valued:
        return _comparable(_in_document(columns.document, target), target.leaf)
    rows = columns.known.get(Target(target.urn, target.attribute).path)
    if isinstance(rows, Rows):
        column = _of_rows(rows, target)
        return f"(select min({_comparable(column, target.leaf)}) from {rows.source} where {rows.joined})"
    value = _comparable(_of_element("e.v", target), target.leaf)
    return (
        f"(select {value} from {_elements(columns.document, target)} with ordinality as e (v, n)"
        " order by (e.v -> 'primary') is not distinct from 'true'::jsonb desc, e.n limit 1)"
    )


@dataclass
class _Compiler:
    columns: Columns
    prefix: str
    parameters: dict[str, object] = field(default_factory=dict)

    def condition(self, found: Filter, *, strict: bool) -> str:
        """Compile one condition; a strict one is never null."""
        match found:
            case Constant(value):
                return str(value).lower()
            case Not(inner):
                return f"not {self.condition(inner, strict=True)}"
            case And(parts):
                return f"({' and '.join(self.condition(part, strict=strict) for part in parts)})"
            case Or(parts):
                return f"({' or '.join(self.condition(part, strict=strict) for part in parts)})"
            case ValuePath(target, inner):
                return self._exists(target, inner)
            case Present(target) | Comparison(target) | NullTest(target):
                if target.attribute.multi_valued:
                    return self._of_any(found, target)
                return self._leaf(found, self._place(target), strict=strict)

    def _place(self, target: Target) -> Column:
        known = self.columns.known.get(target.path)
        return known if isinstance(known, Column) else _in_document(self.columns.document, target)

    def _of_any(self, found: Present | Comparison | NullTest, target: Target) -> str:
        """One element satisfies it; a comparison that a missing value satisfies is also true without elements."""
        some = self._exists(target, found)
        if not _holds_of_nothing(found):
            return some
        rows = self._rows(target)
        if rows is not None:
            return f"({some} or not exists (select from {rows.source} where {rows.joined}))"
        return f"({some} or not exists (select from {_elements(self.columns.document, target)}))"

    def _rows(self, target: Target) -> Rows | None:
        known = self.columns.known.get(Target(target.urn, target.attribute).path)
        return known if isinstance(known, Rows) else None

    def _exists(self, target: Target, inner: Filter) -> str:
        rows = self._rows(target)
        within = self._within(inner, rows, strict=False)
        if rows is not None:
            return f"exists (select from {rows.source} where {rows.joined} and {within})"
        found = f"exists (select from {_elements(self.columns.document, target)} as e (v) where {within})"
        gathered = [self._gathered(part) for part in _necessary(inner)]
        return f"({' and '.join([*filter(None, gathered), found])})"

    def _gathered(self, found: Comparison) -> str | None:
        """Return a condition that is true wherever this comparison is, and cheaper; None where there is none.

        A text that JSON writes in another way is not looked for: it would not be found.
        """
        gathered = self.columns.gathered.get(found.target.path)
        if gathered is None or not isinstance(found.value, str):
            return None
        asked = "" if _ESCAPED.search(found.value) else found.value
        return f"position({_FOLDED.format(self._parameter(asked, 'text'))} in {gathered}) > 0"

    def _within(self, found: Filter, rows: Rows | None, *, strict: bool) -> str:
        match found:
            case Not(inner):
                return f"not {self._within(inner, rows, strict=True)}"
            case And(parts):
                return f"({' and '.join(self._within(part, rows, strict=strict) for part in parts)})"
            case Or(parts):
                return f"({' or '.join(self._within(part, rows, strict=strict) for part in parts)})"
            case Present(target) | Comparison(target) | NullTest(target):
                if rows is not None and target.sub is None:  # `members pr`, `members ne null`: there is a row
                    return str(not (isinstance(found, NullTest) and found.is_null)).lower()
                column = _of_rows(rows, target) if rows is not None else _of_element("e.v", target)
                return self._leaf(found, column, strict=strict)
            case _:
                raise AssertionError("the grammar has nothing else between brackets")

    def _leaf(self, found: Present | Comparison | NullTest, column: Column, *, strict: bool) -> str:
        if isinstance(found, Present):
            return _is_present(column, found.target.leaf)
        if isinstance(found, NullTest):
            return f"({column.sql} is {'' if found.is_null else 'not '}null)"
        if found.operator == "ne":
            return f"not coalesce({self._comparison(found, 'eq', column)}, false)"
        test = self._comparison(found, found.operator, column)
        return f"coalesce({test}, false)" if strict else f"({test})"

    def _comparison(self, found: Comparison, operator: str, column: Column) -> str:
        value = found.value
        if column.kind == "uuid" and operator == "eq":
            return f"{column.sql} = {self._parameter(value, 'uuid')}" if _is_uuid(value) else "false"
        if isinstance(value, bool):
            return f"{column.sql} = {self._parameter(value, 'boolean')}"
        if isinstance(value, datetime):
            return f"{column.sql} {_SIGNS.get(operator, '=')} {self._parameter(value, 'timestamptz')}"
        attribute = found.target.leaf
        asked = _comparable(Column(self._parameter(value, "text")), attribute)
        return _text_test(operator, _comparable(column, attribute), asked)

    def _parameter(self, value: object, kind: str) -> str:
        name = f"{self.prefix}_{len(self.parameters) + 1}"
        self.parameters[name] = value
        return f"cast(:{name} as {kind})"


def _necessary(found: Filter) -> Iterator[Comparison]:
    """Yield the comparisons that must hold wherever the condition does, and that hold only of texts with the asked one in them."""
    if isinstance(found, And):
        for part in found.parts:
            yield from _necessary(part)
    elif isinstance(found, Comparison) and found.operator in _CONTAINING:
        yield found


def _holds_of_nothing(found: Present | Comparison | NullTest) -> bool:
    if isinstance(found, NullTest):
        return found.is_null
    return isinstance(found, Comparison) and found.operator == "ne"


def _text_test(operator: str, found: str, asked: str) -> str:
    match operator:
        case "eq":
            return f"{found} = {asked}"
        case "co":
            return f"position({asked} in {found}) > 0"
        case "sw":
            return f"starts_with({found}, {asked})"
        case "ew":
            return f"right({found}, length({asked})) = {asked}"
        case _:
            return f"{found} {_SIGNS[operator]} {asked}"


def _is_uuid(value: object) -> bool:
    """Say whether a text is a UUID as PostgreSQL writes one; another text equals none."""
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _comparable(column: Column, attribute: Attribute) -> str:
    """Return the expression that is compared and ordered."""
    if column.kind in {"boolean", "timestamp"}:
        return column.sql
    sql = f"{column.sql}::text" if column.kind == "uuid" else column.sql
    if attribute.case_exact:
        return _EXACT.format(sql)
    return column.folded_sql or _FOLDED.format(sql)


def _is_present(column: Column, attribute: Attribute) -> str:
    if attribute.type == "complex":
        return f"exists (select from jsonb_each_text({_object(column.sql)}) as p (k, t) where p.t <> '')"
    if column.kind == "text":
        return f"coalesce({column.sql} <> '', false)"
    return f"({column.sql} is not null)"


def _object(sql: str) -> str:
    return f"case when jsonb_typeof({sql}) = 'object' then {sql} else '{{}}' end"


def _quoted(name: str) -> str:
    """Return a name of the schema as a literal."""
    if not _NAME.fullmatch(name):
        raise ValueError("not a name of the schema")
    return f"'{name}'"


def _attribute_json(document: str, target: Target) -> str:
    holder = f"{document} -> {_quoted(target.urn)}" if target.urn else document
    return f"({holder} -> {_quoted(target.attribute.name)})"


def _in_document(document: str, target: Target) -> Column:
    """Return where a single-valued attribute is in the document."""
    found = _attribute_json(document, target)
    if target.sub is not None:
        found = f"({found} -> {_quoted(target.sub.name)})"
    return _scalar(found, target.leaf)


def _of_element(element: str, target: Target) -> Column:
    found = element if target.sub is None else f"({element} -> {_quoted(target.sub.name)})"
    return _scalar(found, target.leaf)


def _scalar(found: str, attribute: Attribute) -> Column:
    if attribute.type == "complex":
        return Column(found)
    if attribute.type == "boolean":
        return Column(f"({found} #>> '{{}}')::boolean", "boolean")
    if attribute.type == "dateTime":
        return Column(f"({found} #>> '{{}}')::timestamptz", "timestamp")
    return Column(f"({found} #>> '{{}}')")


def _of_rows(rows: Rows, target: Target) -> Column:
    missing = Column("null::boolean", "boolean") if target.leaf.type == "boolean" else Column("null::text")
    return rows.columns.get(target.leaf.name, missing)


def _elements(document: str, target: Target) -> str:
    found = _attribute_json(document, target)
    return f"jsonb_array_elements(case when jsonb_typeof({found}) = 'array' then {found} else '[]' end)"
