"""Answers that come over time, through the server that functions run in: as they are made, and closed however they end."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.function_process import FunctionProcess, function_process
from tests.support.waiting import wait_until

SOURCE = """
import threading
from shared.http.access import Access
from shared.http.app import App
from shared.http.deps import build_deps
from shared.http.reply import Reply
from shared.http.routes import Route

closed, go_on = [], threading.Event()

class Chunks:
    def __init__(self):
        self.left = [b"one", b"two"]
    def __iter__(self):
        return self
    def __next__(self):
        if not self.left:
            raise StopIteration
        if len(self.left) == 1:
            go_on.wait(20)
        return self.left.pop(0)
    def close(self):
        closed.append(1)

def stream(call, deps):
    return Reply.stream(Chunks(), "text/event-stream")

def release(call, deps):
    go_on.set()
    return Reply.no_content()

def count(call, deps):
    return Reply.ok({"closed": len(closed)})

anyone = Access.anyone()
app = App("tiny", build_deps, [
    Route("GET", "/stream", stream, anyone), Route("GET", "/release", release, anyone), Route("GET", "/closed", count, anyone),
])

def tiny(request):
    return app.handle(request)
"""


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionProcess]:
    with function_process(tmp_path_factory.mktemp("streams"), SOURCE) as found:
        yield found


def closed(process: FunctionProcess) -> int:
    return int(httpx.get(f"{process.url}/closed", trust_env=False).json()["closed"])


def test_a_chunk_leaves_when_it_is_made_and_all_is_closed_at_the_end(process: FunctionProcess) -> None:
    with httpx.stream("GET", f"{process.url}/stream", trust_env=False, timeout=10) as response:
        assert response.headers["Cache-Control"] == "no-store, no-transform"
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        chunks = response.iter_bytes()
        assert next(chunks) == b"one"  # the second is not made before we say so
        assert closed(process) == 0
        httpx.get(f"{process.url}/release", trust_env=False)
        assert b"".join(chunks) == b"two"
    wait_until(lambda: closed(process) >= 1, "what was sent is closed")


def test_a_head_alone_is_closed_as_well(process: FunctionProcess) -> None:
    before = closed(process)
    assert httpx.head(f"{process.url}/stream", trust_env=False).status_code == 200
    wait_until(lambda: closed(process) > before, "what was never sent is closed")
