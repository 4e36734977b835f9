"""The OpenAPI document, made from the route tables.

Owns the translation and nothing else: a pure function of its arguments, so the same tables give the same document. Says
only what the tables know; where a handler decides more, `Route.errors` names it. Source: OpenAPI Specification 3.1.1.
"""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from shared.data.errors import DatabaseAway, IdempotencyMismatch, PoolExhausted, QueryTimeout, WriteConflict
from shared.ports.errors import ServiceAway
from shared.security.actor import SCOPE_ROLES
from shared.security.errors import (
    FreshLoginRequired,
    HumanRequired,
    KeyRequired,
    NotFound,
    PlatformAdminRequired,
    RoleRequired,
    ScopeRequired,
    Unauthenticated,
)
from shared.security.ratelimit import RateLimited

from .access import Access
from .errors import AppError, BodyTooLarge, Invalid, MalformedRequest, MediaTypeUnsupported
from .routes import Route
from .scim_errors import ERROR_SCHEMA
from .scim_errors import MEDIA_TYPE as SCIM_TYPE
from .scim_errors import status_of as scim_status_of

Json: TypeAlias = dict[str, Any]  # a JSON object of the document
Mode: TypeAlias = Literal["validation", "serialization"]

_SCHEMAS = "#/components/schemas/"
_RESPONSES = "#/components/responses/"
_PARAMETER = re.compile(r"\{([a-z_]+)\}")
_WORD = re.compile(r"[a-z0-9]+")
_SECTION = re.compile(r"^(Args|Returns|Raises|Source|Yields):", re.MULTILINE)
_SIGNED_IN: list[Json] = [{"apiKey": []}, {"bearer": []}]
_SECURITY: Mapping[str, list[Json]] = {
    "anyone": [],
    "signed_in": _SIGNED_IN,
    "member": _SIGNED_IN,
    "human": [{"bearer": []}],
    "key": [{"apiKey": []}],
    "platform": [{"bearer": []}],
    "scim": [{"scimToken": []}],
}
_SECURITY_SCHEMES: Json = {
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "A key of one organisation; `Authorization: Bearer` takes it too.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The access token that a sign-in hands out.",
    },
    "scimToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of the organisation's directory.",
    },
}
_PROBLEM: Json = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457); further members are facts of the one error.",
    "required": ["type", "code", "title", "status", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "code": {"type": "string", "description": "stable; what a program decides on"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
    },
}
_SCIM_ERROR: Json = {
    "type": "object",
    "title": "ScimError",
    "description": "What went wrong, in SCIM's form (RFC 7644 section 3.12).",
    "required": ["schemas", "status", "detail"],
    "properties": {
        "schemas": {"type": "array", "items": {"const": ERROR_SCHEMA}},
        "status": {"type": "string"},
        "scimType": {"type": "string"},
        "detail": {"type": "string"},
    },
}
_IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same request gives the first answer again, for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}


class _Schemas(GenerateJsonSchema):
    """pydantic's schemas without a title for every member that only repeats its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  # pydantic's union of core schemas
        return False


def build_document(
    tables: Mapping[str, Sequence[Route[Any]]], *, title: str, version: str, tags: Mapping[str, str]
) -> Json:
    """Make the document of all functions.

    Args:
        tables: function name to its routes; internal ones are left out.
        title: `info.title`.
        version: `info.version`.
        tags: function name to one line about it.
    """
    routes = [(name, route) for name, table in tables.items() for route in table if not route.is_internal]
    references, schemas = _model_schemas([route for _, route in routes])
    ids = _operation_ids(routes)
    responses: Json = {}
    paths: dict[str, Json] = {}
    for (name, route), operation_id in zip(routes, ids, strict=True):
        operation = _operation(route, references, schemas, responses)
        head = {"operationId": operation_id, "tags": [name], **_texts(route)}
        paths.setdefault(route.path, {})[route.method.lower()] = {**head, **operation}
    return {
        "openapi": "3.1.1",
        "info": {"title": title, "version": version},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": tags[name]} for name in tables],
        "paths": paths,
        "components": {
            "schemas": dict(sorted({**schemas, "Problem": _PROBLEM, "ScimError": _SCIM_ERROR}.items())),
            "responses": dict(sorted(responses.items())),
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def standard_errors(route: Route[Any]) -> Iterator[type[AppError]]:
    """Yield the errors that follow from a route's access rule, body and query, before its handler says anything."""
    yield AppError
    if route.rate_limit is not None:
        yield RateLimited
        if route.rate_limit.is_closed:
            yield ServiceAway
    yield from _access_errors(route.access)
    if _PARAMETER.search(route.path) or route.access.role is not None:
        yield NotFound
    if route.body is not None:
        yield from (MalformedRequest, BodyTooLarge, MediaTypeUnsupported, Invalid)
    if route.is_raw:
        yield from (BodyTooLarge, MediaTypeUnsupported)
    if route.query is not None:
        yield Invalid
    if _takes_idempotency_key(route):
        yield from (MalformedRequest, IdempotencyMismatch)
    if route.access.who != "anyone":  # finding out who calls asks the database, the key set and the pepper
        yield from (DatabaseAway, PoolExhausted, QueryTimeout, ServiceAway)
        if route.method not in {"GET", "HEAD"}:
            yield WriteConflict


