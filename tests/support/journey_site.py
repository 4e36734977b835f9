"""What the journey sees of a suite: every answer that it asks for, each of which a test can break."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from infra.journey.steps import DOOMED

URL = "https://driftwise.example.com"
KEY = "dw2_" + "0" * 42 + "1CtB1C"
ORG = "0198c0de-0000-7000-8000-000000000001"
_O = f"/api/v2/orgs/{ORG}"
_FINDINGS = [{"address": DOOMED, "rule": "resource-deletion"}]

Answer = tuple[int, Any]


def _problem(status: int, code: str) -> Answer:
    return status, {"status": status, "code": code}


# What each call gets; the first that matches counts. Calls without a key are judged before.
ANSWERS: Mapping[str, Answer] = {
    "GET /api/v2/me": (200, {"kind": "key", "org_id": ORG, "scopes": ["write"]}),
    f"GET {_O}/api-keys": (200, {"items": [{"id": "k", "prefix": "dw2_0"}]}),
    f"GET {_O}/cloud-accounts": (200, {"items": [{"id": "a"}]}),
    f"POST {_O}/analyze": (200, {"id": "v", "risk_level": "critical", "findings": _FINDINGS}),
    f"GET {_O}/analyses/v": (200, {"id": "v", "findings": _FINDINGS}),
    f"GET {_O}/analyses": (200, {"items": [{"id": "v"}]}),
    f"POST {_O}/scans": (202, {"id": "s", "status": "pending"}),
    f"GET {_O}/scans/s": (200, {"id": "s", "status": "done"}),
    f"GET {_O}/scans/s/coverage": (200, {"shards_total": 3, "shards_done": 3}),
    f"GET {_O}/scans/s/drift": (200, {"items": []}),
    f"GET {_O}/scans": (200, {"items": []}),
    f"GET {_O}/audit-log": _problem(403, "scope_required"),
    f"GET {_O}/invitations": _problem(403, "human_required"),
}
_STRANGER = "stranger"


@dataclass
class Site:
    """A suite that answers as it should, but for what a test puts into `broken`.

    Attributes:
        broken: call (`GET /path`, or `stranger`) to another answer, or to an error to raise.
        asked: every call, in order.
    """

    broken: Mapping[str, Answer | Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[httpx.Headers] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        call = f"{request.method} {request.url.path}"
        self.asked.append(call)
        self.headers.append(request.headers)
        if "x-api-key" not in request.headers:
            call, right = _STRANGER, _problem(401, "unauthenticated")
        else:
            right = ANSWERS.get(call, _problem(404, "not_found"))
        answer = self.broken.get(call, right)
        if isinstance(answer, Exception):
            raise answer
        status, document = answer
        return httpx.Response(status, content=document if isinstance(document, bytes) else json.dumps(document))

    def client(self) -> httpx.Client:
        """Return a client that reaches it and nothing else."""
        return httpx.Client(base_url=URL, transport=httpx.MockTransport(self))


@dataclass
class Rest(httpx.BaseTransport):
    """Passes calls on to a running suite, and changes what one of them gets."""

    pattern: str
    change: Callable[[httpx.Response], httpx.Response]
    below: httpx.BaseTransport = field(default_factory=httpx.HTTPTransport)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.below.handle_request(request)
        if re.fullmatch(self.pattern, f"{request.method} {request.url.path}"):
            answer.read()
            return self.change(answer)
        return answer
