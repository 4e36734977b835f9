"""What a function's process does when people go away, when it is told to stop, and what it leaves in its logs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
import psutil
import pytest

from shared.security.sessions import csrf_token
from tests.support.browser import Browser, terminal
from tests.support.running_suite import ROOT, RunningSuite, problem

_DEADLINE_SECONDS = 30.0

TINY = """
import pathlib, time
from shared.http.access import Access
from shared.http.app import App
from shared.http.reply import Reply
from shared.http.routes import Route
from shared.ports.clock import SystemClock

HERE = pathlib.Path(__file__).parent


class Clients:
    def __init__(self):
        self.clock = SystemClock()

    def close(self):
        (HERE / "closed").touch()


def slow(call, deps):
    (HERE / "started").touch()
    ends_at = time.monotonic() + 20
    while not (HERE / "go").exists() and time.monotonic() < ends_at:
        time.sleep(0.01)
    return Reply.ok({"finished": True})


def fail(call, deps):
    raise RuntimeError("the reason, for operators only")


def size(call, deps):
    return Reply.ok({"size": len(call.content)})


app = App("tiny", lambda settings: Clients(), [
    Route("GET", "/slow", slow, Access.anyone()),
    Route("GET", "/fail", fail, Access.anyone()),
    Route("POST", "/size", size, Access.anyone(), body_limit_bytes=100_000, is_raw=True),
])


def tiny(request):
    return app.handle(request)
"""


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    ends_at = time.monotonic() + _DEADLINE_SECONDS
    while not is_so():
        assert time.monotonic() < ends_at, f"{what}: not within {_DEADLINE_SECONDS:.0f} s"
        time.sleep(0.02)


class Tiny:
    """A function of three routes, in the server that functions run in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "main.py").write_text(TINY, encoding="utf-8")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "log"
        arguments = [
            "--target",
            "tiny",
            "--source",
            str(folder / "main.py"),
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
        ]
        environment = os.environ | {
            "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "DW_ENV": "emulator", "THREADS": "8", "WORKERS": "1",
            "FUNCTION_SIGNATURE_TYPE": "http", "CLOUD_RUN_TIMEOUT_SECONDS": "60",
        }  # fmt: skip
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "functions_framework", *arguments],
                env=environment,
                stdout=log,
                stderr=log,
                cwd=folder,
            )
        wait_until(self.is_up, "the function did not start")

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(f"{self.url}/_health", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Tiny]:
    running = Tiny(tmp_path)
    yield running
    if running.process.poll() is None:
        running.process.terminate()
        running.process.wait(_DEADLINE_SECONDS)


def test_a_request_under_way_is_finished_after_sigterm_and_connections_are_closed(tiny: Tiny) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(httpx.get, f"{tiny.url}/slow", timeout=_DEADLINE_SECONDS, trust_env=False)
        wait_until((tiny.folder / "started").exists, "the slow request did not start")
        tiny.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not listens(tiny.process.pid), "the server did not begin to stop")
        assert not answer.done(), "the request was cut off"
        (tiny.folder / "go").touch()
        found = answer.result(_DEADLINE_SECONDS)
    assert (found.status_code, found.json()) == (200, {"finished": True})
    assert tiny.process.wait(_DEADLINE_SECONDS) == 0
    assert (tiny.folder / "closed").exists(), "the clients were not closed"
    assert [line["status"] for line in tiny.lines() if line.get("route") == "/slow"] == [200]


def listens(pid: int) -> bool:
    """Say whether the server's master still holds its listening socket; it gives it up when it begins to stop."""
    return any(item.status == psutil.CONN_LISTEN for item in psutil.Process(pid).net_connections("tcp"))


def test_a_failure_is_in_the_log_with_its_request_and_not_in_the_answer(tiny: Tiny) -> None:
    answer = httpx.get(f"{tiny.url}/fail", headers={"X-Request-Id": "operators-find-me"}, trust_env=False)
    problem(answer, 500, "internal_error")
    assert "operators only" not in answer.text
    wait_until(lambda: "operators only" in tiny.log.read_text(), "the failure is not in the log")
    (failure,) = (line for line in tiny.lines() if line["severity"] == "ERROR")
    assert failure["request_id"] == "operators-find-me"
    assert "Traceback" in str(failure["exception"])


