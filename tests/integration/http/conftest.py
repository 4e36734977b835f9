"""A tiny function in the server that functions run in, with one route for each kind of body."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.function_process import FunctionProcess, function_process

SOURCE = """
from shared.http.access import Access
from shared.http.app import App
from shared.http.reply import Reply
from shared.http.routes import Route
from shared.ports.clock import SystemClock


class Clients:
    clock = SystemClock()

    def close(self):
        pass


def size(call, deps):
    return Reply.ok({"size": len(call.content)})


def show_headers(call, deps):
    return Reply.ok(dict(call.headers))


app = App("tiny", lambda settings: Clients(), [
    Route("GET", "/size", size, Access.anyone()),
    Route("GET", "/headers", show_headers, Access.anyone()),
    Route("POST", "/size", size, Access.anyone(), body_limit_bytes=100_000, is_raw=True),
    Route("POST", "/zip", size, Access.anyone(), body_limit_bytes=100_000, is_raw=True, takes_gzip=True),
    Route("POST", "/json", size, Access.anyone()),
])


def tiny(request):
    return app.handle(request)
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionProcess]:
    with function_process(tmp_path_factory.mktemp("tiny"), SOURCE, DW_BODY_SECONDS="1") as running:
        yield running
