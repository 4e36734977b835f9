"""The whole surface of the function: what directories call (SCIM 2.0), and how admins set that up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.errors import MalformedRequest, MediaTypeUnsupported
from shared.http.health import health_route
from shared.http.paging import PageQuery
from shared.http.permissions import may
from shared.http.reply import Reply
from shared.http.routes import Route
from shared.http.scim_errors import MEDIA_TYPE, ROOT
from shared.security.errors import NotFound
from shared.security.plans import FeatureRequired
from shared.security.ratelimit import PROVISIONING

from . import errors
from .domain import errors as refusals
from .handlers import bulk, config, discovery, groups, search, tokens, users
from .models import resources as shapes
from .models.setup import CreateScimToken, NewScimTokenView, PutScimConfig, ScimConfigView, ScimTokenPage

_REFUSALS = (
    FeatureRequired,
    refusals.InvalidSyntax,
    refusals.InvalidFilter,
    refusals.InvalidValue,
    refusals.InvalidPath,
    refusals.InvalidCursor,
    refusals.InvalidCount,
    refusals.ExpiredCursor,
    refusals.Mutability,
    refusals.NoTarget,
    refusals.TooMany,
    refusals.Uniqueness,
    refusals.VersionMismatch,
    refusals.BulkTooLarge,
    MalformedRequest,
    MediaTypeUnsupported,
    NotFound,
    errors.FilterForbidden,
    errors.LastOwner,
    errors.UnknownMember,
    errors.NoPerson,
)
_O = "/api/v2/orgs/{org_id}"

_OF_PEOPLE: list[Route[Deps]] = [
    health_route("/scim"),
    Route(
        "POST", f"{_O}/scim-tokens", tokens.create_scim_token, may("scim_tokens:create"),
        body=CreateScimToken, reply=NewScimTokenView, status=201,
        errors=(FeatureRequired, errors.TokenLimitReached, errors.TokenExpiryPast),
    ),
    Route(
        "GET", f"{_O}/scim-tokens", tokens.list_scim_tokens, may("scim_tokens:read"), query=PageQuery, reply=ScimTokenPage
    ),
    Route(
        "DELETE", f"{_O}/scim-tokens/{{token_id}}", tokens.revoke_scim_token, may("scim_tokens:delete"), status=204,
        errors=(errors.TokenRevoked,),
    ),
    Route("GET", f"{_O}/scim-config", config.show_scim_config, may("scim_config:read"), reply=ScimConfigView),
    Route(
        "PUT", f"{_O}/scim-config", config.put_scim_config, may("scim_config:change"),
        body=PutScimConfig, reply=ScimConfigView, errors=(FeatureRequired,),
    ),
]  # fmt: skip


def _scim(method: str, path: str, handler: Callable[[Call, Deps], Reply], **more: Any) -> Route[Deps]:
    """Make a route of the directory's. Bodies are taken raw: what is malformed is audited before it is refused."""
    is_raw = method in {"POST", "PUT", "PATCH"}
    facts: dict[str, Any] = {
        "reply": shapes.Resource,
        "errors": _REFUSALS,
        "media_type": MEDIA_TYPE,
        "is_raw": is_raw,
        **more,
    }
    return Route(method, f"{ROOT}{{org_id}}{path}", handler, may("scim:provision"), **facts)


_OF_DIRECTORIES: list[Route[Deps]] = [
    _scim("GET", "/ServiceProviderConfig", discovery.show_config, reply=shapes.Message),
    _scim("GET", "/ResourceTypes", discovery.list_resource_types, reply=shapes.ListAnswer),
    _scim("GET", "/ResourceTypes/{resource_type}", discovery.get_resource_type),
    _scim("GET", "/Schemas", discovery.list_schemas, reply=shapes.ListAnswer),
    _scim("GET", "/Schemas/{schema}", discovery.get_schema),
    _scim("GET", "/Users", search.list_users, query=shapes.ListQuery, reply=shapes.ListAnswer),
    _scim("POST", "/Users", users.create_user, body=shapes.UserBody, query=shapes.ShowQuery, status=201),
    _scim("POST", "/Users/.search", search.search_users, body=shapes.SearchBody, reply=shapes.ListAnswer),
    _scim("GET", "/Users/{user_id}", users.get_user, query=shapes.ShowQuery),
    _scim("PUT", "/Users/{user_id}", users.replace_user, body=shapes.UserBody, query=shapes.ShowQuery),
    _scim("PATCH", "/Users/{user_id}", users.patch_user, body=shapes.PatchBody, query=shapes.ShowQuery),
    _scim("DELETE", "/Users/{user_id}", users.delete_user, reply=None, status=204),
    _scim("GET", "/Groups", search.list_groups, query=shapes.ListQuery, reply=shapes.ListAnswer),
    _scim("POST", "/Groups", groups.create_group, body=shapes.GroupBody, query=shapes.ShowQuery, status=201),
    _scim("POST", "/Groups/.search", search.search_groups, body=shapes.SearchBody, reply=shapes.ListAnswer),
    _scim("GET", "/Groups/{group_id}", groups.get_group, query=shapes.ShowQuery),
    _scim("PUT", "/Groups/{group_id}", groups.replace_group, body=shapes.GroupBody, query=shapes.ShowQuery),
    _scim("PATCH", "/Groups/{group_id}", groups.patch_group, body=shapes.PatchBody, query=shapes.ShowQuery),
    _scim("DELETE", "/Groups/{group_id}", groups.delete_group, reply=None, status=204),
    _scim("POST", "/.search", search.search_all, body=shapes.SearchBody, reply=shapes.ListAnswer),
    _scim(
        "POST", "/Bulk", bulk.run_bulk, body=shapes.BulkBody, reply=shapes.BulkAnswer, limit=PROVISIONING.costing(20)
    ),
    *(_scim(method, "/Me", discovery.show_me, reply=None) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")),
]
ROUTES: list[Route[Deps]] = [*_OF_PEOPLE, *_OF_DIRECTORIES]
