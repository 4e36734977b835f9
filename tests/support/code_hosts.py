"""GitHub, GitLab and Terraform Cloud on loopback, as their documentation says they answer, with what goes wrong on demand.

Sources, which the handlers below follow page by page:
  https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app (201, 401, 404, 422; tokens end after an hour)
  https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
  https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request
  https://docs.github.com/en/rest/issues/comments (201, 200, 403 when locked, 404, 410; `performed_via_github_app`)
  https://docs.github.com/en/rest/checks/runs (50 annotations in a request, appended by an update; 422 for more)
  https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api (403 or 429, `retry-after`, `x-ratelimit-*`)
  https://docs.gitlab.com/api/merge_requests/#get-single-mr; https://docs.gitlab.com/api/notes/#merge-requests
  https://docs.gitlab.com/api/users/#get-the-current-user
  https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers (429, `Retry-After`, `RateLimit-*`)
  https://developer.hashicorp.com/terraform/cloud-docs/api-docs/plans#retrieve-the-json-execution-plan (204, or 307 to where it lies)
  https://developer.hashicorp.com/terraform/cloud-docs/api-docs/run#show-a-run (`include`); 404 also for who may not see it
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared.ports.clock import Clock

APP_ID, INSTALLATION_ID, HEAD = 1234, 42, "0123456789abcdef0123456789abcdef01234567"
GITLAB_TOKEN, GITLAB_USER = "glpat-0123456789abcdefghij", 77
KEY = rsa.generate_private_key(65537, 2048)
PRIVATE_KEY = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """One answer."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """What goes wrong once, with the next request that it fits.

    Attributes:
        is_done: the request is carried out all the same, and only its answer is lost.
        before: called first, in the middle of the exchange.
    """

    method: str
    part: str
    answer: Answer | None = None
    is_done: bool = False
    before: Callable[[], None] | None = None


@dataclass
class FakeGitHub:
    """One repository, `shop/infra`, with pull request 12 and one App installed.

    Attributes:
        skew: how far its clock is ahead of everybody's.
        granted: permissions that the App has.
        comments, runs: by id, in order.
    """

    clock: Clock
    skew: timedelta = timedelta()
    state: str = "open"
    is_locked: bool = False
    granted: dict[str, str] = field(default_factory=lambda: {"pull_requests": "write", "checks": "write"})
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, tuple[datetime, dict[str, str]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    url: str = ""

    @property
    def now(self) -> datetime:
        return self.clock.now() + self.skew

    def add_comment(self, body: str, *, app_id: int | None = None, user_type: str = "User") -> int:
        """Let somebody comment; by an App when `app_id` says so."""
        comment_id = 1000 + len(self.comments)
        while comment_id in self.comments:
            comment_id += 1
        self.comments[comment_id] = {
            "id": comment_id, "body": body, "user": {"login": "driftwise[bot]" if app_id else "ann", "id": 9, "type": user_type},
            "performed_via_github_app": {"id": app_id, "slug": "driftwise"} if app_id else None,
        }  # fmt: skip
        return comment_id

    def answer(self, asked: Asked) -> Answer:
        """Answer as the documentation says."""
        path = asked.path.removeprefix("/api/v3")
        if asked.headers.get("x-github-api-version") != "2022-11-28" or "user-agent" not in asked.headers:
            return Answer(400, {"message": "Bad Request"})
        if path == f"/app/installations/{INSTALLATION_ID}/access_tokens" and asked.method == "POST":
            return self._token(asked)
        token = self.tokens.get(asked.headers.get("authorization", "").removeprefix("Bearer "))
        if token is None or token[0] <= self.now:
            return Answer(401, {"message": "Bad credentials"})
        if not path.startswith("/repos/shop/infra/"):
            return Answer(404, {"message": "Not Found"})
        return self._repository(asked, path.removeprefix("/repos/shop/infra"), token[1])

    def _token(self, asked: Asked) -> Answer:
        try:
            claims = jwt.decode(
                asked.headers.get("authorization", "").removeprefix("Bearer "), KEY.public_key(), ["RS256"],
                options={"verify_exp": False, "verify_iat": False},
            )  # fmt: skip
        except jwt.InvalidTokenError:
            return Answer(401, {"message": "A JSON web token could not be decoded"})
        now = self.now.timestamp()
        if claims["iss"] != str(APP_ID) or claims["iat"] > now:
            return Answer(
                401,
                {
                    "message": "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
                },
            )
        if claims["exp"] <= now or claims["exp"] > now + 600:
            return Answer(401, {"message": "'Expiration time' claim ('exp') is too far in the future"})
        wish = asked.body or {}
        if wish.get("repositories", ["infra"]) != ["infra"]:
            return Answer(
                422,
                {
                    "message": "There is at least one repository that does not exist or is not accessible to the parent installation."
                },
            )
        if any(self.granted.get(name) != level for name, level in wish.get("permissions", {}).items()):
            return Answer(422, {"message": "The permissions requested are not granted to this installation."})
        token = f"ghs_{len(self.tokens):036d}"
        self.tokens[token] = self.now + _HOUR, wish.get("permissions", dict(self.granted))
        ends = (self.now + _HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Answer(201, {"token": token, "expires_at": ends, "permissions": self.tokens[token][1]})

    def _repository(self, asked: Asked, path: str, permissions: dict[str, str]) -> Answer:
        needed = "checks" if "check-runs" in path else "pull_requests"
        if permissions.get(needed) != "write":
            return Answer(403, {"message": "Resource not accessible by integration"})
        if (asked.method, path) == ("GET", "/pulls/12"):
            return Answer(
                200, {"number": 12, "state": self.state, "locked": self.is_locked, "head": {"sha": HEAD, "ref": "more"}}
            )
        if path == "/issues/12/comments":
            return self._comments(asked)
        if (found := re.fullmatch(r"/issues/comments/(\d+)", path)) and asked.method == "PATCH":
            comment = self.comments.get(int(found[1]))
            if comment is None:
                return Answer(404, {"message": "Not Found"})
            comment["body"] = asked.body["body"]
            return Answer(200, comment)
        if path.endswith("check-runs") or path.startswith("/check-runs/"):
            return self._checks(asked, path)
        return Answer(404, {"message": "Not Found"})

    def _comments(self, asked: Asked) -> Answer:
        if asked.method == "GET":
            return Answer(200, _page(list(self.comments.values()), asked.query))
        if self.is_locked:
            return Answer(403, {"message": "Unable to create comment because issue is locked."})
        if len(asked.body["body"]) > 65_536:
            return Answer(422, {"message": "Validation Failed"})
        return Answer(201, self.comments[self.add_comment(asked.body["body"], app_id=APP_ID, user_type="Bot")])

    def _checks(self, asked: Asked, path: str) -> Answer:
        if asked.method == "GET":
            mine = [
                run
                for run in self.runs.values()
                if run["name"] == asked.query["check_name"] and run["app"]["id"] == int(asked.query["app_id"])
            ]
            found = [run for run in mine if path == f"/commits/{run['head_sha']}/check-runs"]
            return Answer(200, {"total_count": len(found), "check_runs": [_shown(run) for run in found]})
        output = asked.body["output"]
        if len(output["annotations"]) > 50 or len(output["summary"]) > 65_535 or len(output["title"]) > 255:
            return Answer(422, {"message": "Invalid request. No more than 50 items are allowed"})
        if asked.method == "POST":
            run_id = 500 + len(self.runs)
            self.runs[run_id] = {
                **asked.body,
                "id": run_id,
                "app": {"id": APP_ID},
                "annotations": list(output["annotations"]),
            }
            return Answer(201, _shown(self.runs[run_id]))
        run = self.runs[int(path.rsplit("/", 1)[1])]
        run["annotations"] += output["annotations"]
        return Answer(200, _shown(run))


def _shown(run: dict[str, Any]) -> dict[str, Any]:
    output = {"title": run["output"]["title"], "annotations_count": len(run["annotations"])}
    return {
        "id": run["id"],
        "name": run["name"],
        "head_sha": run["head_sha"],
        "external_id": run["external_id"],
        "output": output,
    }


@dataclass
class FakeGitLab:
    """One project, `shop/team/infra`, with merge request 12 and one access token."""

    clock: Clock
    state: str = "opened"
    is_locked: bool = False
    notes: dict[int, dict[str, Any]] = field(default_factory=dict)
    token: str = GITLAB_TOKEN
    asked: list[Asked] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    url: str = ""

    def add_note(self, body: str, author: int = 5, *, is_system: bool = False) -> int:
        """Let somebody write a note."""
        note_id = 300 + len(self.notes)
        while note_id in self.notes:
            note_id += 1
        self.notes[note_id] = {"id": note_id, "body": body, "author": {"id": author}, "system": is_system}
        return note_id

    def answer(self, asked: Asked) -> Answer:
        """Answer as the documentation says."""
        if asked.headers.get("private-token") != self.token:
            return Answer(401, {"message": "401 Unauthorized"})
        path = asked.path.removeprefix("/api/v4")
        if path == "/user":
            return Answer(200, {"id": GITLAB_USER, "username": "project_1_bot"})
        root = "/projects/shop%2Fteam%2Finfra/merge_requests/12"
        if not path.startswith(root):
            return Answer(404, {"message": "404 Project Not Found"})
        rest = path.removeprefix(root)
        if rest == "" and asked.method == "GET":
            return Answer(200, {"iid": 12, "state": self.state, "sha": HEAD})
        if rest == "/notes" and asked.method == "GET":
            return Answer(200, _page(list(self.notes.values()), asked.query))
        if rest == "/notes" and asked.method == "POST":
            if self.is_locked:
                return Answer(403, {"message": "403 Forbidden"})
            return Answer(201, self.notes[self.add_note(asked.body["body"], GITLAB_USER)])
        note = self.notes.get(int(unquote(rest).rsplit("/", 1)[1]))
        if note is None:
            return Answer(404, {"message": "404 Not found"})
        note["body"] = asked.body["body"]
        return Answer(200, note)


RUN_ID, CLOUD_TOKEN = "run-FwnENkvDnrpyFC7M", "0123456789.atlasv1.abcdefghijklmnop"


@dataclass
class FakeTerraformCloud:
    """One run of the organisation `Acme-Org`, with its plan where archives lie, for which no token is shown.

    Attributes:
        plan: what `json-output` leads to; None while it is not there yet.
        ingress: where the configuration comes from; None when from no repository.
        archive: where the plan is said to lie; empty for here.
    """

    clock: Clock
    plan: Any = None
    ingress: dict[str, Any] | None = None
    archive: str = ""
    asked: list[Asked] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    url: str = ""

    def answer(self, asked: Asked) -> Answer:
        """Answer as the documentation says."""
        if asked.path == "/_archivist/v1/object/plan":
            return Answer(400 if "authorization" in asked.headers else 200, self.plan)
        run = f"/api/v2/runs/{RUN_ID}"
        if asked.headers.get("authorization") != f"Bearer {CLOUD_TOKEN}":
            return Answer(401, {"errors": [{"status": "401", "title": "unauthorized"}]})
        if (asked.method, asked.path) == ("GET", f"{run}/plan/json-output"):
            if self.plan is None:
                return Answer(204)
            return Answer(307, None, {"Location": self.archive or f"{self.url}/_archivist/v1/object/plan"})
        if (asked.method, asked.path) == ("GET", run):
            included = (
                [{"id": "ia-1", "type": "ingress-attributes", "attributes": self.ingress}] if self.ingress else []
            )
            wanted = asked.query.get("include") == "configuration_version.ingress_attributes"
            return Answer(200, {"data": {"id": RUN_ID, "type": "runs"}, "included": included if wanted else []})
        return Answer(404, {"errors": [{"status": "404", "title": "not found"}]})


def _page(items: list[Any], query: dict[str, str]) -> list[Any]:
    size, number = min(int(query.get("per_page", "30")), 100), int(query.get("page", "1"))
    return items[(number - 1) * size : number * size]


@contextmanager
def serving(host: Any) -> Generator[Any]:
    """Serve a host for the length of a block; its address is in `url`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name that the standard library gives it
            pass

        def send_one(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or "0"))
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, parts.path, query, headers, json.loads(content) if content else None)
            with host.lock:
                host.asked.append(asked)
                fault = next(
                    (item for item in host.faults if item.method == asked.method and item.part in self.path), None
                )
                if fault is not None:
                    host.faults.remove(fault)
            if fault is not None and fault.before is not None:
                fault.before()
            with host.lock:
                answer = host.answer(asked) if fault is None or fault.is_done or fault.answer is None else fault.answer
            if fault is not None and fault.answer is not None:
                answer = fault.answer
            body = b"" if answer.body is None else json.dumps(answer.body).encode()
            self.send_response_only(answer.status)
            now = getattr(host, "now", None) or host.clock.now()
            for name, value in {
                "Date": format_datetime(now, usegmt=True),
                "Content-Type": "application/json",
                **answer.headers,
            }.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_PUT = send_one  # noqa: N815  # the names that the standard library calls

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    host.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
