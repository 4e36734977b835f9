"""The AWS stand-in within the test's own process: no server to start, no socket, no second interpreter.

Owns the way from a boto3 or httpx request to moto's WSGI application and back. The application, its seeding and its fault
switches are those of `local_emulator.moto_server`; only the wire between is left out. moto keeps its accounts in the
process, so there is one account at a time; moto is loaded anew for each, because what it draws while it is loaded and used
for the first time shifts the ids of the requests that do so, and a recording was made by a fresh server.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import httpx
from botocore.awsrequest import AWSResponse

from local_emulator.aws import SEED
from local_emulator.aws_faults import Faults
from local_emulator.moto_server import App, Repeatable, empty_account, without_url_builders

ENDPOINT = "http://127.0.0.1:9"  # the port `discard`: what goes round the application by mistake is refused
_HOST = ENDPOINT.removeprefix("http://")
_IN_USE = Lock()
_SERVING: list[App] = []  # the one application, while an account is in use


class Answer(NamedTuple):
    """One reply of the application."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@contextmanager
def account_in_process() -> Generator[str]:
    """Empty the process's account; yields its URL, which only `answer_in_process` and `TRANSPORT` know.

    Raises:
        RuntimeError: another test of this process has not given it back.
    """
    if not _IN_USE.acquire(blocking=False):
        raise RuntimeError("moto keeps one account per process, and it is in use")
    try:
        _SERVING.append(_fresh_application())
        BUCKETS.forget()
        with without_url_builders():
            yield ENDPOINT
    finally:
        _SERVING.clear()
        _IN_USE.release()


def answer_in_process(request: Any, **_others: object) -> AWSResponse:
    """Answer a request of botocore; made for its event `before-send`."""
    body = request.body
    content = body.read() if hasattr(body, "read") else body.encode() if isinstance(body, str) else body or b""
    headers = {
        name: value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    parts = urlsplit(request.url)
    found = _ask(request.method, parts.path + (f"?{parts.query}" if parts.query else ""), headers, content)
    return AWSResponse(request.url, found.status, httpx.Headers(found.headers), _Raw(found.body))


class BucketMemory:
    """What was read of each S3 bucket since somebody last wrote to it, so that it is not asked again.

    A scan asks nearly twenty questions about every bucket, and a change concerns one bucket: no write to a bucket changes
    what another one answers.
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[str, tuple[Any, Any]]] = {}

    def forget(self) -> None:
        """Begin anew."""
        self._known.clear()

    def recall(self, params: Mapping[str, Any], context: dict[str, Any], **_others: object) -> tuple[Any, Any] | None:
        """Answer from memory where that can be; made for botocore's event `before-call`."""
        url = str(params["url"])
        bucket = urlsplit(url).path.strip("/").partition("/")[0]
        if params["method"] not in {"GET", "HEAD"}:
            self._known.pop(bucket, None)
            return None
        context["bucket_question"] = (bucket, url) if bucket else None
        return self._known.get(bucket, {}).get(url)

    def keep(self, http_response: Any, parsed: Any, context: Mapping[str, Any], **_others: object) -> None:
        """Keep an answer; made for botocore's event `after-call`."""
        question = context.get("bucket_question")
        if question and http_response.status_code < 500:
            self._known.setdefault(question[0], {})[question[1]] = (http_response, parsed)


BUCKETS = BucketMemory()


class _Raw(io.BytesIO):
    """A reply's body with the one more method by which botocore reads it."""

    def stream(self, **_options: object) -> Iterator[bytes]:
        """Yield the whole body."""
        yield self.read()


class _Transport(httpx.BaseTransport):
    """The same way for httpx."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        found = _ask(request.method, request.url.raw_path.decode("ascii"), request.headers, request.read())
        return httpx.Response(found.status, headers=found.headers, content=found.body)


TRANSPORT = _Transport()


def _fresh_application() -> App:
    return Faults(Repeatable(_empty_account, seed=SEED, record=None))


def _empty_account() -> tuple[App, Callable[[int], None]]:
    moto, seed_with = empty_account()
    # It tries every service's URL patterns on each request's host, which took a third of the server's time.
    moto.get_backend_for_host = cache(moto.get_backend_for_host)  # type: ignore[attr-defined]
    return moto, seed_with


def _ask(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Send one request to the application, as a WSGI server does (PEP 3333)."""
    path, _, query = url.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path or "/", encoding="latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": url,
        "RAW_URI": url,
        "SERVER_NAME": _HOST.partition(":")[0],
        "SERVER_PORT": _HOST.partition(":")[2],
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    environ.update(HTTP_HOST=_HOST, CONTENT_LENGTH=str(len(body)))
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, found: list[tuple[str, str]], _problem: object = None) -> Callable[[bytes], None]:
        started.append((status, found))
        return lambda _bytes: None

    (application,) = _SERVING
    reply = application(environ, start_response)
    try:
        content = b"".join(reply)
    finally:
        close = getattr(reply, "close", None)
        if close is not None:
            close()
    status, found = started[-1]
    return Answer(int(status.split(" ", 1)[0]), found, content)
