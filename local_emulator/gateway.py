"""The gateway: one port in front of all functions, in the place of the load balancer.

Owns routing by the suite's path templates, the forwarding headers, the body cap and the time limits. Bodies pass in both
directions as they come, never collected. It authenticates nobody, and internal paths (`/_events`, `/_health`) have no
route. Run as `python -m local_emulator.gateway --port 8080 --suite FILE --upstreams FILE`; the upstreams file maps a
name to `http://host:port` and is read again when it changes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from infra.suite import SUITE_FILE, load_suite
from shared.http.scim_errors import ERROR_SCHEMA
from shared.http.scim_errors import MEDIA_TYPE as SCIM_TYPE
from shared.http.scim_errors import ROOT as SCIM_ROOT

from .ports import HOST
from .routing import MethodNotAllowed, NotFound, Routes, Target

MOST_BODY_BYTES = 33 * 1024 * 1024
RETRY_AFTER_SECONDS = 1

_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
     "transfer-encoding", "upgrade"}
)  # fmt: skip
_IDLE_SECONDS = 1.0  # shorter than gunicorn's 2 s, so that no request is sent on a connection that is being closed
_CHUNK_BYTES = 64 * 1024


class BodyTooLargeError(Exception):
    """The request's body went past the cap while it was passed on."""


