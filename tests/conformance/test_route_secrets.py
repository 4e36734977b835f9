"""Secrets through every door of every route of the running suite; then everything that came out is searched for them.

`tests/integration/http/test_redaction.py` does the same in one process with a database that fails; here the calls go well where
they can, so that handlers, database, audit log, gateway and collector have their say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import pytest

from shared.http.routes import Route
from tests.conformance.test_route_credentials import acts_at_once
from tests.conformance.test_routes import ROUTES, name_of
from tests.support.filled_bodies import Filler
from tests.support.running_suite import RunningSuite
from tests.support.waiting import wait_until
from tests.unit.security.test_redact import PLAIN, SECRETS, leaks, run

PLANTED = ("a key of ours", "a token", "a GitHub token", "an AWS access key id")
CREDENTIAL = run(40, start=13)  # nothing marks it but the field it is sent in
CAUSE = "b7ad6b7169203331"


@dataclass
class Sent:
    """What was sent and came back."""

    suite: RunningSuite
    org_id: UUID
    trace_id: str = field(default_factory=lambda: uuid4().hex)
    answers: list[tuple[str, httpx.Response]] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)

    def send(
        self, route: Route[Any], path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        token = self.suite.tokens["platform_admin" if route.access.who == "platform" else "owner"]
        if acts_at_once(route):  # it would end the session or the organisation that the other calls need
            token = "garbage"
        sent = {"traceparent": f"00-{self.trace_id}-{CAUSE}-01", **(headers or {})}
        answer = self.suite.call(route.method, path, token, headers=sent, **options)
        self.answers.append((name_of(route), answer))
        return answer

    def path(self, route: Route[Any], thing: str | None = None) -> str:
        """Fill in a path: with ids of things that exist, or with a text."""
        path = route.path.replace("{org_id}", str(self.org_id))
        return re.sub(r"\{([a-z_]+)\}", lambda found: thing or self.ids.get(found[1], str(uuid4())), path)


def push(sent: Sent, route: Route[Any], secret: str) -> None:
    """Send a secret through every door of a route."""
    one_line = "".join(secret.split())
    path = sent.path(route)
    sent.send(route, sent.path(route, quote(one_line, safe="")))
    for name in (*(route.query.model_fields if route.query else ()), "x"):
        sent.send(route, path, params={name: one_line})
    sent.send(route, path, params={one_line[:60]: "1"})
    in_headers = {
        "X-Request-Id": one_line[:60], "Idempotency-Key": f"{uuid4()} {one_line}"[:190], "Cookie": f"session={one_line}",
        "User-Agent": one_line, "Referer": f"https://x.example/?token={one_line}", "X-Api-Token": one_line,
        "Origin": f"https://{one_line[:20]}.example", "Accept": one_line[:60],
    }  # fmt: skip
    sent.send(route, path, headers=in_headers)
    sent.send(route, path, headers={"traceparent": one_line})
    if route.method not in {"POST", "PUT", "PATCH"}:
        return
    as_json = {"Content-Type": "application/json"}
    for content in (
        f'{{"x": {secret}',
        json.dumps({"x": secret, secret[:90]: 1, "password": PLAIN}),
        json.dumps([secret]),
    ):
        sent.send(route, path, content=content.encode(), headers=as_json)
    sent.send(route, path, content=secret.encode(), headers={"Content-Type": re.sub("[^!-~]", "", one_line)[:60]})
    if route.body is None:
        return
    for values in ({}, {"scopes": ["read"], "cidrs": [], "account_id": sent.ids["account_id"]}):
        body = Filler(one_line, CREDENTIAL, values).fill(route.body)
        sent.send(route, path, json=body, headers={"Idempotency-Key": str(uuid4())})


@pytest.fixture(scope="module")
def begun(emulator: RunningSuite) -> dict[Path, int]:
    """How long each log was before."""
    return {path: path.stat().st_size for path in emulator.log_files()}


@pytest.fixture(scope="module")
def sent(emulator: RunningSuite, begun: dict[Path, int]) -> Iterator[Sent]:
    owner = emulator.tokens["owner"]
    made = emulator.call("POST", "/api/v2/orgs", owner, json={"name": "Doors"})
    found = Sent(emulator, UUID(made.json()["id"]))
    with closing(emulator.owner()) as connection:
        connection.run("update core.orgs set plan = 'enterprise' where id = :id", id=found.org_id)
    account = {
        "provider": "aws", "name": "Doors", "external_account": "210987654321",
        "auth": {"kind": "role", "role_arn": "arn:aws:iam::210987654321:role/x"},
    }  # fmt: skip
    for name, path, body in (
        ("key_id", "/api-keys", {"name": "doors", "scopes": ["read"]}),
        ("account_id", "/cloud-accounts", account),
    ):
        answer = emulator.call("POST", emulator.org(path, found.org_id), owner, json=body)
        assert answer.status_code == 201, answer.text
        found.ids[name] = answer.json()["id"]
    source = {"account_id": found.ids["account_id"], "kind": "upload", "name": "doors"}
    answer = emulator.call("POST", emulator.org("/state-sources", found.org_id), owner, json=source)
    found.ids["source_id"] = answer.json()["id"]
    for number, route in enumerate(sorted(ROUTES, key=lambda route: route.method == "DELETE")):
        push(found, route, SECRETS[PLANTED[number % len(PLANTED)]])
    yield found
    with closing(emulator.owner()) as connection:
        connection.run("update core.orgs set deleted_at = now() where id = :id", id=found.org_id)


def planted_in(text: str) -> set[str]:
    """Return which of the planted secrets a text holds a part of."""
    everything = {name: SECRETS[name] for name in PLANTED} | {"the credential": CREDENTIAL, "the password": PLAIN}
    return {name for name, secret in everything.items() if leaks("".join(secret.split()), text)}


def test_the_doors_were_open(sent: Sent) -> None:
    """Calls that all fail at the first check would show nothing of what lies behind it."""
    took = {name for name, answer in sent.answers if answer.is_success}
    writing = {name_of(route) for route in ROUTES if route.body is not None}
    assert len(took & writing) >= 5, took
    assert {answer.status_code for _, answer in sent.answers} >= {200, 201, 400, 404, 415, 422}
    assert not [name for name, answer in sent.answers if answer.status_code >= 500]


def test_no_answer_holds_what_was_sent_but_the_name_that_was_given(sent: Sent) -> None:
    for name, answer in sent.answers:
        shown = f"{answer.headers}\n{answer.text}"
        assert not leaks(CREDENTIAL, shown), f"{name} shows a credential again"
        if answer.is_error:  # what went well may carry a name or a hint back to whoever gave it
            assert planted_in(shown) == set(), f"{name} {answer.status_code}: {shown[:600]}"


def test_no_log_holds_what_was_sent(sent: Sent, begun: dict[Path, int]) -> None:
    if not begun:
        pytest.skip("the logs are not at hand")
    searched = 0
    for path in sent.suite.log_files():
        with path.open("rb") as file:
            file.seek(begun.get(path, 0))
            lines = file.read().decode("utf-8", "replace").splitlines()
        searched += len(lines)
        for line in lines:
            assert planted_in(line) == set(), f"{path.name}: {line[:800]}"
    assert searched >= len(sent.answers), "the logs were not caught"


def test_no_span_holds_what_was_sent(sent: Sent) -> None:
    if "collector" not in sent.suite.processes:
        pytest.skip("this suite has no collector at hand")
    collector = f"http://127.0.0.1:{sent.suite.processes['collector']}"
    last = uuid4().hex
    headers = {"traceparent": f"00-{last}-{CAUSE}-01"}
    for path in ("/api/v2/me", sent.suite.org("/scans"), sent.suite.org("/api-keys")):
        sent.suite.call("GET", path, sent.suite.tokens["owner"], headers=headers)
    wait_until(
        lambda: len(httpx.get(f"{collector}/traces/{last}", trust_env=False).json()["spans"]) >= 3,
        "the last spans came",
    )
    text = httpx.get(f"{collector}/traces/{sent.trace_id}", trust_env=False).text
    assert text.count("span_id") > 10
    assert planted_in(text) == set()


def test_no_audit_entry_and_no_message_holds_what_was_sent(sent: Sent) -> None:
    """Entries cannot be corrected, messages leave the database: what people put into names stays out of both."""
    with closing(sent.suite.owner()) as connection:
        rows = connection.run(
            "select action, concat_ws(' ', facts::text, target_id, actor_id, request_id) from core.audit_log "
            "union all select action, concat_ws(' ', facts::text, target_id, actor_id, request_id) from core.platform_audit_log "
            "union all select topic, concat_ws(' ', payload::text, ordering_key, traceparent) from core.outbox"
        )
    told = {row[0] for row in rows}
    assert {"keys:api_key:created", "scan:cloud_account:created", "auth:org:created"} <= told
    assert {row[0]: row[1] for row in rows if planted_in(row[1])} == {}
