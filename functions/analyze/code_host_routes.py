"""Routes of connections to code hosts, and the event that writes onto pull requests."""

from __future__ import annotations

from shared.http.access import Access
from shared.http.paging import PageQuery
from shared.http.permissions import may
from shared.http.routes import Route
from shared.security.egress import EgressFailed, EgressRefused, EgressTimeout

from . import errors
from .handlers import code_hosts, pull_requests
from .models import code_hosts as models
from .wiring import AnalyzeDeps

_HOSTS = "/api/v2/orgs/{org_id}/code-hosts"
_HOST = f"{_HOSTS}/{{host_id}}"
_READ, _CHANGE = may("code_hosts:read"), may("code_hosts:change")

CODE_HOST_ROUTES: list[Route[AnalyzeDeps]] = [
    Route(
        "POST", _HOSTS, code_hosts.create_code_host, _CHANGE,
        body=models.CreateCodeHost, reply=models.CodeHostView, status=201,
        errors=(
            errors.CodeHostExists, errors.TooManyCodeHosts, errors.PrivateKeyUnusable, EgressRefused, EgressFailed, EgressTimeout,
        ),
    ),
    Route("GET", _HOSTS, code_hosts.list_code_hosts, _READ, query=PageQuery, reply=models.CodeHostPage),
    Route("GET", _HOST, code_hosts.get_code_host, _READ, reply=models.CodeHostView),
    Route(
        "PATCH", _HOST, code_hosts.change_code_host, _CHANGE, body=models.ChangeCodeHost, reply=models.CodeHostView,
        errors=(errors.CredentialNotTaken, errors.PrivateKeyUnusable),
    ),
    Route("DELETE", _HOST, code_hosts.delete_code_host, _CHANGE, status=204),
]  # fmt: skip

CODE_HOST_EVENT_ROUTES: list[Route[AnalyzeDeps]] = [
    Route(
        "POST", "/_events/pull-request-comments", pull_requests.comment_pull_request,
        Access.from_event("pull-request-comments"),
    ),
]  # fmt: skip
