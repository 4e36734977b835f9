"""Google Cloud as a scan calls it: tokens, Cloud Asset Inventory, permissions, and the audit logs.

Sources: https://docs.cloud.google.com/asset-inventory/docs/reference/rest/v1/assets/list;
https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list;
https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token;
https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken;
https://cloud.google.com/resource-manager/reference/rest/v3/projects/testIamPermissions; https://google.aip.dev/193 (errors).
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from local_emulator.switches import Mode

from .wire import Answer, Request

MOST_PAGE, DEFAULT_PAGE = 1000, 100
ASSETS_PER_MINUTE = 100  # https://cloud.google.com/asset-inventory/docs/quota
_LOGS = "logging.logEntries.list"
ENTRIES_PER_MINUTE = 60  # https://cloud.google.com/logging/quotas
_LIFETIME_SECONDS = 3600
_CONTENTS = {"1": "RESOURCE", "2": "IAM_POLICY"}  # client libraries send enumerations by number
_ASSETS = re.compile(r"/v1/((?:projects|folders|organizations)/[^/]+)/assets")
_IMPERSONATION = re.compile(r"/v1/projects/-/serviceAccounts/([^/]+):generateAccessToken")
_PERMISSIONS = re.compile(r"/v[13]/((?:projects|folders|organizations)/[^/]+):testIamPermissions")
_TERM = re.compile(
    r'\s*(?:AND\s+)?([\w.]+)\s*(>=|<=|=|\()\s*(\(?"(?:[^"\\]|\\.)*"(?:\s+OR\s+"(?:[^"\\]|\\.)*")*\)?)\)?'
)
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_WORDS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED",
          503: "UNAVAILABLE"}  # fmt: skip


@dataclass
class GoogleCloud:
    """Projects in memory.

    Attributes:
        assets: as ListAssets gives them for RESOURCE.
        policies: the same for IAM_POLICY.
        entries: log entries.
        permissions: what the caller may do; None for everything.
        now: tells the time, for snapshots and quotas.
        calls: how often each operation was asked for.
    """

    assets: Sequence[Mapping[str, Any]] = ()
    policies: Sequence[Mapping[str, Any]] = ()
    entries: Sequence[Mapping[str, Any]] = ()
    permissions: Sequence[str] | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    calls: dict[str, int] = field(default_factory=dict)
    _times: dict[str, list[datetime]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def seed(self, document: Mapping[str, Any]) -> None:
        """Put other things in the place of what there is: `assets`, `policies`, `entries`, `permissions`."""
        for name in ("assets", "policies", "entries", "permissions"):
            if name in document:
                setattr(self, name, document[name])
        self._times.clear()

    @staticmethod
    def operation(request: Request) -> str:
        """Name what a request asks for by its most telling name."""
        return GoogleCloud.operations(request)[0]

    @staticmethod
    def operations(request: Request) -> tuple[str, ...]:
        """Name what a request asks for, the most telling name first."""
        if _ASSETS.fullmatch(request.path):
            return f"ListAssets.{_content(request)}", "ListAssets"
        if request.path == "/v2/entries:list":
            return ("ListLogEntries",)
        if request.path in {"/v1/token", "/token"}:
            return ("Token",)
        if _IMPERSONATION.fullmatch(request.path):
            return ("GenerateAccessToken",)
        return ("TestIamPermissions",) if _PERMISSIONS.fullmatch(request.path) else ("Unknown",)

    def answer(self, request: Request) -> Answer:
        """Answer a request."""
        name = self.operations(request)[0]
        with self._lock:
            self.calls[name] = self.calls.get(name, 0) + 1
        if name == "Token":
            return _token(request)
        if not request.bearer:
            return error(401, "Request is missing required authentication credential.")
        if (needed := _needed(name)) and not self._may(needed):
            return _denied(needed)
        if name.startswith("ListAssets"):
            return self._list_assets(request)
        if name == "ListLogEntries":
            return self._list_entries(request)
        if name == "GenerateAccessToken":
            expires = self.now() + timedelta(seconds=_LIFETIME_SECONDS)
            return Answer(200, {"accessToken": "local-impersonated", "expireTime": f"{expires:%Y-%m-%dT%H:%M:%SZ}"})
        if name == "TestIamPermissions":
            wanted = request.document.get("permissions", [])
            held = [one for one in wanted if self._may(one)]
            return Answer(200, {"permissions": held} if held else {})
        return error(404, f"Method not found: {request.path}")

    @staticmethod
    def failure(mode: Mode, request: Request) -> Answer:
        """Return what a fault looks like."""
        if mode == "deny":
            return _denied(_needed(GoogleCloud.operation(request)) or _LOGS)
        if mode == "throttle":
            return error(429, "Quota exceeded for quota metric and limit of service.", "RATE_LIMIT_EXCEEDED")
        return error(503, "The service is currently unavailable.")

    def _may(self, permission: str) -> bool:
        return self.permissions is None or permission in self.permissions

    def _list_assets(self, request: Request) -> Answer:
        content = _content(request)
        if content not in {"RESOURCE", "IAM_POLICY"}:
            return error(400, f"Content type {content} is not served here.")
        if self._is_over("assets", ASSETS_PER_MINUTE):
            return error(429, "Quota exceeded for quota metric 'ListAssets requests'.", "RATE_LIMIT_EXCEEDED")
        size = int(request.value("pageSize") or DEFAULT_PAGE)
        if not 0 <= size <= MOST_PAGE:
            return error(400, f"The page size must be between 1 and {MOST_PAGE}.")
        kinds = request.values("assetTypes")
        read_at = request.value("readTime") or f"{self.now():%Y-%m-%dT%H:%M:%SZ}"
        begin = 0
        if token := request.value("pageToken"):
            said = _opened(token)
            if said is None or said[:2] != [content, kinds]:
                return error(400, "The page token is invalid, or of another request.")
            begin, read_at = said[2], said[3]
        parent = _ASSETS.fullmatch(request.path)
        held = [
            one
            for one in (self.assets if content == "RESOURCE" else self.policies)
            if _is_below(one, parent[1] if parent else "")
        ]
        found = [one for one in held if not kinds or any(re.fullmatch(kind, str(one["assetType"])) for kind in kinds)]
        until = begin + (size or DEFAULT_PAGE)
        document: dict[str, Any] = {"readTime": read_at}
        if found[begin:until]:
            document["assets"] = found[begin:until]
        if until < len(found):
            document["nextPageToken"] = _sealed([content, kinds, until, read_at])
        return Answer(200, document)

    def _list_entries(self, request: Request) -> Answer:
        if self._is_over("entries", ENTRIES_PER_MINUTE):
            return error(429, "Quota exceeded for quota metric 'Read requests'.", "RATE_LIMIT_EXCEEDED")
        wish = request.document
        names = wish.get("resourceNames")
        if not isinstance(names, list) or not names:
            return error(400, "resource_names must not be empty.")
        terms = list(_terms(str(wish.get("filter", ""))))
        if any(term is None for term in terms):
            return error(400, "Unparseable filter: only what DriftWise asks is understood here.")
        found = [one for one in self.entries if all(_fits(one, *term) for term in terms if term)]
        found = [one for one in found if any(str(one.get("logName", "")).startswith(f"{name}/") for name in names)]
        found.sort(key=lambda one: str(one["timestamp"]), reverse=str(wish.get("orderBy", "")).endswith(" desc"))
        begin = int(wish.get("pageToken") or 0)
        until = begin + min(int(wish.get("pageSize") or 50), MOST_PAGE)
        document: dict[str, Any] = {"entries": found[begin:until]} if found[begin:until] else {}
        if until < len(found):
            document["nextPageToken"] = str(until)
        return Answer(200, document)

    def _is_over(self, name: str, most: int) -> bool:
        now = self.now()
        with self._lock:
            recent = [at for at in self._times.get(name, []) if at > now - timedelta(minutes=1)]
            self._times[name] = [*recent, now] if len(recent) < most else recent
        return len(recent) >= most


def error(status: int, message: str, reason: str = "") -> Answer:
    """Make an error in Google's form."""
    details = (
        [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}]
        if reason
        else []
    )
    return Answer(status, {"error": {"code": status, "message": message, "status": _WORDS[status], "details": details}})