def _access_errors(access: Access) -> Iterator[type[AppError]]:
    if access.who != "anyone":
        yield Unauthenticated
    if access.who == "platform":
        yield PlatformAdminRequired
    if access.who == "human":
        yield HumanRequired
    if access.who == "key":
        yield KeyRequired
    elif access.role is not None:
        yield RoleRequired
    if access.scope or (access.role is not None and access.who == "member"):
        yield ScopeRequired
    if access.is_fresh:
        yield FreshLoginRequired


def _takes_idempotency_key(route: Route[Any]) -> bool:
    return route.method == "POST" and "{org_id}" in route.path and route.access.who not in {"anyone", "scim"}


def _operation(route: Route[Any], references: Mapping[Any, Json], schemas: Json, responses: Json) -> Json:
    """Make one operation; adds the schemas and replies that it refers to."""
    operation: Json = {"security": _SECURITY[route.access.who]}
    parameters = [*_path_parameters(route), *_query_parameters(route, schemas)]
    if _takes_idempotency_key(route):
        parameters.append(_IDEMPOTENCY_KEY)
    if parameters:
        operation["parameters"] = parameters
    content: Json = {"application/octet-stream": {}} if route.is_raw and not _is_scim(route) else {}
    if route.body is not None:
        content[route.media_type] = {"schema": references[route.body, "validation"]}
    if content:
        operation["requestBody"] = {"required": True, "content": content}
    success: Json = {"description": HTTPStatus(route.status).phrase}
    if route.reply is not None:
        success["content"] = {route.media_type: {"schema": references[route.reply, "serialization"]}}
    if 300 <= route.status < 400:
        success["headers"] = {"Location": {"required": True, "schema": {"type": "string", "format": "uri"}}}
    operation["responses"] = {str(route.status): success, **_problems(route, responses)}
    return operation


def _texts(route: Route[Any]) -> Json:
    """Take summary and description from the handler's docstring; the access rule in words ends the description."""
    text = _SECTION.split(inspect.getdoc(route.handler) or "")[0]
    summary, _, more = text.partition("\n")
    paragraphs = [" ".join(part.split()) for part in (*more.split("\n\n"), _access_text(route.access))]
    found: Json = {"summary": " ".join(summary.split())}
    description = "\n\n".join(part for part in paragraphs if part)
    return {**found, "description": description} if description else found


def _access_text(access: Access) -> str:
    sentences: list[str] = []
    if access.role is not None:
        sentences.append(f"Least role: {access.role.name.lower()}.")
    if access.scope:
        sentences.append(f"Scope of a key: {access.scope}; no other opens it.")
    if access.role is not None and access.who == "member":
        scope = next((name for name, worth in SCOPE_ROLES.items() if worth >= access.role), None)
        sentences.append(f"Least scope of a key: {scope}." if scope else "Keys are refused.")
    if access.who == "human":
        sentences.append("Keys are refused.")
    if access.who == "key":
        sentences.append("People are refused.")
    if access.who == "scim":
        sentences.append("The organisation's directory only, by a SCIM token.")
    if access.who == "platform":
        sentences.append("Platform admins only.")
    if access.is_fresh:
        sentences.append("The sign-in must be at most 15 minutes old.")
    return " ".join(sentences)


