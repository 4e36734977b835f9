"""Lists of people and groups: by address (GET) and by message (POST to `.search`), paged by index and by cursor.

Source: RFC 7644 sections 3.4.2 and 3.4.3; RFC 9865.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.reply import Reply

from ..domain.errors import InvalidCursor, TooMany
from ..domain.filter_sql import Columns, Sql, compile_filter, compile_sort
from ..domain.paging import CURSOR_SECONDS, open_cursor, write_cursor
from ..domain.schemas import GROUP, USER, ResourceSchema
from ..domain.searching import Query, list_body, parse_query, parse_search
from ..queries import groups as group_queries
from ..queries import lists
from . import groupings, people
from .answers import answer, chosen, place_of, provisioning, read_json

_MOST_LISTED_MEMBERS = 50_000
_STATUS_OK = 200

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Kind:
    """One type of resource, and how it is found and shown."""

    schema: ResourceSchema
    columns: Columns
    find: Callable[..., lists.Found]
    show: Callable[[UnitOfWork, people.Place, Query, Sequence[Row]], list[Resource]]


def list_users(call: Call, deps: Deps) -> Reply:
    """List people: all, or those that a filter finds."""
    return _answer(call, deps, (_USERS,), is_search=False)


def list_groups(call: Call, deps: Deps) -> Reply:
    """List groups: all, or those that a filter finds."""
    return _answer(call, deps, (_GROUPS,), is_search=False)


def search_users(call: Call, deps: Deps) -> Reply:
    """Search people by a message; changes nothing."""
    return _answer(call, deps, (_USERS,), is_search=True)


def search_groups(call: Call, deps: Deps) -> Reply:
    """Search groups by a message; changes nothing."""
    return _answer(call, deps, (_GROUPS,), is_search=True)


def search_all(call: Call, deps: Deps) -> Reply:
    """Search people and groups by a message, people first; changes nothing."""
    return _answer(call, deps, (_USERS, _GROUPS), is_search=True)


def _answer(call: Call, deps: Deps, kinds: Sequence[_Kind], *, is_search: bool) -> Reply:
    with provisioning(call, deps):
        query = parse_search(read_json(call)) if is_search else query_of(call)
        with deps.db.unit(call.actor) as tx:
            body = _find(tx, place_of(call, deps), query, kinds)
        return answer(_STATUS_OK, body)


def query_of(call: Call) -> Query:
    """Return what the address asks for."""
    return parse_query({name: [value] for name, value in call.query_values.items()})


def _find(tx: UnitOfWork, place: people.Place, query: Query, kinds: Sequence[_Kind]) -> Mapping[str, Any]:
    """Return one page over the resources of these types, one type after the other."""
    is_mixed = len(kinds) > 1
    identity = query.identity("+".join(kind.schema.name for kind in kinds))
    conditions = [_condition(query, kind, is_mixed=is_mixed) for kind in kinds]
    after_id, skipped = _start(query, identity, place)
    resources: list[Resource] = []
    last_id: UUID | None = None
    left, to_skip, total = query.page.count, skipped, 0
    for kind, condition in zip(kinds, conditions, strict=True):
        order = None if is_mixed or query.sort_by is None else _order(query, kind)
        found = kind.find(tx, most=left, condition=condition, order=order, after_id=after_id, skipped=to_skip)
        resources += kind.show(tx, place, query, found.rows)
        last_id = found.rows[-1]["id"] if found.rows else last_id
        left -= len(found.rows)
        to_skip = max(0, to_skip - found.total)
        total += found.total
    if query.page.cursor is None:
        return list_body(resources, total, start_index=query.page.start_index)
    return list_body(
        resources,
        total,
        next_cursor=_next(query, identity, place, last_id, skipped + len(resources), is_mixed=is_mixed)
        if left == 0 and query.page.count > 0
        else None,
    )


def _start(query: Query, identity: Mapping[str, object], place: people.Place) -> tuple[UUID | None, int]:
    """Return where the page begins: behind an id, or after so many."""
    cursor = query.page.cursor
    if cursor is None:
        return None, query.page.start_index - 1
    if cursor == "":
        return None, 0
    position = open_cursor(cursor, identity, place.now)
    try:
        if isinstance(position, int) and not isinstance(position, bool) and 0 <= position < 2**31:
            return None, position
        return UUID(str(position)), 0
    except (ValueError, TypeError, AttributeError):
        raise InvalidCursor("the cursor is not one of this list") from None


def _next(
    query: Query,
    identity: Mapping[str, object],
    place: people.Place,
    last_id: UUID | None,
    seen: int,
    *,
    is_mixed: bool,
) -> str:
    """Return the cursor of what follows: behind the last id, which stays true while others come and go; else after so many."""
    is_by_id = query.sort_by is None and not is_mixed and last_id is not None
    position: object = str(last_id) if is_by_id else seen
    return write_cursor(position, identity, place.now + timedelta(seconds=CURSOR_SECONDS))


def _condition(query: Query, kind: _Kind, *, is_mixed: bool) -> Sql:
    found = query.filter_for(kind.schema, tolerate_unknown=is_mixed)
    if found is None:
        return lists.EVERYTHING
    return compile_filter(found, kind.columns)


def _order(query: Query, kind: _Kind) -> Sql:
    return compile_sort(query.sort_by or "", query.sort_order, kind.columns, kind.schema)


def _show_users(tx: UnitOfWork, place: people.Place, query: Query, rows: Sequence[Row]) -> list[Resource]:
    shown = people.show_users(tx, place, rows, with_groups=query.projection.wants("groups", USER))
    return [dict(chosen(item, USER, query.projection)) for item in shown]


def _show_groups(tx: UnitOfWork, place: people.Place, query: Query, rows: Sequence[Row]) -> list[Resource]:
    shown = groupings.show_groups(rows, place.base_url)
    if query.projection.wants("members", GROUP):
        if group_queries.count_all_members(tx, [row["id"] for row in rows]) > _MOST_LISTED_MEMBERS:
            raise TooMany("the groups of this page have too many members: ask with excludedAttributes=members")
        texts = groupings.members_text(tx, rows, place.base_url, query.projection)
        for row, item in zip(rows, shown, strict=True):
            if row["id"] in texts:
                item["members"] = json.loads(texts[row["id"]])
    if query.projection.wanted is None and query.projection.excluded <= {"members"}:
        return shown  # the usual question of a directory
    return [dict(chosen(item, GROUP, query.projection)) for item in shown]


_USERS = _Kind(USER, lists.USER_COLUMNS, lists.find_users, _show_users)
_GROUPS = _Kind(GROUP, lists.GROUP_COLUMNS, lists.find_groups, _show_groups)
