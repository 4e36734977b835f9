"""The whole surface of the function."""

from __future__ import annotations

from shared.data.errors import DatabaseAway, PoolExhausted, QueryTimeout, WriteConflict
from shared.http.errors import Invalid, MalformedRequest
from shared.http.health import health_route
from shared.http.paging import PageQuery
from shared.http.permissions import may
from shared.http.routes import Route
from shared.ports.errors import ServiceAway
from shared.security.errors import SignatureRefused

from . import errors, handlers, leaks
from .models import CreateKey, KeyPage, KeyView, LeakFeedbacks, NewKeyView, RotateKey
from .wiring import KeysDeps

_KEYS = "/api/v2/orgs/{org_id}/api-keys"
_KEY = f"{_KEYS}/{{key_id}}"

ROUTES: list[Route[KeysDeps]] = [
    health_route("/keys"),
    Route(
        "POST",
        _KEYS,
        handlers.create_key,
        may("api_keys:create"),
        body=CreateKey,
        reply=NewKeyView,
        status=201,
        errors=(errors.ScopeUnknown, errors.ScopeAboveMaker, errors.ExpiryPast, errors.KeyLimitReached),
    ),
    Route("GET", _KEYS, handlers.list_keys, may("api_keys:read"), query=PageQuery, reply=KeyPage),
    Route("GET", _KEY, handlers.get_key, may("api_keys:read"), reply=KeyView),
    Route(
        "POST",
        f"{_KEY}/rotate",
        handlers.rotate_key,
        may("api_keys:rotate"),
        body=RotateKey,
        reply=NewKeyView,
        status=201,
        errors=(
            errors.KeyRevoked,
            errors.KeyExpired,
            errors.KeyRotated,
            errors.RotationUnderWay,
            errors.ScopeAboveMaker,
        ),
    ),
    Route("DELETE", _KEY, handlers.revoke_key, may("api_keys:revoke"), status=204, errors=(errors.KeyRevoked,)),
    Route(  # open to anyone: the reporter's signature over the body is checked before the body is read
        "POST",
        "/api/v2/secret-scanning/report",
        leaks.report_leaks,
        may("leak_reports:send"),
        reply=LeakFeedbacks,
        errors=(
            SignatureRefused,
            MalformedRequest,
            Invalid,
            ServiceAway,
            DatabaseAway,
            PoolExhausted,
            QueryTimeout,
            WriteConflict,
        ),
        is_raw=True,
    ),
]