class Upstreams:
    """Where each entry point listens; the supervisor writes the file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._version: tuple[int, int] | None = None
        self._urls: Mapping[str, str] = {}

    def url(self, name: str) -> str | None:
        """Return the URL of an upstream, or None while it has none."""
        with suppress(OSError):
            found = self._file.stat()
            version = (found.st_mtime_ns, found.st_ino)
            if version != self._version:
                self._urls = json.loads(self._file.read_text(encoding="utf-8"))
                self._version = version
        return self._urls.get(name)


class Gateway:
    """Passes requests on."""

    def __init__(self, routes: Routes, upstreams: Upstreams, *, most_body_bytes: int = MOST_BODY_BYTES) -> None:
        self._routes = routes
        self._upstreams = upstreams
        self._most_body_bytes = most_body_bytes
        self._session: aiohttp.ClientSession | None = None

    def application(self) -> web.Application:
        """Build the aiohttp application."""
        application = web.Application(handler_args={"auto_decompress": False})  # what is compressed passes as it came
        application.cleanup_ctx.append(self._client)
        application.router.add_route("*", "/{path:.*}", self.handle)
        return application

    async def _client(self, _: web.Application) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_SECONDS)
        async with aiohttp.ClientSession(
            connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            self._session = session
            yield

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Route one request."""
        path = request.raw_path.partition("?")[0]
        found = self._routes.find(request.method, path)
        if isinstance(found, NotFound):
            return problem(request, HTTPStatus.NOT_FOUND, "not_found", "No such path.")
        if isinstance(found, MethodNotAllowed):
            detail = f"{request.method} is not possible here."
            headers = {"Allow": ", ".join(found.allowed)}
            return problem(request, HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", detail, headers)
        if (request.content_length or 0) > self._most_body_bytes:
            return self._too_large(request)
        base = self._upstreams.url(found.upstream)
        if base is None:
            return _away(request, found)
        return await self._forward(request, found, URL(base + request.raw_path, encoded=True))

    async def _forward(self, request: web.Request, target: Target, url: URL) -> web.StreamResponse:
        if self._session is None:
            raise RuntimeError("the application was not started")
        reply: web.StreamResponse | None = None
        try:
            async with self._session.request(
                request.method,
                url,
                headers=_request_headers(request),
                data=self._body(request) if request.can_read_body else None,
                allow_redirects=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                timeout=aiohttp.ClientTimeout(total=target.timeout_seconds, sock_connect=5),
            ) as upstream:
                reply = web.StreamResponse(status=upstream.status, reason=upstream.reason)
                reply.headers.extend(_end_to_end(upstream.headers))
                await reply.prepare(request)
                if request.method != "HEAD":
                    async for chunk in upstream.content.iter_any():
                        await reply.write(chunk)
                await reply.write_eof()
                return reply
        except BodyTooLargeError:
            return self._too_large(request)
        except TimeoutError:
            if reply is None:
                detail = f"{target.upstream} did not answer within {target.timeout_seconds} s."
                return problem(request, HTTPStatus.GATEWAY_TIMEOUT, "gateway_timeout", detail)
            return _cut_off(request, reply)
        except aiohttp.ClientError as error:
            if isinstance(error.__cause__, BodyTooLargeError):
                return self._too_large(request)
            return _away(request, target) if reply is None else _cut_off(request, reply)

    async def _body(self, request: web.Request) -> AsyncIterator[bytes]:
        sent = 0
        async for chunk in request.content.iter_chunked(_CHUNK_BYTES):
            sent += len(chunk)
            if sent > self._most_body_bytes:
                raise BodyTooLargeError
            yield chunk

    def _too_large(self, request: web.Request) -> web.Response:
        detail = f"A body has at most {self._most_body_bytes} bytes."
        reply = problem(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", detail)
        reply.force_close()  # the rest of the body is not read
        return reply


def problem(
    request: web.Request, status: HTTPStatus, code: str, detail: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Render an error of the gateway itself, in the shape of the functions' own errors: RFC 9457, or SCIM's below its root."""
    request_id = request.headers.get("X-Request-Id") or str(uuid.uuid4())
    body = {
        "type": f"urn:driftwise:problem:{code}",
        "code": code,
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "request_id": request_id,
    }
    is_scim = request.path.startswith(SCIM_ROOT)
    if is_scim:
        body = {"schemas": [ERROR_SCHEMA], "status": str(int(status)), "detail": detail}
    return web.Response(
        status=int(status),
        body=json.dumps(body).encode(),
        content_type=SCIM_TYPE if is_scim else "application/problem+json",
        headers={"X-Request-Id": request_id, "Cache-Control": "no-store", **(headers or {})},
    )


def _away(request: web.Request, target: Target) -> web.Response:
    detail = f"{target.upstream} is not running; it may be starting."
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return problem(request, HTTPStatus.SERVICE_UNAVAILABLE, "upstream_unavailable", detail, headers)


def _cut_off(request: web.Request, reply: web.StreamResponse) -> web.StreamResponse:
    """End a reply whose head has been sent so that the client sees it is incomplete."""
    if request.transport is not None:
        request.transport.abort()
    return reply


def _request_headers(request: web.Request) -> CIMultiDict[str]:
    headers = _end_to_end(request.headers)
    for name in list(headers):
        if name.lower().startswith("x-forwarded-") or name.lower() in {"forwarded", "expect", "x-real-ip"}:
            headers.popall(name, None)
    headers["X-Forwarded-For"] = request.remote or HOST
    headers["X-Forwarded-Proto"] = "http"
    headers["X-Forwarded-Host"] = request.headers.get("Host", "")
    return headers


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Copy headers without those that belong to one connection (RFC 9110, 7.6.1)."""
    found = CIMultiDict(headers)
    named = {name.strip().lower() for value in found.getall("Connection", []) for name in value.split(",")}
    for name in list(found):
        if name.lower() in _HOP_BY_HOP or name.lower() in named:
            found.popall(name, None)
    return found


async def serve(gateway: Gateway, port: int) -> None:
    """Serve until SIGTERM or SIGINT; open requests get a moment to end."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(gateway.application(), access_log=None, handler_cancellation=True, shutdown_timeout=3.0)
    await runner.setup()
    await web.TCPSite(runner, HOST, port, reuse_address=True).start()
    await stop.wait()
    await runner.cleanup()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description="The gateway of the local emulator")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--suite", type=Path, default=SUITE_FILE, metavar="FILE")
    parser.add_argument("--upstreams", type=Path, required=True, metavar="FILE")
    arguments = parser.parse_args()
    gateway = Gateway(Routes(load_suite(arguments.suite)), Upstreams(arguments.upstreams))
    asyncio.run(serve(gateway, arguments.port))


if __name__ == "__main__":
    main()
