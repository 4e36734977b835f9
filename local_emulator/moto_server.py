"""The AWS stand-in: moto's own server, made repeatable, with an optional recording of what was asked of it.

Owns two additions to moto; a third, fault switches, stands in `aws_faults`. Repeatable ids: moto draws ids from one random
stream that every request advances, so the stream is re-seeded before each request with the number of writes so far (since
the start or `POST /moto-api/reset`); the same writes then give the same ids, however many reads lie between them. Recording: writes (and the first request to each service, which creates its
default resources) are appended to a file as JSON lines, without credentials, for `local_emulator.aws.replay`.

Run as `python -m local_emulator.moto_server --port 5000 [--seed 42] [--record requests.jsonl]`. Loopback only.
"""

from __future__ import annotations

import argparse
import base64
import gc
import io
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, TypeAlias
from urllib.parse import parse_qs

Environ: TypeAlias = dict[str, Any]
App: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

READS = re.compile(r"^(Describe|List|Get|BatchGet|Head|Search|Lookup)")
KEPT_HEADERS = frozenset({"content-type", "content-encoding", "content-md5", "x-amz-target"})
DROPPED_AMZ_HEADERS = frozenset({"x-amz-date", "x-amz-security-token", "x-amz-user-agent"})
PLACEHOLDER = "aws-endpoint.invalid"  # stands for host:port of the recorded server; also same length rules as a host
SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request")


def action_of(method: str, target: str, query: str, content_type: str, body: bytes) -> str:
    """Name the API action of a request, or its HTTP method where the protocol names none (REST)."""
    if target:
        return target.rsplit(".", 1)[-1]
    form = query if "Action=" in query else ""
    if content_type.startswith("application/x-www-form-urlencoded"):
        form = body.decode("utf-8", "replace")
    found = parse_qs(form).get("Action")
    return found[0] if found else method


def take_body(environ: Environ) -> bytes:
    """Read the body of a request and put it back for the next layer."""
    length = environ.get("CONTENT_LENGTH")
    stream = environ["wsgi.input"]
    body: bytes = stream.read(int(length)) if length else b""
    if not length and environ.get("wsgi.input_terminated"):
        body = stream.read()
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def is_read(action: str) -> bool:
    """Say whether an action leaves the account as it was."""
    return action in {"GET", "HEAD"} or READS.match(action) is not None


class Repeatable:
    """WSGI layer that seeds before each request and records what changes the account."""

    def __init__(self, app: App, *, seed: int, record: Path | None, seed_with: Callable[[int], None]) -> None:
        self._app = app
        self._seed = seed
        self._seed_with = seed_with
        self._record = record
        self._lock = Lock()
        self._writes = 0
        self._services: set[str] = set()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith("/moto-api"):
            if environ["PATH_INFO"] == "/moto-api/reset":  # a fresh account: the same writes give the same ids again
                with self._lock:
                    self._writes = 0
                    self._services.clear()
            return self._app(environ, start_response)
        body = take_body(environ)
        action = action_of(
            environ["REQUEST_METHOD"],
            environ.get("HTTP_X_AMZ_TARGET", ""),
            environ.get("QUERY_STRING", ""),
            environ.get("CONTENT_TYPE", ""),
            body,
        )
        with self._lock:
            scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
            region, service = scope.groups() if scope else ("us-east-1", "")
            is_first = service not in self._services
            self._services.add(service)
            self._writes += not is_read(action)
            if self._record is not None and (is_first or not is_read(action)):
                self._append(self._record, environ, region, service, body)
            self._seed_with(self._seed * 1_000_003 + self._writes)
            # One request at a time: another one that seeds in the middle would make this one draw the same ids twice.
            return self._app(environ, start_response)

    @staticmethod
    def _append(record: Path, environ: Environ, region: str, service: str, body: bytes) -> None:
        headers = {
            name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")
        }
        headers["content-type"] = environ.get("CONTENT_TYPE", "")
        kept = {
            name: str(value)
            for name, value in sorted(headers.items())
            if value and (name in KEPT_HEADERS or (name.startswith("x-amz-") and name not in DROPPED_AMZ_HEADERS))
        }
        host = str(environ.get("HTTP_HOST", ""))
        port = host.rsplit(":", 1)[-1]
        entry: dict[str, object] = {
            "method": environ["REQUEST_METHOD"],
            "url": environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"],
            "region": region,
            "service": service,
            "headers": kept,
        }
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            entry["body_base64"] = base64.b64encode(body).decode("ascii")
        else:
            entry["body"] = re.sub(rf"127\.0\.0\.1(:|%3A){port}\b", PLACEHOLDER, text)
        with record.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def keep_loader(make: Callable[[], Any] | None = None) -> None:
    """Have moto keep its loader of service models: it makes one per model, and each of them lists botocore's whole folder.

    Args:
        make: returns the loader; moto's own, once, when there is none.
    """
    from moto.core import loaders, utils

    utils.create_loader = make or cache(loaders.create_loader)  # type: ignore[attr-defined]  # moto names it for itself


@cache
def keep_regions() -> None:
    """Have botocore find out once in which regions a service is: moto asks with new sessions, and each reads every file again."""
    from botocore.session import Session

    of_service, asking = Session.get_available_regions, Session()

    @cache
    def known(service: str, partition: str, allow_non_regional: bool) -> tuple[str, ...]:  # noqa: FBT001  # the order of botocore's
        return tuple(of_service(asking, service, partition, allow_non_regional))

    def found(
        _self: Session,
        service_name: str,
        partition_name: str = "aws",
        allow_non_regional: bool = False,  # noqa: FBT001, FBT002  # the shape of botocore's
    ) -> list[str]:
        return list(known(service_name, partition_name, allow_non_regional))

    Session.get_available_regions = found


@contextmanager
def without_url_builders() -> Iterator[None]:
    """Have werkzeug compile what builds a rule's URLs when somebody builds one: nobody does, and moto has thousands of rules."""
    from werkzeug.routing import Rule

    compiled = Rule._compile_builder  # noqa: SLF001  # there is no switch for it

    def later(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002  # the shape of werkzeug's
        def build(self: Rule, **values: Any) -> tuple[str, str]:
            found: tuple[str, str] = compiled(rule, append_unknown).__get__(self, None)(**values)
            return found

        return build

    Rule._compile_builder = later  # type: ignore[assignment, method-assign]  # noqa: SLF001
    try:
        yield
    finally:
        Rule._compile_builder = compiled  # type: ignore[method-assign]  # noqa: SLF001


def main() -> None:
    """Serve until told to stop."""
    from moto.moto_api._internal import mock_random
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import run_simple

    from .aws_faults import Faults
    from .aws_index import Indexed

    parser = argparse.ArgumentParser(description="moto, with repeatable ids")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--record", type=Path, default=None, metavar="FILE")
    arguments = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    gc.set_threshold(
        100_000, 50, 100
    )  # service models are never garbage, and looking through them took half of the start
    keep_loader()
    keep_regions()
    app = Repeatable(
        DomainDispatcherApplication(create_backend_app),
        seed=arguments.seed,
        record=arguments.record,
        seed_with=mock_random.seed,
    )
    with without_url_builders():
        run_simple("127.0.0.1", arguments.port, Faults(Indexed(app)), threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    main()