def _path_parameters(route: Route[Any]) -> Iterator[Json]:
    for name in _PARAMETER.findall(route.path):
        schema = {"type": "string", "format": "uuid"} if name.endswith("_id") else {"type": "string"}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(route: Route[Any], schemas: Json) -> Iterator[Json]:
    if route.query is None:
        return
    found = route.query.model_json_schema(ref_template=_SCHEMAS + "{model}", schema_generator=_Schemas)
    schemas.update(found.get("$defs", {}))
    for name, schema in found.get("properties", {}).items():
        shape = _without_null({key: value for key, value in schema.items() if key != "description"})
        parameter: Json = {"name": name, "in": "query", "required": name in found.get("required", ()), "schema": shape}
        yield {**parameter, "description": schema["description"]} if "description" in schema else parameter


def _without_null(schema: Json) -> Json:
    """Drop `null` from a parameter's schema: a query leaves a parameter out, it cannot send null."""
    kinds = [item for item in schema.get("anyOf", ()) if item != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**kinds[0], **{key: value for key, value in schema.items() if key != "anyOf" and value is not None}}


def _problems(route: Route[Any], responses: Json) -> Json:
    """Return the problem replies of a route by status, each a reference to one that all routes share."""
    by_status: dict[int, dict[str, str]] = {}
    for error in (*standard_errors(route), *route.errors):
        status = scim_status_of(error) if _is_scim(route) else error.status
        by_status.setdefault(status, {})[error.code] = error.title
    found: Json = {}
    for status, titles in sorted(by_status.items()):
        codes = sorted(titles)
        key = f"{'scim.' if _is_scim(route) else ''}{status}.{'.'.join(codes)}"
        responses[key] = _scim_error(titles) if _is_scim(route) else _problem(codes, titles)
        found[str(status)] = {"$ref": _RESPONSES + key}
    return found


def _problem(codes: Sequence[str], titles: Mapping[str, str]) -> Json:
    code = {"properties": {"code": {"enum": list(codes)}}}
    schema = {"allOf": [{"$ref": _SCHEMAS + "Problem"}, code]}
    return {
        "description": "; ".join(f"`{name}`: {titles[name]}" for name in codes),
        "content": {"application/problem+json": {"schema": schema}},
    }


def _scim_error(titles: Mapping[str, str]) -> Json:
    return {
        "description": "; ".join(sorted(titles.values())),
        "content": {SCIM_TYPE: {"schema": {"$ref": _SCHEMAS + "ScimError"}}},
    }


def _is_scim(route: Route[Any]) -> bool:
    return route.media_type == SCIM_TYPE


def _model_schemas(routes: Sequence[Route[Any]]) -> tuple[Mapping[Any, Json], Json]:
    """Return references to the models of bodies and replies, and their schemas by name."""
    wanted: dict[tuple[type[BaseModel], Mode], None] = {}
    for route in routes:
        if route.body is not None:
            wanted[route.body, "validation"] = None
        if route.reply is not None:
            wanted[route.reply, "serialization"] = None
    references, found = models_json_schema(list(wanted), ref_template=_SCHEMAS + "{model}", schema_generator=_Schemas)
    return references, found.get("$defs", {})


def _operation_ids(routes: Sequence[tuple[str, Route[Any]]]) -> list[str]:
    """Name operations after their handlers; what several share gets the function in front, the path and then the method behind."""
    functions = {(route.handler.__name__, name) for name, route in routes}
    shared = Counter(handler for handler, _ in functions)
    found: list[str] = []
    for name, route in routes:
        handler = route.handler.__name__
        plain = f"{name}_{handler}" if shared[handler] > 1 else handler
        place = "_".join(_WORD.findall(_PARAMETER.sub("", route.path).lower()))
        names = (plain, f"{plain}_at_{place}", f"{plain}_at_{place}_by_{route.method.lower()}")
        found.append(next(item for item in names if item not in found))
    return found
