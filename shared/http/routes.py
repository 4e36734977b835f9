"""Routes: the whole surface of a function as one table, and finding the route of a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as WerkzeugMethodNotAllowed
from werkzeug.routing import Map, Rule

from shared.security.ratelimit import OPEN_TO_ALL, PROVISIONING, SIGNED_IN, SIGNING_IN, Limit

from .access import Access
from .call import Call
from .errors import AppError, MethodNotAllowed, RouteNotFound
from .reply import Reply
from .strict_json import MOST_MEMBERS

MIB = 1024 * 1024
_SIGN_IN_ROOT = "/auth/"
_PARAMETER = re.compile(r"\{([a-z_]+)\}")

_Deps = TypeVar("_Deps")


class _MatchedRule(Rule):
    """A rule that requests are matched with; addresses are never built from it, and preparing that is most of its cost."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: ARG002, FBT001, FBT002  # werkzeug's signature
        return _never_built


@dataclass(frozen=True, slots=True)
class Route(Generic[_Deps]):
    """One method of one path.

    Attributes:
        method: HTTP method.
        path: template, as in `infra/suite.yaml`.
        handler: `(call, deps) -> Reply`.
        access: who may call; there is no default.
        body, query, reply: models, for the OpenAPI document.
        status: the status of success.
        errors: errors of its own, for the OpenAPI document.
        body_limit_bytes: cap of the body.
        is_raw: the body is taken as bytes of any type instead of JSON.
        takes_gzip: the body may come compressed; the cap holds for what comes out.
        most_members: cap of the members and elements of a JSON body.
        limit: how often it may be called; None for what the access rule says.
        media_type: of the bodies in and out.
    """

    method: str
    path: str
    handler: Callable[[Call, _Deps], Reply]
    access: Access
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    reply: type[BaseModel] | None = None
    status: int = 200
    errors: tuple[type[AppError], ...] = ()
    body_limit_bytes: int = MIB
    is_raw: bool = False
    takes_gzip: bool = False
    most_members: int = MOST_MEMBERS
    limit: Limit | None = None
    media_type: str = "application/json"

    @property
    def rate_limit(self) -> Limit | None:
        """The limit that holds: its own, else that of its access rule; none for the queue and the scheduler."""
        if self.access.who == "event":
            return None
        if self.limit is not None:
            return self.limit
        if self.access.who == "scim":
            return PROVISIONING
        if self.access.who != "anyone":
            return SIGNED_IN
        is_sign_in = self.path.startswith(_SIGN_IN_ROOT) and not self.path.endswith("/health")
        return SIGNING_IN if is_sign_in else OPEN_TO_ALL

    @property
    def is_internal(self) -> bool:
        """Whether the route is kept from the public edge."""
        return self.path.startswith(("/_events/", "/_health"))


class RouteTable(Generic[_Deps]):
    """Finds the route of a request. Routing is werkzeug's."""

    def __init__(self, routes: Sequence[Route[_Deps]]) -> None:
        """Load a table.

        Raises:
            TypeError: a route without an access rule.
            ValueError: two routes for one method and path.
        """
        seen: set[tuple[str, str]] = set()
        for route in routes:
            if not isinstance(route.access, Access):
                raise TypeError(f"{route.method} {route.path} has no access rule")
            if (route.method, route.path) in seen:
                raise ValueError(f"two routes for {route.method} {route.path}")
            seen.add((route.method, route.path))
        rules = [
            _MatchedRule(_PARAMETER.sub(r"<\1>", route.path), methods=[route.method], endpoint=route)
            for route in routes
        ]
        table = Map(rules, strict_slashes=True, merge_slashes=False, redirect_defaults=False)
        self._rules = table.bind("localhost")  # answers by path alone, so it is the same for every request

    def find(self, method: str, path: str) -> tuple[Route[_Deps], Mapping[str, str]]:
        """Find a route and its path parameters.

        Raises:
            RouteNotFound: (404 `not_found`).
            MethodNotAllowed: (405 `method_not_allowed`) names the methods there are.
        """
        if not path.startswith("/") or path.startswith("//"):  # werkzeug would read any number of slashes as one
            raise RouteNotFound
        try:
            found: tuple[Any, Mapping[str, Any]] = self._rules.match(path, method=method)
        except WerkzeugMethodNotAllowed as error:
            raise MethodNotAllowed(allowed=sorted(error.valid_methods or ())) from None
        except HTTPException:
            raise RouteNotFound from None
        return found[0], found[1]


def _never_built(*_values: object) -> tuple[str, str]:
    raise NotImplementedError