def _needed(operation: str) -> str | None:
    """Return the permission that an operation needs, of those that a customer grants."""
    if operation.startswith("ListAssets"):
        return "cloudasset.assets.list" + ("IamPolicy" if operation.endswith("IAM_POLICY") else "Resource")
    return _LOGS if operation == "ListLogEntries" else None


def _denied(permission: str) -> Answer:
    return error(403, f"Permission '{permission}' denied on resource (or it may not exist).")


def _content(request: Request) -> str:
    said = request.value("contentType")
    return _CONTENTS.get(said, said or "CONTENT_TYPE_UNSPECIFIED")


def _token(request: Request) -> Answer:
    """Exchange whatever looks like a token; the grant must be one that Google has."""
    form = request.form
    grant = form.get("grant_type", "")
    if grant == "urn:ietf:params:oauth:grant-type:token-exchange" and form.get("subject_token"):
        kind = "urn:ietf:params:oauth:token-type:access_token"
        return Answer(
            200,
            {
                "access_token": "local-federated",
                "issued_token_type": kind,
                "token_type": "Bearer",
                "expires_in": _LIFETIME_SECONDS,
            },
        )
    if grant == "urn:ietf:params:oauth:grant-type:jwt-bearer" and form.get("assertion"):
        return Answer(200, {"access_token": "local-of-key", "token_type": "Bearer", "expires_in": _LIFETIME_SECONDS})
    return Answer(400, {"error": "invalid_grant", "error_description": "The grant is none that is taken here."})


def _is_below(asset: Mapping[str, Any], parent: str) -> bool:
    """Say whether an asset lies in a project, folder or organisation, by number or by id."""
    ancestors = asset.get("ancestors") or []
    return (
        parent in ancestors
        or f"/{parent}" in str(asset["name"]) + "/"
        or not ancestors
        or parent.startswith("projects/")
    )


def _sealed(said: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode()


def _opened(token: str) -> list[Any] | None:
    try:
        found = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        return None
    return found if isinstance(found, list) and len(found) == 4 else None


def _terms(text: str) -> Iterator[tuple[str, str, list[str]] | None]:
    """Yield the terms of a filter (name, operator, values); None for what is not understood."""
    at = 0
    while text[at:].strip():
        found = _TERM.match(text, at)
        if found is None:
            yield None
            return
        values = [re.sub(r"\\(.)", r"\1", value) for value in _TEXT.findall(found[3])]
        yield found[1], "=" if found[2] == "(" else found[2], values
        at = found.end()


def _fits(entry: Mapping[str, Any], name: str, operator: str, values: list[str]) -> bool:
    if name == "log_id":
        return any(str(entry.get("logName", "")).endswith("/logs/" + value.replace("/", "%2F")) for value in values)
    held: Any = entry
    for step in name.split("."):
        held = held.get(step) if isinstance(held, Mapping) else None
    if operator == "=":
        return str(held) in values
    one, other = datetime.fromisoformat(str(held)), datetime.fromisoformat(values[0])
    return one >= other if operator == ">=" else one <= other
