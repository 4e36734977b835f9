"""One query, from the query string of a GET or from the body of `.search`. Source: RFC 7644 sections 3.4.2 and 3.4.3, RFC 9865."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from .errors import InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue
from .filters import Filter, check_size, parse_filter
from .paging import Page, read_page
from .projection import Projection, read_projection
from .schemas import ResourceSchema
from .values import check_schemas, member

SEARCH_URN: Final = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
LIST_URN: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SortOrder = Literal["ascending", "descending"]
_MOST_SORT: Final = 256
_NAMES: Final = (
    "filter", "sortBy", "sortOrder", "startIndex", "count", "cursor", "attributes", "excludedAttributes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """What a list call asks for.

    Attributes:
        filter: text of the filter; None for everything.
        sort_by: path of an attribute; None for the order of the server.
    """

    filter: str | None = None
    sort_by: str | None = None
    sort_order: SortOrder = "ascending"
    page: Page = field(default_factory=Page)
    projection: Projection = field(default_factory=Projection)

    def filter_for(self, schema: ResourceSchema, *, tolerate_unknown: bool = False) -> Filter | None:
        """Return the filter for one type of resource.

        Args:
            schema: of the type.
            tolerate_unknown: for searches over several types, where an attribute may be another type's.

        Raises:
            InvalidFilter: (400 `invalidFilter`).
        """
        return None if self.filter is None else parse_filter(self.filter, schema, tolerate_unknown=tolerate_unknown)

    def identity(self, resource_type: str) -> Mapping[str, object]:
        """Return what a cursor of this list belongs to, the size of its pages included."""
        return {
            "type": resource_type,
            "filter": self.filter,
            "by": self.sort_by,
            "order": self.sort_order,
            "count": self.page.count,
        }


def parse_query(arguments: Mapping[str, Sequence[str]]) -> Query:
    """Read the query string of a GET; parameters that SCIM does not have are passed over.

    Args:
        arguments: the values of each parameter.

    Raises:
        InvalidFilter, InvalidValue, InvalidPath, InvalidCursor, InvalidCount: (400) a parameter is not right.
        InvalidValue: (400 `invalidValue`) a parameter is there twice.
    """
    found: dict[str, object] = {}
    for name, values in arguments.items():
        known = next((one for one in _NAMES if one.lower() == name.lower()), None)
        if known is None:
            continue
        if known in found or len(values) != 1:
            raise InvalidValue(f"{known} is there twice")
        found[known] = values[0]
    return _query(found)


def parse_search(body: object) -> Query:
    """Read the body of a POST to `.search`.

    Raises:
        InvalidSyntax: (400 `invalidSyntax`) not a SearchRequest message.
        InvalidFilter, InvalidValue, InvalidPath, InvalidCursor, InvalidCount: (400) a parameter is not right.
    """
    if not isinstance(body, Mapping):
        raise InvalidSyntax("the body is a JSON object")
    check_schemas(body, SEARCH_URN)
    return _query({name: member(body, name) for name in _NAMES})


def _query(found: Mapping[str, object]) -> Query:
    text, sort_by, order = found.get("filter"), found.get("sortBy"), found.get("sortOrder")
    if text is not None:
        if not isinstance(text, str):
            raise InvalidFilter("filter is a text")
        check_size(text)
    if sort_by is not None and (not isinstance(sort_by, str) or len(sort_by) > _MOST_SORT):
        raise InvalidPath("sortBy is the path of an attribute")
    return Query(
        text.strip() or None if isinstance(text, str) else None,
        sort_by or None if isinstance(sort_by, str) else None,
        _order(order),
        read_page(found.get("startIndex"), found.get("count"), found.get("cursor")),
        read_projection(found.get("attributes"), found.get("excludedAttributes")),
    )


def _order(order: object) -> SortOrder:
    if order in (None, ""):
        return "ascending"
    word = order.lower() if isinstance(order, str) else None
    if word == "ascending":
        return "ascending"
    if word == "descending":
        return "descending"
    raise InvalidValue("sortOrder is ascending or descending")


def list_body(
    resources: Sequence[Mapping[str, object]],
    total: int,
    *,
    start_index: int | None = None,
    next_cursor: str | None = None,
) -> dict[str, object]:
    """Return a ListResponse message.

    Args:
        resources: of this page.
        total: of all pages.
        start_index: when paged by index.
        next_cursor: when paged by cursor; None on the last page.
    """
    body: dict[str, object] = {"schemas": [LIST_URN], "totalResults": total, "itemsPerPage": len(resources)}
    if start_index is not None:
        body["startIndex"] = start_index
    if next_cursor is not None:
        body["nextCursor"] = next_cursor
    return {**body, "Resources": list(resources)}
