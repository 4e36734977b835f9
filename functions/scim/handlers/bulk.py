"""Several changes in one request, each a unit of work of its own: what failed leaves the others alone. Source: RFC 7644 section 3.7."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from shared.data.errors import UniqueViolated
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.errors import AppError
from shared.http.reply import Reply
from shared.http.scim_errors import scim_error_body, status_of
from shared.security.errors import NotFound

from ..domain.bulk import BulkOperation, BulkRun, parse_bulk
from ..domain.errors import Uniqueness
from ..domain.etags import write_etag
from ..domain.schemas import USER
from . import groupings, people
from .answers import NAME_TAKEN, answer, audit_refusal, place_of, provisioning, read_json


def run_bulk(call: Call, deps: Deps) -> Reply:
    """Make several changes; the answer says of each what became of it."""
    with provisioning(call, deps):
        run = BulkRun(parse_bulk(read_json(call), len(call.content)))
        place = place_of(call, deps)
        for operation in run.steps():
            _run(call, deps, place, run, operation)
        return answer(HTTPStatus.OK, run.body())


def _run(call: Call, deps: Deps, place: people.Place, run: BulkRun, operation: BulkOperation) -> None:
    """Carry one operation out, or keep why it was refused. What is wrong on our side ends the whole request."""
    try:
        resolved = run.resolve(operation)
        with deps.db.unit(call.actor) as tx:
            resource_id, version = _change(tx, place, resolved)
    except UniqueViolated:
        _refuse(call, deps, place, run, operation, Uniqueness(NAME_TAKEN))
    except AppError as error:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        _refuse(call, deps, place, run, operation, error)
    else:
        status = {"POST": HTTPStatus.CREATED, "DELETE": HTTPStatus.NO_CONTENT}.get(operation.method, HTTPStatus.OK)
        location = f"{place.base_url}{operation.schema.endpoint}/{resource_id}"
        run.done(operation, int(status), location, resource_id=str(resource_id), version=version)


def _refuse(
    call: Call, deps: Deps, place: people.Place, run: BulkRun, operation: BulkOperation, error: AppError
) -> None:
    audit_refusal(call, deps, error)
    location = None
    if operation.resource_id is not None:
        location = f"{place.base_url}{operation.schema.endpoint}/{operation.resource_id}"
    run.failed(operation, int(status_of(error)), scim_error_body(error), location)


def _change(tx: UnitOfWork, place: people.Place, operation: BulkOperation) -> tuple[UUID, str | None]:
    """Carry one operation out; returns the resource and its version."""
    if operation.schema is USER:
        return _change_user(tx, place, operation)
    return _change_group(tx, place, operation)


def _change_user(tx: UnitOfWork, place: people.Place, operation: BulkOperation) -> tuple[UUID, str | None]:
    if operation.method == "POST":
        shown = people.create_user(tx, place, operation.data)
        return UUID(shown["id"]), shown["meta"]["version"]
    user_id = _id(operation)
    if operation.method == "DELETE":
        people.delete_user(tx, place, user_id, operation.version)
        return user_id, None
    change = people.replace_user if operation.method == "PUT" else people.patch_user
    return user_id, change(tx, place, user_id, operation.data, operation.version)["meta"]["version"]


def _change_group(tx: UnitOfWork, place: people.Place, operation: BulkOperation) -> tuple[UUID, str | None]:
    if operation.method == "POST":
        row = groupings.create_group(tx, place, operation.data)
        return row["id"], write_etag(row["version"])
    group_id = _id(operation)
    if operation.method == "DELETE":
        groupings.delete_group(tx, group_id, operation.version)
        return group_id, None
    change = groupings.replace_group if operation.method == "PUT" else groupings.patch_group
    return group_id, write_etag(change(tx, place, group_id, operation.data, operation.version)["version"])


def _id(operation: BulkOperation) -> UUID:
    try:
        return UUID(operation.resource_id or "")
    except ValueError:
        raise NotFound from None