@pytest.mark.parametrize("extra", [0, 1, 400_000])
def test_the_server_takes_chunked_bodies_up_to_the_cap(tiny: Tiny, extra: int) -> None:
    chunks = iter([b"x" * 50_000, b"x" * 50_000, b"x" * extra])
    answer = httpx.post(f"{tiny.url}/size", content=chunks, trust_env=False)
    if extra:
        problem(answer, 413, "body_too_large")
    else:
        assert answer.json() == {"size": 100_000}


@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 1000\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhalf"],
    ids=["declared", "chunked"],
)
def test_half_a_body_never_reaches_a_handler(tiny: Tiny, body: bytes) -> None:
    with socket.create_connection(("127.0.0.1", tiny.port), timeout=_DEADLINE_SECONDS) as connection:
        connection.sendall(b"POST /size HTTP/1.1\r\nHost: x\r\n" + body)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
    wait_until(lambda: any(line.get("route") == "/size" for line in tiny.lines()), "the request is not in the log")
    assert [line["status"] for line in tiny.lines() if line.get("route") == "/size"] == [400]
    assert tiny.is_up()


# --- the whole suite -------------------------------------------------------------------------------------------------


@pytest.fixture
def org_id(emulator: RunningSuite) -> UUID:
    made = emulator.call("POST", "/api/v2/orgs", emulator.tokens["owner"], json={"name": "Gone clients"})
    found = UUID(made.json()["id"])
    connection = emulator.owner()
    connection.run("update core.orgs set plan = 'enterprise' where id = :org_id", org_id=found)
    connection.close()
    return found


def post_and_leave(suite: RunningSuite, path: str, body: bytes, *, headers: str = "", sent: float = 1.0) -> None:
    """Send a request, or a part of it, and close the connection without waiting for the answer."""
    address = urlsplit(suite.url)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {suite.tokens['owner']}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((address.hostname or "", address.port or 80), timeout=10) as connection:
        connection.sendall(head.encode() + body[: int(len(body) * sent)])


def names(suite: RunningSuite, org_id: UUID) -> list[str]:
    answer = suite.call("GET", suite.org("/api-keys?limit=200", org_id), suite.tokens["owner"])
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


def test_half_a_request_has_no_effect(emulator: RunningSuite, org_id: UUID) -> None:
    path = emulator.org("/api-keys", org_id)
    for sent in (0.0, 0.3, 0.6, 0.99):
        for _ in range(3):
            post_and_leave(emulator, path, b'{"name":"half","scopes":["read"]}', sent=sent)
    whole = emulator.call("POST", path, emulator.tokens["owner"], json={"name": "whole", "scopes": ["read"]})
    assert whole.status_code == 201, "the process did not survive"
    assert names(emulator, org_id) == ["whole"]


def test_a_client_that_leaves_before_the_answer_causes_the_effect_at_most_once(
    emulator: RunningSuite, org_id: UUID
) -> None:
    path = emulator.org("/api-keys", org_id)
    for number in range(10):
        post_and_leave(emulator, path, json.dumps({"name": f"gone {number}", "scopes": ["read"]}).encode())
    whole = emulator.call("POST", path, emulator.tokens["owner"], json={"name": "whole", "scopes": ["read"]})
    assert whole.status_code == 201, "the process did not survive"
    found = names(emulator, org_id)
    assert len(found) == len(set(found)), "a request had its effect twice"


def test_a_client_that_leaves_and_tries_again_with_its_key_causes_the_effect_exactly_once(
    emulator: RunningSuite, org_id: UUID
) -> None:
    path, body, key = emulator.org("/api-keys", org_id), {"name": "once", "scopes": ["read"]}, str(uuid4())
    for _ in range(8):
        post_and_leave(emulator, path, json.dumps(body).encode(), headers=f"Idempotency-Key: {key}\r\n")
    sent = {"Idempotency-Key": key, "Content-Type": "application/json"}
    final = emulator.call("POST", path, emulator.tokens["owner"], content=json.dumps(body), headers=sent)
    assert final.status_code == 201, final.text
    assert names(emulator, org_id) == ["once"]


