"""The whole surface of the function: what directories call (SCIM 2.0), and how admins set that up."""

from __future__ import annotations

from shared.http.deps import Deps
from shared.http.health import health_route
from shared.http.paging import PageQuery
from shared.http.permissions import may
from shared.http.routes import Route
from shared.http.scim_errors import MEDIA_TYPE, ROOT
from shared.security.plans import FeatureRequired

from . import errors
from .handlers import config, tokens, users
from .models import resources as shapes
from .models.setup import CreateScimToken, NewScimTokenView, PutScimConfig, ScimConfigView, ScimTokenPage

_SCIM = f"{ROOT}{{org_id}}"
_O = "/api/v2/orgs/{org_id}"

ROUTES: list[Route[Deps]] = [
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
    Route("POST", f"{_SCIM}/Users", users.create_user, may("scim:provision"), body=shapes.UserBody, reply=shapes.Resource, status=201, is_raw=True, media_type=MEDIA_TYPE),
    Route("GET", f"{_SCIM}/Users/{{user_id}}", users.get_user, may("scim:provision"), reply=shapes.Resource, media_type=MEDIA_TYPE),
    Route("PATCH", f"{_SCIM}/Users/{{user_id}}", users.patch_user, may("scim:provision"), is_raw=True, reply=shapes.Resource, media_type=MEDIA_TYPE),
    Route("PUT", f"{_SCIM}/Users/{{user_id}}", users.replace_user, may("scim:provision"), is_raw=True, reply=shapes.Resource, media_type=MEDIA_TYPE),
    Route("DELETE", f"{_SCIM}/Users/{{user_id}}", users.delete_user, may("scim:provision"), status=204, media_type=MEDIA_TYPE),
]  # fmt: skip
