"""The whole surface of the function."""

from __future__ import annotations

from shared.http.access import Access
from shared.http.deps import Deps
from shared.http.health import health_route
from shared.http.paging import PageQuery
from shared.http.routes import Route
from shared.security.actor import Role

from . import errors, handlers
from .models import CreateKey, KeyPage, KeyView, NewKeyView

_KEYS = "/api/v2/orgs/{org_id}/api-keys"
_KEY = f"{_KEYS}/{{key_id}}"

ROUTES: list[Route[Deps]] = [
    health_route("/keys"),
    Route(
        "POST",
        _KEYS,
        handlers.create_key,
        Access.human(Role.ADMIN),
        body=CreateKey,
        reply=NewKeyView,
        status=201,
        errors=(errors.ScopeUnknown, errors.ScopeAboveMaker, errors.ExpiryPast, errors.KeyLimitReached),
    ),
    Route("GET", _KEYS, handlers.list_keys, Access.member(Role.VIEWER), query=PageQuery, reply=KeyPage),
    Route("GET", _KEY, handlers.get_key, Access.member(Role.VIEWER), reply=KeyView),
    Route("DELETE", _KEY, handlers.revoke_key, Access.human(Role.ADMIN), status=204, errors=(errors.KeyRevoked,)),
]
