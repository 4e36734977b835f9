"""What the service says about itself. Source: RFC 7644 section 4."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.reply import Reply
from shared.security.errors import NotFound

from ..domain import discovery
from ..domain.searching import list_body
from ..errors import FilterForbidden, NoPerson
from .answers import answer, base_url, provisioning

_DOCUMENTATION = "/docs/scim"


def show_config(call: Call, deps: Deps) -> Reply:
    """Say what the service can do."""
    with provisioning(call, deps):
        documentation = f"{deps.settings.public_url}{_DOCUMENTATION}"
        return answer(HTTPStatus.OK, discovery.service_provider_config(base_url(call, deps), documentation))


def list_resource_types(call: Call, deps: Deps) -> Reply:
    """List the types of resources."""
    return _list(call, deps, discovery.resource_types)


def get_resource_type(call: Call, deps: Deps) -> Reply:
    """Show one type of resources."""
    return _get(call, deps, discovery.resource_types, "resource_type")


def list_schemas(call: Call, deps: Deps) -> Reply:
    """List the schemas, with every attribute that is kept."""
    return _list(call, deps, discovery.schema_documents)


def get_schema(call: Call, deps: Deps) -> Reply:
    """Show one schema."""
    return _get(call, deps, discovery.schema_documents, "schema")


def show_me(call: Call, deps: Deps) -> Reply:
    """Refuse: a directory's token stands for no person, so there is nobody to show."""
    with provisioning(call, deps):
        raise NoPerson


def _list(call: Call, deps: Deps, documents: Callable[[str], Sequence[dict[str, Any]]]) -> Reply:
    with provisioning(call, deps):
        if "filter" in call.query_values:
            raise FilterForbidden
        found = documents(base_url(call, deps))
        return answer(HTTPStatus.OK, list_body(found, len(found), start_index=1))


def _get(call: Call, deps: Deps, documents: Callable[[str], Sequence[dict[str, Any]]], name: str) -> Reply:
    with provisioning(call, deps):
        wanted = call.path[name].lower()
        for document in documents(base_url(call, deps)):
            if document["id"].lower() == wanted:
                return answer(HTTPStatus.OK, document)
        raise NotFound
