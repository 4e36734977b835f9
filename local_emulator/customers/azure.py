"""Azure as a scan calls it: tokens of Entra ID, Resource Graph, permissions, and lists of Resource Manager.

Sources: https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources;
https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests;
https://learn.microsoft.com/azure/governance/resource-graph/how-to/get-resource-changes;
https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource-group (form of permissions);
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow;
https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations (errors, Retry-After).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from time import monotonic
from typing import Any, TypeAlias

from local_emulator.switches import Mode

from .wire import Answer, Request

QUOTA, WINDOW_SECONDS = 15, 5.0  # "15 queries within every 5-second window"
MOST_ROWS, DEFAULT_ROWS = 1000, 100
LIST_ROWS = 100
_TOKEN = re.compile(r"/[^/]+/oauth2/v2\.0/token")
_GRAPH = "/providers/microsoft.resourcegraph/resources"
_PERMISSIONS = "/providers/microsoft.authorization/permissions"
_LIFETIME_SECONDS = 3599
_TEXTS = re.compile(r"'((?:[^'\\]|\\.)*)'")
_IN = re.compile(r"(?:tostring\()?([\w.]+)\)?\s+(in~|!~|=~)\s+(.+)", re.DOTALL)
_BETWEEN = re.compile(r"(\w+) between \(datetime\(([^)]+)\) \.\. datetime\(([^)]+)\)\)")
_PRESENT = re.compile(r"isnotempty\(([\w.]+)\)")
_EXTEND = re.compile(r"extend (\w+) = (?:todatetime|tostring)\(([\w.]+)\)")

_DOCUMENTS = ("/config/web", "/blobservices/default")

Row: TypeAlias = Mapping[str, Any]


class NotUnderstood(Exception):
    """A query uses what is not understood here."""


@dataclass
class Azure:
    """A subscription in memory.

    Attributes:
        tables: Resource Graph table -> rows; rows of `resources` may be given together under `rows`.
        lists: path below Resource Manager -> elements; any case.
        documents: the same -> one document.
        permissions: of the caller; what they do not let him read is left out of the tables.
        base_url: where links to next pages lead.
        calls: how often each operation was asked for.
    """

    tables: dict[str, list[Row]] = field(default_factory=dict)
    lists: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    documents: Mapping[str, Row] = field(default_factory=dict)
    permissions: Sequence[Row] = ({"actions": ["*/read"], "notActions": []},)
    base_url: str = "https://management.azure.com"
    now: Callable[[], float] = monotonic
    calls: dict[str, int] = field(default_factory=dict)
    _used: int = 0
    _ends_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def seed(self, document: Mapping[str, Any]) -> None:
        """Put other things in the place of what there is: `rows`, `changes`, `lists`, `documents`, `permissions`."""
        if "rows" in document:
            self.tables = {name: [row for row in document["rows"] if table_of(row) == name] for name in _TABLES}
        if "changes" in document:
            self.tables |= {name: [] for name in _CHANGES}
            for row in document["changes"]:
                self.tables[_CHANGES["/providers/" not in _target(row)]].append(row)
        self.lists = document.get("lists", self.lists)
        self.documents = document.get("documents", self.documents)
        self.permissions = document.get("permissions", self.permissions)

    @staticmethod
    def operations(request: Request) -> tuple[str, ...]:
        """Name what a request asks for, the most telling name first."""
        path = request.path.lower()
        if _TOKEN.fullmatch(path):
            return ("Token",)
        if path == _GRAPH:
            return f"Resources.{str(request.document.get('query', '')).split('|')[0].strip().lower()}", "Resources"
        if path.endswith(_PERMISSIONS):
            return ("Permissions",)
        return f"List.{path.rpartition('/')[2]}", "List"

    def answer(self, request: Request) -> Answer:
        """Answer a request."""
        name = self.operations(request)[0]
        with self._lock:
            self.calls[name] = self.calls.get(name, 0) + 1
        if name == "Token":
            return _token(request)
        if not request.bearer:
            return error(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        if not request.value("api-version"):
            return error(
                400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required."
            )
        if name.startswith("Resources"):
            return self._query(request)
        if name == "Permissions":
            return Answer(200, {"value": list(self.permissions)})
        if request.path.lower().endswith(_DOCUMENTS):
            return self._document(request)
        return self._list(request)

    @staticmethod
    def failure(mode: Mode, request: Request) -> Answer:
        """Return what a fault looks like."""
        if mode == "deny":
            is_graph = request.path.lower() == _GRAPH
            action = "Microsoft.ResourceGraph/resources/read" if is_graph else "Microsoft.Authorization/locks/read"
            return error(
                403,
                "AuthorizationFailed",
                f"The client 'x' with object id 'x' does not have authorization to perform action '{action}' over scope '/'.",
            )
        if mode == "throttle":
            return error(
                429, "RateLimiting", "Please provide below info when asking for support.", {"Retry-After": "1"}
            )
        return error(503, "ServiceUnavailable", "The service is unavailable.")

    def _query(self, request: Request) -> Answer:
        left, resets = self._take()
        seconds = int(resets + 0.999)
        quota = {"x-ms-user-quota-remaining": str(max(left, 0)), "x-ms-user-quota-resets-after": f"00:00:{seconds:02}"}
        if left < 0:
            return error(429, "RateLimiting", "The request was throttled.", {**quota, "Retry-After": str(seconds)})
        wish = request.document
        options = wish.get("options") or {}
        if not wish.get("subscriptions"):
            return error(400, "BadRequest", "No subscription is asked about.")
        try:
            rows = self._evaluated(str(wish.get("query", "")))
        except NotUnderstood as failure:
            return error(400, "BadRequest", f"Query is invalid here: {failure}")
        begin = int(options.get("$skipToken") or 0)
        page = rows[begin : begin + min(int(options.get("$top") or DEFAULT_ROWS), MOST_ROWS)]
        document: dict[str, Any] = {
            "totalRecords": len(rows), "count": len(page), "data": page, "facets": [], "resultTruncated": "false",
        }  # fmt: skip
        if begin + len(page) < len(rows):
            document["$skipToken"] = str(begin + len(page))
        return Answer(200, document, quota)

    def _take(self) -> tuple[int, float]:
        """Take one query of the window; returns how many are left (negative when none was) and the window's rest in seconds."""
        now = self.now()
        with self._lock:
            if now >= self._ends_at:
                self._used, self._ends_at = 0, now + WINDOW_SECONDS
            if self._used >= QUOTA:
                return -1, self._ends_at - now
            self._used += 1
            return QUOTA - self._used, self._ends_at - now

    def _evaluated(self, query: str) -> list[dict[str, Any]]:
        """Run a query of the kind that DriftWise makes."""
        table, *steps = [part.strip() for part in query.split(" | ")]
        if table not in (*_TABLES, *_CHANGES):
            raise NotUnderstood(table)
        rows: list[dict[str, Any]] = [dict(row) for row in self.tables.get(table, ()) if self._is_shown(row)]
        for step in steps:
            word, _, rest = step.partition(" ")
            if word == "where":
                rows = [row for row in rows if _holds(row, rest)]
            elif word == "extend" and (extended := _EXTEND.fullmatch(step)):
                rows = [{**row, extended[1]: _at(row, extended[2])} for row in rows]
            elif word == "project":
                names = [name.strip() for name in rest.split(",")]
                rows = [{name: row.get(name) for name in names} for row in rows]
            elif word == "take" and rest.isdecimal():
                rows = rows[: int(rest)]
            elif step == "order by id asc":
                rows.sort(key=lambda row: str(row["id"]).lower())
            else:
                raise NotUnderstood(step)
        return rows

    def _is_shown(self, row: Row) -> bool:
        """Say whether the caller may read a resource: Resource Graph leaves out the others and says nothing."""
        action = f"{row.get('type')}/read"
        return any(
            _fits(action, role.get("actions", ())) and not _fits(action, role.get("notActions", ()))
            for role in self.permissions
        )

    def _document(self, request: Request) -> Answer:
        found = {path.lower(): item for path, item in self.documents.items()}.get(request.path.lower())
        return error(404, "ResourceNotFound", "It was not found.") if found is None else Answer(200, found)

    def _list(self, request: Request) -> Answer:
        known = {path.lower(): items for path, items in self.lists.items()}
        items = known.get(request.path.lower(), ())
        begin = int(request.value("$skiptoken") or 0)
        document: dict[str, Any] = {"value": list(items[begin : begin + LIST_ROWS])}
        if begin + LIST_ROWS < len(items):
            version = request.value("api-version")
            document["nextLink"] = f"{self.base_url}{request.path}?api-version={version}&$skiptoken={begin + LIST_ROWS}"
        return Answer(200, document)


