"""What all calls of a directory have in common: the plan, the body, refusals that are audited, answers in SCIM's form."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from uuid import UUID

from shared.data.errors import UniqueViolated
from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.errors import AppError, MediaTypeUnsupported, RouteNotFound
from shared.http.reply import Reply
from shared.http.scim_errors import MEDIA_TYPE, ROOT
from shared.http.strict_json import parse_json
from shared.security.errors import NotFound
from shared.security.plans import require_feature

from ..domain.errors import InvalidSyntax, Uniqueness
from ..domain.projection import Projection, project
from ..domain.schemas import ResourceSchema
from .people import Place

NAME_TAKEN = "another resource has this name, or stands for this person"
_UNREMARKABLE = {HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.PAYMENT_REQUIRED}


@contextmanager
def provisioning(call: Call, deps: Deps) -> Generator[None]:
    """Serve a directory: only in a plan with SCIM, and what is refused as wrong is in the audit log.

    Raises:
        FeatureRequired: (402 `feature_required`).
    """
    require_feature("scim", call.actor.plan)
    try:
        yield
    except UniqueViolated as error:
        refusal = Uniqueness(NAME_TAKEN)
        audit_refusal(call, deps, refusal)
        raise refusal from error
    except AppError as error:
        audit_refusal(call, deps, error)
        raise


def audit_refusal(call: Call, deps: Deps, error: AppError) -> None:
    """Put a refused change into the audit log; in a unit of its own, as that of the change was rolled back."""
    is_change = call.content or call.headers.get("content-length", "0") != "0"
    if not is_change or error.status in _UNREMARKABLE or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return
    with deps.db.unit(call.actor) as tx:
        tx.audit("scim:request:refused", "directory", call.actor.id, code=error.code, status=error.status)


def read_json(call: Call) -> Any:
    """Parse the body, which these routes take raw so that a malformed one is audited.

    Raises:
        MediaTypeUnsupported: (415 `media_type_unsupported`) neither `application/scim+json` nor `application/json`.
        InvalidSyntax: (400 `invalidSyntax`) there is none.
        MalformedRequest: (400 `malformed_request`) it is no JSON.
    """
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {MEDIA_TYPE, "application/json"}:
        raise MediaTypeUnsupported(f"send {MEDIA_TYPE}")
    if not call.content:
        raise InvalidSyntax("the body is a JSON object")
    return parse_json(call.content)


def base_url(call: Call, deps: Deps) -> str:
    """Return what the addresses of the organisation's resources begin with."""
    return f"{deps.settings.public_url}{ROOT}{call.org_id}"


def place_of(call: Call, deps: Deps) -> Place:
    """Return where and when a call does something."""
    return Place(deps, base_url(call, deps), deps.clock.now())


def resource_id(call: Call, name: str) -> UUID:
    """Return the id in the path. Raises: NotFound (404): it is none of ours."""
    try:
        return call.path_uuid(name)
    except RouteNotFound:
        raise NotFound from None


def answer(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Reply:
    """Answer in SCIM's media type."""
    return Reply(status, body, dict(headers or {}), content_type=MEDIA_TYPE)


def answer_resource(
    status: int, resource: Mapping[str, Any], shown: Mapping[str, Any], *, spliced: Mapping[str, str] | None = None
) -> Reply:
    """Answer with one resource; its address and version also stand in the headers.

    Args:
        status: 200 or 201.
        resource: the whole of it.
        shown: what the caller wants of it.
        spliced: members of the answer that are JSON already.
    """
    headers = _resource_headers(resource)
    if status == HTTPStatus.CREATED:
        headers["Location"] = resource["meta"]["location"]
    if not spliced:
        return answer(status, shown, headers)
    return Reply(status, content=splice(shown, spliced).encode(), headers=headers, content_type=MEDIA_TYPE)


def chosen(resource: Mapping[str, Any], schema: ResourceSchema, projection: Projection) -> Mapping[str, Any]:
    """Return what a caller wants of a resource that is already without what nobody is shown."""
    if projection.wanted is None and not projection.excluded:
        return resource
    return project(resource, schema, projection)


def not_modified(resource: Mapping[str, Any]) -> Reply:
    """Answer that the caller has this version."""
    return Reply(HTTPStatus.NOT_MODIFIED, headers=_resource_headers(resource))


def splice(resource: Mapping[str, Any], spliced: Mapping[str, str]) -> str:
    """Write an object as JSON with members that are JSON already."""
    text = json.dumps(resource, separators=(",", ":"))
    more = "".join(f",{json.dumps(name)}:{value}" for name, value in spliced.items())
    return f"{text[:-1]}{more}}}"


def _resource_headers(resource: Mapping[str, Any]) -> dict[str, str]:
    meta = resource["meta"]
    return {"ETag": meta["version"], "Content-Location": meta["location"]}