def test_no_log_holds_a_secret(emulator: RunningSuite, org_id: UUID) -> None:
    """Pushes secrets through every door, the wrong ones too, then reads every log of every process."""
    if not emulator.log_files():
        pytest.skip("the logs of this suite are not at hand")
    browser = Browser(emulator)
    back = browser.choose(browser.begin())
    query = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    cookie = next(iter(browser.cookies.values()))
    browser.send("GET", back)
    session, tokens = browser.cookies["__Host-driftwise"], terminal(browser)
    signed_in = tokens["access_token"]
    made = emulator.call("POST", emulator.org("/api-keys", org_id), signed_in, json={"name": "x", "scopes": ["admin"]})
    raw = made.json()["raw_key"]
    planted = {
        name: f"planted-{name}-{uuid4().hex}"
        for name in ("body", "query", "path", "header", "field", "cookie", "cloud")
    }
    token = emulator.tokens["owner"]
    marker = uuid4().hex
    for key in (raw, raw[:-1] + ("0" if raw[-1] != "0" else "1"), emulator.api_keys["read"]):
        for path in (emulator.org("/api-keys", org_id), emulator.org("/scans", org_id), "/api/v2/me"):
            emulator.call("GET", path, key)
            emulator.call("GET", path, headers={"X-Api-Key": key})
    account = {
        "provider": "aws", "name": "x", "external_account": "123456789012",
        "auth": {"kind": "static_key", "access_key_id": "AKIA" + "A" * 16, "secret_access_key": planted["cloud"]},
    }  # fmt: skip
    emulator.call("POST", emulator.org("/cloud-accounts", org_id), token, json=account)
    emulator.call("POST", emulator.org("/cloud-accounts", org_id), token, json=account | {"more": planted["field"]})
    emulator.call("POST", emulator.org("/api-keys", org_id), token, content=b'{"password":"' + planted["body"].encode())
    emulator.call("POST", emulator.org("/api-keys", org_id), token, json={"password": planted["body"]})
    emulator.call("GET", f"/api/v2/me?password={planted['query']}", token)
    emulator.call("GET", f"/no/such/{planted['path']}", token)
    emulator.call("GET", "/api/v2/me", planted["header"])
    emulator.call("GET", "/api/v2/me", token, headers={"Cookie": f"session={planted['cookie']}"})
    emulator.call("GET", emulator.org("/api-keys", org_id), token, headers={"X-Request-Id": marker})

    def logs() -> dict[str, str]:
        return {file.name: file.read_text("utf-8", "replace") for file in emulator.log_files()}

    wait_until(lambda: any(marker in text for text in logs().values()), "the requests did not reach a log")
    passwords = {role: urlsplit(url).password for role, url in emulator.databases.items()}
    secrets = {
        "the new key": raw,
        "the secret part of the new key": raw[16:46],
        "the access token of the sign-in": signed_in,
        "the code of the sign-in": query["code"],
        "the state of the sign-in": query["state"],
        "the cookie of the sign-in": cookie,
        "the cookie of the session": session,
        "the token that changes need beside it": csrf_token(session),
        "the refresh token of a terminal": tokens["refresh_token"],
        **{f"the token of {role}": value for role, value in emulator.tokens.items()},
        **{
            f"the signature of the token of {role}": value.rpartition(".")[2] for role, value in emulator.tokens.items()
        },
        **{f"the {scope} key": value[16:46] for scope, value in emulator.api_keys.items()},
        **{f"the password of {role}": password for role, password in passwords.items() if password},
        **{f"what came in a {name}": value for name, value in planted.items()},
    }
    leaks = [
        f"{what} stands in {name}" for name, text in logs().items() for what, value in secrets.items() if value in text
    ]
    assert leaks == []