_TABLES = ("resourcecontainers", "resources", "authorizationresources")
_CHANGES = ("resourcechanges", "resourcecontainerchanges")


def table_of(row: Row) -> str:
    """Return the table that a resource is in."""
    kind = str(row["type"]).lower()
    if kind.startswith(("microsoft.authorization/role",)):
        return "authorizationresources"
    return "resourcecontainers" if kind.startswith("microsoft.resources/subscriptions") else "resources"


def error(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Make an error in Resource Manager's form."""
    return Answer(status, {"error": {"code": code, "message": message}}, headers or {})


def _token(request: Request) -> Answer:
    form = request.form
    is_proven = form.get("client_secret") or form.get("client_assertion")
    if form.get("grant_type") != "client_credentials" or not form.get("client_id") or not is_proven:
        return Answer(
            401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
        )
    return Answer(200, {"token_type": "Bearer", "expires_in": _LIFETIME_SECONDS, "access_token": "local-entra"})


def _holds(row: Row, condition: str) -> bool:
    present = _PRESENT.fullmatch(condition)
    if present:
        return bool(_at(row, present[1]))
    between = _BETWEEN.fullmatch(condition)
    if between:
        when = datetime.fromisoformat(str(row.get(between[1])))
        return datetime.fromisoformat(between[2]) <= when <= datetime.fromisoformat(between[3])
    found = _IN.fullmatch(condition)
    if found is None:
        raise NotUnderstood(condition)
    held = str(_at(row, found[1]) or "").lower()
    values = [re.sub(r"\\(.)", r"\1", value).lower() for value in _values(found[3])]
    return held not in values if found[2] == "!~" else held in values


def _fits(action: str, patterns: Sequence[str]) -> bool:
    """Say whether an action is among those of a role, which may hold wildcards and are compared without case."""
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def _target(change: Row) -> str:
    return str(_at(change, "properties.targetResourceId")).lower()


def _values(text: str) -> Iterator[str]:
    yield from _TEXTS.findall(text)


def _at(row: Any, path: str) -> Any:
    for name in path.split("."):
        row = row.get(name) if isinstance(row, Mapping) else None
    return row
