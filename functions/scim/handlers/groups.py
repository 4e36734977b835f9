"""Groups as the organisation's directory tells of them."""

from __future__ import annotations

import json
from http import HTTPStatus

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.reply import Reply

from ..domain.etags import is_not_modified, write_etag
from ..domain.schemas import GROUP
from ..domain.searching import Query
from ..queries import groups as queries
from . import groupings, people
from .answers import answer_resource, chosen, not_modified, place_of, provisioning, read_json, resource_id
from .search import query_of

_MOST_ANSWERED = (
    100  # people of a group that are told after a PATCH; who added one to thousands does not want all of them
)


def create_group(call: Call, deps: Deps) -> Reply:
    """Make a group, with its people."""
    with provisioning(call, deps):
        query, body, place = query_of(call), read_json(call), place_of(call, deps)
        with deps.db.unit(call.actor) as tx:
            row = groupings.create_group(tx, place, body)
            return _answer(tx, HTTPStatus.CREATED, place, row, query)


def get_group(call: Call, deps: Deps) -> Reply:
    """Show one group. With `excludedAttributes=members` its people are not read at all."""
    with provisioning(call, deps):
        query, place = query_of(call), place_of(call, deps)
        with deps.db.unit(call.actor) as tx:
            row = groupings.get_group(tx, resource_id(call, "group_id"))
            if is_not_modified(call.headers.get("if-none-match"), write_etag(row["version"])):
                return not_modified(groupings.show_groups([row], place.base_url)[0])
            return _answer(tx, HTTPStatus.OK, place, row, query)


def replace_group(call: Call, deps: Deps) -> Reply:
    """Put a group, with its people, in the place of what is there."""
    with provisioning(call, deps):
        query, body, place = query_of(call), read_json(call), place_of(call, deps)
        with deps.db.unit(call.actor) as tx:
            row = groupings.replace_group(tx, place, resource_id(call, "group_id"), body, call.headers.get("if-match"))
            return _answer(tx, HTTPStatus.OK, place, row, query, most_members=_MOST_ANSWERED)


def patch_group(call: Call, deps: Deps) -> Reply:
    """Change a group: all of the operations, or none. The answer leaves a large group's people out unless they are asked for."""
    with provisioning(call, deps):
        query, body, place = query_of(call), read_json(call), place_of(call, deps)
        with deps.db.unit(call.actor) as tx:
            row = groupings.patch_group(tx, place, resource_id(call, "group_id"), body, call.headers.get("if-match"))
            return _answer(tx, HTTPStatus.OK, place, row, query, most_members=_MOST_ANSWERED)


def delete_group(call: Call, deps: Deps) -> Reply:
    """Delete a group; its people stay, with the roles of their other groups."""
    with provisioning(call, deps):
        with deps.db.unit(call.actor) as tx:
            groupings.delete_group(tx, resource_id(call, "group_id"), call.headers.get("if-match"))
        return Reply.no_content()


def _answer(
    tx: UnitOfWork, status: int, place: people.Place, row: Row, query: Query, *, most_members: int | None = None
) -> Reply:
    """Answer with a group. Its people are passed on as the database wrote them, unless only parts of them are wanted."""
    (shown,) = groupings.show_groups([row], place.base_url)
    projection = query.projection
    wants_members = projection.wants("members", GROUP)
    if wants_members and projection.wanted is None and most_members is not None:
        wants_members = queries.count_members(tx, row["id"]) <= most_members
    texts = groupings.members_text(tx, [row], place.base_url, projection) if wants_members else {}
    members = texts.get(row["id"])
    if members is not None and (projection.wanted is not None or projection.excluded):
        shown["members"], members = json.loads(members), None
    spliced = {} if members is None else {"members": members}
    return answer_resource(status, shown, chosen(shown, GROUP, projection), spliced=spliced)
