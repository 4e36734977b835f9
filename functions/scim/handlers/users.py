"""People as the organisation's directory tells of them."""

from __future__ import annotations

from http import HTTPStatus

from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.reply import Reply

from ..domain.etags import is_not_modified
from ..domain.schemas import USER
from . import people
from .answers import answer_resource, chosen, not_modified, place_of, provisioning, read_json, resource_id
from .search import query_of


def create_user(call: Call, deps: Deps) -> Reply:
    """Make a person's resource. An active one whose address is of a proven domain becomes a member of the organisation."""
    with provisioning(call, deps):
        query, body = query_of(call), read_json(call)
        with deps.db.unit(call.actor) as tx:
            shown = people.create_user(tx, place_of(call, deps), body)
        return answer_resource(HTTPStatus.CREATED, shown, chosen(shown, USER, query.projection))


def get_user(call: Call, deps: Deps) -> Reply:
    """Show one person."""
    with provisioning(call, deps):
        query = query_of(call)
        with deps.db.unit(call.actor) as tx:
            shown = people.get_user(tx, place_of(call, deps), resource_id(call, "user_id"))
        if is_not_modified(call.headers.get("if-none-match"), shown["meta"]["version"]):
            return not_modified(shown)
        return answer_resource(HTTPStatus.OK, shown, chosen(shown, USER, query.projection))


def replace_user(call: Call, deps: Deps) -> Reply:
    """Put a person's resource in the place of what is there; without `active` nobody is switched on or off."""
    with provisioning(call, deps):
        query, user_id, body = query_of(call), resource_id(call, "user_id"), read_json(call)
        with deps.db.unit(call.actor) as tx:
            shown = people.replace_user(tx, place_of(call, deps), user_id, body, call.headers.get("if-match"))
        return answer_resource(HTTPStatus.OK, shown, chosen(shown, USER, query.projection))


def patch_user(call: Call, deps: Deps) -> Reply:
    """Change a person's resource: all of the operations, or none."""
    with provisioning(call, deps):
        query, user_id, body = query_of(call), resource_id(call, "user_id"), read_json(call)
        with deps.db.unit(call.actor) as tx:
            shown = people.patch_user(tx, place_of(call, deps), user_id, body, call.headers.get("if-match"))
        return answer_resource(HTTPStatus.OK, shown, chosen(shown, USER, query.projection))


def delete_user(call: Call, deps: Deps) -> Reply:
    """Delete a person's resource; membership, sessions and API keys that it stood for end in the same transaction."""
    with provisioning(call, deps):
        user_id = resource_id(call, "user_id")
        with deps.db.unit(call.actor) as tx:
            people.delete_user(tx, place_of(call, deps), user_id, call.headers.get("if-match"))
        return Reply.no_content()
